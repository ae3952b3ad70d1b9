"""Who passes every filter of two people, and the best of them: exact, though few are scored.

The score is the chance that both say yes, sigmoid(out) * sigmoid(into), where each log-odds is a
sum: choosiness + popularity + what lies between the two. As (1 + exp(-out)) (1 + exp(-into)) it
is a product of columns, so a bound from below comes from the two sums and the most that may lie
between two kinds of people. Only those whose bound may still reach the best k are scored in full.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from soullink.modules.matching.domain.facts import BITS, FAR, LOCAL_KM, NO_LIMIT_KM, SOFT
from soullink.modules.matching.domain.interest.people import FloatArray
from soullink.modules.matching.domain.kinds import Interest, KindTables, people_of
from soullink.modules.matching.domain.pool import PART, Pool, Rows
from soullink.modules.profiles.api import Cell, Criterion

DISLIKE: Final = 0.3
"""What an unmet wish that is only preferred costs, in log-odds. A convention: the wish is the
person's own, and nobody has measured what it is worth."""

_FEW: Final = 1 / 6
"""Share of everybody below which walking the buckets is faster than reading the columns."""


@dataclass(frozen=True, slots=True)
class Seeker:
    """Somebody who looks, in the pool's numbers. row: in the pool, or -1 for a guest."""

    row: int
    facts: int
    rejects: int
    dislikes: int
    speaks: int
    wants_spoken: int
    age: int
    age_from: int
    age_to: int
    soft: int
    reach_km: int
    kind: int
    cell: Cell | None
    odds_liked: float
    odds_willing: float
    text: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Found:
    """The best, best first.

    rows: (m,). out, into: (m,) log-odds of the seeker's yes and of theirs. likeness: (m,) cosine
    of what they write, NaN unknown. distance_km: (m,), NaN unknown. passed: how many passed every
    filter. scored: how many were scored in full.
    """

    rows: Rows
    out: FloatArray
    into: FloatArray
    likeness: FloatArray
    distance_km: FloatArray
    passed: int
    scored: int


def seeker(pool: Pool, row: int, cell: Cell | None) -> Seeker:
    """Return the person in `row`, who lives in `cell`."""
    columns, read = pool.columns, pool.pick(row)
    return Seeker(
        row=row,
        facts=read("facts"),
        rejects=read("rejects"),
        dislikes=read("dislikes"),
        speaks=read("speaks"),
        wants_spoken=read("wants_spoken"),
        age=read("age"),
        age_from=read("age_from"),
        age_to=read("age_to"),
        soft=read("soft"),
        reach_km=read("reach_km"),
        kind=read("kind"),
        cell=cell,
        odds_liked=float(columns.odds_liked[row]),
        odds_willing=float(columns.odds_willing[row]),
        text=columns.texts[row],
    )


def passing(
    pool: Pool,
    one: Seeker,
    distances: NDArray[np.float32],
    hidden: Rows | None = None,
    exposure_limit: int = 0,
) -> Rows:
    """Return the rows that pass every filter both ways, in no particular order.

    distances: (cells,) km from the seeker's cell. hidden: rows of those who were blocked, have
    blocked, or were met. exposure_limit: rows shown that often are left out; 0 is no limit.
    """
    columns = pool.columns
    rows = np.concatenate([*_by_columns(pool, one, distances)])
    apart = distances[columns.cell[rows]]
    keep = (apart <= columns.reach_km[rows]) | _soft(columns.soft[rows], "distance")
    if one.reach_km != NO_LIMIT_KM and not one.soft & SOFT["distance"]:
        keep &= apart <= one.reach_km
    if exposure_limit:
        keep &= columns.shown[rows] < exposure_limit
    rows = rows[keep]
    gone = np.array([one.row] if one.row >= 0 else [], dtype=np.int32)
    if hidden is not None and len(hidden):
        gone = np.concatenate([gone, hidden])
    if len(gone):
        keep = ~np.isin(rows, gone, kind="table")
        rows = rows[keep]
    left: Rows = rows
    return left


def best(
    pool: Pool,
    tables: KindTables,
    one: Seeker,
    top: int,
    hidden: Rows | None = None,
    exposure_limit: int = 0,
) -> Found:
    """Return the `top` who most likely say yes to the seeker and get a yes; ties by row."""
    distances = pool.cells.distances_km(one.cell)
    rows = passing(pool, one, distances, hidden, exposure_limit)
    costs = _least_costs(pool, tables, one, rows)
    scored = min(len(rows), max(4 * top, 64))
    while True:
        if scored < len(rows):
            place = np.argpartition(costs, scored - 1)
            head, rest = place[:scored], place[scored:]
            least_left = float(costs[rest].min())
        else:
            head, least_left = np.arange(len(rows)), np.inf
        # In the order of rows: what is scored together must not decide a tie.
        chosen = np.sort(rows[head])
        found = _scored(pool, tables.interest, one, chosen, distances, top, len(rows))
        if len(found.rows) < min(top, len(rows)) or _cost(found) > least_left:
            scored = min(len(rows), 4 * scored)
            continue
        return found


