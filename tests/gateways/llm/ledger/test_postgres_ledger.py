"""What only a ledger in a database has to withstand: lost connections, dead processes, others."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from soullink.gateways.llm.ledger.batch import Batch
from soullink.gateways.llm.ledger.port import Settlement
from soullink.gateways.llm.ledger.postgres import PostgresLedger
from soullink.gateways.llm.ledger.session import SessionLostError
from soullink.gateways.llm.port import LlmBudgetError, Usage
from soullink.gateways.postgres.database import Database, open_database
from soullink.kernel.errors import InvalidInputError, UnavailableError
from tests.gateways.llm.ledger.ledgers import (
    NOON,
    HandClock,
    all_entries,
    counted,
    ended,
    intent,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def new_ledger(
    database: Database, clock: HandClock
) -> AsyncIterator[Callable[[], PostgresLedger]]:
    async with AsyncExitStack() as stack:

        def new() -> PostgresLedger:
            ledger = PostgresLedger(database, clock=clock)
            stack.push_async_callback(ledger.close)
            return ledger

        yield new


async def outcomes(ledger: PostgresLedger) -> list[tuple[str, int | None, bool]]:
    return [
        (s.outcome, s.cost_nano_usd, s.estimated)
        for entry in await all_entries(ledger)
        if (s := entry.settlement)
    ]


async def until_booked(ledger: PostgresLedger) -> None:
    for _ in range(500):
        if await outcomes(ledger):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nothing was booked within five seconds")


def die(ledger: PostgresLedger) -> None:
    """Leave as a killed process does: the connection goes, nothing is said."""
    ledger._session.drop()
    ledger._ended.clear()
    ledger._open.clear()


async def end_sessions(url: str) -> None:
    """End every connection of a ledger, as a server that restarts does."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks"
            " WHERE locktype = 'advisory' AND pid <> pg_backend_pid() AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        )


async def test_several_ledgers_keep_one_limit_to_the_nano_dollar(
    new_ledger: Callable[[], PostgresLedger],
) -> None:
    ledgers = [new_ledger() for _ in range(3)]
    await ledgers[0].set_budget("tenant", "ada", "total", 1000)
    intents = [intent(7) for _ in range(300)]
    results = await asyncio.gather(
        *(ledgers[number % 3].reserve(begun) for number, begun in enumerate(intents)),
        return_exceptions=True,
    )
    assert sum(result is None for result in results) == 142
    assert sum(isinstance(result, LlmBudgetError) for result in results) == 158
    assert await counted(ledgers[1]) == {"tenant ada total": (0, 994)}


async def test_calls_that_come_together_share_a_commit(
    new_ledger: Callable[[], PostgresLedger],
) -> None:
    ledger = new_ledger()
    await ledger.open()
    intents = [intent() for _ in range(200)]
    await asyncio.gather(*map(ledger.reserve, intents))
    for begun in intents:
        ledger.settle(ended(begun))
    await ledger.flush()
    assert len(await outcomes(ledger)) == 200
    assert ledger._session.number <= 4


async def test_a_settlement_becomes_durable_without_being_asked(
    new_ledger: Callable[[], PostgresLedger], database: Database
) -> None:
    ledger, other = new_ledger(), PostgresLedger(database)
    begun = intent()
    await ledger.reserve(begun)
    ledger.settle(ended(begun))
    await until_booked(other)


async def test_what_a_dead_process_left_open_is_booked_as_lost_by_the_next(
    new_ledger: Callable[[], PostgresLedger], clock: HandClock
) -> None:
    first, second = new_ledger(), new_ledger()
    await first.set_budget("all", "", "total", 1000)
    done, left, unpriced = intent(100), intent(300), intent(None, tenant="bob")
    await first.reserve(done)
    await first.remove_budget("all", "", "total")
    await first.reserve(unpriced)
    await first.set_budget("all", "", "total", 1000)
    first.settle(ended(done, 30))
    await first.flush()
    await first.reserve(left)
    die(first)
    clock.moment = NOON + timedelta(seconds=9)
    await second.open()
    assert await outcomes(second) == [
        ("answered", 30, False),
        ("lost", 300, True),
        ("lost", None, True),
    ]
    assert await counted(second) == {"all  total": (330, 0)}


