"""The relay: takes events from the outbox to those who asked for them.

At least once, and in order within a stream. An event stays until every handler of it has returned;
then it is deleted, so that nothing personal stays behind. A handler that fails is tried again after
a pause that doubles; meanwhile the events after it in its stream wait, all other streams go on.
After the last try the event is set aside with its reason, and its stream goes on without it.

A relay locks the events at the heads of some streams (FOR UPDATE SKIP LOCKED) and handles them and
what comes after them. So several relays share the work, a killed one leaves its locks to the next
at once, and what it did not mark is handled again: handlers must bear that. It polls, as NOTIFY
would take a lock on the whole database at every commit.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Row, delete, func, or_, select, update

from soullink.gateways.log import Log
from soullink.gateways.postgres.database import Database, Work, outbox
from soullink.kernel.clock import Clock
from soullink.kernel.errors import NotFoundError
from soullink.kernel.events import Event

E = TypeVar("E", bound=Event)
Handle = Callable[[Mapping[str, Any]], Awaitable[None]]

_log = Log(__name__)
_LONGEST_REASON: Final = 300
_BATCH: Final = 1000
_HEADS: Final = 50
_LATER: Final = 200
_WINDOW: Final = 2000
_CANDIDATES: Final = 200
_SECONDS: Final = 1.0
"""After so long a relay marks what it has handled, and takes the next."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who wants an event. handler: a name that stays, e.g. "relationships.forget".

    handle: takes the payload. It may be called more than once for one event, and again after it
    failed half-way; it opens its own work, and calls nothing slow, as the relay waits for it.
    """

    event: str
    handler: str
    handle: Handle


def subscription(
    event: type[E], handler: str, handle: Callable[[E], Awaitable[None]]
) -> Subscription:
    """Return a subscription whose handler takes the event as it was published."""
    reader = TypeAdapter(event)

    async def read(payload: Mapping[str, Any]) -> None:
        await handle(reader.validate_python(payload))

    return Subscription(event.name, handler, read)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event that is not delivered yet. reason: of the last failure.

    tries: so far. next_try_at: None is at once. set_aside_at: since when nobody tries any more.
    """

    id: int
    name: str
    stream: str
    published_at: datetime
    tries: int
    next_try_at: datetime | None
    set_aside_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Drained:
    """What a drain did: events delivered, tries that failed, and events set aside after those."""

    delivered: int = 0
    failed: int = 0
    set_aside: int = 0

    def __add__(self, other: "Drained") -> "Drained":
        return Drained(
            self.delivered + other.delivered,
            self.failed + other.failed,
            self.set_aside + other.set_aside,
        )


class EventNotFoundError(NotFoundError):
    """No event with this id waits in the outbox."""

    code = "event_not_found"


