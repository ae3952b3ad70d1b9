"""How recorded turns went, by prompt."""

from dataclasses import dataclass

from soullink.gateways.postgres.database import Database
from soullink.modules.prompts.api import SpokenTurns, TurnCounts
from soullink.modules.simulation.store import RunStore


@dataclass(frozen=True, slots=True)
class RecordedTurns(SpokenTurns):
    """Counts the turns of all runs on record."""

    database: Database

    async def counts_by_prompt(self) -> list[TurnCounts]:
        async with self.database.work() as work:
            return await RunStore(work.session).counts_by_prompt()
