"""Simulating many worlds at once, one process each, and their figures as vectors."""

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Final

import numpy as np

from soullink.modules.simulation.api import FloatArray
from soullink.modules.simulation.calibration import worlds
from soullink.modules.simulation.calibration.worlds import Size
from soullink.modules.simulation.domain.parameters import Parameters

TOGETHER: Final = 16
"""Sets of numbers lived in one batch: far quicker than one by one, in bounded memory."""


def figures_of(
    names: Sequence[str], size: Size, seed: int, many: Sequence[FloatArray]
) -> list[FloatArray]:
    """Return the figures `names` of one world under each of `many` vectors, (len(names),) each."""
    found = worlds.figures_under([Parameters.of(values) for values in many], seed, size)
    return [np.array([one[name] for name in names]) for one in found]


class Simulator:
    """Simulates worlds of one size. workers: an executor, or None to do it here."""

    def __init__(self, names: Sequence[str], size: Size, workers: Executor | None) -> None:
        self._names = tuple(names)
        self._size = size
        self._workers = workers

    def __call__(self, many: Sequence[FloatArray], seed: int) -> Iterator[FloatArray]:
        """Yield the figures of each of `many` parameter vectors, in order."""
        work = partial(figures_of, self._names, self._size, seed)
        parts = [many[k : k + TOGETHER] for k in range(0, len(many), TOGETHER)]
        run = map if self._workers is None else self._workers.map
        for found in run(work, parts):
            yield from found


def _ignore_signals() -> None:
    """Leave Ctrl-C to the process that started us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def workers(count: int) -> Iterator[Executor | None]:
    """Yield an executor of `count` processes, None where one is enough.

    On the way out work that has not begun is dropped and the processes end.
    """
    if count == 1:
        yield None
        return
    pool = ProcessPoolExecutor(
        count, multiprocessing.get_context("spawn"), initializer=_ignore_signals
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
