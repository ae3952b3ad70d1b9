"""How long the equilibrium of a large market takes, and how that grows.

`python -m benchmarks.match.equilibrium` measures both large forms from 10^3 to 10^5 people a side,
each size in a process of its own, and prints rows (subject, metric, value, unit, size): sparse,
with 200 candidates a person; low rank, everybody with everybody, 32 features and an effect of each
person. Surplus lies mostly between 0 and 2, as P + Q^T does. Seconds are those of the clock on
two threads (low rank) or one (sparse); CPU seconds stand beside them, for a busy machine.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from typing import Final, TypedDict

SIZES: Final = (1_000, 10_000, 100_000)
PARTS: Final = ("sparse", "low-rank")
CANDIDATES: Final = 200
FEATURES: Final = 32
THREADS: Final = 2
TOLERANCE: Final = 1e-3


class Row(TypedDict):
    """One measured number; size is people a side."""

    subject: str
    metric: str
    value: float
    unit: str
    size: int


def measure(part: str, size: int) -> list[Row]:
    """Make a market, solve it, and say what it took; in this process."""
    # Imported here, so that the parent's choice of threads holds for the linear algebra.
    import numpy as np

    from soullink.modules.matching.domain.reciprocal.equilibrium_low_rank import (
        low_rank_equilibrium,
    )
    from soullink.modules.matching.domain.reciprocal.equilibrium_sparse import (
        candidates,
        sparse_equilibrium,
    )

    draw = np.random.default_rng(0)
    effects = 0.3 * draw.normal(size=(2, size))
    seconds: dict[str, float] = {}
    if part == "sparse":
        left = np.repeat(np.arange(size), CANDIDATES)
        right = draw.integers(0, size, size * CANDIDATES)
        joint = draw.random(len(left)) + effects[0, left] + effects[1, right]
        clipped = np.clip(joint, 0.0, 2.0).astype(np.float32)
        begun = time.perf_counter()
        market = candidates(left, right, clipped, (size, size))
        seconds["build"] = time.perf_counter() - begun
        begun, processor = time.perf_counter(), time.process_time()
        prices = sparse_equilibrium(market, tolerance=TOLERANCE)
    else:
        scale = (0.5 / FEATURES) ** 0.5
        factors = [scale * draw.normal(size=(size, FEATURES)) for _ in range(2)]
        ones = np.ones(size)
        first = np.column_stack((factors[0], effects[0], ones)).astype(np.float32)
        second = np.column_stack((factors[1], ones, effects[1] + 1.0)).astype(np.float32)
        begun, processor = time.perf_counter(), time.process_time()
        prices = low_rank_equilibrium(first, second, tolerance=TOLERANCE, threads=THREADS)
    seconds["solve"] = time.perf_counter() - begun
    seconds["solve, CPU"] = time.process_time() - processor
    if prices.residual > TOLERANCE:
        raise RuntimeError(f"{part} at {size}: residual {prices.residual}, not converged")
    subject = f"equilibrium, {part}"
    rows = [
        Row(subject=subject, metric=name, value=value, unit="s", size=size)
        for name, value in seconds.items()
    ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    others = (
        ("passes", float(prices.sweeps), "count"),
        ("residual", prices.residual, "share of a capacity"),
        ("peak memory", peak, "MB"),
    )
    rows += [
        Row(subject=subject, metric=name, value=value, unit=unit, size=size)
        for name, value, unit in others
    ]
    return rows


def main(rows: list[Row], sizes: tuple[int, ...] = SIZES) -> None:
    """Append the rows of both forms and all sizes; about two minutes on two cores."""
    quiet = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    for part in PARTS:
        for size in sizes:
            command = [sys.executable, "-m", "benchmarks.match.equilibrium"]
            command += ["--part", part, "--size", str(size)]
            print(f"equilibrium, {part}, {size:,} a side", file=sys.stderr)
            done = subprocess.run(command, env=quiet, check=True, stdout=subprocess.PIPE)
            rows += json.loads(done.stdout)


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--part", choices=PARTS)
    reader.add_argument("--size", type=int, default=SIZES[0])
    asked = reader.parse_args()
    measured: list[Row] = []
    if asked.part:
        measured = measure(asked.part, asked.size)
    else:
        main(measured)
    print(json.dumps(measured, indent=1))
