"""Many who want the same kind of work at one time share one round of it.

A transaction costs a round trip and a flush to disk, however much is in it. Whoever asks while a
round is under way is served by the next one, and what is read for somebody has been read after
they asked. Nobody waits for a timer, unless so many come that a few milliseconds bring company.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

MOST_AT_ONCE: Final = 500
"""Items in one round; the rest is in the next one."""


class Company:
    """Tells how long a round waits for company, from how many came lately.

    As PostgreSQL's own commit_delay and commit_siblings: whoever is alone waits for nobody, and
    a few wait for nobody either, since a commit is over sooner than more of them come.
    """

    GATHER_SECONDS: Final = 0.004
    SIBLINGS: Final = 4
    LATELY_SECONDS: Final = 0.05

    __slots__ = ("_at", "_rate")

    def __init__(self) -> None:
        self._rate = 0.0
        self._at = -math.inf

    def took(self, items: int, now: float) -> None:
        """Take in that a round of so many begins at `now`, a point on the event loop's clock."""
        past = max(now - self._at, 1e-4)
        weight = math.exp(-past / self.LATELY_SECONDS)
        self._rate = weight * self._rate + (1.0 - weight) * items / past
        self._at = now

    @property
    def seconds(self) -> float:
        """Return how long it pays to wait: as long as SIBLINGS surely come meanwhile, or 0."""
        pays = self._rate * self.GATHER_SECONDS >= self.SIBLINGS
        return self.GATHER_SECONDS if pays else 0.0


class Grouped(Generic[Item, Answer]):
    """Serves items in rounds, in the order in which they came. Belongs to one event loop.

    work: takes the items of a round and returns an answer or an error for each, in their order;
    what it raises is raised to everybody in the round.
    """

    __slots__ = ("_company", "_most", "_waiting", "_work", "_worker")

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]],
        most: int = MOST_AT_ONCE,
    ) -> None:
        self._work = work
        self._most = most
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._worker: asyncio.Task[None] | None = None
        self._company = Company()

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
                if (pause := self._company.seconds) and len(self._waiting) < self._most:
                    await asyncio.sleep(pause)
                self._company.took(len(self._waiting), asyncio.get_running_loop().time())
                taken, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
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
