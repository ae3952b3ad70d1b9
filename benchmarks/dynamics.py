"""How many dyad-turns a second: the compiled dynamics beside the bare recurrence.

`python -m benchmarks.dynamics` measures, prints a table, writes results/dynamics.json (rows:
subject, metric, value, unit, threads, trajectories) and renews the figures on
docs/explanation/speed-of-the-dynamics.md; --page renews the page alone. A dyad-turn is one turn
taken by two people with everything the equations know of it; only turns that were taken are
counted. The recurrence is that of Gottman & Murray: two moods, each from its own and the other's
last, and noise. A million pairs x 64 replicas x about 60 turns are lived in full where that takes
less than four minutes, or with --full; elsewhere a part of it is, and the time of the whole is
projected and says so.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypedDict

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from benchmarks.pages import ROOT, with_block
from soullink.modules.simulation.api import Scenario
from soullink.modules.simulation.domain import course, fast
from soullink.modules.simulation.domain.course import Conditions
from soullink.modules.simulation.scenarios import library

OUT: Final = Path(__file__).parent / "results" / "dynamics.json"
PAGE: Final = ROOT / "docs" / "explanation" / "speed-of-the-dynamics.md"
PATIENCE_SECONDS: Final = 240.0
"""How long the million pairs may take without being asked for."""
SIXTY: Final = ("last-train-noodle-bar", "surprise-party", "the-lie")
"""Three episodes of at most 20 + 20 + 24 turns."""
FULL_PAIRS: Final = 1_000_000
REPLICAS: Final = 64
BUSY: Final = 0.7
"""Load average from which other work shows in the figures."""
TURNS_EACH: Final = 58
"""Turns that a course of SIXTY takes on average: some end before their time."""
BLOCK: Final = 2048
"""Pairs screened in one call."""


class Document(TypedDict):
    """One run: where it was made, how many others wanted to run just before, what it measured."""

    machine: str
    cores: int
    load: float
    python: str
    rows: list["Row"]


class Row(TypedDict):
    """One measured number."""

    subject: str
    metric: str
    value: float
    unit: str
    threads: int
    trajectories: int


def people(pairs: int, seed: int) -> fast.Population:
    random = np.random.default_rng(seed)
    return fast.Population(
        means=random.normal(size=(pairs, 2, 11)),
        sds=np.full((pairs, 2, 11), 0.4),
        likeness=random.uniform(0.0, 0.6, pairs),
        names=random.integers(0, 2**63, (pairs, 2)).astype(np.uint64),
        seed=seed,
    )


def screened(
    pairs: int,
    replicas: int,
    some: Sequence[Scenario],
    threads: int,
    done: Callable[[int], object] = lambda _: None,
) -> tuple[int, float]:
    """Return (turns taken, seconds) of screening, block by block; nothing is kept.

    As `soullink screen` does it: each thread has blocks of its own, or none would have enough.
    """

    def lived(start: int, each: int) -> int:
        block = people(min(BLOCK, pairs - start), start)
        turns = int(fast.screen(block, some, replicas, threads=each).turns.sum())
        done(len(block))
        return turns

    begun = time.perf_counter()
    if pairs < 2 * threads * BLOCK:
        turns = sum(lived(start, threads) for start in range(0, pairs, BLOCK))
    else:
        with ThreadPoolExecutor(threads) as pool:
            turns = sum(pool.map(lambda start: lived(start, 1), range(0, pairs, BLOCK)))
    return turns, time.perf_counter() - begun


def numpy_path(some: Sequence[Scenario]) -> tuple[int, float]:
    """Return (turns, seconds) of the NumPy equations for 2,000 courses."""
    random = np.random.default_rng(0)
    size = 2000
    keys = random.integers(0, 2**63, (size, 2)).astype(np.uint64)
    zeros = np.zeros((size, 2, 11))
    begun = time.perf_counter()
    batch = course.begin(random.normal(size=zeros.shape), zeros, np.full(size, 0.3), keys)
    turns, previous = 0, None
    for number, scenario in enumerate(some, start=1):
        record, situation = course.open_episode(batch, scenario, previous, number, Conditions())
        for taken in course.live_turns(batch, scenario, number, situation, record, Conditions()):
            turns += taken.rows.size
        course.close_episode(batch, scenario, number, record)
        previous = scenario
    return turns, time.perf_counter() - begun


def recurrences() -> dict[str, Callable[[int], tuple[int, float]]]:
    """Return the bare recurrence in numba and in NumPy: threads -> (turns, seconds)."""
    import numba

    steps, lanes = 60, 1 << 16

    @numba.njit(nogil=True, fastmath={"contract", "nnan", "ninf", "nsz"})  # type: ignore[untyped-decorator]
    def bare(a: Any, b: Any, draws: Any, turns: int) -> None:
        for first in range(0, a.size, 512):
            for turn in range(turns):
                for n in range(first, first + 512):
                    mine, others = a[n], b[n]
                    noise = draws[(n + turn) & 1023]
                    a[n] = 0.06 + 0.45 * mine + 0.04 * others + 0.07 * noise
                    b[n] = 0.06 + 0.45 * others + 0.04 * mine - 0.07 * noise

    random = np.random.default_rng(0)
    draws = random.normal(size=1024).astype(np.float32)

    def arrays() -> tuple[Any, Any]:
        return np.zeros(lanes, np.float32), np.zeros(lanes, np.float32)

    def compiled(threads: int) -> tuple[int, float]:
        bare(*arrays(), draws, 1)
        rounds = 20
        begun = time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda _: bare(*arrays(), draws, steps), range(rounds * threads)))
        return rounds * threads * lanes * steps, time.perf_counter() - begun

    def plain(_: int) -> tuple[int, float]:
        a, b = arrays()
        noise = random.normal(size=lanes).astype(np.float32)
        begun = time.perf_counter()
        for _step in range(steps):
            a, b = (
                0.06 + 0.45 * a + 0.04 * b + 0.07 * noise,
                0.06 + 0.45 * b + 0.04 * a - 0.07 * noise,
            )
        return lanes * steps, time.perf_counter() - begun

    return {"recurrence, numba": compiled, "recurrence, NumPy": plain}


def fresh_process(pairs: int, replicas: int, episodes: int, threads: int) -> dict[str, float]:
    """Return turns, seconds and peak memory of a screening in a process of its own."""
    line = ["--one", str(pairs), str(replicas), str(episodes), str(threads)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.dynamics", *line],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    out: dict[str, float] = json.loads(done.stdout)
    return out


def one(pairs: int, replicas: int, episodes: int, threads: int) -> None:
    """Print what `fresh_process` reads."""
    some = [library.get(name) for name in SIXTY[:episodes]]
    begun = time.perf_counter()
    screened(1, 1, some, 1)
    ready = time.perf_counter() - begun
    turns, seconds = screened(pairs, replicas, some, threads)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    print(json.dumps({"turns": turns, "seconds": seconds, "peak": peak, "ready": ready}))


def measure(full: bool, most: int, console: Console) -> list[Row]:
    some = [library.get(name) for name in SIXTY]
    rows: list[Row] = []

    def add(
        subject: str, metric: str, value: float, unit: str, threads: int, trajectories: int
    ) -> None:
        rows.append(
            {
                "subject": subject, "metric": metric, "value": value, "unit": unit,
                "threads": threads, "trajectories": trajectories,
            }
        )  # fmt: skip

    begun = time.perf_counter()
    screened(1, 1, some, 1)
    add("array path", "compile or load", time.perf_counter() - begun, "s", 1, 1)
    for threads in (1, 2):
        turns, seconds = max(
            (screened(1024, REPLICAS, some, threads) for _ in range(5)), key=lambda r: r[0] / r[1]
        )
        add("array path", "turns", turns / seconds, "dyad-turns/s", threads, 1024 * REPLICAS)
        for subject, run in recurrences().items():
            if threads == 1 or subject.endswith("numba"):
                turns, seconds = run(threads)
                add(subject, "turns", turns / seconds, "dyad-turns/s", threads, 65_536)
    turns, seconds = numpy_path(some)
    add("NumPy path", "turns", turns / seconds, "dyad-turns/s", 1, 2000)

    shapes = [(1, size) for size in _tens(most)]  # replicas of one pair
    shapes += [(size // 10, 10) for size in _tens(most)]  # pairs
    for (pairs, replicas), name in zip(
        shapes, ["replicas"] * len(_tens(most)) + ["pairs"] * len(_tens(most)), strict=True
    ):
        got = fresh_process(pairs, replicas, 3, 2)
        rate, size = got["turns"] / got["seconds"], pairs * replicas
        add(f"growth with {name}", "turns", rate, "dyad-turns/s", 2, size)
        add(f"growth with {name}", "peak memory", got["peak"], "MB", 2, size)
    for episodes in (1, 2, 3):
        got = fresh_process(1024, REPLICAS, episodes, 2)
        name = f"growth with turns, {episodes} episode{'s' if episodes > 1 else ''}"
        add(name, "turns", got["turns"] / got["seconds"], "dyad-turns/s", 2, 1024 * REPLICAS)
        add(name, "peak memory", got["peak"], "MB", 2, 1024 * REPLICAS)

    best = next(
        row["value"] for row in rows if row["subject"] == "array path" and row["threads"] == 2
    )
    expected = FULL_PAIRS * REPLICAS * TURNS_EACH / best
    part = FULL_PAIRS if full or expected < PATIENCE_SECONDS else 8 * BLOCK
    bar = Progress(
        "[progress.description]{task.description}", BarColumn(), MofNCompleteColumn(),
        TimeRemainingColumn(), console=console, refresh_per_second=2,
    )  # fmt: skip
    with bar:
        task = bar.add_task("pairs", total=part)
        turns, seconds = screened(part, REPLICAS, some, 2, lambda n: bar.advance(task, n))
    name = f"{part:,} pairs x {REPLICAS} replicas x {turns / part / REPLICAS:.0f} turns"
    add(name, "turns", turns / seconds, "dyad-turns/s", 2, part * REPLICAS)
    add(name, "time", seconds, "s", 2, part * REPLICAS)
    if part < FULL_PAIRS:
        whole = FULL_PAIRS * REPLICAS
        add(f"{FULL_PAIRS:,} pairs, projected", "time", seconds * FULL_PAIRS / part, "s", 2, whole)
    return rows


def _tens(most: int) -> list[int]:
    return [10**power for power in range(3, 8) if 10**power <= most]


def show(rows: Sequence[Row], console: Console) -> None:
    table = Table("subject", "metric", "threads", "trajectories")
    table.add_column("value", justify="right")
    for row in rows:
        value = row["value"]
        text = f"{value / 1e6:,.2f} million" if value >= 1e6 else f"{value:,.1f}"
        table.add_row(
            row["subject"], row["metric"], str(row["threads"]), f"{row['trajectories']:,}",
            f"{text} {row['unit']}",
        )  # fmt: skip
    console.print(table)


def machine() -> str:
    """Return the processor's name, where the system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return f"{platform.system()} {platform.machine()}"