def score(
    pool: Pool, interest: Interest, one: Seeker, rows: Rows, distances: NDArray[np.float32]
) -> tuple[FloatArray, ...]:
    """Return (out, into, likeness, distance_km) of the seeker with each of `rows`, (n,) each.

    distances: (cells,) km from the seeker's cell. out: log-odds that the seeker says yes.
    likeness, distance_km: NaN where unknown.
    """
    columns = pool.columns
    alike = likeness(one.text, columns.texts[rows])
    seeking = people_of(np.array([one.kind], dtype=np.uint16))
    others = people_of(columns.kind[rows])
    distance = distances[columns.cell[rows]].astype(np.float64)
    misses, missed = _unmet(pool, one, rows, distance)
    out = (
        interest.intercept
        - np.log(one.odds_willing)
        - np.log(columns.odds_liked[rows].astype(np.float64))
        + interest.pair(seeking, others, alike)
        - DISLIKE * misses
    )
    into = (
        interest.intercept
        - np.log(columns.odds_willing[rows].astype(np.float64))
        - np.log(one.odds_liked)
        + interest.pair(others, seeking, alike)
        - DISLIKE * missed
    )
    unknown = (columns.facts[rows] & np.uint64(BITS["distance"]["unknown"])) != 0
    if one.cell is None:
        unknown[:] = True
    return out, into, alike, np.where(unknown, np.nan, distance)