async def test_a_living_process_is_never_taken_for_dead(
    new_ledger: Callable[[], PostgresLedger],
) -> None:
    first, second = new_ledger(), new_ledger()
    begun = intent()
    await first.reserve(begun)
    await second.open()
    assert await outcomes(second) == []
    first.settle(ended(begun))
    await first.flush()
    assert await outcomes(second) == [("answered", 60, False)]


async def test_the_dead_are_looked_for_from_time_to_time(
    database: Database, new_ledger: Callable[[], PostgresLedger]
) -> None:
    first = new_ledger()
    second = PostgresLedger(database, sweep_seconds=0.02)
    await second.open()
    await first.reserve(intent())
    die(first)
    await until_booked(second)
    await second.close()


async def test_after_a_restart_of_the_server_calls_go_on_and_are_booked_once(
    new_ledger: Callable[[], PostgresLedger], database_url: str
) -> None:
    ledger = new_ledger()
    await ledger.set_budget("all", "", "total", 1000)
    before, after = intent(100), intent(200)
    await ledger.reserve(before)
    await end_sessions(database_url)
    await ledger.reserve(after)
    ledger.settle(ended(before, 10))
    ledger.settle(ended(after, 20))
    await ledger.flush()
    assert await outcomes(ledger) == [("answered", 10, False), ("answered", 20, False)]
    assert await counted(ledger) == {"all  total": (30, 0)}


async def test_a_call_taken_for_lost_is_corrected_when_its_end_is_heard(
    new_ledger: Callable[[], PostgresLedger], database_url: str
) -> None:
    cut_off, other = new_ledger(), new_ledger()
    await other.set_budget("all", "", "total", 1000)
    heard, unheard = intent(300), intent(100)
    await cut_off.reserve(heard)
    await cut_off.reserve(unheard)
    await end_sessions(database_url)
    await other.open()
    assert await counted(other) == {"all  total": (400, 0)}
    cut_off.settle(ended(heard, 20))
    await cut_off.flush()
    assert await outcomes(other) == [("answered", 20, False), ("lost", 100, True)]
    assert await counted(other) == {"all  total": (120, 0)}
    # It is alive again for all to see.
    await cut_off.reserve(intent(50))
    await new_ledger().open()
    assert await counted(other) == {"all  total": (120, 50)}