def figures(document: Document) -> str:
    """Return the tables of one run, in Markdown."""
    rows = document["rows"]
    found = {(r["subject"], r["metric"], r["threads"], r["trajectories"]): r["value"] for r in rows}

    def rate(subject: str, threads: int) -> str:
        values = [
            r["value"] / 1e6 for r in rows
            if (r["subject"], r["metric"], r["threads"]) == (subject, "turns", threads)
        ]  # fmt: skip
        return f"{values[0]:,.2f}" if values else ""

    out = [
        (
            f"{document['machine']}, {document['cores']} cores, Python {document['python']}, one"
            " run of `make bench-dynamics`. Million dyad-turns a second:"
        ),
        "",
        "| | 1 thread | 2 threads |",
        "|---|---|---|",
    ]
    if document["load"] > BUSY:
        out[0:0] = [
            (
                f"**The machine was busy with other work (load average {document['load']:g} at the"
                " start): every rate is lower than it would be by itself.**"
            ),
            "",
        ]
    for subject, name in (
        ("array path", "**all equations, compiled**"),
        ("NumPy path", "all equations, NumPy"),
        ("recurrence, numba", "two moods alone, numba"),
        ("recurrence, NumPy", "two moods alone, NumPy"),
    ):
        out.append(f"| {name} | {rate(subject, 1)} | {rate(subject, 2)} |")
    ready = next(r["value"] for r in rows if r["metric"] == "compile or load")
    out += [
        "",
        f"Ready after {ready:,.0f} s: the first process of a version compiles, later ones load.",
        "",
        "| trajectories | replicas of one pair, million/s | MB | ten replicas of each pair | MB |",
        "|---|---|---|---|---|",
    ]
    for size in sorted({r["trajectories"] for r in rows if r["subject"] == "growth with pairs"}):
        cells = [
            f"{found[f'growth with {name}', metric, 2, size] / unit:,.{digits}f}"
            for name in ("replicas", "pairs")
            for metric, unit, digits in (("turns", 1e6, 1), ("peak memory", 1.0, 0))
        ]
        out.append(f"| {size:,} | " + " | ".join(cells) + " |")
    out += ["", "| episodes | million/s | MB |", "|---|---|---|"]
    for row in rows:
        if row["subject"].startswith("growth with turns") and row["metric"] == "turns":
            memory = found[row["subject"], "peak memory", row["threads"], row["trajectories"]]
            number = row["subject"].rpartition(", ")[2].partition(" ")[0]
            out.append(f"| {number} | {row['value'] / 1e6:,.1f} | {memory:,.0f} |")
    lived = next(r for r in rows if " pairs x " in r["subject"] and r["metric"] == "turns")
    seconds = found[lived["subject"], "time", lived["threads"], lived["trajectories"]]
    out += [
        "",
        (
            f"{lived['subject']}, with a progress bar: {seconds:,.1f} s, "
            f"{lived['value'] / 1e6:,.1f} million dyad-turns/s on {lived['threads']} threads."
        ),
    ]
    for row in rows:
        if row["subject"].endswith("projected"):
            pairs = row["subject"].partition(" ")[0]
            out.append(f"Projected from it, not lived: {pairs} pairs in {row['value']:,.0f} s.")
    return "\n".join(out)


def renew_page(document: Document) -> None:
    """Write the figures of a run into the page that quotes them."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_block(page, "figures", figures(document)), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="live all of the million pairs")
    parser.add_argument("--most", type=int, default=10**7, help="most trajectories of the growth")
    parser.add_argument("--page", action="store_true", help="renew the page from the last run")
    parser.add_argument("--one", type=int, nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        one(*given.one)
        return
    if given.page:
        renew_page(json.loads(OUT.read_text(encoding="utf-8")))
        return
    console = Console()
    document: Document = {
        "machine": machine(),
        "cores": os.cpu_count() or 1,
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "rows": measure(given.full, given.most, console),
    }
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    renew_page(document)
    show(document["rows"], console)


if __name__ == "__main__":
    main()
