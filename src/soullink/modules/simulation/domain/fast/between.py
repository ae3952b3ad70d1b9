# ruff: noqa: F403, F405, C901, PLR0912, PLR0915 - rows by the score; two people, written out
"""What happens to a tile between and after episodes: the equations of `domain.course`.

Plain Python over a tile, made into source by `source.py` like `lanes.py`. Each function names the
NumPy function whose equations it states.
"""

import numpy as np

from soullink.modules.simulation.domain.attraction import AFFECT_MEAN, AFFECT_SD
from soullink.modules.simulation.domain.fast.beginning import mean_load, set_point
from soullink.modules.simulation.domain.fast.cells import Rows, Words, put
from soullink.modules.simulation.domain.fast.draws import draw_normal, draw_uniform
from soullink.modules.simulation.domain.fast.maths import (
    UNROLL,
    clip,
    counted,
    double_of_word,
    drawn_bits,
    exp,
    exp_2,
    floor,
    larger,
    pick,
    real,
    real_of_double,
    rint,
    sigmoid,
    smaller,
    sqrt,
    tanh,
)  # fmt: skip
from soullink.modules.simulation.domain.fast.recollections import reflect
from soullink.modules.simulation.domain.fast.rows import *
from soullink.modules.simulation.domain.layout import N_TRAIT
from soullink.modules.simulation.domain.memory import (
    HALF_LIFE_DAYS,
    N_ASPECT,
)  # fmt: skip
from soullink.modules.simulation.domain.parameters import INDEX

FORGET_DAY = 0.6931471805599453 / HALF_LIFE_DAYS


def pass_time(
    x: Rows, k: Words, p: Rows, episode: int, gap: Rows, extra: Rows, topics: int
) -> None:
    """Let the days between two episodes pass: `environment.pass_time`. gap: (low, high) days."""
    c = counted(GAP_PURPOSE, episode, 0, 0)
    for i in range(L):
        # In double precision: what is rounded must not depend on the kernel's own.
        u = (
            double_of_word(drawn_bits(k[2, i], c) >> np.uint64(11)) + np.float64(0.5)
        ) * np.float64(2.0**-53)
        tenths = rint((u * (gap[1] - gap[0]) + gap[0]) * np.float64(10.0))
        x[GAP, i] = real_of_double(tenths / np.float64(10.0))
    for i in range(L):
        alive = x[ALIVE, i] > 0.5
        keep = exp(x[GAP, i] * (-0.35 / 30.0))
        spread = 0.12 * sqrt(larger(1.0 - keep * keep, 0.0))
        months = smaller(x[GAP, i] / 30.0, 2.0)
    for who in UNROLL(2):
        for i in range(L):
            x[P1 * who + SIGNAL, i] = 0.0
            x[P1 * who + ACHE, i] = 0.0
        for n in range(4):
            draw_normal(x, k, VALUE, who, FACTOR_PURPOSE, episode, n)
            row = P1 * who + LOAD + n
            for i in range(L):
                changed = 0.2 + keep * (x[row, i] - 0.2) + spread * x[VALUE, i]
                put(x, row, i, alive, changed)
        for n in range(N_EVENT):
            draw_uniform(x, k, SCRATCH, who, LIFE_EVENT, episode, n)
            log, load, stress, mood = EVENTS[n, 0], EVENTS[n, 1], EVENTS[n, 2], EVENTS[n, 3]
            row = P1 * who + LOAD + int(EVENTS[n, 4])
            for i in range(L):
                hit = (x[SCRATCH, i] < 1.0 - exp_2(months * log)) & alive
                x[row, i] += pick(hit, load, 0.0)
                x[P1 * who + SIGNAL, i] += pick(hit, stress, 0.0)
                x[P1 * who + ACHE, i] += pick(hit, mood, 0.0)
        more_stress = extra[who]
        for i in range(L):
            where = x[ALIVE, i] > 0.5
            days = x[GAP, i]
            months = days / 30.0
            for n in UNROLL(4):
                x[P1 * who + LOAD + n, i] = clip(x[P1 * who + LOAD + n, i], 0.0, 1.0)
            neurotic = x[P1 * who + NEUROTICISM, i]
            anxious, avoidant = x[P1 * who + ANXIETY, i], x[P1 * who + AVOIDANCE, i]
            rest = exp(-days / 2.5)
            point = set_point(x, P1 * who, i)
            mood = point + rest * (x[P1 * who + MOOD, i] - point) + 0.6 * x[P1 * who + ACHE, i]
            put(x, P1 * who + MOOD, i, where, clip(mood, -1.0, 1.0))
            arousal = 0.25 + rest * (x[P1 * who + AROUSAL, i] - 0.25)
            put(x, P1 * who + AROUSAL, i, where, clip(arousal, 0.0, 1.0))
            load = mean_load(x, P1 * who + LOAD, i)
            baseline = clip(
                0.12 + p[INDEX["stress_of_load"]] * load + 0.04 * neurotic + more_stress, 0.0, 1.0
            )
            stress = x[P1 * who + STRESS, i] + x[P1 * who + SIGNAL, i]
            stress = baseline + exp(-days / 9.0) * (stress - baseline)
            put(x, P1 * who + STRESS, i, where, clip(stress, 0.0, 1.0))
            fade = exp(-months * clip(0.05 + 0.02 * avoidant, 0.01, 0.12))
            put(x, P1 * who + CLOSENESS, i, where, x[P1 * who + CLOSENESS, i] * fade)
            belief = x[P1 * who + BELIEF, i]
            for n in UNROLL(N_ASPECT - 1):
                belief = belief + x[P1 * who + BELIEF + n + 1, i]
            trust = x[P1 * who + TRUST, i]
            trust = trust + 0.06 * smaller(months, 2.0) * (
                0.5 + 0.5 * (belief / (N_ASPECT * 1.0)) - 0.04 * anxious - trust
            )
            put(x, P1 * who + TRUST, i, where, clip(trust, 0.0, 1.0))
            linger = exp(-days / clip(9.0 * (1.0 + 0.25 * anxious + 0.2 * neurotic), 3.0, 30.0))
            put(x, P1 * who + HURT, i, where, x[P1 * who + HURT, i] * linger)
            put(x, P1 * who + GUILT, i, where, x[P1 * who + GUILT, i] * linger)
            need = x[P1 * who + CONNECTION, i] * rest + 0.15 * x[P1 * who + BELIEF, i]
            put(x, P1 * who + CONNECTION, i, where, clip(need, -1.0, 1.0))
            put(x, P1 * who + AUTONOMY, i, where, x[P1 * who + AUTONOMY, i] * rest)
            put(x, P1 * who + ESTEEM, i, where, x[P1 * who + ESTEEM, i] * rest)
    for i in range(L):
        x[SCRATCH, i] = exp(-FORGET_DAY * x[GAP, i])
    for who in UNROLL(2):
        for cell in range(topics * N_ASPECT):
            row = MEMORY + 4 * (who * N_TOPIC * N_ASPECT + cell) + RECENCY
            for i in range(L):
                x[row, i] *= x[SCRATCH, i]


