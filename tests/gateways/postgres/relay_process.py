"""A program that handles one event and then hangs before it can be marked; to be killed.

Arguments: the database's URL. Says "handled" on stdout once the handler's work is committed.
"""

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from soullink.gateways.postgres.database import open_database
from soullink.gateways.postgres.outbox import Relay, Subscription
from soullink.kernel.clock import SystemClock


async def relay(url: str) -> None:
    database = open_database(url)

    async def handle(payload: Mapping[str, Any]) -> None:
        async with database.work() as work:
            await work.session.execute(
                text("INSERT INTO lamps VALUES (:room) ON CONFLICT DO NOTHING"), dict(payload)
            )
        sys.stdout.write("handled\n")
        sys.stdout.flush()
        await asyncio.sleep(60)

    await Relay(
        database, SystemClock(), [Subscription("tests.lamp_lit.v1", "lamps", handle)]
    ).drain()


if __name__ == "__main__":
    asyncio.run(relay(sys.argv[1]))
