"""`make bench-turns`: one conversation, in SoulLink and in its peers, against one model server.

    python -m benchmarks.turns [ROUNDS] [SECONDS] [SUBJECT ...]

Prints a table and writes benchmarks/results/turns.json: rows of subject, metric, value, unit,
conversations, latency_ms. Every measurement is a process of its own, subjects take turns, the
median of the rounds counts (the slow peers are in the first one only). What is not over after
SECONDS is cut off, and its row says so. Each
peer has an environment of its own, made here from its lock; one that cannot be made or started is
reported with its error.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.gateway.__main__ import cores, free_ports, process
from soullink.bootstrap import database_url
from soullink.settings import PostgresSettings

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "turns.json"
LOCKS = Path(__file__).parent / "peers"
OURS = "soullink"
PEERS = ("aiohttp", "langgraph", "autogen", "sotopia", "concordia")
SETTINGS = ((1, 0), (100, 0), (1000, 0), (100, 200))
"""Conversations at once, and the server's latency in milliseconds."""
ROUNDS, SECONDS = 4, 25.0
"""By default; the whole then takes about twelve minutes on two cores."""
ONCE = ("langgraph", "autogen", "sotopia", "concordia")
"""Measured in the first round only: they take most of the time, and are far off."""
LEFT_OUT = {("concordia", 1000, 0): "a thousand threads that take turns for minutes"}
LIVE = 10_000
METRICS = (
    ("CPU a turn", "cpu_ms", "ms"),
    ("turns", "turns_per_second", "turns/s"),
    ("model calls a turn", "calls", "calls"),
    ("sent a turn", "kb", "KB"),
    ("peak memory", "peak_mb", "MB"),
)


def environment(peer: str) -> Path:
    """Return the Python of the peer's environment; make it where its lock has changed.

    Raises CalledProcessError.
    """
    lock = LOCKS / f"{peer}.lock"
    folder = ROOT / f".venv-bench-turns-{peer}"
    done, wanted = folder / ".done", hashlib.sha256(lock.read_bytes()).hexdigest()
    if not done.exists() or done.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run(
            [str(folder / "bin" / "python"), *install, "--require-hashes", "-r", str(lock)],
            check=True,
            capture_output=True,
            text=True,
        )
        done.write_text(wanted)
    return folder / "bin" / "python"


def client(
    python: str, subject: str, port: int, setting: tuple[int, int], seconds: float, url: str
) -> dict[str, Any]:
    """Return what one process measured. Raises RuntimeError with the last it said."""
    words = [python, "-m", "benchmarks.turns.client", subject, str(port), *map(str, setting)]
    core = ",".join(map(str, sorted(cores()[0])))
    with tempfile.TemporaryDirectory(prefix="soullink-") as home:
        try:
            run = subprocess.run(
                [*words, str(seconds), core],
                cwd=ROOT,
                env={**os.environ, "DATABASE_URL": url, "HOME": home},
                capture_output=True,
                text=True,
                timeout=4 * seconds + 60,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"did not end within {4 * seconds + 60:.0f} seconds") from None
    if run.returncode or not run.stdout.strip():
        said = (run.stderr or run.stdout).strip().splitlines()
        raise RuntimeError(said[-1] if said else f"ended with {run.returncode}")
    measured: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return measured


@contextlib.contextmanager
def counted(database: psutil.Process, found: dict[str, Any]) -> Iterator[None]:
    """Add to what is found the CPU that the database has used meanwhile, by all its processes."""

    def used() -> float:
        seconds = sum(database.cpu_times()[:4])  # with those of its processes that have ended
        for one in database.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                seconds += sum(one.cpu_times()[:2])
        return seconds

    before = used()
    yield
    time.sleep(0.2)  # connections of a program that has ended are closed a moment later
    found["database"] = used() - before


