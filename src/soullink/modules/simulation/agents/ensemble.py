"""All courses that are lived in this process, so that those who wait take their turns together.

What is done in a turn hangs on nothing that is said in the one before: words never decide. So
whoever takes a turn takes along all those whose next one is not known yet, and theirs lies ready
until they ask for it. However long a model thinks, the equations are worked out for many at once.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from soullink.modules.simulation.api import Episode
from soullink.modules.simulation.domain.bare import BareTurn
from soullink.modules.simulation.domain.live import LiveCourse, closings_of, turns_of

MOST_TOGETHER: Final = 96
"""Turns taken in one go; with more the loop would stand still for longer than they save."""


class Ensemble:
    """Takes the next turns of live courses. Belongs to one event loop at a time."""

    def __init__(self) -> None:
        self._live = 0
        self._waiting: list[tuple[LiveCourse, asyncio.Future[BareTurn | None]]] = []
        self._ready: dict[LiveCourse, BareTurn | Exception | None] = {}
        # Those whose next turn is not known and not asked for yet, longest since first.
        self._unknown: dict[LiveCourse, None] = {}
        # Those at the end of an episode that is not settled yet, and what was settled for them.
        self._ended: dict[LiveCourse, None] = {}
        self._settled: dict[LiveCourse, Episode | Exception] = {}
        self._seen = 0
        self._due: asyncio.Handle | None = None

    @contextmanager
    def joined(self, course: LiveCourse) -> Iterator[None]:
        """Count `course` among those who take turns together."""
        self._live += 1
        try:
            yield
        finally:
            self._live -= 1
            self._ready.pop(course, None)
            self._unknown.pop(course, None)
            self._ended.pop(course, None)
            self._settled.pop(course, None)

    def close(self, course: LiveCourse) -> Episode:
        """Settle the course's episode, and those of all others that are at their end too."""
        if course not in self._settled:
            self._ended.pop(course, None)
            others = list(self._ended)[: MOST_TOGETHER - 1]
            for other in others:
                del self._ended[other]
            courses = [course, *others]
            episodes: list[Episode] | list[Exception]
            try:
                episodes = closings_of(courses)
            except Exception as error:  # noqa: BLE001 - those who come for theirs are to know
                episodes = [error] * len(courses)
            self._settled.update(zip(courses, episodes, strict=True))
        settled = self._settled.pop(course)
        if isinstance(settled, Exception):
            raise settled
        return settled

    async def turn(self, course: LiveCourse) -> BareTurn | None:
        """Return the course's next turn; None when its episode is over."""
        if course in self._ready:
            ready = self._ready.pop(course)
            if isinstance(ready, Exception):
                raise ready
            self._taken(course)
            return ready
        self._unknown.pop(course, None)
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

    def _taken(self, course: LiveCourse) -> None:
        if course.underway is not None:
            self._unknown[course] = None
        elif self._live > 1:
            self._ended[course] = None

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
        if not waiting:
            return
        courses = [course for course, _ in waiting]
        while self._unknown and len(courses) < MOST_TOGETHER:
            other = next(iter(self._unknown))
            del self._unknown[other]
            courses.append(other)
        turns: list[BareTurn | None] | list[Exception]
        try:
            turns = turns_of(courses)
        except Exception as error:  # noqa: BLE001 - those who wait are to know
            turns = [error] * len(courses)
        for (course, taken), turn in zip(waiting, turns, strict=False):
            if isinstance(turn, Exception):
                taken.set_exception(turn)
            else:
                taken.set_result(turn)
                self._taken(course)
        for course, turn in zip(courses[len(waiting) :], turns[len(waiting) :], strict=True):
            self._ready[course] = turn
