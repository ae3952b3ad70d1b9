# ruff: noqa: F403, F405, PLR0915 - rows by the score; one lane's whole memory is one loop
"""What a tile's people remember: the equations of `domain.memory`.

Plain Python over a tile, made into source by `source.py` like `lanes.py`.
"""

from soullink.modules.simulation.domain.fast.cells import Rows, one_of, put
from soullink.modules.simulation.domain.fast.maths import (
    UNROLL,
    clip,
    exp,
    larger,
    look_up_48,
    magnitude,
    pick,
    smaller,
    whole,
)
from soullink.modules.simulation.domain.fast.rows import *
from soullink.modules.simulation.domain.memory import (
    HALF_LIFE_DAYS,
    N_ASPECT,
    NOTICED,
    PRIOR_WEIGHT,
    REFLECTION_RATE,
)

FORGET = 0.6931471805599453 / (1440.0 * HALF_LIFE_DAYS)
"""What a minute takes of a memory's recency, as an exponent."""


def gather(x: Rows, topics: int, slot: int, relevance: Rows) -> None:
    """Add up what both remember as it stands now, for `lanes.recall`: `memory.weights`."""
    for who in UNROLL(2):
        for i in range(L):
            left = exp(-FORGET * x[MINUTE, i])
            renewed = 1.0 / left
            total = 0.0 * left
            product = total
            pain = total
        for topic in range(topics):
            row = MEMORY + 4 * N_ASPECT * (who * N_TOPIC + topic)
            if topic == slot:
                row = P1 * who + CELL
            weigh = relevance[topic]
            for i in range(L):
                for n in UNROLL(N_ASPECT):
                    # Nothing is younger than now.
                    recency = smaller(x[row + (4 * n + RECENCY), i], renewed)
                    weight = x[row + (4 * n + IMPORTANCE), i] * recency * weigh
                    felt = weight * x[row + (4 * n + VALENCE_NOW), i]
                    total = total + weight
                    product = product + felt
                    pain = pain + larger(-felt, 0.0)
        for i in range(L):
            x[P1 * who + SUM, i] = total
            x[P1 * who + PRODUCT, i] = product
            x[P1 * who + PAIN, i] = pain


def recall(x: Rows) -> None:
    """Find what both remember now from the sums of `memories.gather`: `memory.recall`."""
    for i in range(L):
        left = exp(-FORGET * x[MINUTE, i])
        total = left / (PRIOR_WEIGHT + left * x[SUM, i])
        x[SIGNAL, i] = x[PRODUCT, i] * total
        x[ACHE, i] = x[PAIN, i] * total
        total = left / (PRIOR_WEIGHT + left * x[P1 + SUM, i])
        x[P1 + SIGNAL, i] = x[P1 + PRODUCT, i] * total
        x[P1 + ACHE, i] = x[P1 + PAIN, i] * total
        x[SCRATCH, i] = left