def open_episode(
    x: Rows, k: Words, episode: int, decides: float, demands: Rows, choices: Rows, sizes: Words,
    pressures: Rows, pull: Rows, misreading: Rows, slot: int,
) -> None:  # fmt: skip
    """Set the scene: the second half of `course.open_episode`. slot: the topic's place."""
    role = counted(ROLE_PURPOSE, episode, 0, 0)
    for i in range(L):
        first = drawn_bits(k[0, i], role) > drawn_bits(k[1, i], role)
        x[ROLE, i] = pick(first, 0.0, 1.0)
        x[P1 + ROLE, i] = pick(first, 1.0, 0.0)
    for row in range(CONFLICT, LIVED):
        for i in range(L):
            x[row, i] = 0.0
    for i in range(L):
        x[FIRED, i] = 0.0
    for who in UNROLL(2):
        draw_normal(x, k, SCRATCH, who, POSITION_PURPOSE, episode, 0)
        factor = misreading[who]
        for i in range(L):
            leaning = 0.0 * x[SCRATCH, i]
            for t in UNROLL(N_TRAIT):
                leaning = leaning + x[P1 * who + TRAIT + t, i] * pull[t]
            position = tanh(0.7 * leaning + 0.55 * x[SCRATCH, i])
            x[P1 * who + POSITION, i] = pick(decides > 0.5, position, 0.0)
            x[P1 * who + LAST_ACT, i] = NO_ACT * 1.0
            x[P1 * who + LAST_ACT_2, i] = NO_ACT * 1.0
            x[P1 * who + HEARD, i] = -1.0
            x[P1 * who + THREAT, i] = 0.0
            x[P1 * who + FELT, i] = 0.0
            x[P1 * who + HEARD_TURNS, i] = 0.0
            x[P1 * who + DISCLOSED, i] = 0.0
            x[P1 * who + PRESSED, i] = 0.0
            x[P1 * who + WARMED, i] = 0.0
            x[P1 * who + SPOKEN, i] = 0.0
            x[P1 * who + MISREADING, i] = factor
            pressed = x[P1 * who + LOAD, i] * pressures[0]
            for n in UNROLL(3):
                pressed = pressed + x[P1 * who + LOAD + n + 1, i] * pressures[n + 1]
            strain = pressed + 0.25 * mean_load(x, P1 * who + LOAD, i)
            strain = clip(strain, 0.0, 1.0)
            x[P1 * who + POINT, i] = x[P1 * who + REST, i] - 0.18 * strain
            x[P1 * who + STRESS_POINT, i] = 0.03 * (
                0.15 + 0.6 * strain + 0.05 * x[P1 * who + NEUROTICISM, i]
            )
    for i in range(L):
        x[SPEAKER, i] = -1.0
        x[CONFLICT, i] = 0.4 * larger(x[HURT, i], x[P1 + HURT, i])
        x[LIVE, i] = x[ALIVE, i]
        x[LIVED, i] = x[ALIVE, i]
        x[ENDING, i] = -1.0
        x[OUTCOME, i] = -1.0
        x[SUCCESS, i] = 0.0
        x[LEFT_BY, i] = -1.0
    for n in range(len(demands)):
        for i in range(L):
            x[DEMAND_ROW + n, i] = demands[n]
    for number in range(len(sizes)):
        size = sizes[number]
        if size > 0:
            c = counted(PARAMETER_PURPOSE, episode, 0, number)
            for i in range(L):
                # In double precision, as what is rounded above.
                u = (
                    double_of_word(drawn_bits(k[2, i], c) >> np.uint64(11)) + np.float64(0.5)
                ) * np.float64(2.0**-53)
                picked = clip(floor(u * np.float64(size)), np.float64(0.0), np.float64(size - 1))
            for choice in range(size):
                for n in range(len(demands)):
                    for i in range(L):
                        more = pick(picked == np.float64(choice), choices[number, choice, n], 0.0)
                        x[DEMAND_ROW + n, i] += more
    for n in range(len(demands)):
        for i in range(L):
            x[DEMAND_ROW + n, i] = clip(x[DEMAND_ROW + n, i], 0.0, 1.0)
    for who in UNROLL(2):
        for i in range(L):
            x[P1 * who + THREAT_DEMAND, i] = (
                0.12
                * x[P1 * who + SENSITIVITY, i]
                * x[DEMAND_ROW, i]
                * clip(1.0 + 0.3 * x[P1 * who + NEUROTICISM, i], 0.2, 2.2)
            )
    for who in UNROLL(2):
        for n in range(4 * N_ASPECT):
            row = MEMORY + 4 * N_ASPECT * (who * N_TOPIC + slot) + n
            for i in range(L):
                x[P1 * who + CELL + n, i] = x[row, i]


