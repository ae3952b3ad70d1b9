"""Measures one subject at one width, in a process of its own.

    python -m benchmarks.turns.client SUBJECT PORT CONVERSATIONS LATENCY_MS SECONDS [CORE,...]

One conversation is had again and again for a while; more are all had at once. What is not over
after SECONDS is cut off, and the turns are then counted by the model calls made. Prints one JSON
object.
"""

import asyncio
import json
import os
import resource
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
    os.environ.pop(name, None)
os.environ |= {
    "NO_PROXY": "*",
    "LANGSMITH_TRACING": "false",
    "OTEL_SDK_DISABLED": "true",
    "OPENAI_API_KEY": "key",
}

from benchmarks.turns.subjects import SUBJECTS, Conversation  # noqa: E402 - environment first

ALONE_SECONDS = 3.0


def server(port: int, path: str, *, post: bool = False) -> Any:
    with urllib.request.urlopen(
        urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=b"" if post else None)
    ) as answer:
        return json.loads(answer.read())


def peak_mb() -> float:
    """Return the most memory that this program has held; what forked it held does not count."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def had(conversation: Conversation, count: int, seconds: float) -> tuple[int, bool]:
    """Have the conversations; return the utterances, and whether all came to their end."""
    if count == 1:
        end, turns, number = time.perf_counter() + ALONE_SECONDS, 0, 1
        while time.perf_counter() < end:
            turns += await conversation(number)
            number += 1
        return turns, True
    try:
        async with asyncio.timeout(seconds):
            talks = [asyncio.ensure_future(conversation(n)) for n in range(1, count + 1)]
            return sum(await asyncio.gather(*talks)), True
    except TimeoutError:
        return sum(talk.result() for talk in talks if talk.done() and not talk.cancelled()), False


async def measure(subject: str, port: int, count: int, latency_ms: int, seconds: float) -> None:
    stdout = os.fdopen(os.dup(1), "w")
    server(port, "/latency?ms=0", post=True)
    conversation = await SUBJECTS[subject](port)
    server(port, "/reset", post=True)
    warm = await conversation(0)
    each = server(port, "/stats")["calls"] / warm
    server(port, f"/latency?ms={latency_ms}", post=True)
    server(port, "/reset", post=True)
    wall, cpu = time.perf_counter(), time.process_time()
    turns, complete = await had(conversation, count, seconds)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    seen = server(port, "/stats")
    if not complete:
        turns = seen["calls"] / each
    row = {
        "turns": turns,
        "complete": complete,
        "cpu_ms": cpu / turns * 1e3,
        "turns_per_second": turns / wall,
        "calls": seen["calls"] / turns if complete else each,
        "kb": seen["sent"] / turns / 1024,
        "peak_mb": peak_mb(),
    }
    print(json.dumps(row), file=stdout, flush=True)
    os._exit(0)  # some libraries keep threads and sockets that wait


if __name__ == "__main__":
    who, place, width, wait, box, *cores = sys.argv[1:]
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core) for core in cores[0].split(",")})
    if who == "held":
        from benchmarks.turns.ours import hold

        work = hold(int(place), int(width), os.environ["DATABASE_URL"])
    else:
        work = measure(who, int(place), int(width), int(wait), float(box))
    try:
        import uvloop
    except ModuleNotFoundError:
        asyncio.run(work)
    else:
        uvloop.run(work)