def remember(x: Rows) -> None:
    """Store what the listener lived through, and keep the sums of `recall`: `memory.remember`."""
    for i in range(L):
        affect = x[VALUE, i]
        threat = x[HIT, i]
        left = x[SCRATCH, i]
        one = x[NOW, i] > 0.5
        act = whole(x[ACT, i])
        aspect = look_up_48(x, A_ASPECT * L, act)
        salience = clip(0.75 * magnitude(affect) + 0.35 * threat, 0.0, 1.0)
        noted = (x[LIVE, i] > 0.5) & (aspect >= 0.0) & (salience >= NOTICED)
        # Where it is kept: aspects of person 0 from 0, of person 1 from N_ASPECT.
        where = pick(noted, pick(one, aspect, aspect + N_ASPECT * 1.0), -1.0)
        valence = 0.0 * aspect
        importance = valence
        count = valence
        recency = valence
        for n in UNROLL(N_ASPECT):
            hit = where == n * 1.0
            valence = pick(hit, x[CELL + 4 * n + VALENCE_NOW, i], valence)
            importance = pick(hit, x[CELL + 4 * n + IMPORTANCE, i], importance)
            count = pick(hit, x[CELL + 4 * n + COUNT, i], count)
            recency = pick(hit, x[CELL + 4 * n + RECENCY, i], recency)
        for n in UNROLL(N_ASPECT):
            hit = where == (n + N_ASPECT) * 1.0
            valence = pick(hit, x[P1 + CELL + 4 * n + VALENCE_NOW, i], valence)
            importance = pick(hit, x[P1 + CELL + 4 * n + IMPORTANCE, i], importance)
            count = pick(hit, x[P1 + CELL + 4 * n + COUNT, i], count)
            recency = pick(hit, x[P1 + CELL + 4 * n + RECENCY, i], recency)
        fresh = clip(0.5 * look_up_48(x, A_SIGN * L, act) + 0.5 * affect, -1.0, 1.0)
        agrees = (count == 0.0) | (valence * fresh >= 0.0)
        overturns = (not agrees) & (salience >= 0.5 * importance)
        blended = valence + (fresh - valence) / (1.0 + smaller(count, 4.0))
        high = larger(importance, salience)
        low = smaller(importance, salience)
        grown = high + 0.25 * low * (1.0 - high)
        new_valence = pick(
            agrees, blended, pick(overturns, fresh, valence * (1.0 - 0.5 * salience))
        )
        new_importance = pick(
            agrees, grown, pick(overturns, salience, importance * (1.0 - 0.3 * salience))
        )
        new_count = pick(agrees, count + 1.0, pick(overturns, 1.0, count))
        renewed = 1.0 / left
        for n in UNROLL(N_ASPECT):
            hit = where == n * 1.0
            put(x, CELL + 4 * n + VALENCE_NOW, i, hit, new_valence)
            put(x, CELL + 4 * n + IMPORTANCE, i, hit, new_importance)
            put(x, CELL + 4 * n + COUNT, i, hit, new_count)
            put(x, CELL + 4 * n + RECENCY, i, hit, renewed)
        for n in UNROLL(N_ASPECT):
            hit = where == (n + N_ASPECT) * 1.0
            put(x, P1 + CELL + 4 * n + VALENCE_NOW, i, hit, new_valence)
            put(x, P1 + CELL + 4 * n + IMPORTANCE, i, hit, new_importance)
            put(x, P1 + CELL + 4 * n + COUNT, i, hit, new_count)
            put(x, P1 + CELL + 4 * n + RECENCY, i, hit, renewed)
        before = importance * recency
        after = new_importance * renewed
        more = after - before
        product = after * new_valence - before * valence
        pain = larger(-after * new_valence, 0.0) - larger(-before * valence, 0.0)
        to = noted & one
        from_ = noted & (not one)
        one_of(x, SUM, i, to, from_, more + pick(one, x[SUM, i], x[P1 + SUM, i]))
        one_of(x, PRODUCT, i, to, from_, product + pick(one, x[PRODUCT, i], x[P1 + PRODUCT, i]))
        one_of(x, PAIN, i, to, from_, pain + pick(one, x[PAIN, i], x[P1 + PAIN, i]))


def reflect(x: Rows, topics: int, slot: int) -> None:
    """Put the episode's memories away and turn memories into beliefs: `memory.reflect`."""
    for who in UNROLL(2):
        for n in range(4 * N_ASPECT):
            row = MEMORY + 4 * N_ASPECT * (who * N_TOPIC + slot) + n
            for i in range(L):
                put(x, row, i, x[LIVED, i] > 0.5, x[P1 * who + CELL + n, i])
        for n in range(N_ASPECT):
            for i in range(L):
                weight = 0.0 * x[LIVED, i]
                product = weight
            for topic in range(topics):
                row = MEMORY + 4 * (N_ASPECT * (who * N_TOPIC + topic) + n)
                for i in range(L):
                    more = x[row + IMPORTANCE, i] * smaller(x[row + RECENCY, i], 1.0)
                    weight = weight + more
                    product = product + more * x[row + VALENCE_NOW, i]
            for i in range(L):
                belief = x[P1 * who + BELIEF + n, i]
                target = product / (PRIOR_WEIGHT + weight)
                belief = belief + REFLECTION_RATE * (target - belief)
                put(x, P1 * who + BELIEF + n, i, x[LIVED, i] > 0.5, belief)
