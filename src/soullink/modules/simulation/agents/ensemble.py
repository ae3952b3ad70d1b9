"""All courses that are lived in this process, so that those who wait go on together.

What is done in a turn hangs on nothing that is said in the one before: words never decide. So
whoever takes a turn takes along all those whose next one is not known yet, and theirs lies ready
until they ask for it; so with openings and ends of episodes. However long a model thinks, the
equations are worked out for many at once.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

from soullink.modules.simulation.api import Episode
from soullink.modules.simulation.domain.bare import BareTurn
from soullink.modules.simulation.domain.live import (
    LiveCourse,
    Opening,
    closings_of,
    openings_of,
    turns_of,
)

MOST_TOGETHER: Final = 96
"""Turns taken in one go; with more the loop would stand still for longer than they save."""

Made = TypeVar("Made")


class Ensemble:
    """Opens, takes turns and settles for live courses. Belongs to one event loop at a time."""

    def __init__(self) -> None:
        self._live = 0
        self._openings = _Together[Opening](openings_of)
        self._turns = _Together[BareTurn | None](turns_of)
        self._closings = _Together[Episode](closings_of)

    @contextmanager
    def joined(self, course: LiveCourse) -> Iterator[None]:
        """Count `course` among those who go on together."""
        self._live += 1
        try:
            yield
        finally:
            self._live -= 1
            for together in (self._openings, self._turns, self._closings):
                together.forget(course)

    async def open(self, course: LiveCourse) -> Opening:
        """Open the course's next episode, and those of all others whose last one is settled."""
        if self._live <= 1 and course not in self._openings.ready:
            self._openings.forget(course)
            return course.open()
        return await self._openings.ask(course, self._live)

    async def turn(self, course: LiveCourse) -> BareTurn | None:
        """Return the course's next turn; None when its episode is over."""
        if course not in self._turns.ready and (self._live <= 1 or course.underway is None):
            self._turns.forget(course)
            return course.turn()
        turn = await self._turns.ask(course, self._live)
        # Its next turn, or its end, may be worked out before it is asked for.
        if course.underway is not None:
            self._turns.due[course] = None
        elif self._live > 1:
            self._closings.due[course] = None
        return turn

    def close(self, course: LiveCourse) -> Episode:
        """Settle the course's episode, and those of all others that are at their end too."""
        settled = self._closings.now(course)
        if not course.over and self._live > 1:
            self._openings.due[course] = None
        return settled


class _Together(Generic[Made]):
    """One step that courses go, done for many at once.

    due: those whose step may be done before they ask for it, longest since first. ready: what
    was done for them.
    """

    def __init__(self, go: Callable[[Sequence[LiveCourse]], list[Made]]) -> None:
        self._go = go
        self.due: dict[LiveCourse, None] = {}
        self.ready: dict[LiveCourse, Made | Exception] = {}
        self._waiting: list[tuple[LiveCourse, asyncio.Future[None]]] = []
        self._seen = 0
        self._look_due: asyncio.Handle | None = None

    def forget(self, course: LiveCourse) -> None:
        """Do nothing for a course and keep nothing of it."""
        self.due.pop(course, None)
        self.ready.pop(course, None)

    def now(self, course: LiveCourse) -> Made:
        """Return what the step comes to for a course, done at once unless it lies ready."""
        if course not in self.ready:
            self._do([course])
        made = self.ready.pop(course)
        if isinstance(made, Exception):
            raise made
        return made

    async def ask(self, course: LiveCourse, live: int) -> Made:
        """Return what `now` does, once all `live` have asked or nobody more comes."""
        if course not in self.ready:
            self.due.pop(course, None)
            loop = asyncio.get_running_loop()
            done: asyncio.Future[None] = loop.create_future()
            self._waiting.append((course, done))
            if len(self._waiting) >= min(live, MOST_TOGETHER):
                self._serve()
            elif self._look_due is None:
                self._seen = 0
                self._look_due = loop.call_soon(self._look, loop)
            await done
        return self.now(course)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve those who wait once nobody has come for a whole round of the loop."""
        if len(self._waiting) > self._seen:
            self._seen = len(self._waiting)
            self._look_due = loop.call_soon(self._look, loop)
        else:
            self._serve()

    def _serve(self) -> None:
        if self._look_due is not None:
            self._look_due.cancel()
            self._look_due = None
        waiting = [(course, done) for course, done in self._waiting if not done.done()]
        self._waiting = []
        if waiting:
            self._do([course for course, _ in waiting])
            for _, done in waiting:
                done.set_result(None)

    def _do(self, courses: list[LiveCourse]) -> None:
        for course in courses:
            self.due.pop(course, None)
        others = list(self.due)[: max(MOST_TOGETHER - len(courses), 0)]
        for other in others:
            del self.due[other]
        courses = [*courses, *others]
        made: Sequence[Made | Exception]
        try:
            made = self._go(courses)
        except Exception as error:  # noqa: BLE001 - those who come for theirs are to know
            made = [error] * len(courses)
        self.ready.update(zip(courses, made, strict=True))
