"""The twenty best among a million, with every filter both ways: how long, how exact, how large.

`python -m benchmarks.match.candidates` measures 10^4 to 10^6 people, each size in a process of its
own, and prints rows (subject, metric, value, unit, size). One thread: the other core is the
system's. Seconds are those of the clock; CPU seconds stand beside them, for a busy machine. The
exhaustive search reads the same people but no code of the search: rules one by one, every person
scored in 64 bits, texts at full length.
"""

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final, TypedDict

import numpy as np
from numpy.typing import NDArray

from benchmarks.gateway.peak import peak_mb
from benchmarks.match import essays, marginals
from benchmarks.match.marginals import Marginals
from benchmarks.match.population import Population, make
from soullink.gateways.embeddings.builtin import BuiltinEmbedder
from soullink.kernel.ids import PersonId
from soullink.modules.matching.api import Candidate
from soullink.modules.matching.domain import search
from soullink.modules.matching.domain.facts import NO_LIMIT_KM, SOFT, encode
from soullink.modules.matching.domain.interest.people import FloatArray
from soullink.modules.matching.domain.kinds import Indifferent, Interest, KindTables, people_of
from soullink.modules.matching.domain.pool import Entry, Pool
from soullink.modules.matching.wiring import shipped_interest
from soullink.modules.profiles.api import Cell, LookingFor, Profile, cell_distance_km
from soullink.modules.profiles.wiring import build

SIZES: Final = (10_000, 100_000, 1_000_000)
SUBJECT: Final = "candidates"
QUERIES: Final = 1_000
CHECKED: Final = 60
CHANGES: Final = 3_000
TOP: Final = 20
SEED: Final = 20_260_815


class Row(TypedDict):
    """One measured number; size is how many people there are."""

    subject: str
    metric: str
    value: float
    unit: str
    size: int


def measure(size: int, counts: Marginals) -> list[Row]:
    """Make people, build the pool, ask, check and change it; in this process."""
    rows: list[Row] = []

    def add(metric: str, value: float, unit: str) -> None:
        rows.append(Row(subject=SUBJECT, metric=metric, value=value, unit=unit, size=size))

    interest: Interest = shipped_interest() or Indifferent()
    add("interest model", float(not isinstance(interest, Indifferent)), "1 is the shipped one")
    vectors = asyncio.run(BuiltinEmbedder().embed(essays.sentences()))
    people = make(size, counts, vectors, interest, SEED)
    gc.collect()
    pool, before = Pool(), resident_mb()
    begun = time.perf_counter()
    pool.load(people.ids, people.columns, people.places)
    add("build", time.perf_counter() - begun, "s")
    add("pool", pool.nbytes / 2**20, "MiB")
    add("process with the pool", resident_mb(), "MiB")
    add("grown by building", resident_mb() - before, "MiB")
    tables = KindTables(interest)
    generator = np.random.default_rng(SEED)
    rows += _latency(pool, tables, generator, size)
    rows += _recall(pool, tables, people, generator, size)
    rows += _changes(pool, people, generator, size)
    add("peak memory", peak_mb(), "MiB")
    return rows


