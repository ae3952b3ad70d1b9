"""`make bench-gateway`: clients side by side against one server that answers at once.

Prints a table and writes benchmarks/results/gateway.json: rows of subject, metric, value, unit,
in_flight. Every subject is a process of its own; the subjects take turns, the median of the rounds
counts. On two cores or more the client has one to itself.
"""

import asyncio
import contextlib
import functools
import json
import os
import platform
import signal
import socket
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

from benchmarks.gateway.load import load
from soullink.bootstrap import database_url
from soullink.settings import PostgresSettings

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "gateway.json"
PEERS = ROOT / ".venv-bench-gateway" / "bin" / "python"
WIDTHS = ("1", "32", "256", "after")
PORTS = 3
OURS = ("soullink", "soullink_in_memory")
SUBJECTS = {  # and whether it lives in the peers' environment
    "aiohttp": False,
    "httpx": True,
    "openai": False,
    "litellm_router": True,
    "soullink": False,
    "soullink_in_memory": False,
}
IMPORTS = {
    "aiohttp": "aiohttp",
    "openai": "openai",
    "litellm_router": "litellm",
    "soullink": "soullink.gateways.llm.assembly",
}
_IMPORT = """
import importlib, json, sys, time
start = time.perf_counter()
importlib.import_module(sys.argv[1])
took = time.perf_counter() - start
from benchmarks.gateway.peak import peak_mb
print(json.dumps([took, peak_mb()]))
"""


def free_ports(count: int) -> int:
    """Return the first of `count` free ports in a row."""
    for first in range(18_100, 19_900, 10):
        with contextlib.ExitStack() as stack:
            try:
                for offset in range(count):
                    probe = stack.enter_context(socket.socket())
                    probe.bind(("127.0.0.1", first + offset))
            except OSError:
                continue
            return first
    raise SystemExit("No free ports on the loopback interface.")


def _pin(cores: set[int]) -> Any:
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        return None
    return lambda: os.sched_setaffinity(0, cores)


@functools.cache  # this process keeps to some of them itself, and then sees no others
def cores() -> tuple[set[int], set[int]]:
    """Return the client's core, and those of everything else."""
    known = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    return {known[0]}, set(known[1:]) or {known[0]}


@contextlib.contextmanager
def process(*words: str, pinned: set[int], ready: str) -> Iterator[subprocess.Popen[str]]:
    """Run a Python module until the block ends; it has said `ready` when the block begins."""
    child = subprocess.Popen(
        words,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_pin(pinned),  # noqa: PLW1509 - no threads run here yet
    )
    try:
        for line in child.stdout or ():
            if ready in line:
                break
        else:
            raise SystemExit(f"{' '.join(words)} did not start.")
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=30)


def client(subject: str, port: int, seconds: float, environ: dict[str, str]) -> dict[str, Any]:
    """Return what one run of one subject measured."""
    python = str(PEERS) if SUBJECTS[subject] else sys.executable
    run = subprocess.run(
        [python, "-m", "benchmarks.gateway.client", subject, str(port), str(seconds), *WIDTHS],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        preexec_fn=_pin(cores()[0]),
    )
    measured: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return measured


def imports(rounds: int) -> list[dict[str, Any]]:
    """Return seconds and megabytes of importing each library in a fresh process."""
    rows = []
    for subject, module in IMPORTS.items():
        python = str(PEERS) if SUBJECTS[subject] else sys.executable
        if not Path(python).exists():
            continue
        found = [
            json.loads(
                subprocess.run(
                    [python, "-c", _IMPORT, module],
                    cwd=ROOT,
                    env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                ).stdout
            )
            for _ in range(rounds)
        ]
        rows.append(row(subject, "import time", median(f[0] for f in found), "s", 0))
        rows.append(row(subject, "import memory", median(f[1] for f in found), "MB", 0))
    return rows


def row(subject: str, metric: str, value: float, unit: str, in_flight: int) -> dict[str, Any]:
    return {
        "subject": subject,
        "metric": metric,
        "value": float(f"{value:.4g}"),
        "unit": unit,
        "in_flight": in_flight,
    }


