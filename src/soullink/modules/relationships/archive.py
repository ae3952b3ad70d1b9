"""The archive: rules applied in batches, each one a transaction with its count."""

from dataclasses import dataclass
from typing import Final

from soullink.gateways.postgres.database import Database
from soullink.kernel.clock import Clock
from soullink.kernel.errors import InvalidInputError
from soullink.kernel.ids import new_uuid7
from soullink.modules.relationships.api import (
    Archive,
    ArchiveReport,
    Progress,
    Relationship,
    RelationshipId,
    RetentionRules,
)
from soullink.modules.relationships.store import RelationshipStore, public
from soullink.modules.relationships.store_archive import STEPS, ArchiveStore

LARGEST_BATCH: Final = 10_000


@dataclass(frozen=True, slots=True)
class StoredArchive(Archive):
    """Implements Archive."""

    database: Database
    clock: Clock

    async def plan(self, rules: RetentionRules) -> ArchiveReport:
        now = self.clock.now()
        async with self.database.work() as work:
            store = ArchiveStore(work.session)
            counts = [await store.due(step, rules, now) for step in STEPS]
        return ArchiveReport(None, rules, now, None, *counts)

    async def run(
        self, rules: RetentionRules, *, batch: int = 500, progress: Progress | None = None
    ) -> ArchiveReport:
        if not 1 <= batch <= LARGEST_BATCH:
            raise InvalidInputError(f"A batch has 1 to {LARGEST_BATCH} rows, not {batch}.")
        now = self.clock.now()
        async with self.database.work() as work:
            store = ArchiveStore(work.session)
            begun = await store.unfinished() or await store.begin(new_uuid7(), rules, now)
        if begun.run is None:  # stored runs have ids
            raise AssertionError
        for step in STEPS:
            done = batch
            while done == batch:
                async with self.database.work() as work:
                    store = ArchiveStore(work.session)
                    done = await store.do(step, begun.rules, now, batch)
                    report = await store.count(begun.run, step, done)
                if progress is not None:
                    progress(report)
        async with self.database.work() as work:
            return await ArchiveStore(work.session).finish(begun.run, self.clock.now())

    async def restore(self, relationship: RelationshipId) -> Relationship:
        async with self.database.work() as work:
            await ArchiveStore(work.session).restore(relationship, self.clock.now())
            return public(await RelationshipStore(work.session).get(relationship))

    async def reports(self, limit: int = 20) -> list[ArchiveReport]:
        async with self.database.work() as work:
            return await ArchiveStore(work.session).reports(limit)