def close_episode(
    x: Rows, k: Words, p: Rows, episode: int, decides: float, topics: int, slot: int
) -> None:
    """Settle what stays behind and who goes on: `course.close_episode` after the outcome."""
    felt_weight, close_weight = p[INDEX["satisfaction_felt"]], p[INDEX["satisfaction_closeness"]]
    stress_weight, hurt_weight = p[INDEX["satisfaction_stress"]], p[INDEX["satisfaction_hurt"]]
    others_weight, success_weight = (
        p[INDEX["satisfaction_of_other"]],
        p[INDEX["satisfaction_success"]],
    )
    comparison = p[INDEX["comparison_sd"]]
    for i in range(L):
        escalated = pick(x[ESCALATED, i] > 0.5, 3.0, pick(decides > 0.5, 4.0, 0.0))
        arbitrated = pick(
            (x[ARBITRATED, i] > 0.5) & (x[ESCALATED, i] < 0.5) & (decides > 0.5), 2.0, escalated
        )
        x[RESOLUTION, i] = pick((x[AGREED, i] > 0.5) & (decides > 0.5), 1.0, arbitrated)
        where = x[LIVED, i] > 0.5
        put(x, HIGHEST, i, where, larger(x[HIGHEST, i], x[PEAK, i]))
        put(x, SUCCESSES, i, where, x[SUCCESSES, i] + x[SUCCESS, i])
        put(x, EPISODES, i, where, x[EPISODES, i] + 1.0)
    for who in UNROLL(2):
        draw_normal(x, k, SCRATCH, who, SATISFACTION_PURPOSE, 0, 0)
        for i in range(L):
            where = x[LIVED, i] > 0.5
            felt = x[P1 * who + FELT, i] / larger(x[P1 * who + HEARD_TURNS, i], 1.0)
            close = x[P1 * who + CLOSENESS, i]
            now = clip(
                0.56
                + felt_weight * (felt - 0.22)
                + close_weight * (close - 0.3)
                + 0.3 * (x[P1 * who + TRUST, i] - 0.5)
                - stress_weight * (x[P1 * who + STRESS, i] - 0.25)
                - hurt_weight * x[P1 * who + HURT, i]
                - others_weight
                * (x[P1 * (1 - who) + STRESS, i] - 0.25 + x[P1 * (1 - who) + HURT, i])
                + success_weight * x[SUCCESS, i]
                + comparison * x[SCRATCH, i],
                0.0,
                1.0,
            )
            satisfaction = 0.55 * x[P1 * who + SATISFACTION, i] + 0.45 * now
            target = clip(
                0.55 * satisfaction
                + 0.6 * close
                - 0.08 * x[P1 * who + AVOIDANCE, i]
                + 0.03 * x[P1 * who + CONSCIENTIOUSNESS, i]
                - 0.12,
                0.0,
                1.0,
            )
            commitment = x[P1 * who + COMMITMENT, i]
            commitment = commitment + 0.35 * (target - commitment)
            put(x, P1 * who + SATISFACTION, i, where, satisfaction)
            put(x, P1 * who + COMMITMENT, i, where, clip(commitment, 0.0, 1.0))
        if episode == 1:
            yes, share = p[INDEX["yes_threshold"]], p[INDEX["experience_share"]]
            pair = sqrt(1.0 - p[INDEX["actor_share"]] - p[INDEX["partner_share"]])
            for i in range(L):
                felt = x[P1 * who + FELT, i] / larger(x[P1 * who + HEARD_TURNS, i], 1.0)
                lived = clip((felt - AFFECT_MEAN) / AFFECT_SD, -3.0, 3.0)
                part = sqrt(share) * lived + sqrt(1.0 - share) * x[P1 * who + SPARK, i]
                again = x[P1 * who + GENERAL, i] + pair * part > yes
                x[P1 * who + AGAIN, i] = pick(again, 1.0, 0.0)
    reflect(x, topics, slot)
    part_ways(x, k, p, episode)