@pytest.mark.parametrize("committed", [True, False])
async def test_a_commit_whose_answer_is_lost_is_applied_once(
    new_ledger: Callable[[], PostgresLedger], monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    ledger = new_ledger()
    await ledger.set_budget("all", "", "total", 1000)
    first, second = intent(300), intent(200)
    await ledger.reserve(first)
    session, real = ledger._session, ledger._session.commit
    calls = 0

    async def lose_the_answer(batch: Batch, open_from: int, now: datetime) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            await real(batch, open_from, now)
            return
        number = session.number
        if committed:
            await real(batch, open_from, now)
        batch.number, session.number = number + 1, number
        session.drop()
        raise SessionLostError

    monkeypatch.setattr(session, "commit", lose_the_answer)
    ledger.settle(ended(first, 10))
    await ledger.reserve(second)
    assert calls == (1 if committed else 2)
    assert await counted(ledger) == {"all  total": (10, 200)}
    ledger.settle(ended(second, 20))
    await ledger.flush()
    assert await outcomes(ledger) == [("answered", 10, False), ("answered", 20, False)]
    assert await counted(ledger) == {"all  total": (30, 0)}


async def test_without_the_database_nothing_is_reserved_and_nothing_settled_is_forgotten(
    new_ledger: Callable[[], PostgresLedger],
) -> None:
    ledger = new_ledger()
    await ledger.set_budget("all", "", "total", 1000)
    begun, refused = intent(300), intent(300)
    await ledger.reserve(begun)
    session = ledger._session
    reachable = session._parameters
    session._parameters = {**reachable, "host": "127.0.0.1", "port": 1}
    session.drop()
    with pytest.raises(UnavailableError, match="Cannot connect to the database"):
        await ledger.reserve(refused)
    ledger.settle(ended(begun, 10))
    with pytest.raises(UnavailableError):
        await ledger.flush()
    session._parameters = reachable
    await ledger.flush()
    assert await outcomes(ledger) == [("answered", 10, False)]
    assert await counted(ledger) == {"all  total": (10, 0)}


async def test_a_caller_that_leaves_while_its_call_is_being_reserved_pays_nothing(
    new_ledger: Callable[[], PostgresLedger],
) -> None:
    ledger = new_ledger()
    await ledger.set_budget("all", "", "total", 100_000)
    await ledger.open()
    tasks = []
    for number in range(60):
        task = asyncio.create_task(ledger.reserve(intent(10)))
        tasks.append(task)
        # Some before they are begun, some in the middle of the commit.
        asyncio.get_running_loop().call_later(number * 0.0001, task.cancel)
    await asyncio.gather(*tasks, return_exceptions=True)
    cancelled = sum(task.cancelled() for task in tasks)
    assert cancelled > 0
    await ledger.flush()
    assert await counted(ledger) == {"all  total": (0, 10 * (60 - cancelled))}
    assert {outcome for outcome, _, _ in await outcomes(ledger)} <= {"unsent"}


async def test_one_call_that_cannot_be_written_does_not_stop_the_others(
    new_ledger: Callable[[], PostgresLedger],
) -> None:
    ledger = new_ledger()
    await ledger.set_budget("all", "", "total", 1000)
    spoilt = [intent(tenant="a\x00"), intent(tenant="\ud800"), intent(attempt="seven")]
    good = [intent(10), intent(10)]
    results = await asyncio.gather(
        *map(ledger.reserve, [good[0], *spoilt, good[1]]), return_exceptions=True
    )
    assert [type(result) for result in results[1:4]] == [InvalidInputError] * 3
    assert results[0] is results[4] is None
    assert await counted(ledger) == {"all  total": (0, 20)}


async def test_usage_that_no_database_holds_is_left_out_and_the_cost_is_booked(
    new_ledger: Callable[[], PostgresLedger], caplog: pytest.LogCaptureFixture
) -> None:
    ledger = new_ledger()
    await ledger.set_budget("all", "", "total", 1000)
    huge, sane = intent(100), intent(100)
    await ledger.reserve(huge)
    await ledger.reserve(sane)
    with caplog.at_level(logging.ERROR):
        ledger.settle(ended(huge, 50, usage=Usage(2**80, 1)))
        ledger.settle(ended(sane, 20, seconds=float("nan")))
        await ledger.flush()
    assert "written without its usage" in caplog.text
    first, second = [e.settlement for e in await all_entries(ledger)]
    assert isinstance(first, Settlement)
    assert isinstance(second, Settlement)
    assert (first.cost_nano_usd, first.usage) == (50, Usage(estimated=True))
    assert first.error_code == "llm_unwritable"
    assert (second.cost_nano_usd, second.latency_seconds) == (20, 0.0)
    assert await counted(ledger) == {"all  total": (70, 0)}


async def test_a_database_that_was_not_migrated_is_named_as_the_reason(
    database_url: str,
) -> None:
    database = open_database(f"{database_url}&options=-c%20search_path%3Dnowhere")
    ledger = PostgresLedger(database)
    with pytest.raises(UnavailableError, match="run `soullink migrate`"):
        await ledger.reserve(intent())
    await ledger.close()
    await database.close()


async def test_a_ledger_that_was_never_used_connects_to_nothing(
    database: Database, database_url: str
) -> None:
    ledger = PostgresLedger(database)
    await ledger.close()
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        row: Any = await (await connection.execute("SELECT count(*) FROM llm_holder")).fetchone()
    assert row == (0,)


async def test_a_long_life_leaves_no_trail_of_open_work(
    new_ledger: Callable[[], PostgresLedger], database_url: str
) -> None:
    """What recovery has to look through begins at the oldest open call, not at the first one."""
    ledger = new_ledger()
    slow = intent()
    for number in range(6):
        begun = intent()
        await ledger.reserve(begun)
        ledger.settle(ended(begun))
        if number == 3:
            await ledger.reserve(slow)
    await ledger.flush()
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        cursor = await connection.execute(
            "SELECT h.open_from_batch, i.batch FROM llm_holder h, llm_intent i"
            " WHERE i.attempt_id = %s",
            [slow.attempt_id],
        )
        row: Any = await cursor.fetchone()
    assert row[0] == row[1] > 3
