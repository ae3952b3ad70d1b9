"""What every ledger does, whether it keeps its books in memory or in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from soullink.gateways.llm.ledger.memory import MemoryLedger
from soullink.gateways.llm.ledger.port import UsageRow
from soullink.gateways.llm.ledger.postgres import PostgresLedger
from soullink.gateways.llm.port import LlmBudgetError, Usage
from soullink.gateways.postgres.database import open_database
from soullink.kernel.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from tests.gateways.llm.ledger.ledgers import (
    NOON,
    Book,
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


@pytest.fixture(params=["memory", "postgres"])
async def book(request: pytest.FixtureRequest, clock: HandClock) -> AsyncIterator[Book]:
    if request.param == "memory":
        yield MemoryLedger(clock=clock)
        return
    database = open_database(request.getfixturevalue("database_url"))
    ledger = PostgresLedger(database, clock=clock)
    yield ledger
    await ledger.close()
    await database.close()


async def test_a_call_is_reserved_and_then_booked_at_what_it_cost(book: Book) -> None:
    await book.set_budget("tenant", "ada", "total", 1000)
    begun = intent(300)
    await book.reserve(begun)
    assert await counted(book) == {"tenant ada total": (0, 300)}
    settlement = ended(begun, 120, quality={"schema": 1.0})
    book.settle(settlement)
    await book.flush()
    assert await counted(book) == {"tenant ada total": (120, 0)}
    (entry,) = await all_entries(book)
    assert entry.intent == begun
    assert entry.settlement == settlement


async def test_a_second_settlement_of_the_same_attempt_changes_nothing(book: Book) -> None:
    await book.set_budget("all", "", "total", 1000)
    begun = intent(300)
    await book.reserve(begun)
    book.settle(ended(begun, 120))
    book.settle(ended(begun, 130))
    await book.flush()
    book.settle(ended(begun, 140))
    book.settle(ended(intent(), 1))
    await book.flush()
    assert await counted(book) == {"all  total": (120, 0)}
    (entry,) = await all_entries(book)
    assert entry.settlement is not None
    assert entry.settlement.cost_nano_usd == 120


async def test_a_call_falls_under_every_budget_that_names_it(book: Book) -> None:
    await book.set_budget("all", "", "total", 1000)
    await book.set_budget("tenant", "ada", "day", 1000)
    await book.set_budget("tenant", "ada", "month", 1000)
    await book.set_budget("key", "k1", "total", 1000)
    await book.set_budget("run", "r1", "total", 1000)
    await book.set_budget("model", "openai:m1", "total", 1000)
    await book.set_budget("tenant", "bob", "total", 1000)
    await book.set_budget("model", "openai:m2", "total", 1000)
    begun = intent(10, key="k1", run="r1")
    await book.reserve(begun)
    assert await counted(book) == {
        "all  total": (0, 10),
        "key k1 total": (0, 10),
        "model openai:m1 total": (0, 10),
        "model openai:m2 total": (0, 0),
        "run r1 total": (0, 10),
        "tenant ada day": (0, 10),
        "tenant ada month": (0, 10),
        "tenant bob total": (0, 0),
    }


async def test_the_tightest_budget_decides_and_the_others_keep_nothing_back(book: Book) -> None:
    await book.set_budget("all", "", "total", 10_000)
    await book.set_budget("tenant", "ada", "day", 1_500_000)
    await book.set_budget("run", "r1", "total", 250)
    await book.reserve(intent(200, run="r1"))
    with pytest.raises(
        LlmBudgetError,
        match=r"The budget of run r1 has 0\.00000005 USD of 0\.00000025 USD left, and this call may"
        r" cost 0\.000000051 USD: raise the budget\.",
    ) as caught:
        await book.reserve(intent(51, run="r1"))
    assert not caught.value.may_be_billed
    assert (await counted(book))["all  total"] == (0, 200)
    await book.reserve(intent(50, run="r1"))
    assert len(await all_entries(book)) == 2


async def test_many_at_once_never_reserve_more_than_the_limit(book: Book) -> None:
    await book.set_budget("all", "", "total", 1000)
    intents = [intent(30) for _ in range(60)]
    results = await asyncio.gather(*map(book.reserve, intents), return_exceptions=True)
    granted = [i for i, result in zip(intents, results, strict=True) if result is None]
    assert len(granted) == 33
    assert sum(isinstance(result, LlmBudgetError) for result in results) == 27
    # In the order in which they came.
    assert granted == intents[:33]
    for begun in granted:
        book.settle(ended(begun, 30))
    await book.flush()
    assert await counted(book) == {"all  total": (990, 0)}


async def test_what_a_call_leaves_of_its_bound_is_there_for_the_next(book: Book) -> None:
    await book.set_budget("all", "", "total", 100)
    first = intent(90)
    await book.reserve(first)
    book.settle(ended(first, 5))
    await book.reserve(intent(95))


async def test_a_new_day_begins_with_nothing_spent_and_what_is_open_carried_over(
    book: Book, clock: HandClock
) -> None:
    await book.set_budget("tenant", "ada", "day", 1000)
    await book.set_budget("tenant", "ada", "month", 1000)
    first, late = intent(400), intent(500)
    await book.reserve(first)
    await book.reserve(late)
    book.settle(ended(first, 400))
    await book.flush()
    with pytest.raises(LlmBudgetError, match="or wait until the next day begins"):
        await book.reserve(intent(101))
    clock.moment = NOON + timedelta(hours=12)
    budgets = await book.list_budgets()
    assert [(b.period, b.spent_nano_usd, b.reserved_nano_usd, b.since) for b in budgets] == [
        ("day", 0, 500, datetime(2026, 4, 1, tzinfo=UTC)),
        ("month", 0, 500, datetime(2026, 4, 1, tzinfo=UTC)),
    ]
    next_day = intent(500)
    await book.reserve(next_day)
    book.settle(ended(late, 450))
    book.settle(ended(next_day, 1))
    await book.flush()
    clock.moment = NOON + timedelta(hours=36)
    assert await counted(book) == {"tenant ada day": (0, 0), "tenant ada month": (451, 0)}


async def test_without_a_price_a_budget_in_force_refuses_and_says_what_to_add(book: Book) -> None:
    unpriced = intent(None)
    await book.reserve(unpriced)
    book.settle(ended(unpriced, None))
    await book.set_budget("tenant", "ada", "total", 1000)
    with pytest.raises(LlmBudgetError, match=r"openai:m1 is not known: add it under `prices`"):
        await book.reserve(intent(None))
    await book.reserve(intent(None, tenant="bob"))
    await book.flush()
    assert [e.settlement and e.settlement.cost_nano_usd for e in await all_entries(book)] == [
        None,
        None,
    ]


async def test_a_cost_nobody_knows_is_booked_as_the_whole_bound_and_marked(book: Book) -> None:
    await book.set_budget("all", "", "total", 1000)
    answered, failed = intent(300), intent(300)
    await book.reserve(answered)
    await book.reserve(failed)
    book.settle(ended(answered, None))
    book.settle(ended(failed, None, outcome="failed"))
    await book.flush()
    booked = [e.settlement for e in await all_entries(book)]
    assert [(s.cost_nano_usd, s.estimated) for s in booked if s] == [(300, True), (0, False)]
    assert await counted(book) == {"all  total": (300, 0)}


async def test_a_cost_below_nought_gives_no_money_back(book: Book) -> None:
    await book.set_budget("all", "", "total", 1000)
    begun = intent(300)
    await book.reserve(begun)
    book.settle(ended(begun, -500))
    await book.flush()
    assert await counted(book) == {"all  total": (0, 0)}


async def test_a_new_budget_counts_what_its_period_saw_and_what_is_in_flight(
    book: Book, clock: HandClock
) -> None:
    yesterday, today, flying, other = intent(100), intent(100), intent(100), intent(7, tenant="bob")
    for begun in (yesterday, today, flying, other):
        await book.reserve(begun)
    book.settle(ended(yesterday, 10))
    book.settle(ended(other, 7))
    await book.flush()
    clock.moment = NOON + timedelta(days=1)
    book.settle(ended(today, 20))
    await book.flush()
    clock.moment += timedelta(minutes=1)
    day = await book.set_budget("tenant", "ada", "day", 500)
    total = await book.set_budget("tenant", "ada", "total", 500)
    assert (day.spent_nano_usd, day.reserved_nano_usd) == (20, 100)
    # A total counts from when it was set.
    assert (total.spent_nano_usd, total.reserved_nano_usd) == (0, 100)
    assert total.since == clock.moment
    book.settle(ended(flying, 30))
    await book.flush()
    assert await counted(book) == {"tenant ada day": (50, 0), "tenant ada total": (30, 0)}


async def test_changing_a_budget_keeps_what_it_counted(book: Book) -> None:
    await book.set_budget("all", "", "total", 1000)
    await book.reserve(intent(600))
    lowered = await book.set_budget("all", "", "total", 500)
    assert (lowered.limit_nano_usd, lowered.reserved_nano_usd) == (500, 600)
    with pytest.raises(LlmBudgetError, match="has 0 USD of"):
        await book.reserve(intent(1))
    await book.set_budget("all", "", "total", 601)
    await book.reserve(intent(1))


async def test_a_removed_budget_limits_no_more(book: Book) -> None:
    await book.set_budget("all", "", "total", 0)
    begun = intent(1)
    with pytest.raises(LlmBudgetError):
        await book.reserve(begun)
    await book.remove_budget("all", "", "total")
    assert await book.list_budgets() == []
    await book.reserve(begun)
    with pytest.raises(NotFoundError, match=r"no budget \(total\) of all calls"):
        await book.remove_budget("all", "", "total")
    with pytest.raises(NotFoundError, match=r"no budget \(day\) of tenant ada"):
        await book.remove_budget("tenant", "ada", "day")


@pytest.mark.parametrize(
    ("scope", "subject", "period", "limit", "complaint"),
    [
        ("all", "", "total", -1, "between 0 and"),
        ("all", "", "total", 2**70, "between 0 and"),
        ("all", "ada", "total", 1, "has no subject"),
        ("tenant", "", "total", 1, "needs the name of the tenant"),
        ("planet", "x", "total", 1, "no scope 'planet'; take 'all'"),
        ("tenant", "x", "hour", 1, "no period 'hour'; take 'total'"),
        ("tenant", "a\x00b", "day", 1, "NUL"),
    ],
)
async def test_a_budget_that_cannot_be_is_refused(
    book: Book, scope: str, subject: str, period: str, limit: int, complaint: str
) -> None:
    with pytest.raises(InvalidInputError, match=complaint):
        await book.set_budget(scope, subject, period, limit)  # type: ignore[arg-type]
    assert await book.list_budgets() == []


async def test_a_bound_that_cannot_be_is_refused(book: Book) -> None:
    for bound in (-1, 2**70):
        with pytest.raises(InvalidInputError, match="correct its price"):
            await book.reserve(intent(bound))


async def test_an_attempt_id_is_taken_once(book: Book) -> None:
    await book.set_budget("all", "", "total", 1000)
    begun = intent(100)
    await book.reserve(begun)
    with pytest.raises(ConflictError, match="in the ledger already"):
        await book.reserve(begun)
    assert await counted(book) == {"all  total": (0, 100)}
    book.settle(ended(begun, 40))
    await book.flush()
    assert await counted(book) == {"all  total": (40, 0)}


async def test_what_is_open_when_the_ledger_closes_is_booked_as_lost(
    book: Book, clock: HandClock
) -> None:
    await book.set_budget("all", "", "total", 1000)
    begun, settled = intent(300), intent(100)
    await book.reserve(begun)
    await book.reserve(settled)
    book.settle(ended(settled, 1))
    clock.moment = NOON + timedelta(seconds=3)
    await book.close()
    await book.close()
    first, second = await all_entries(book)
    assert first.settlement is not None
    assert first.settlement.outcome == "lost"
    assert first.settlement.cost_nano_usd == 300
    assert first.settlement.estimated
    assert first.settlement.latency_seconds == 3.0
    assert second.settlement == ended(settled, 1)
    assert await counted(book) == {"all  total": (301, 0)}
    book.settle(ended(begun, 5))
    with pytest.raises(UnavailableError, match="closed"):
        await book.reserve(intent())


async def test_usage_is_grouped_filtered_and_summed(book: Book) -> None:
    next_day = NOON + timedelta(days=1)
    first = intent(100, run="r1", prompt="turn@1", call="c1")
    again = intent(100, run="r1", prompt="turn@1", call="c1")
    cheap = intent(100, run="r2", prompt="turn@2", model="m2", at=next_day)
    unpriced = intent(None, tenant="bob", model="m3", at=next_day)
    still_open = intent(5, run="r2", model="m2", prompt="turn@2", at=next_day)
    for begun in (first, again, cheap, unpriced, still_open):
        await book.reserve(begun)
    book.settle(ended(first, 100, outcome="timeout", estimated=True, seconds=2.0, usage=Usage()))
    book.settle(ended(again, 60, seconds=1.0, quality={"schema": 1.0, "length": 0.5}))
    book.settle(ended(cheap, 9, seconds=3.0, quality={"schema": 0.0}))
    book.settle(ended(unpriced, None))
    await book.flush()
    by_run = await book.usage(["run"], where={"tenant": "ada"})
    assert by_run == [
        UsageRow(("r1",), 1, 2, 1, 10, 2, 5, 160, 100, 0, 1.5, {"length": 0.5, "schema": 1.0}),
        UsageRow(("r2",), 2, 2, 0, 10, 2, 5, 9, 0, 0, 3.0, {"schema": 0.0}),
    ]
    by_day = await book.usage(["day", "model"])
    assert [(row.group, row.cost_nano_usd, row.unpriced) for row in by_day] == [
        (("2026-03-31", "openai:m1"), 160, 0),
        (("2026-04-01", "openai:m2"), 9, 0),
        (("2026-04-01", "openai:m3"), 0, 1),
    ]
    (everything,) = await book.usage([])
    assert (everything.group, everything.calls, everything.attempts) == ((), 4, 5)
    assert everything.quality == {"length": 0.5, "schema": 0.5}
    (late,) = await book.usage(["tenant"], since=next_day, where={"model": "openai:m2"})
    assert (late.group, late.attempts) == (("ada",), 2)
    (early,) = await book.usage(["purpose", "prompt"], until=next_day)
    assert (early.group, early.attempts) == (("test", "turn@1"), 2)
    assert await book.usage([], where={"key": "none"}) == []
    assert await book.usage(["run"], where={"day": "2020-01-01"}) == []
    with pytest.raises(InvalidInputError, match="no column 'planet'"):
        await book.usage(["planet"])  # type: ignore[list-item]


async def test_entries_come_oldest_first_and_can_be_of_one_run(book: Book) -> None:
    intents = [intent(run=f"r{number % 2}") for number in range(10)]
    await asyncio.gather(*map(book.reserve, reversed(intents)))
    assert [entry.intent for entry in await all_entries(book)] == intents
    assert [entry.intent for entry in await all_entries(book, "r1")] == intents[1::2]
    assert all(entry.settlement is None for entry in await all_entries(book))


async def test_in_memory_old_entries_make_room_and_budgets_count_them_still() -> None:
    book = MemoryLedger(keep=3)
    await book.set_budget("all", "", "total", 1000)
    intents = [intent(10) for _ in range(5)]
    for begun in intents:
        await book.reserve(begun)
        book.settle(ended(begun, 10))
    assert [entry.intent for entry in await all_entries(book)] == intents[2:]
    assert await counted(book) == {"all  total": (50, 0)}


async def test_a_cost_above_its_bound_is_booked_as_it_was(book: Book) -> None:
    await book.set_budget("all", "", "total", 100)
    begun = intent(90)
    await book.reserve(begun)
    book.settle(ended(begun, 130))
    await book.flush()
    assert await counted(book) == {"all  total": (130, 0)}
    with pytest.raises(LlmBudgetError, match="has 0 USD of"):
        await book.reserve(intent(0))


async def test_costs_beyond_all_counting_fill_a_budget_and_stop_nobody_elses_booking(
    book: Book,
) -> None:
    await book.set_budget("all", "", "total", 1000)
    absurd, sane = [intent(100), intent(100), intent(100)], intent(100)
    for one in (*absurd, sane):
        await book.reserve(one)
    for one in absurd:
        book.settle(ended(one, 2**70))
    book.settle(ended(sane, 5))
    await book.flush()
    assert await counted(book) == {"all  total": (2**63 - 1, 0)}
    costs = [e.settlement.cost_nano_usd for e in await all_entries(book) if e.settlement]
    assert costs == [2**62, 2**62, 2**62, 5]
    with pytest.raises(LlmBudgetError):
        await book.reserve(intent(1))
    await book.set_budget("tenant", "ada", "day", 1000)
    assert (await counted(book))["tenant ada day"][0] >= 2**63 - 1
