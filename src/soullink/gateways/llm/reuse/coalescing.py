"""Equal calls in flight share one call to the provider."""

import asyncio
import copy
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Final, TypeAlias

from soullink.gateways.llm.port import (
    ChatReply,
    LlmError,
    LlmTimeoutError,
    LlmUnavailableError,
)

Start: TypeAlias = Callable[[], Coroutine[Any, Any, ChatReply]]

JOINED_SHARE: Final = 0.8
"""A call joins another only where that one has at least this share of the joiner's time left."""


class _Flight:
    """One call under way and those who wait for it; the first is its leader."""

    __slots__ = ("deadline", "error", "key", "over", "reply", "task", "waiters")

    def __init__(self, key: Hashable, deadline: float) -> None:
        self.key = key
        self.deadline = deadline
        self.waiters: list[asyncio.Future[None]] = []
        self.over = False
        self.reply: ChatReply | None = None
        self.error: BaseException | None = None
        self.task: asyncio.Task[None]

    def end(self, error: BaseException | None = None) -> None:
        """Tell everybody; the first end counts."""
        if self.over:
            return
        self.over = True
        self.error = error
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)


class Coalescer:
    """Runs one call for all who ask the same at the same time.

    The call is a task of its own, so that it outlives whoever started it as long as somebody
    waits; when nobody does, it is cancelled. Answers and errors are shared; followers get
    reused="coalesced" and pay nothing. Which calls may be shared is the caller's decision (see
    `key.is_deterministic`), and the tenant belongs into the key. Streams are not shared.
    """

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight] = {}
        self._under_way: set[_Flight] = set()

    @property
    def in_flight(self) -> int:
        """Return how many calls are under way."""
        return len(self._under_way)

    async def run(
        self, key: Hashable, start: Start, *, timeout_seconds: float = float("inf")
    ) -> ChatReply:
        """Return what `start` returns, or what an equal call already under way does.

        timeout_seconds: how long this caller waits for another's call, and what its own call is
        allowed; `start` keeps to that by itself. Raises what the call raises, LlmTimeoutError
        when a follower's time is up, LlmUnavailableError after `close`.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        flight = self._flights.get(key)
        if flight is not None and flight.deadline - now >= JOINED_SHARE * timeout_seconds:
            return await self._follow(loop, flight, timeout_seconds, now)
        flight = _Flight(key, now + timeout_seconds)
        waiter: asyncio.Future[None] = loop.create_future()
        flight.waiters.append(waiter)
        self._flights[key] = flight
        flight.task = loop.create_task(self._fly(flight, start))
        self._under_way.add(flight)
        try:
            await waiter
        except asyncio.CancelledError:
            await self._leave(flight, waiter)
            raise
        if flight.reply is not None:
            return flight.reply
        raise flight.error or _given_up()

    async def close(self) -> None:
        """Cancel every call under way and wait for its end; those who wait are told."""
        flights = list(self._under_way)
        for flight in flights:
            flight.task.cancel()
        if flights:
            await asyncio.wait([flight.task for flight in flights])
        for flight in flights:
            self._ended(flight, _given_up())  # cancelled before its first step, it could not

    async def _fly(self, flight: _Flight, start: Start) -> None:
        error: BaseException | None = None
        try:
            flight.reply = await start()
        except asyncio.CancelledError:
            error = _given_up()
            raise
        except Exception as caught:  # noqa: BLE001 - handed to everybody who waits
            error = caught
        finally:
            self._ended(flight, error)

    def _ended(self, flight: _Flight, error: BaseException | None) -> None:
        self._under_way.discard(flight)
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]
        flight.end(error)

    async def _follow(
        self,
        loop: asyncio.AbstractEventLoop,
        flight: _Flight,
        timeout_seconds: float,
        began: float,
    ) -> ChatReply:
        waiter: asyncio.Future[None] = loop.create_future()
        flight.waiters.append(waiter)
        alarm = None
        if timeout_seconds != float("inf"):
            alarm = loop.call_at(began + timeout_seconds, _ring, waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            await self._leave(flight, waiter)
            raise
        finally:
            if alarm is not None:
                alarm.cancel()
        reply = flight.reply
        if reply is not None:
            return _shared(reply, loop.time() - began)
        error = flight.error
        if error is None:
            await self._leave(flight, waiter)
            late = LlmTimeoutError(f"No answer came within {timeout_seconds:g} seconds.")
            late.may_be_billed = False
            raise late
        if isinstance(error, LlmError):
            raise _free_of_charge(error) from error
        raise error

    async def _leave(self, flight: _Flight, waiter: asyncio.Future[None]) -> None:
        """Stop waiting; the last to go cancels the call and sees it end."""
        if flight.over:
            return
        flight.waiters.remove(waiter)
        if flight.waiters:
            return
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]  # whoever comes now starts afresh
        flight.task.cancel()
        await asyncio.wait((flight.task,))
        self._ended(flight, _given_up())


def _ring(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _given_up() -> LlmUnavailableError:
    error = LlmUnavailableError("The call was given up before it was answered; ask again.")
    error.may_be_billed = False
    return error


def _free_of_charge(error: LlmError) -> LlmError:
    """Return a twin for somebody who did not start the call; its traceback is its own."""
    twin = copy.copy(error)
    twin.usage = None
    twin.may_be_billed = False
    return twin


def _shared(reply: ChatReply, latency_seconds: float) -> ChatReply:
    return ChatReply(
        text=reply.text,
        model=reply.model,
        provider=reply.provider,
        finish_reason=reply.finish_reason,
        usage=reply.usage,
        cost_nano_usd=0,
        latency_seconds=latency_seconds,
        attempts=reply.attempts,
        tool_calls=reply.tool_calls,
        quality=reply.quality,
        reused="coalesced",
    )
