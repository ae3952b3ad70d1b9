"""Many who want the same kind of work at one time share one round of it.

A transaction costs a round trip and a flush to disk, however much is in it. Whoever asks while a
round is under way is served by the next one, and what is read for somebody has been read after
they asked. Nobody waits for a timer: on a busy event loop a round begins once that brings nobody
more, on an idle one at once.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

MOST_AT_ONCE: Final = 500
"""Items in one round; the rest is in the next one."""

GATHER_SECONDS: Final = 0.004
"""The longest that a round waits for company."""

PATIENCE: Final = 2
"""Rounds of the event loop in a row that bring nobody, after which nobody is waited for."""


class Load:
    """Tells whether the event loop works most of the time: then it pays to share rounds.

    Small rounds take more work, so that a loop that is busy with them is so for good: the mark
    lies below what they come to where no model is waited for.
    """

    SAMPLE_SECONDS: Final = 0.1
    BUSY: Final = 0.55

    __slots__ = ("_at", "_busy", "_cpu")

    def __init__(self) -> None:
        self._at = self._cpu = 0.0
        self._busy = False

    def busy(self) -> bool:
        """Return whether this thread has worked most of the time lately."""
        now = time.monotonic()
        past = now - self._at
        if past > self.SAMPLE_SECONDS:
            cpu = time.thread_time()
            self._busy = cpu - self._cpu > self.BUSY * past
            self._at, self._cpu = now, cpu
        return self._busy


async def gathered(waiting: Callable[[], int], most: int) -> None:
    """Wait while more and more wait, until there are `most` or for GATHER_SECONDS.

    A busy loop brings more with every round, and they share a transaction.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + GATHER_SECONDS
    seen, empty = waiting(), 0
    while seen < most and empty < PATIENCE and loop.time() < end:
        await asyncio.sleep(0)
        now = waiting()
        empty = 0 if now > seen else empty + 1
        seen = now


class Grouped(Generic[Item, Answer]):
    """Serves items in rounds, in the order in which they came. Belongs to one event loop.

    work: takes the items of a round and returns an answer or an error for each, in their order;
    what it raises is raised to everybody in the round. most: items in one round.
    """

    __slots__ = ("_load", "_most", "_waiting", "_work", "_worker")

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]],
        most: int = MOST_AT_ONCE,
    ) -> None:
        self._work = work
        self._most = most
        self._load = Load()
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, item: Item) -> Answer:
        """Return the answer to `item`. One who is cancelled meanwhile disturbs no other."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((item, answered))
        if self._worker is None:
            self._worker = loop.create_task(self._serve())
        return await answered

    async def _serve(self) -> None:
        try:
            while self._waiting:
                if self._load.busy():
                    await gathered(lambda: len(self._waiting), self._most)
                taken = self._waiting[: self._most]
                self._waiting = self._waiting[self._most :]
                # Who was cancelled before its round began wants nothing any more.
                asked = [(item, answered) for item, answered in taken if not answered.done()]
                if asked:
                    await self._round(asked)
        except asyncio.CancelledError:
            self._abandon(())
            raise
        finally:
            self._worker = None

    def _abandon(self, asked: Sequence[tuple[Item, asyncio.Future[Answer]]]) -> None:
        """Leave everybody who waits: the loop is ending, and nobody may wait for ever."""
        for _, answered in (*asked, *self._waiting):
            answered.cancel()
        self._waiting = []

    async def _round(self, asked: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._work([item for item, _ in asked])
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait are to know
            answers = [error] * len(asked)
        except BaseException:
            self._abandon(asked)
            raise
        for (_, answered), answer in zip(asked, answers, strict=True):
            if answered.done():
                continue
            if isinstance(answer, Exception):
                answered.set_exception(answer)
            else:
                answered.set_result(answer)
