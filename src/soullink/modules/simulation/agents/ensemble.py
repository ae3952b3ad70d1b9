"""All courses that are lived in this process, so that those who wait take their turns together."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from soullink.modules.simulation.domain.live import BareTurn, LiveCourse, turns_of

MOST_TOGETHER: Final = 64
"""Turns taken in one go; with more the loop would stand still for longer than they save."""


class Ensemble:
    """Takes the next turns of live courses. Belongs to one event loop at a time."""

    def __init__(self) -> None:
        self._live = 0
        self._waiting: list[tuple[LiveCourse, asyncio.Future[BareTurn | None]]] = []
        self._seen = 0
        self._due: asyncio.Handle | None = None

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Count one more course among those who may wait for each other."""
        self._live += 1
        try:
            yield
        finally:
            self._live -= 1

    async def turn(self, course: LiveCourse) -> BareTurn | None:
        """Return the course's next turn; None when its episode is over."""
        if self._live <= 1 or course.underway is None:
            return course.turn()
        loop = asyncio.get_running_loop()
        taken: asyncio.Future[BareTurn | None] = loop.create_future()
        self._waiting.append((course, taken))
        if len(self._waiting) >= min(self._live, MOST_TOGETHER):
            self._take()
        elif self._due is None:
            self._seen = 0
            self._due = loop.call_soon(self._look, loop)
        return await taken

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the turns once nobody has come for a whole round of the loop."""
        if len(self._waiting) > self._seen:
            self._seen = len(self._waiting)
            self._due = loop.call_soon(self._look, loop)
        else:
            self._take()

    def _take(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        waiting = [(course, taken) for course, taken in self._waiting if not taken.done()]
        self._waiting = []
        try:
            turns = turns_of([course for course, _ in waiting])
        except Exception as error:  # noqa: BLE001 - those who wait are to know
            for _, taken in waiting:
                taken.set_exception(error)
            return
        for (_, taken), turn in zip(waiting, turns, strict=True):
            taken.set_result(turn)