def row(subject: str, metric: str, value: float, unit: str, at: tuple[int, int]) -> dict[str, Any]:
    return {
        "subject": subject,
        "metric": metric,
        "value": float(f"{value:.4g}"),
        "unit": unit,
        "conversations": at[0],
        "latency_ms": at[1],
    }


def rows_of(subject: str, at: tuple[int, int], runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the median of every figure over the rounds."""
    rows = [
        row(subject, metric, median(run[key] for run in runs), unit, at)
        for metric, key, unit in METRICS
    ]
    if not all(run["complete"] for run in runs):
        for one in rows:
            one["cut_off"] = True
    return rows


def show(rows: list[dict[str, Any]], failures: dict[str, str]) -> None:
    for r in rows:
        at = f"{r['conversations']:>6} {r['latency_ms']:>4} ms"
        cut = "  (cut off)" if r.get("cut_off") else ""
        what = f"{r['subject']:<10} {r['metric']:<26} {at}"
        print(f"{what} {r['value']:>10,.4g} {r['unit']}{cut}")
    for subject, why in failures.items():
        print(f"{subject}: not measured, {why}")


async def main(rounds: int, seconds: float, only: list[str]) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores()[1])  # the servers that are started from here inherit it
    pythons, failures = {OURS: sys.executable}, {}
    for peer in PEERS:
        if only and peer not in only:
            continue
        print(f"environment of {peer}", file=sys.stderr)
        try:
            pythons[peer] = str(environment(peer))
        except subprocess.CalledProcessError as error:
            failures[peer] = str(error.stderr or error).strip().splitlines()[-1]
    runs: dict[tuple[str, tuple[int, int]], list[dict[str, Any]]] = defaultdict(list)
    port = free_ports(1)
    server = (sys.executable, "-m", "benchmarks.turns.server", str(port))
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="soullink-") as folder:
        async with database_url(PostgresSettings(url=None, data_dir=Path(folder))) as url:
            pid = (Path(folder) / "postgres" / "postmaster.pid").read_text().splitlines()[0]
            database = psutil.Process(int(pid))
            with process(*server, pinned=cores()[1], ready="ready"):
                for turn in range(rounds):
                    for at in SETTINGS:
                        for subject, python in pythons.items():
                            if (subject, *at) in LEFT_OUT or (turn and subject in ONCE):
                                continue
                            print(f"round {turn + 1}/{rounds}: {subject} {at}", file=sys.stderr)
                            found: dict[str, Any] = {}
                            try:
                                with counted(database, found):
                                    measured = client(python, subject, port, at, seconds, url)
                            except RuntimeError as error:
                                failures[f"{subject} at {at[0]}, {at[1]} ms"] = str(error)
                                continue
                            runs[subject, at].append({**measured, **found})
                for (subject, at), measured_all in runs.items():
                    rows += rows_of(subject, at, measured_all)
                    if subject == OURS:
                        used = [m["database"] / m["turns"] * 1e3 for m in measured_all]
                        rows.append(row(OURS, "CPU a turn in PostgreSQL", median(used), "ms", at))
                held = client(sys.executable, "held", port, (LIVE, 0), 600.0, url)
                rows.append(row(OURS, "memory of live courses", held["peak_mb"], "MB", (LIVE, 0)))
    show(rows, failures)
    document = {
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load_before": round(os.getloadavg()[2], 1),
        "python": platform.python_version(),
        "rounds": rounds,
        "measured_once": list(ONCE),
        "seconds": seconds,
        "not_measured": failures,
        "left_out": {f"{who} at {n}": why for (who, n, _), why in LEFT_OUT.items()},
        "rows": rows,
    }
    RESULTS.write_text(json.dumps(document, indent=1) + "\n")
    print(f"Written to {RESULTS.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    words = sys.argv[1:]
    asyncio.run(
        main(
            int(words[0]) if words else ROUNDS,
            float(words[1]) if words[1:] else SECONDS,
            words[2:],
        )
    )
