"""Measures one subject in a process of its own.

    python -m benchmarks.gateway.client SUBJECT PORT SECONDS WIDTH...

A width is how many calls are in flight; "after" is one in flight after a burst of 256.
Prints one JSON object: by width calls, rps, p50 and p99 in microseconds, CPU a call.
"""

import asyncio
import json
import os
import sys
import time
from typing import Any

for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
    os.environ.pop(name, None)
os.environ["NO_PROXY"] = "*"

import uvloop  # noqa: E402 - the environment comes first

from benchmarks.gateway.peak import peak_mb  # noqa: E402
from benchmarks.gateway.server import INPUT_TOKENS, OUTPUT_TOKENS  # noqa: E402
from benchmarks.gateway.subjects import SUBJECTS, Call  # noqa: E402

BURST = 256
WARM_UP = 100


async def at(call: Call, width: int, seconds: float) -> dict[str, Any]:
    latencies: list[float] = []
    clock = time.perf_counter

    async def worker(end: float) -> None:
        while (start := clock()) < end:
            await call()
            latencies.append(clock() - start)

    cpu, start = time.process_time(), clock()
    await asyncio.gather(*(worker(start + seconds) for _ in range(width)))
    wall, cpu = clock() - start, time.process_time() - cpu
    latencies.sort()
    count = len(latencies)
    return {
        "calls": count,
        "rps": count / wall,
        "p50_us": latencies[count // 2] * 1e6,
        "p99_us": latencies[int(count * 0.99)] * 1e6,
        "cpu_us": cpu / count * 1e6,
    }


async def measure(subject: str, port: int, seconds: float, widths: list[str]) -> None:
    call = await SUBJECTS[subject](port)
    for _ in range(WARM_UP):
        if await call() != INPUT_TOKENS + OUTPUT_TOKENS:
            raise SystemExit(f"{subject} counts other tokens than the server.")
    rows: dict[str, Any] = {}
    for width in widths:
        if width == "after":
            await asyncio.gather(*(call() for _ in range(BURST)))
            rows[width] = await at(call, 1, seconds)
        else:
            rows[width] = await at(call, int(width), seconds)
    print(json.dumps({"subject": subject, "rows": rows, "peak_mb": peak_mb()}), flush=True)
    os._exit(0)  # some libraries keep threads and sockets that wait


if __name__ == "__main__":
    uvloop.run(measure(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]))
