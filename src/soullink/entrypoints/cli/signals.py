"""Ctrl-C and SIGTERM end the work in order: transactions are rolled back, our server is left."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from soullink.entrypoints.cli.exits import Interrupted

T = TypeVar("T")


class Interruption:
    """Cancels the work at the first signal, but not while something is being opened.

    A database server that starts in a thread goes on starting when its task is cancelled, and
    nobody would stop it: a signal then waits until it stands.
    """

    def __init__(self) -> None:
        self.wanted = False
        self.when_wanted: Callable[[], None] | None = None
        self._held = 0
        self._task: asyncio.Task[Any] | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` to its end. Raises Interrupted once it has been cancelled by a signal."""
        return asyncio.run(self._watched(work))

    async def _watched(self, work: Coroutine[Any, Any, T]) -> T:
        loop = asyncio.get_running_loop()
        self._task = task = asyncio.ensure_future(work)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        try:
            return await task
        except asyncio.CancelledError:
            if self.wanted:
                raise Interrupted from None
            raise
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        if not self.wanted and self.when_wanted is not None:
            self.when_wanted()
        self.wanted = True
        self._cancel()

    def _cancel(self) -> None:
        if self._held == 0 and self._task is not None:
            self._task.cancel()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let signals wait until the block is done."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if self.wanted:
                self._cancel()