@dataclass(frozen=True, slots=True)
class Relay:
    """Delivers events of `database` to `subscriptions`.

    most_tries: before an event is set aside. first_pause_seconds: after the first failure, then
    twice as long each time, up to longest_pause_seconds. handler_seconds: what a handler may take.
    """

    database: Database
    clock: Clock
    subscriptions: Sequence[Subscription]
    most_tries: int = 8
    first_pause_seconds: float = 1.0
    longest_pause_seconds: float = 300.0
    handler_seconds: float = 30.0

    async def drain(self) -> Drained:
        """Deliver everything that is due now, also what handlers publish meanwhile.

        Returns at the last event that is due and not in the hands of another relay. Handlers'
        errors are kept with the event. Raises UnavailableError.
        """
        done = Drained(delivered=await self._drop_unwanted())
        while (step := await self._deliver_some()) is not None:
            done += step
        return done

    async def run(self, stop: asyncio.Event, poll_seconds: float = 1.0) -> None:
        """Drain again and again until `stop` is set: the whole work of a worker.

        A database that does not answer is asked again after `poll_seconds`.
        """
        while not stop.is_set():
            try:
                await self.drain()
            except Exception as error:  # noqa: BLE001 - a worker outlives what fails, and says so
                _log.warning("outbox.drain_failed", error=type(error).__name__)
            try:
                await asyncio.wait_for(stop.wait(), poll_seconds)
            except TimeoutError:
                continue

    async def waiting(self, *, set_aside: bool | None = None, most: int = 100) -> list[StoredEvent]:
        """Return events that are not delivered, oldest first; set_aside: only those, or others."""
        query = select(outbox).order_by(outbox.c.id).limit(most)
        if set_aside is not None:
            aside = outbox.c.set_aside_at
            query = query.where(aside.is_not(None) if set_aside else aside.is_(None))
        async with self.database.work() as work:
            return [_stored(row) for row in await work.session.execute(query)]

    async def retry(self, event: int | None = None) -> int:
        """Let an event, or every one that was set aside, be tried again; return how many.

        Tries count from 0 again. Raises EventNotFoundError when `event` does not wait.
        """
        change = update(outbox).values(set_aside_at=None, next_try_at=None, tries=0)
        which = outbox.c.set_aside_at.is_not(None) if event is None else outbox.c.id == event
        async with self.database.work() as work:
            rows = await work.session.execute(change.where(which).returning(outbox.c.stream))
            streams = list(rows.scalars())
            # What pauses behind it would hold it up.
            behind = update(outbox).where(outbox.c.stream.in_(streams))
            await work.session.execute(behind.values(next_try_at=None))
        found = len(streams)
        if event is not None and not found:
            raise EventNotFoundError(
                f"No event {event} waits in the outbox; see `soullink events list`."
            )
        return found

    async def _drop_unwanted(self) -> int:
        """Delete events that nobody asked for, and return how many they were."""
        names = {found.event for found in self.subscriptions}
        unwanted = (
            select(outbox.c.id)
            .where(outbox.c.name.not_in(names))
            .order_by(outbox.c.id)
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        )
        dropped = 0
        while True:
            async with self.database.work() as work:
                query = delete(outbox).where(outbox.c.id.in_(unwanted)).returning(outbox.c.id)
                found = len((await work.session.execute(query)).all())
            dropped += found
            if found < _BATCH:
                return dropped

    async def _deliver_some(self) -> Drained | None:
        """Handle events at the heads of some streams, and what comes after them; None: none is due.

        One transaction for many events, as its commit takes longer than most handlers.
        """
        until = time.monotonic() + _SECONDS
        async with self.database.work() as work:
            now = self.clock.now()
            ids = (await work.session.execute(_heads(now))).scalars().all()
            heads = (await work.session.execute(_locked(ids, now))).all()
            if not heads:
                return None
            # Nobody else takes what comes after a head that is locked.
            later = (await work.session.execute(_after(heads))).all()
            done = Drained()
            for head in heads:
                waiting = [head, *(row for row in later if row.stream == head.stream)]
                done += await self._deliver_stream(work, waiting, now, until)
                if time.monotonic() > until:
                    break
            return done

    async def _deliver_stream(
        self, work: Work, waiting: Sequence[Row[Any]], now: datetime, until: float
    ) -> Drained:
        """Handle events of one stream in order, up to the first that fails."""
        delivered: list[int] = []
        failed = Drained()
        for row in waiting:
            if row.next_try_at is not None and row.next_try_at > now:
                break
            handled, failure = await self._handle(row)
            if failure is not None:
                failed = await self._keep(work, row, handled, failure)
                break
            delivered.append(row.id)
            if time.monotonic() > until:
                break
        await work.session.execute(delete(outbox).where(outbox.c.id.in_(delivered)))
        return Drained(delivered=len(delivered)) + failed

    async def _handle(self, row: Row[Any]) -> tuple[list[str], Exception | None]:
        """Call the handlers that have not returned yet; return who has, and the first failure.

        One that fails keeps no other from its event.
        """
        handled, failure = list(row.handled), None
        for wanted in self.subscriptions:
            if wanted.event != row.name or wanted.handler in handled:
                continue
            try:
                async with asyncio.timeout(self.handler_seconds):
                    await wanted.handle(row.payload)
            except Exception as error:  # noqa: BLE001 - kept with the event, and tried again
                _log.warning(
                    "outbox.handler_failed",
                    event_id=row.id,
                    event_name=row.name,
                    handler=wanted.handler,
                    error=type(error).__name__,
                )
                failure = failure or error
            else:
                handled.append(wanted.handler)
        return handled, failure

    async def _keep(
        self, work: Work, row: Row[Any], handled: list[str], failure: Exception
    ) -> Drained:
        now, tries = self.clock.now(), row.tries + 1
        last = tries >= self.most_tries
        pause = min(self.longest_pause_seconds, self.first_pause_seconds * 2.0 ** (tries - 1))
        change = update(outbox).where(outbox.c.id == row.id)
        await work.session.execute(
            change.values(
                tries=tries,
                handled=handled,
                reason=_reason(failure),
                next_try_at=None if last else now + timedelta(seconds=pause),
                set_aside_at=now if last else None,
            )
        )
        return Drained(failed=1, set_aside=int(last))


