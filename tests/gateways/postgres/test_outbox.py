"""The relay against a real server: at least once, in order, alone, and patient."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import psycopg
import pytest

from soullink.gateways.postgres.database import Database, open_database
from soullink.gateways.postgres.outbox import (
    Drained,
    EventNotFoundError,
    Relay,
    Subscription,
    subscription,
)
from soullink.kernel.events import Event
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class LampLit(Event):
    name: ClassVar[str] = "tests.lamp_lit.v1"
    subject: ClassVar[str] = "room"
    room: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class DoorOpened(Event):
    name: ClassVar[str] = "tests.door_opened.v1"
    at: datetime


@dataclass
class Clock:
    time: datetime = field(default=datetime(2026, 11, 30, 8, tzinfo=UTC))

    def now(self) -> datetime:
        return self.time


@dataclass
class Lamps:
    """Handles LampLit, and fails in rooms that are dark."""

    seen: list[tuple[str, int]] = field(default_factory=list)
    dark: set[str] = field(default_factory=set)

    async def on(self, event: LampLit) -> None:
        if event.room in self.dark:
            raise LookupError(f"no lamp in {event.room}\nand a second line")
        await asyncio.sleep(0)
        self.seen.append((event.room, event.number))


async def publish(database: Database, *events: Event) -> None:
    async with database.work() as work:
        for event in events:
            await work.publish(event)


def relay_of(database: Database, lamps: Lamps, **settings: Any) -> Relay:
    return Relay(
        database,
        settings.pop("clock", Clock()),
        [subscription(LampLit, "lamps.on", lamps.on)],
        **settings,
    )


async def test_events_reach_their_handlers_as_they_were_published_and_are_gone(
    database: Database,
) -> None:
    opened: list[DoorOpened] = []

    async def on(event: DoorOpened) -> None:
        opened.append(event)

    door = DoorOpened(at=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC))
    await publish(database, door, LampLit("hall"))
    relay = Relay(database, Clock(), [subscription(DoorOpened, "doors", on)])
    assert await relay.drain() == Drained(delivered=2)  # nobody asked for the lamp
    assert opened == [door]
    assert await relay.waiting() == []
    assert await relay.drain() == Drained()


async def test_within_a_stream_the_order_is_kept(database: Database) -> None:
    lamps = Lamps()
    for number in range(30):
        await publish(database, LampLit("hall", number), LampLit("attic", number))
    relays = [relay_of(database, lamps) for _ in range(4)]
    done = await asyncio.gather(*(relay.drain() for relay in relays))
    assert sum(each.delivered for each in done) == len(lamps.seen) == 60
    for room in ("hall", "attic"):
        assert [n for name, n in lamps.seen if name == room] == list(range(30))


async def test_a_failing_event_holds_back_its_stream_alone_and_comes_back_after_pauses(
    database: Database,
) -> None:
    lamps, clock = Lamps(dark={"cellar"}), Clock()
    relay = relay_of(database, lamps, clock=clock)
    await publish(database, LampLit("cellar", 1), LampLit("hall", 1), LampLit("cellar", 2))
    assert await relay.drain() == Drained(delivered=1, failed=1)
    assert lamps.seen == [("hall", 1)]
    tried = []
    for _ in range(3):
        tried.append((await relay.waiting())[0].next_try_at)
        assert await relay.drain() == Drained()  # not due yet
        clock.time = tried[-1] or clock.time
        await relay.drain()
    start = Clock().time
    assert tried == [start + timedelta(seconds=second) for second in (1, 3, 7)]
    lamps.dark.clear()
    clock.time += timedelta(minutes=5)
    assert await relay.drain() == Drained(delivered=2)
    assert lamps.seen == [("hall", 1), ("cellar", 1), ("cellar", 2)]


async def test_a_poisoned_event_is_set_aside_with_its_reason_and_can_be_retried(
    database: Database,
) -> None:
    lamps, clock = Lamps(dark={"cellar"}), Clock()
    relay = relay_of(database, lamps, clock=clock, most_tries=3)
    await publish(database, LampLit("cellar", 1))
    for _ in range(3):
        await relay.drain()
        clock.time += timedelta(minutes=10)
    (aside,) = await relay.waiting(set_aside=True)
    assert (aside.tries, aside.reason) == (3, "LookupError: no lamp in cellar")
    assert await relay.waiting(set_aside=False) == []
    assert aside.stream == "tests/cellar"
    lamps.dark.clear()
    await publish(database, LampLit("cellar", 2))
    assert await relay.drain() == Drained(delivered=1)  # the stream goes on without it
    assert await relay.retry(aside.id) == 1
    assert await relay.drain() == Drained(delivered=1)
    assert lamps.seen == [("cellar", 2), ("cellar", 1)]
    with pytest.raises(EventNotFoundError):
        await relay.retry(aside.id)
    assert await relay.retry() == 0


async def test_a_long_stream_that_waits_keeps_no_other_from_its_turn(
    database: Database, database_url: str
) -> None:
    lamps = Lamps(dark={"cellar"})
    await publish(database, LampLit("cellar"))
    with psycopg.connect(database_url) as server:
        server.execute(
            "INSERT INTO outbox (name, payload, stream)"
            " SELECT name, payload, stream FROM outbox, generate_series(1, 3000)"
        )
    await publish(database, LampLit("hall"))
    assert await relay_of(database, lamps).drain() == Drained(delivered=1, failed=1)
    assert lamps.seen == [("hall", 0)]


async def test_a_handler_that_has_returned_is_not_asked_again_for_another_ones_failure(
    database: Database,
) -> None:
    lamps, other, clock = Lamps(), Lamps(dark={"hall"}), Clock()
    relay = Relay(
        database,
        clock,
        [
            subscription(LampLit, "other.on", other.on),
            subscription(LampLit, "lamps.on", lamps.on),
        ],
    )
    await publish(database, LampLit("hall", 1))
    assert await relay.drain() == Drained(failed=1)
    other.dark.clear()
    clock.time += timedelta(seconds=1)
    assert await relay.drain() == Drained(delivered=1)
    assert lamps.seen == other.seen == [("hall", 1)]


async def test_a_handler_that_takes_too_long_has_failed(database: Database) -> None:
    async def sleep(_: Mapping[str, Any]) -> None:
        await asyncio.sleep(5)

    await publish(database, LampLit("hall"))
    slow = Subscription(LampLit.name, "slow", sleep)
    relay = Relay(database, Clock(), [slow], handler_seconds=0.01)
    assert await relay.drain() == Drained(failed=1)
    assert (await relay.waiting())[0].reason == "TimeoutError"


async def test_what_a_handler_publishes_is_delivered_in_the_same_drain(database: Database) -> None:
    lamps = Lamps()

    async def light(event: DoorOpened) -> None:
        await publish(database, LampLit("hall", event.at.year))

    relay = Relay(
        database,
        Clock(),
        [
            subscription(DoorOpened, "doors", light),
            subscription(LampLit, "lamps", lamps.on),
        ],
    )
    await publish(database, DoorOpened(at=datetime(1984, 1, 1, tzinfo=UTC)))
    assert await relay.drain() == Drained(delivered=2)
    assert lamps.seen == [("hall", 1984)]


async def test_a_worker_delivers_until_it_is_stopped_and_outlives_a_database_that_is_away(
    database: Database, database_url: str
) -> None:
    lamps, stop = Lamps(), asyncio.Event()
    worker = asyncio.create_task(relay_of(database, lamps).run(stop, poll_seconds=0.01))
    await publish(database, LampLit("hall", 1))
    await _until(lambda: len(lamps.seen) == 1)
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await publish(database, LampLit("hall", 2))
    # The first comes twice where it was handled and the connection cut before the commit.
    await _until(lambda: lamps.seen[-1] == ("hall", 2))
    stop.set()
    await asyncio.wait_for(worker, 5)


async def _until(met: Any) -> None:
    async with asyncio.timeout(60):
        while not met():  # noqa: ASYNC110 - what is waited for happens in another connection
            await asyncio.sleep(0.01)


async def test_killed_between_handling_and_marking_the_event_is_handled_again_at_once(
    database_url: str,
) -> None:
    database = open_database(database_url)
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute("CREATE TABLE lamps (room text PRIMARY KEY)")
        try:
            await publish(database, LampLit("hall", 1), LampLit("hall", 2))
            killed = subprocess.Popen(  # noqa: ASYNC220 - killed below
                [sys.executable, "-m", "tests.gateways.postgres.relay_process", database_url],
                cwd=REPOSITORY,
                env={**os.environ, "PYTHONPATH": "src"},
                stdout=subprocess.PIPE,
                text=True,
            )
            assert killed.stdout is not None
            assert killed.stdout.readline() == "handled\n"
            # While it lives, no other relay takes the event, nor the next of its stream.
            lamps = Lamps()
            relay = relay_of(database, lamps)
            assert await relay.drain() == Drained()
            killed.send_signal(signal.SIGKILL)
            killed.communicate(timeout=10)
            assert server.execute("SELECT room FROM lamps").fetchall() == [("hall",)]
            async with asyncio.timeout(60):
                while not lamps.seen:
                    await relay.drain()
            assert lamps.seen == [("hall", 1), ("hall", 2)]
            assert await relay.waiting() == []
        finally:
            await database.close()
            server.execute("DROP TABLE lamps")


async def test_without_a_subject_all_of_a_modules_events_are_one_stream() -> None:
    assert DoorOpened(at=Clock().now()).stream == "tests"
    assert LampLit("hall").stream == "tests/hall"
