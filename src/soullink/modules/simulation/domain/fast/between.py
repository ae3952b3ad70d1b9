# ruff: noqa: F403, F405, C901, PLR0912, PLR0915 - rows by the score; two people, written out
"""What happens to a tile before, between and after episodes: the equations of `domain.course`.

Plain Python over a tile, made into source by `source.py` like `lanes.py`. Each function names the
NumPy function whose equations it states.
"""

from typing import Any

import numpy as np

from soullink.modules.simulation.domain.attraction import AFFECT_MEAN, AFFECT_SD
from soullink.modules.simulation.domain.fast.cells import Rows, Words, put
from soullink.modules.simulation.domain.fast.draws import draw_normal, draw_uniform
from soullink.modules.simulation.domain.fast.maths import (
    UNROLL,
    clip,
    counted,
    drawn_bits,
    exp,
    larger,
    pick,
    real,
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


def begin(
    x: Rows, k: Words, p: Rows, pair: Words, means: Rows, sds: Rows, likeness: Rows, first: int
) -> None:
    """Set up L courses before anything happened: `course.begin`."""
    x[:] = 0.0
    for i in range(L):
        n = pair[first + i]
        x[LIKENESS, i] = likeness[n]
        for t in range(N_TRAIT):
            x[TRAIT + t, i] = means[n, 0, t]
            x[P1 + TRAIT + t, i] = means[n, 1, t]
    for who in range(2):
        for t in range(N_TRAIT):
            draw_normal(x, k, SCRATCH, who, TRAIT_PURPOSE, 0, t)
            for i in range(L):
                row = who * P1 + TRAIT + t
                x[row, i] = x[row, i] + sds[pair[first + i], who, t] * x[SCRATCH, i]
    share = p[INDEX["actor_share"]], p[INDEX["partner_share"]]
    pair_share = sqrt(1.0 - share[0] - share[1])
    choosiness, reciprocity = p[INDEX["choosiness"]], p[INDEX["reciprocity"]]
    draw_normal(x, k, HIT, 2, SPARK_PURPOSE, 0, 0)
    for who in UNROLL(2):
        draw_normal(x, k, P1 * who + SIGNAL, who, PARTNER, 0, 0)
        draw_normal(x, k, P1 * who + ACHE, who, ACTOR, 0, 0)
        draw_normal(x, k, P1 * who + SPARK, who, SPARK_PURPOSE, 0, 0)
    for who in UNROLL(2):
        for i in range(L):
            chooses = (
                sqrt(1.0 - choosiness * choosiness) * x[P1 * who + ACHE, i]
                - choosiness * x[P1 * who + SIGNAL, i]
            )
            appeal = x[P1 * (1 - who) + SIGNAL, i]
            general = sqrt(share[0]) * chooses + sqrt(share[1]) * appeal
            own = x[P1 * who + SPARK, i]
            spark = sqrt(reciprocity) * x[HIT, i] + sqrt(1.0 - reciprocity) * own
            x[P1 * who + GENERAL, i] = general
            x[P1 * who + SPARK, i] = spark
            x[P1 * who + DRAWN, i] = clip(general + pair_share * spark, -3.0, 3.0)
    for who in UNROLL(2):
        for n in range(4):
            draw_uniform(x, k, P1 * who + LOAD + n, who, LOAD_PURPOSE, 0, n)
        draw_normal(x, k, P1 * who + SIMILARITY, who, SIMILARITY_PURPOSE, 0, 0)
        draw_normal(x, k, P1 * who + SENSITIVITY, who, SENSITIVITY_PURPOSE, 0, 0)
        for i in range(L):
            for n in UNROLL(4):
                x[P1 * who + LOAD + n, i] = 0.12 + 0.3 * x[P1 * who + LOAD + n, i]
            neurotic, agreeable = x[P1 * who + NEUROTICISM, i], x[P1 * who + AGREEABLENESS, i]
            anxious, avoidant = x[P1 * who + ANXIETY, i], x[P1 * who + AVOIDANCE, i]
            drawn = x[P1 * who + DRAWN, i]
            load = mean_load(x, P1 * who + LOAD, i)
            x[P1 * who + MOOD, i] = clip(set_point(x, P1 * who, i) + 0.06 * drawn, -1.0, 1.0)
            x[P1 * who + AROUSAL, i] = clip(0.35 + 0.03 * drawn, 0.0, 1.0)
            stress = 0.12 + p[INDEX["stress_of_load"]] * load + 0.04 * neurotic
            x[P1 * who + STRESS, i] = clip(stress, 0.0, 1.0)
            trust = 0.42 - 0.03 * anxious - 0.03 * avoidant + 0.03 * agreeable
            x[P1 * who + TRUST, i] = clip(trust, 0.0, 1.0)
            close = 0.1 + 0.025 * drawn - 0.015 * avoidant
            x[P1 * who + CLOSENESS, i] = clip(close, 0.0, 1.0)
            x[P1 * who + COMMITMENT, i] = clip(0.05 + 0.02 * drawn, 0.0, 1.0)
            x[P1 * who + SATISFACTION, i] = 0.5 + 0.05 * drawn
            similar = (
                0.45
                + p[INDEX["similarity_liking"]] * drawn
                + 0.06 * (x[LIKENESS, i] - 0.3)
                + 0.12 * x[P1 * who + SIMILARITY, i]
            )
            x[P1 * who + SIMILARITY, i] = clip(similar, 0.0, 1.0)
            x[P1 * who + SENSITIVITY, i] = clip(
                1.0 + p[INDEX["sensitivity_sd"]] * x[P1 * who + SENSITIVITY, i], 0.1, 3.0
            )
    for i in range(L):
        x[ALIVE, i] = 1.0
        x[ENDED_BY, i] = -1.0


def mean_load(x: Rows, row: int, i: int) -> Any:
    """Return the mean of a person's four loads."""
    return (x[row, i] + x[row + 1, i] + x[row + 2, i] + x[row + 3, i]) * 0.25


def set_point(x: Rows, person: int, i: int) -> Any:
    """Return the uninfluenced mood: `dynamics.set_point`."""
    return clip(
        0.12
        + 0.05 * x[person + EXTRAVERSION, i]
        - 0.08 * x[person + NEUROTICISM, i]
        + 0.02 * x[person + AGREEABLENESS, i],
        -0.4,
        0.5,
    )


def pass_time(
    x: Rows, k: Words, p: Rows, episode: int, gap: Rows, extra: Rows, topics: int
) -> None:
    """Let the days between two episodes pass: `environment.pass_time`. gap: (low, high) days."""
    c = counted(GAP_PURPOSE, episode, 0, 0)
    for i in range(L):
        # In double precision: what is rounded must not depend on the kernel's own.
        u = (np.float64(drawn_bits(k[2, i], c)) + np.float64(0.5)) * np.float64(2.0**-53)
        days = np.rint((gap[0] + (gap[1] - gap[0]) * u) * np.float64(10.0)) / np.float64(10.0)
        x[GAP, i] = days
    for who in UNROLL(2):
        for i in range(L):
            x[P1 * who + SIGNAL, i] = 0.0
            x[P1 * who + ACHE, i] = 0.0
        for n in range(4):
            draw_normal(x, k, VALUE, who, FACTOR_PURPOSE, episode, n)
            row = P1 * who + LOAD + n
            for i in range(L):
                x[HIT, i] = x[row, i]
            for i in range(L):
                keep = exp(-0.35 * (x[GAP, i] / 30.0))
                changed = 0.2 + keep * (x[HIT, i] - 0.2)
                spread = 0.12 * sqrt(larger(1.0 - keep * keep, 0.0))
                changed = changed + spread * x[VALUE, i]
                put(x, HIT, i, x[ALIVE, i] > 0.5, changed)
            for i in range(L):
                x[row, i] = x[HIT, i]
        for n in range(N_EVENT):
            draw_uniform(x, k, SCRATCH, who, LIFE_EVENT, episode, n)
            log, load, stress, mood = EVENTS[n, 0], EVENTS[n, 1], EVENTS[n, 2], EVENTS[n, 3]
            row = P1 * who + LOAD + int(EVENTS[n, 4])
            for i in range(L):
                months = smaller(x[GAP, i] / 30.0, 2.0)
                hit = (x[SCRATCH, i] < 1.0 - exp(months * log)) & (x[ALIVE, i] > 0.5)
                x[VALUE, i] = pick(hit, load, 0.0)
                x[P1 * who + SIGNAL, i] += pick(hit, stress, 0.0)
                x[P1 * who + ACHE, i] += pick(hit, mood, 0.0)
            for i in range(L):
                x[row, i] += x[VALUE, i]
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
            belief = 0.0
            for n in UNROLL(N_ASPECT):
                belief = belief + x[P1 * who + BELIEF + n, i]
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
            leaning = 0.0
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
            pressed = 0.0
            for n in UNROLL(4):
                pressed = pressed + x[P1 * who + LOAD + n, i] * pressures[n]
            strain = pressed + 0.25 * mean_load(x, P1 * who + LOAD, i)
            x[P1 * who + STRAIN, i] = clip(strain, 0.0, 1.0)
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
                u = (np.float64(drawn_bits(k[2, i], c)) + np.float64(0.5)) * np.float64(2.0**-53)
                picked = min(int(u * size), size - 1)
                for n in range(len(demands)):
                    x[DEMAND_ROW + n, i] += choices[number, picked, n]
    for n in range(len(demands)):
        for i in range(L):
            x[DEMAND_ROW + n, i] = clip(x[DEMAND_ROW + n, i], 0.0, 1.0)
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
                + 0.06 * x[SUCCESS, i]
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