def likeness(text: NDArray[np.int8], texts: NDArray[np.int8]) -> FloatArray:
    """Return (n,) cosines of one text with each of (n, WIDTH); NaN where either is empty."""
    other = texts.astype(np.float32)
    mine = text.astype(np.float32)
    lengths = np.sqrt(np.square(other).sum(axis=1)) * np.sqrt(np.square(mine).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = (other @ mine).astype(np.float64) / lengths
    return np.where(lengths > 0.0, np.clip(cosines, -1.0, 1.0), np.nan)


def _by_columns(pool: Pool, one: Seeker, distances: NDArray[np.float32]) -> Iterator[Rows]:
    """Yield rows that pass all but the limits of distance: from cells in reach, or everywhere."""
    sizes = pool.cells.sizes[: len(pool.cells)]
    limited = one.reach_km != NO_LIMIT_KM and not one.soft & SOFT["distance"]
    reach = one.reach_km if limited else LOCAL_KM
    places = np.flatnonzero((distances <= reach) & (sizes > 0))
    few = sizes[places].sum() < _FEW * pool.extent
    if limited and few:
        yield _tested(pool, one, pool.near(places))
        return
    if few:  # those with a local limit are looked for near by, and left out of the long walk
        rows = pool.near(places)
        yield _tested(pool, one, rows[(pool.columns.rejects[rows] & np.uint64(FAR)) != 0])
    facts = one.facts | (FAR if few else 0)
    buffers = np.empty((2, PART), dtype=np.uint64)
    yield np.zeros(0, dtype=np.int32)
    for part in pool.parts(one.rejects):
        yield _walked(pool, one, facts, part, buffers)


def _tested(pool: Pool, one: Seeker, rows: Rows) -> Rows:
    """Return those of `rows` that pass bits, ages and languages: one column after the other."""
    columns = pool.columns
    rows = rows[(columns.facts[rows] & np.uint64(one.rejects)) == 0]
    rows = rows[(columns.rejects[rows] & np.uint64(one.facts)) == 0]
    soft = columns.soft[rows]
    keep = _ages(one, columns.age[rows], columns.age_from[rows], columns.age_to[rows], soft)
    rows, soft = rows[keep], soft[keep]
    keep = _languages(one, columns.speaks[rows], columns.wants_spoken[rows], soft)
    left: Rows = rows[keep]
    return left


def _walked(pool: Pool, one: Seeker, facts: int, part: slice, buffers: NDArray[np.uint64]) -> Rows:
    """Return the rows of `part` that pass bits, ages and languages: all columns in one go."""
    columns = pool.columns
    first, second = (buffer[: part.stop - part.start] for buffer in buffers)
    np.bitwise_and(columns.facts[part], np.uint64(one.rejects), out=first)
    np.bitwise_and(columns.rejects[part], np.uint64(facts), out=second)
    np.bitwise_or(first, second, out=first)
    soft = columns.soft[part]
    keep = _ages(one, columns.age[part], columns.age_from[part], columns.age_to[part], soft)
    keep &= first == 0
    rows = np.flatnonzero(keep)
    rows += part.start
    keep = _languages(one, columns.speaks[rows], columns.wants_spoken[rows], columns.soft[rows])
    left: Rows = rows[keep].astype(np.int32)
    return left


def _ages(
    one: Seeker,
    ages: NDArray[np.uint8],
    age_from: NDArray[np.uint8],
    age_to: NDArray[np.uint8],
    soft: NDArray[np.uint8],
) -> NDArray[np.bool_]:
    keep = np.ones(len(ages), dtype=np.bool_)
    if not one.soft & SOFT["age"]:
        keep = ((ages >= one.age_from) & (ages <= one.age_to)) | (ages == 0)
    if one.age:
        keep &= ((age_from <= one.age) & (age_to >= one.age)) | _soft(soft, "age")
    return keep


def _languages(
    one: Seeker,
    speaks: NDArray[np.uint64],
    wants: NDArray[np.uint64],
    soft: NDArray[np.uint8],
) -> NDArray[np.bool_]:
    keep: NDArray[np.bool_] = (wants & np.uint64(one.speaks)) != 0
    keep |= _soft(soft, "languages")
    if not one.soft & SOFT["languages"]:
        keep &= (speaks & np.uint64(one.wants_spoken)) != 0
    return keep


def _soft(soft: NDArray[np.uint8], name: Criterion) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (soft & np.uint8(SOFT[name])) != 0
    return found


def _unmet(
    pool: Pool, one: Seeker, rows: Rows, distance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return (n,) how many preferred wishes the others do not meet, and of theirs the seeker."""
    columns = pool.columns
    misses = np.bitwise_count(columns.facts[rows] & np.uint64(one.dislikes)).astype(np.float64)
    missed = np.bitwise_count(columns.dislikes[rows] & np.uint64(one.facts)).astype(np.float64)
    ages, soft = columns.age[rows], columns.soft[rows]
    if one.soft & SOFT["age"]:
        misses += (ages > 0) & ((ages < one.age_from) | (ages > one.age_to))
    if one.soft & SOFT["distance"]:
        misses += distance > one.reach_km
    if one.soft & SOFT["languages"]:
        misses += (columns.speaks[rows] & np.uint64(one.wants_spoken)) == 0
    if soft.any():
        young, old = columns.age_from[rows] > one.age, columns.age_to[rows] < one.age
        missed += _soft(soft, "age") & (young | old) & (one.age > 0)
        missed += _soft(soft, "distance") & (distance > columns.reach_km[rows])
        unspoken = (columns.wants_spoken[rows] & np.uint64(one.speaks)) == 0
        missed += _soft(soft, "languages") & unspoken
    return misses, missed


def _least_costs(pool: Pool, tables: KindTables, one: Seeker, rows: Rows) -> NDArray[np.float32]:
    """Return (n,) bounds from below of (1 + exp(-out)) (1 + exp(-into))."""
    out, into = tables.bounds(one.kind)
    base = np.float32(np.exp(-tables.interest.intercept))
    columns = pool.columns
    kinds = columns.kind[rows]
    first = (base * np.float32(one.odds_willing) * np.exp(-out))[kinds]
    first *= columns.odds_liked[rows]
    second = (base * np.float32(one.odds_liked) * np.exp(-into))[kinds]
    second *= columns.odds_willing[rows]
    first += np.float32(1.0)
    second += np.float32(1.0)
    first *= second
    # Room for what 32 bits round away: a bound must stay one.
    first *= np.float32(1.0 - 1e-5)
    return first


def _scored(
    pool: Pool,
    interest: Interest,
    one: Seeker,
    rows: Rows,
    distances: NDArray[np.float32],
    top: int,
    passed: int,
) -> Found:
    out, into, alike, distance = score(pool, interest, one, rows, distances)
    costs = (1.0 + np.exp(-out)) * (1.0 + np.exp(-into))
    order = np.argsort(costs, kind="stable")[:top]
    return Found(
        rows[order], out[order], into[order], alike[order], distance[order], passed, len(rows)
    )


def _cost(found: Found) -> float:
    """Return the cost of the last that was found, 1 / its chance."""
    if not len(found.rows):
        return 0.0
    return float((1.0 + np.exp(-found.out[-1])) * (1.0 + np.exp(-found.into[-1])))