def rows_of(subject: str, runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the median of every figure over the rounds."""
    rows = []
    for width in WIDTHS:
        found = defaultdict(list)
        for run in runs:
            for key, value in run["rows"][width].items():
                found[key].append(value)
        in_flight, after = (1, " after a burst of 256") if width == "after" else (int(width), "")
        for metric, key, unit in (
            ("throughput", "rps", "req/s"),
            ("latency p50", "p50_us", "us"),
            ("latency p99", "p99_us", "us"),
            ("CPU a call", "cpu_us", "us"),
        ):
            rows.append(row(subject, metric + after, median(found[key]), unit, in_flight))
    cost = [run["rows"]["after"]["cpu_us"] / run["rows"]["1"]["cpu_us"] for run in runs]
    rows.append(row(subject, "call cost after a burst of 256", median(cost), "ratio", 1))
    rows.append(row(subject, "peak memory", median(run["peak_mb"] for run in runs), "MB", 256))
    return rows


async def proxy(server_port: int, environ: dict[str, str], seconds: float) -> list[dict[str, Any]]:
    """Return what `soullink serve llm` carries, and what it costs in CPU a request."""
    from benchmarks.gateway.ours import served_key, write_config

    with tempfile.TemporaryDirectory(prefix="soullink-") as folder:
        config = write_config(Path(folder) / "llm.yaml", server_port)
        key = await served_key(environ["DATABASE_URL"])
        port = free_ports(1)
        words = [sys.executable, "-m", "soullink.entrypoints.cli.main"]
        words += ["--database-url", environ["DATABASE_URL"], "serve", "llm"]
        words += ["--port", str(port), "--config", str(config)]
        rows = []
        with process(*words, pinned=cores()[0], ready=str(port)) as served:
            await load(port, key, "bench", 8, 1.0)
            usage = psutil.Process(served.pid)
            for width in (1, 32, 256):
                before = sum(usage.cpu_times()[:2])
                found = await load(port, key, "bench", width, seconds)
                cpu = (sum(usage.cpu_times()[:2]) - before) / found["calls"] * 1e6
                rows += [
                    row("soullink serve llm", "throughput", found["rps"], "req/s", width),
                    row("soullink serve llm", "latency p50", found["p50_us"], "us", width),
                    row("soullink serve llm", "latency p99", found["p99_us"], "us", width),
                    row("soullink serve llm", "CPU a call", cpu, "us", width),
                    row("soullink serve llm", "throughput a core", 1e6 / cpu, "req/s", width),
                ]
            memory = usage.memory_info().rss / 2**20
            rows.append(row("soullink serve llm", "resident memory", memory, "MB", 256))
        return rows


def ratios(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return our throughput over each peer's."""
    found = {
        (r["subject"], r["in_flight"]): r["value"] for r in rows if r["metric"] == "throughput"
    }
    return [
        row(ours, f"throughput over {peer}", found[ours, width] / found[peer, width], "x", width)
        for ours in OURS
        for width in (1, 32, 256)
        for peer in SUBJECTS
        if peer not in OURS and (peer, width) in found
    ]


def show(rows: list[dict[str, Any]]) -> None:
    for r in rows:
        width = str(r["in_flight"] or "")
        print(f"{r['subject']:<20} {r['metric']:<40} {width:>4} {r['value']:>12,.4g} {r['unit']}")


async def main(rounds: int, seconds: float) -> None:
    if (pin := _pin(cores()[1])) is not None:
        pin()  # the servers that are started from here inherit it
    port = free_ports(PORTS)
    server = (sys.executable, "-m", "benchmarks.gateway.server", str(port), str(PORTS))
    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    left_out = [name for name, peer in SUBJECTS.items() if peer and not PEERS.exists()]
    if left_out:
        print(f"Left out, their environment is missing: {', '.join(left_out)}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="soullink-") as folder:
        async with database_url(PostgresSettings(url=None, data_dir=Path(folder))) as url:
            environ = {**os.environ, "DATABASE_URL": url}
            with process(*server, pinned=cores()[1], ready="ready"):
                for turn in range(rounds):
                    for subject in SUBJECTS:
                        if subject in left_out:
                            continue
                        print(f"round {turn + 1}/{rounds}: {subject}", file=sys.stderr)
                        runs[subject].append(client(subject, port, seconds, environ))
                rows = [r for subject, found in runs.items() for r in rows_of(subject, found)]
                rows += ratios(rows)
                rows += await proxy(port, environ, seconds)
    rows += imports(rounds + 2)
    show(rows)
    document = {
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "rounds": rounds,
        "seconds": seconds,
        "rows": rows,
    }
    RESULTS.write_text(json.dumps(document, indent=1) + "\n")
    print(f"Written to {RESULTS.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    words = [*sys.argv[1:], *("3", "3")[len(sys.argv) - 1 :]]
    asyncio.run(main(int(words[0]), float(words[1])))
