"""An event loop with a time of its own: waiting takes none, and waiting for nothing is found."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class NothingComesError(AssertionError):
    """Everybody waits and nothing can happen any more: a deadlock."""


class TimelessLoop(asyncio.SelectorEventLoop):
    """Jumps to the next timer when there is nothing else to do."""

    def __init__(self) -> None:
        super().__init__()
        self._moment = 0.0

    def time(self) -> float:
        return self._moment

    def _run_once(self) -> None:
        if not self._ready:  # type: ignore[attr-defined]
            if not self._scheduled:  # type: ignore[attr-defined]
                raise NothingComesError("Everybody waits, and nothing is left that could happen.")
            self._moment = max(self._moment, self._scheduled[0]._when)  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` in no time. It may use no sockets and no threads."""
    with asyncio.Runner(loop_factory=TimelessLoop) as runner:
        return runner.run(work)