def resident_mb() -> float:
    """Return the resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _cells(pool: Pool) -> list[Cell | None]:
    return [None, *pool.cells.known()]


def _latency(
    pool: Pool, tables: KindTables, generator: np.random.Generator, size: int
) -> list[Row]:
    cells = _cells(pool)
    asked = generator.choice(size, QUERIES + 50, replace=size < QUERIES + 50)
    wall: dict[str, list[float]] = {"all": [], "within a distance": [], "anywhere": []}
    cpu: dict[str, list[float]] = {name: [] for name in wall}
    passed, scored = [], []
    for number, row in enumerate(asked.tolist()):
        begun, begun_cpu = time.perf_counter(), time.thread_time()
        one = search.seeker(pool, row, cells[pool.columns.cell[row]])
        found = search.best(pool, tables, one, TOP)
        took = 1_000.0 * (time.perf_counter() - begun)
        took_cpu = 1_000.0 * (time.thread_time() - begun_cpu)
        if number < 50:  # caches of the machine and of the tables fill first
            continue
        anywhere = one.reach_km == NO_LIMIT_KM or bool(one.soft & SOFT["distance"])
        for kind in ("all", "anywhere" if anywhere else "within a distance"):
            wall[kind].append(took)
            cpu[kind].append(took_cpu)
        passed.append(found.passed)
        scored.append(found.scored)
    rows = []
    for kind in wall:
        for measured, what in ((wall, "latency"), (cpu, "CPU")):
            for share in (50, 99):
                value = float(np.percentile(measured[kind], share))
                metric = f"{what} p{share}, {kind}"
                rows.append(Row(subject=SUBJECT, metric=metric, value=value, unit="ms", size=size))
    for metric, values in (("passed", passed), ("scored in full", scored)):
        value = float(np.median(values))
        rows.append(Row(subject=SUBJECT, metric=metric, value=value, unit="people", size=size))
    return rows


def _recall(
    pool: Pool,
    tables: KindTables,
    people: Population,
    generator: np.random.Generator,
    size: int,
) -> list[Row]:
    """Compare with the exhaustive search, which knows texts at full length."""
    cells = _cells(pool)
    number_of = {person: number for number, person in enumerate(people.ids)}
    numbers = np.array([number_of[person] for person in pool.ids if person is not None])
    mean = people.sentences[people.topics[:20_000]].mean(axis=(0, 1))
    hits, agreed, of = 0, 0, 0
    for row in generator.choice(size, CHECKED, replace=False).tolist():
        cell = cells[pool.columns.cell[row]]
        found = search.best(pool, tables, search.seeker(pool, row, cell), TOP)
        passing = exhaustive_filter(pool, row, cells)
        agreed += len(passing) == found.passed
        if not len(passing):
            continue
        texts = people.texts(numbers[passing]) - mean
        mine = people.texts(numbers[[row]])[0] - mean
        alike = texts @ mine / (np.linalg.norm(texts, axis=1) * np.linalg.norm(mine) + 1e-12)
        chances = exhaustive_scores(pool, tables.interest, row, passing, alike.astype(np.float64))
        best = passing[np.argsort(-chances, kind="stable")[:TOP]]
        hits += len(set(best.tolist()) & set(found.rows.tolist()))
        of += len(best)
    return [
        Row(subject=SUBJECT, metric="recall@20", value=hits / max(1, of), unit="share", size=size),
        Row(
            subject=SUBJECT, metric="filters agree", value=agreed / CHECKED, unit="share", size=size
        ),
    ]


def exhaustive_filter(pool: Pool, row: int, cells: list[Cell | None]) -> NDArray[np.int64]:
    """Return who passes, by asking each rule of everybody in turn."""
    c, n = pool.columns, pool.extent
    keep = np.ones(n, dtype=np.bool_)
    keep[row] = False
    keep &= (c.facts[:n] & c.rejects[row]) == 0
    keep &= (c.rejects[:n] & c.facts[row]) == 0
    mine, theirs = int(c.soft[row]), c.soft[:n]
    age, ages = int(c.age[row]), c.age[:n].astype(int)
    if not mine & SOFT["age"]:
        keep &= (ages == 0) | ((ages >= c.age_from[row]) & (ages <= c.age_to[row]))
    if age:
        keep &= ((c.age_from[:n] <= age) & (age <= c.age_to[:n])) | ((theirs & SOFT["age"]) > 0)
    keep &= (c.speaks[:n] & c.wants_spoken[row]) != 0
    keep &= (c.wants_spoken[:n] & c.speaks[row]) != 0
    here = cells[c.cell[row]]
    km = np.array(
        [0.0 if None in (here, there) else round(_apart(here, there), 1) for there in cells]
    )
    apart = km[c.cell[:n]]
    if int(c.reach_km[row]) != NO_LIMIT_KM and not mine & SOFT["distance"]:
        keep &= apart <= c.reach_km[row]
    keep &= (apart <= c.reach_km[:n]) | ((theirs & SOFT["distance"]) > 0)
    return np.flatnonzero(keep)


def _apart(here: Cell | None, there: Cell | None) -> float:
    return 0.0 if here is None or there is None else cell_distance_km(here, there)


def exhaustive_scores(
    pool: Pool, interest: Interest, row: int, others: NDArray[np.int64], alike: FloatArray
) -> FloatArray:
    """Return (n,) chances that both say yes, everybody scored in full."""
    c = pool.columns
    seeking, found = people_of(c.kind[[row]]), people_of(c.kind[others])
    age, ages = int(c.age[row]), c.age[others].astype(int)
    misses = np.bitwise_count(c.facts[others] & c.dislikes[row]).astype(float)
    missed = np.bitwise_count(c.dislikes[others] & c.facts[row]).astype(float)
    if int(c.soft[row]) & SOFT["age"]:
        misses += (ages > 0) & ((ages < c.age_from[row]) | (ages > c.age_to[row]))
    missed += ((c.soft[others] & SOFT["age"]) > 0) & (
        (c.age_from[others] > age) | (c.age_to[others] < age)
    )
    cells = _cells(pool)
    here = cells[c.cell[row]]
    km = {k: round(_apart(here, cells[k]), 1) for k in np.unique(c.cell[others]).tolist()}
    apart = np.array([km[k] for k in c.cell[others].tolist()])
    if int(c.soft[row]) & SOFT["distance"]:
        misses += apart > int(c.reach_km[row])
    missed += ((c.soft[others] & SOFT["distance"]) > 0) & (apart > c.reach_km[others])
    out = interest.intercept - np.log(c.odds_willing[row]) - np.log(c.odds_liked[others])
    into = interest.intercept - np.log(c.odds_willing[others]) - np.log(c.odds_liked[row])
    out = out + interest.pair(seeking, found, alike) - search.DISLIKE * misses
    into = into + interest.pair(found, seeking, alike) - search.DISLIKE * missed
    return np.asarray(1.0 / ((1.0 + np.exp(-out)) * (1.0 + np.exp(-into))))


def _changes(
    pool: Pool, people: Population, generator: np.random.Generator, size: int
) -> list[Row]:
    """Time changes, removals and additions one by one, and making a profile ready for one."""
    rows: list[Row] = []

    def timed(name: str, work: Callable[[int], object], count: int) -> None:
        took = np.zeros(count)
        begun_cpu = time.thread_time()
        for k in range(count):
            begun = time.perf_counter()
            work(k)
            took[k] = 1e6 * (time.perf_counter() - begun)
        cpu = time.thread_time() - begun_cpu
        for metric, value, unit in (
            (f"{name} p50", float(np.median(took)), "µs"),
            (f"{name} p99", float(np.percentile(took, 99)), "µs"),
            (f"{name}s a CPU second", count / cpu, "1/s"),
        ):
            rows.append(Row(subject=SUBJECT, metric=metric, value=value, unit=unit, size=size))

    profiles = [_profile(k, generator) for k in range(500)]
    cell_of, today = build().cell_of, date(2026, 6, 15)
    made = [encode(Candidate(one), cell_of(one), today) for one in profiles]
    text = people.columns.texts[0]
    entries = [Entry(facts, 0.1, 0.2, 0, text) for facts in made]
    ids = [people.ids[k] for k in generator.choice(size, CHANGES, replace=False).tolist()]
    timed("change", lambda k: pool.put(ids[k], entries[k % 500]), CHANGES)
    timed("removal", lambda k: pool.remove(ids[k]), CHANGES)
    timed("addition", lambda k: pool.put(PersonId(f"new{k}"), entries[k % 500]), CHANGES)
    timed("profile", lambda k: encode(Candidate(profiles[k]), None, today), 500)
    return rows


def _profile(number: int, generator: np.random.Generator) -> Profile:
    """Return somebody with everything stated, as the slowest to turn into numbers."""
    cities = ("Rotterdam", "成都", "San Francisco", "Leeds")
    return Profile(
        id=PersonId(f"x{number}"),
        name="X",
        age=int(generator.integers(20, 60)),
        city=cities[number % 4],
        languages=("English (fluently)", "Spanish (poorly)"),
        gender=("woman",) if number % 2 else ("man",),
        interested_in=("man", "woman"),
        smoking="never",
        drinking="sometimes",
        religion="none",
        has_children=False,
        looking_for=LookingFor(25, 50, 60, deal_breakers=("smoking", "wants_children")),
    )


def main(rows: list[Any], counts: Marginals | None = None, sizes: tuple[int, ...] = SIZES) -> None:
    """Append the rows of all sizes; about three minutes on a core. counts: else those kept here."""
    quiet = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    for size in sizes:
        command = [sys.executable, "-m", "benchmarks.match.candidates", "--size", str(size)]
        print(f"candidates, {size:,} people", file=sys.stderr, flush=True)
        given = json.dumps(counts or marginals.shipped()).encode()
        done = subprocess.run(command, env=quiet, check=True, input=given, stdout=subprocess.PIPE)
        rows += json.loads(done.stdout)


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--size", type=int, help="one size, the counts from stdin")
    asked_for = reader.parse_args()
    measured: list[Row] = []
    if asked_for.size:
        measured = measure(asked_for.size, json.load(sys.stdin))
    else:
        main(measured)
    print(json.dumps(measured, indent=1, ensure_ascii=False))
