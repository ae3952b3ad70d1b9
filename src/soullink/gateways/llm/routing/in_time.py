"""Time limits that cost nothing where nothing is waited for, and little where something is."""

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any

_TICK_SECONDS = 0.001
"""Event loops round their timers to milliseconds."""


class TimeLimits:
    """Ends what takes too long. Belongs to the event loop that it is first used in.

    One standing timer is set to the first end there is: most waits are over long before theirs,
    and a timer for each (asyncio.timeout) takes as long as a tenth of a whole call.
    """

    __slots__ = ("_alarm", "_alarm_at", "_limits")

    def __init__(self) -> None:
        self._limits: set[_Limit] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0

    async def finish(self, work: Coroutine[Any, Any, None], seconds: float) -> None:
        """Run `work` to its end. Raises TimeoutError after `seconds`, if it waits at all."""
        try:
            awaited = work.send(None)
        except StopIteration:
            return
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can wait")
        loop = asyncio.get_running_loop()
        limit = _Limit(task, loop.time() + seconds)
        self._limits.add(limit)
        if self._alarm is None or limit.at < self._alarm_at:
            self._set_alarm(loop, limit.at)
        try:
            await _go_on(work, awaited)
        except asyncio.CancelledError as error:
            if limit.take_back():
                raise TimeoutError from error
            raise
        finally:
            self._limits.discard(limit)
            limit.take_back()

    def _set_alarm(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = loop.call_at(at, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        self._alarm = None
        soon = loop.time() + _TICK_SECONDS
        later = []
        for limit in self._limits:
            if limit.at > soon:
                later.append(limit.at)
            else:
                limit.ring()
        if later:
            self._set_alarm(loop, min(later))


class _Limit:
    """The end of one wait: a point on the event loop's clock."""

    __slots__ = ("_before", "_rang", "_task", "at")

    def __init__(self, task: asyncio.Task[Any], at: float) -> None:
        self._task = task
        self._before = task.cancelling()
        self._rang = False
        self.at = at

    def ring(self) -> None:
        """Cancel the wait, once."""
        if not self._rang:
            self._rang = True
            self._task.cancel()

    def take_back(self) -> bool:
        """Take the cancellation back; return whether it was this one and nobody else's too."""
        rang, self._rang = self._rang, False
        return rang and self._task.uncancel() <= self._before


@types.coroutine
def _go_on(work: Coroutine[Any, Any, None], awaited: Any) -> Generator[Any, Any, None]:
    """Pass on what `work` awaits to the event loop, and what comes of it back to `work`."""
    while True:
        try:
            try:
                result = yield awaited
            except BaseException as error:  # noqa: BLE001 - it is for the work to handle
                awaited = work.throw(error)
            else:
                awaited = work.send(result)
        except StopIteration:
            return
