"""Many who want the same kind of work at one time share one round of it.

A transaction costs a round trip and a flush to disk, however much is in it. Whoever asks while a
round is under way is served by the next one, so that nobody waits for a timer, and what is read
for somebody has been read after they asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

MOST_AT_ONCE: Final = 500
"""Items in one round; the rest is in the next one."""


class Grouped(Generic[Item, Answer]):
    """Serves items in rounds, in the order in which they came. Belongs to one event loop.

    work: takes the items of a round and returns an answer or an error for each, in their order;
    what it raises is raised to everybody in the round.
    """

    __slots__ = ("_most", "_waiting", "_work", "_worker")

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]],
        most: int = MOST_AT_ONCE,
    ) -> None:
        self._work = work
        self._most = most
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
                taken, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                # Who was cancelled before its round began wants nothing any more.
                asked = [(item, answered) for item, answered in taken if not answered.done()]
                if asked:
                    await self._round(asked)
        finally:
            self._worker = None

    async def _round(self, asked: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._work([item for item, _ in asked])
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait are to know
            answers = [error] * len(asked)
        except BaseException:
            # The loop is ending: nobody may wait for ever.
            for _, answered in (*asked, *self._waiting):
                answered.cancel()
            self._waiting = []
            raise
        for (_, answered), answer in zip(asked, answers, strict=True):
            if answered.done():
                continue
            if isinstance(answer, Exception):
                answered.set_exception(answer)
            else:
                answered.set_result(answer)