def _heads(now: datetime) -> Any:
    """Return the query for the ids of events that are due and first of their streams, in order.

    It looks among the oldest that wait, and stops when it has enough: neither a long stream nor
    many of them make it slow.
    """
    other = outbox.alias("other")
    waits = other.c.set_aside_at.is_(None)
    pausing = select(other.c.stream).where(other.c.next_try_at > now, waits)
    oldest = (
        select(outbox.c.id, outbox.c.stream)
        .where(outbox.c.set_aside_at.is_(None), outbox.c.stream.not_in(pausing))
        .order_by(outbox.c.id)
        .limit(_WINDOW)
        .subquery()
    )
    return select(oldest.c.id).where(oldest.c.id == _first_of(oldest.c.stream)).limit(_CANDIDATES)


def _locked(ids: Sequence[int], now: datetime) -> Any:
    """Return the query that locks those of `ids` that are still due, and in no other hands."""
    return (
        select(outbox)
        .where(
            outbox.c.id.in_(ids),
            outbox.c.id == _first_of(outbox.c.stream),
            outbox.c.set_aside_at.is_(None),
            or_(outbox.c.next_try_at.is_(None), outbox.c.next_try_at <= now),
        )
        .order_by(outbox.c.id)
        .limit(_HEADS)
        .with_for_update(skip_locked=True, of=outbox)
    )


def _first_of(stream: ColumnElement[str]) -> Any:
    """Return the id at the head of a stream, asked row by row through the index of streams.

    A join would compare all events of a stream with each other.
    """
    before = outbox.alias("before")
    waits = before.c.set_aside_at.is_(None)
    first = select(func.min(before.c.id)).where(before.c.stream == stream, waits)
    return first.correlate_except(before).scalar_subquery()


def _after(heads: Sequence[Row[Any]]) -> Any:
    """Return the query for events that come after `heads` in their streams, oldest first."""
    return (
        select(outbox)
        .where(
            outbox.c.stream.in_([head.stream for head in heads]),
            outbox.c.id.not_in([head.id for head in heads]),
            outbox.c.set_aside_at.is_(None),
        )
        .order_by(outbox.c.id)
        .limit(_LATER)
    )


def _reason(failure: Exception) -> str:
    # A NUL cannot be kept in PostgreSQL.
    said = str(failure).partition("\n")[0].replace("\0", "").strip()
    kind = type(failure).__name__
    return (f"{kind}: {said}" if said else kind)[:_LONGEST_REASON]


def _stored(row: Row[Any]) -> StoredEvent:
    return StoredEvent(
        id=row.id,
        name=row.name,
        stream=row.stream,
        published_at=row.published_at,
        tries=row.tries,
        next_try_at=row.next_try_at,
        set_aside_at=row.set_aside_at,
        reason=row.reason,
    )