def part_ways(x: Rows, k: Words, p: Rows, episode: int) -> None:
    """End the relationships that end after this episode: `course.stay_hazard`."""
    stay = p[INDEX["stay_satisfaction"]]
    for who in UNROLL(2):
        draw_uniform(x, k, SCRATCH, who, STAY_PURPOSE, episode, 0)
        for i in range(L):
            chance = sigmoid(
                -4.6
                + stay * (0.45 - x[P1 * who + SATISFACTION, i])
                - 2.5 * x[P1 * who + COMMITMENT, i]
                + 1.5 * x[P1 * who + HURT, i]
                - 0.5 * x[P1 * who + DRAWN, i]
            )
            x[P1 * who + SIGNAL, i] = pick(x[SCRATCH, i] < chance, 1.0, 0.0)
    for i in range(L):
        lived = x[LIVED, i] > 0.5
        first, second = x[SIGNAL, i] > 0.5, x[P1 + SIGNAL, i] > 0.5
        committed = larger(x[COMMITMENT, i], x[P1 + COMMITMENT, i])
        stormed = (x[LEFT, i] > 0.5) & (committed < 0.2)
        ended = lived & (first | second | stormed)
        weaker = pick(x[SATISFACTION, i] <= x[P1 + SATISFACTION, i], 0.0, 1.0)
        by = pick(first & second, weaker, pick(second, 1.0, 0.0))
        x[ENDED_BY, i] = pick(ended, pick(stormed, x[LEFT_BY, i], by), x[ENDED_BY, i])
        x[ENDED, i] = pick(ended, real(episode), x[ENDED, i])
        x[ALIVE, i] = pick(ended, 0.0, x[ALIVE, i])
