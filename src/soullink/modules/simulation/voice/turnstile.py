"""Courses whose models have answered at one moment go on a few at a time, and so they part.

A hundred would else check words, share a round of the journal and ask again together, to be
answered together once more, and each of them would wait for the work of all. A few at a time,
those in front have asked again before the last ones are looked at.
"""

import asyncio
from collections import deque
from typing import Final

from soullink.gateways.postgres.grouped import Load

FEW: Final = 6
"""Courses between a model's answer and the record of their turn, while the loop has time to spare.
While they wait for the record the next ones are read; more would only wait for each other."""


class Turnstile:
    """Lets courses of one process pass. Belongs to one event loop at a time.

    On a busy loop everybody passes: what many do together takes less work.
    """

    def __init__(self) -> None:
        self._inside = 0
        self._load = Load()
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Return once one more may go on."""
        if self._inside < FEW or self._load.busy():
            self._inside += 1
            return
        let_in: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(let_in)
        try:
            await let_in
        except asyncio.CancelledError:
            if not let_in.cancelled():  # let in at the very moment in which it was called off
                self.leave()
            raise

    def leave(self) -> None:
        """Let those go on for whom one who had entered makes room."""
        self._inside -= 1
        while self._waiting and (self._inside < FEW or self._load.busy()):
            let_in = self._waiting.popleft()
            if not let_in.done():
                self._inside += 1
                let_in.set_result(None)


class Passing:
    """One course at the turnstile: outside, until a model has answered it."""

    __slots__ = ("_inside", "_turnstile")

    def __init__(self, turnstile: Turnstile) -> None:
        self._turnstile = turnstile
        self._inside = False

    async def enter(self) -> None:
        """Return once the course may go on; at once where it is inside already."""
        if not self._inside:
            await self._turnstile.enter()
            self._inside = True

    def leave(self) -> None:
        """Let the next one go on; nothing happens outside."""
        if self._inside:
            self._inside = False
            self._turnstile.leave()
