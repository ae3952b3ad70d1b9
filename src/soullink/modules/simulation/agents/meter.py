"""What the process uses while turns are lived, asked of the kernel no oftener than it pays."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SHARED_SECONDS: Final = 0.005
"""How long a reading is shared where several courses are lived: it counts all of them anyway."""

MEMORY_SECONDS: Final = 0.1
"""How long a reading of the peak of memory serves: the kernel goes through the process for it."""

_PER_MEGABYTE: Final = 2**20 if sys.platform == "darwin" else 2**10
"""ru_maxrss is in bytes on macOS, in kilobytes elsewhere."""


class Meter:
    """Reads CPU time and peak memory of the process.

    CPU time is exact where one course is lived at a time; where there are several, readings are
    up to SHARED_SECONDS old, since two calls into the kernel a turn cost more than its journal.
    The peak of memory is up to MEMORY_SECONDS old.
    """

    __slots__ = ("_at", "_cpu_seconds", "_live", "_memory_at", "memory_mb")

    def __init__(self) -> None:
        self._live = 0
        self._at = self._memory_at = float("-inf")
        self._cpu_seconds = self.memory_mb = 0.0

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Count one more course that is lived."""
        self._live += 1
        try:
            yield
        finally:
            self._live -= 1

    def cpu_seconds(self) -> float:
        """Return the CPU time of the process, user and system; renews memory_mb (peak, MiB)."""
        now = time.monotonic()
        if self._live <= 1 or now - self._at > SHARED_SECONDS:
            self._at = now
            self._cpu_seconds = time.process_time()
            if now - self._memory_at > MEMORY_SECONDS:
                self._memory_at = now
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                self.memory_mb = peak / _PER_MEGABYTE
        return self._cpu_seconds
