"""Ten thousand calls against a server that misbehaves, by a process that is killed three times."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from soullink.gateways.llm.ledger.accounts import PostgresAccounts
from soullink.gateways.llm.ledger.port import Entry, Settlement
from soullink.gateways.postgres.database import Database
from tests.gateways.llm.ledger.caller import MODEL, PRICES
from tests.gateways.llm.ledger.counting_server import CountingServer
from tests.gateways.llm.ledger.ledgers import all_entries

pytestmark = pytest.mark.anyio

CALLS = 10_000
REPOSITORY = Path(__file__).resolve().parents[4]

# A process that died, a caller that left or a deadline may come before the request is on its way.
PERHAPS_SENT = {"lost", "cancelled", "timeout"}


@dataclass
class Watch:
    """What another connection sees while calls are made: (spent + reserved, limit) by budget."""

    samples: int = 0
    booked: int = 0
    overdrawn: list[tuple[str, int, int]] = field(default_factory=list)


@asynccontextmanager
async def watching(database_url: str) -> AsyncIterator[Watch]:
    watch = Watch()
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:

        async def look() -> None:
            while True:
                cursor = await connection.execute(
                    "SELECT scope || ' ' || subject, spent_nano_usd + reserved_nano_usd,"
                    " limit_nano_usd FROM llm_budget"
                )
                watch.samples += 1
                watch.overdrawn += [row for row in await cursor.fetchall() if row[1] > row[2]]
                cursor = await connection.execute("SELECT count(*) FROM llm_settlement")
                ((watch.booked,),) = await cursor.fetchall()
                await asyncio.sleep(0.01)

        looking = asyncio.create_task(look())
        try:
            yield watch
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)


async def start(
    database_url: str, server: CountingServer, last: int, first: int = 0
) -> asyncio.subprocess.Process:
    path = os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY)])
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.gateways.llm.ledger.caller",
        database_url,
        server.base_url,
        str(first),
        str(last),
        "7",
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": path},
        stdout=asyncio.subprocess.PIPE,
    )


async def refused_by(process: asyncio.subprocess.Process) -> int:
    """Wait until the process has ended well; return how many calls budgets refused."""
    output, _ = await process.communicate()
    assert process.returncode == 0
    return int(output.decode().removeprefix("refused "))


async def kill_when_booked(process: asyncio.subprocess.Process, watch: Watch, enough: int) -> None:
    while watch.booked < enough:
        assert process.returncode is None, "it ended before it was killed"
        await asyncio.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    assert process.returncode == -signal.SIGKILL


def check_against(server: CountingServer, entries: Sequence[Entry]) -> Counter[str]:
    """Compare the ledger with the server's own account; return how often each outcome came."""
    price = PRICES.find(provider="openai", model=MODEL)
    assert price is not None
    by_id: dict[str, Settlement] = {}
    for entry in entries:
        assert entry.settlement is not None, "an entry is still open"
        assert entry.intent.attempt_id not in by_id
        by_id[entry.intent.attempt_id] = entry.settlement
        assert entry.intent.bound_nano_usd is not None
        assert entry.settlement.cost_nano_usd is not None
        assert 0 <= entry.settlement.cost_nano_usd <= entry.intent.bound_nano_usd
    assert set(server.times.values()) == {1}
    assert server.served.keys() <= by_id.keys()
    for entry in entries:
        booked = by_id[entry.intent.attempt_id]
        served = server.served.get(entry.intent.attempt_id)
        if served is None:
            assert booked.outcome in PERHAPS_SENT | {"unsent"}
            assert booked.outcome == "unsent" or booked.estimated
            continue
        assert int(served.number) == int(entry.intent.attribution.run)
        match booked.outcome:
            case "answered" if served.usage is not None:
                assert booked.usage == served.usage
                assert booked.cost_nano_usd == price.cost(served.usage)
                assert not booked.estimated
            case "answered":
                assert served.behaviour == "silent"
                assert booked.estimated
            case "failed":
                assert served.behaviour in {"500", "429"}
                assert (booked.cost_nano_usd, booked.estimated) == (0, False)
            case "cut":
                assert served.behaviour in {"cut", "reset"}
                assert booked.estimated
            case outcome:
                assert outcome in PERHAPS_SENT
                assert booked.estimated
                assert booked.cost_nano_usd == entry.intent.bound_nano_usd
    return Counter(booked.outcome for booked in by_id.values())


async def check_budgets(accounts: PostgresAccounts, entries: Sequence[Entry]) -> None:
    """Every budget has spent the sum of its entries, and nothing is set aside any more."""
    spent: Counter[str] = Counter()
    for entry in entries:
        assert entry.settlement is not None
        cost = entry.settlement.cost_nano_usd or 0
        spent[""] += cost
        spent[entry.intent.attribution.tenant] += cost
    for budget in await accounts.list_budgets():
        assert budget.reserved_nano_usd == 0
        assert budget.spent_nano_usd == spent[budget.subject]
        assert budget.spent_nano_usd <= budget.limit_nano_usd


async def test_ten_thousand_calls_are_booked_once_each_though_the_process_is_killed_three_times(
    database: Database, database_url: str
) -> None:
    accounts = PostgresAccounts(database)
    await accounts.set_budget("all", "", "total", 10_000_000_000)
    await accounts.set_budget("tenant", "t1", "month", 3_000_000_000)
    async with CountingServer(seed=7) as server, watching(database_url) as watch:
        for share in (0.25, 0.5, 0.75):
            process = await start(database_url, server, CALLS)
            await kill_when_booked(process, watch, int(CALLS * share))
        assert await refused_by(await start(database_url, server, CALLS)) == 0
        entries = await all_entries(accounts)
        outcomes = check_against(server, entries)
    assert watch.samples > 50
    assert watch.overdrawn == []
    await check_budgets(accounts, entries)
    assert {int(entry.intent.attribution.run) for entry in entries} == set(range(CALLS))
    # Each of the three deaths left calls behind, and every kind of end was met.
    assert outcomes["lost"] >= 3
    assert min(outcomes[o] for o in ("timeout", "cancelled", "cut", "failed")) > 20
    assert outcomes["answered"] > 0.5 * CALLS
    (total,) = await accounts.usage([])
    assert total.attempts == len(entries)
    assert total.cost_nano_usd == sum(
        e.settlement.cost_nano_usd or 0 for e in entries if e.settlement
    )


async def test_a_budget_that_runs_out_is_never_overdrawn_by_two_processes(
    database: Database, database_url: str
) -> None:
    accounts = PostgresAccounts(database)
    await accounts.set_budget("all", "", "day", 10_000_000_000)
    await accounts.set_budget("tenant", "t0", "total", 4_000_000)
    async with CountingServer(seed=3) as server, watching(database_url) as watch:
        both = [
            await start(database_url, server, 750),
            await start(database_url, server, 1_500, 750),
        ]
        refused = sum(await asyncio.gather(*map(refused_by, both)))
        entries = await all_entries(accounts)
        check_against(server, entries)
    assert watch.overdrawn == []
    assert refused > 100
    await check_budgets(accounts, entries)
    (budget,) = [b for b in await accounts.list_budgets() if b.subject == "t0"]
    # Refused are those that came while the others had set all of it aside.
    assert budget.spent_nano_usd > 0.25 * budget.limit_nano_usd
    others = {e.intent.attribution.tenant for e in entries} - {"t0"}
    assert others == {"t1", "t2"}
