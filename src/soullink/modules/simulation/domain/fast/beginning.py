# ruff: noqa: F403, F405, C901, PLR0912, PLR0915 - rows by the score; two people, written out
"""How courses begin: two people, what draws them, and what the equations make of their traits.

Plain Python over a tile, made into source by `source.py` like `lanes.py`.
"""

from typing import Any

from soullink.modules.simulation.domain.fast.cells import Rows, Words
from soullink.modules.simulation.domain.fast.draws import draw_normal, draw_uniform
from soullink.modules.simulation.domain.fast.maths import UNROLL, clip, sqrt
from soullink.modules.simulation.domain.fast.rows import *
from soullink.modules.simulation.domain.layout import N_TRAIT
from soullink.modules.simulation.domain.memory import N_ASPECT
from soullink.modules.simulation.domain.parameters import INDEX


def begin(
    x: Rows, k: Words, p: Rows, pair: Words, means: Rows, sds: Rows, likeness: Rows, first: int,
    topics: int,
) -> None:  # fmt: skip
    """Set up L courses before anything happened: `course.begin`."""
    for row in range(TABLES):
        for i in range(L):
            x[row, i] = 0.0
    for who in UNROLL(2):
        start = MEMORY + who * (4 * N_ASPECT * N_TOPIC)
        for row in range(start, start + topics * (4 * N_ASPECT)):
            for i in range(L):
                x[row, i] = 0.0
    n = pair[first]
    if n == pair[first + L - 1]:  # the same pair in all lanes: pairs come one after the other
        for i in range(L):
            x[LIKENESS, i] = likeness[n]
        for who in UNROLL(2):
            for t in range(N_TRAIT):
                for i in range(L):
                    x[P1 * who + TRAIT + t, i] = means[n, who, t]
                    x[P1 * who + BASE + t, i] = sds[n, who, t]
    else:
        begin_lanes(x, pair, means, sds, likeness, first)
    for who in UNROLL(2):
        for t in range(N_TRAIT):
            draw_normal(x, k, SCRATCH, who, TRAIT_PURPOSE, 0, t)
            for i in range(L):
                row = P1 * who + t
                x[row + TRAIT, i] += x[row + BASE, i] * x[SCRATCH, i]
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
    derive(x, p)


def begin_lanes(x: Rows, pair: Words, means: Rows, sds: Rows, likeness: Rows, first: int) -> None:
    """Give each lane the attributes of its own pair's people."""
    for lane in range(L):
        n = pair[first + lane]
        x[LIKENESS, lane] = likeness[n]
        for t in range(N_TRAIT):
            x[TRAIT + t, lane] = means[n, 0, t]
            x[P1 + TRAIT + t, lane] = means[n, 1, t]
            x[BASE + t, lane] = sds[n, 0, t]
            x[P1 + BASE + t, lane] = sds[n, 1, t]


def derive(x: Rows, p: Rows) -> None:
    """Find what `dynamics.hear`, `read` and `act_on_self` make of traits, once for a course."""
    inertia, gain_bad, gain_good = (
        p[INDEX["mood_inertia"]], p[INDEX["mood_gain_negative"]], p[INDEX["mood_gain_positive"]]
    )  # fmt: skip
    noise, stress = p[INDEX["mood_noise_hearing"]], p[INDEX["stress_threat"]]
    trust, hurt = p[INDEX["trust_growth"]], p[INDEX["hurt_gain"]]
    for who in UNROLL(2):
        for i in range(L):
            neurotic = x[P1 * who + NEUROTICISM, i]
            anxious = x[P1 * who + ANXIETY, i]
            avoidant = x[P1 * who + AVOIDANCE, i]
            extravert = x[P1 * who + EXTRAVERSION, i]
            agreeable = x[P1 * who + AGREEABLENESS, i]
            sensitive = x[P1 * who + SENSITIVITY, i]
            x[P1 * who + BIDS, i] = 0.5 * extravert - 0.6 * 0.3
            x[P1 * who + CONNECTS, i] = clip(1.0 + 0.25 * anxious, 0.3, 2.0)
            x[P1 * who + FREES, i] = clip(1.0 + 0.3 * avoidant, 0.3, 2.0)
            x[P1 * who + LESS_FREE, i] = 0.12 * avoidant
            x[P1 * who + ESTEEMS, i] = clip(1.0 + 0.15 * neurotic, 0.3, 2.0)
            x[P1 * who + THREAT_CONNECTION, i] = (
                0.45 * sensitive * clip(1.0 + 0.35 * anxious, 0.2, 2.2)
            )
            x[P1 * who + THREAT_AUTONOMY, i] = (
                0.35 * sensitive * clip(1.0 + 0.35 * avoidant, 0.2, 2.2)
            )
            x[P1 * who + THREAT_ESTEEM, i] = 0.45 * sensitive
            x[P1 * who + REST, i] = set_point(x, P1 * who, i)
            x[P1 * who + INERTIA, i] = clip(inertia + 0.04 * neurotic, 0.1, 0.7)
            x[P1 * who + GAIN_BAD, i] = gain_bad * clip(1.0 + 0.22 * neurotic, 0.3, 2.0)
            x[P1 * who + GAIN_GOOD, i] = gain_good * clip(1.0 + 0.15 * extravert, 0.4, 1.8)
            x[P1 * who + NOISY, i] = noise * clip(1.0 + 0.15 * neurotic, 0.5, 1.6)
            x[P1 * who + STRESSED, i] = stress * clip(1.0 + 0.2 * neurotic, 0.4, 1.8)
            x[P1 * who + TRUSTS, i] = trust * clip(1.0 - 0.15 * anxious - 0.1 * avoidant, 0.4, 1.6)
            x[P1 * who + OPENS, i] = clip(1.0 - 0.12 * avoidant, 0.3, 1.7)
            x[P1 * who + HURTS, i] = hurt * sensitive
            x[P1 * who + GUILTY, i] = 0.35 * clip(0.6 + 0.25 * agreeable, 0.1, 1.2)
            x[P1 * who + MISREADS_AT, i] = (
                0.2 * neurotic + 0.15 * anxious + (-3.1 - 1.6 * 0.3 - 0.8 * 0.3 + 1.2 * 0.5)
            )
            x[P1 * who + WORSE_AT, i] = 0.6 * anxious + 0.3 * neurotic + (0.6 + 3.0 * 0.5)


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
