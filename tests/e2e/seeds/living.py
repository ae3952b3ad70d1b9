"""Where a seed is lived: in memory and in no time, or on a real PostgreSQL."""

import asyncio
import traceback
from dataclasses import dataclass
from typing import Any

from soullink.gateways.postgres.database import open_database
from tests.e2e.seeds import timeless
from tests.e2e.seeds.faults import PowerCut
from tests.e2e.seeds.memory import MemoryDatabase, stores_in_memory
from tests.e2e.seeds.world import Report, World

LONGEST_SECONDS = 120.0
"""Of one seed on a real database: whoever takes longer hangs."""


def _let_power_cuts_be() -> None:
    """Say nothing of tasks that ended in a power cut; of all others say what is usual."""
    loop = asyncio.get_running_loop()

    def heard(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), PowerCut):
            loop.default_exception_handler(context)

    loop.set_exception_handler(heard)


def lived_in_memory(seed: int) -> Report:
    """Live `seed` on a journal in memory. Raises BrokenError, NothingComesError."""

    async def work() -> Report:
        _let_power_cuts_be()
        return await World(MemoryDatabase(), seed, hangs=True).live()

    with stores_in_memory():
        return timeless.run(work())


def lived_on_postgres(seed: int, url: str) -> Report:
    """Live `seed` on the database at `url`. Raises BrokenError, TimeoutError."""

    async def work() -> Report:
        _let_power_cuts_be()
        database = open_database(url)
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                return await World(database, seed, hangs=False).live()
        finally:
            await database.close()

    return asyncio.run(work())


@dataclass(frozen=True)
class Ended:
    """How a seed ended. fault: what it broke, with the traceback; "" where it held."""

    seed: int
    report: Report | None
    fault: str
    trace: str


def one(seed: int, url: str | None) -> Ended:
    """Live one seed, on the database at `url` or in memory."""
    try:
        report = lived_in_memory(seed) if url is None else lived_on_postgres(seed, url)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this seed's failure
        told = f"{type(error).__name__}: {error}"
        return Ended(seed, None, told, "".join(traceback.format_exception(error)))
    return Ended(seed, report, "", "")
