"""Answers go back to training only from those who agree to it, under names of one export."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from soullink.gateways.postgres.database import Database
from soullink.kernel.clock import Clock
from soullink.kernel.ids import PersonId, new_uuid7
from soullink.modules.identity.api import Consents
from soullink.modules.relationships.api import (
    Erasure,
    ErasureReason,
    Feedback,
    FeedbackExport,
    FeedbackRow,
    RelationshipId,
    RowWriter,
)
from soullink.modules.relationships.domain.feedback import SALT_BYTES, name_under, phase_of
from soullink.modules.relationships.store_feedback import FeedbackStore, Told


@dataclass(frozen=True, slots=True)
class StoredFeedback(Feedback):
    """Implements Feedback. new_salt: returns SALT_BYTES that nobody can guess."""

    database: Database
    clock: Clock
    consents: Consents
    new_salt: Callable[[], bytes] = field(default=lambda: secrets.token_bytes(SALT_BYTES))

    async def export(self, write: RowWriter, *, page: int = 2_000) -> FeedbackExport:
        salt, export, now = self.new_salt(), new_uuid7(), self.clock.now()
        async with self.database.work() as work:
            await FeedbackStore(work.session).begin(export, salt, now)
        total, names = 0, set[str]()
        after: RelationshipId | None = None
        while True:
            async with self.database.work() as work:
                last, told = await FeedbackStore(work.session).told(after, page)
            if last is None:
                break
            after = last
            rows = await self._rows(export, salt, told)
            total += len(rows)
            names.update(name for row in rows for name in (row.rater, row.partner) if name)
            write(rows)
        async with self.database.work() as work:
            store = FeedbackStore(work.session)
            await store.finish(export, total)
            erasures = await store.erasures()
        return FeedbackExport(export, now, total, len(names), erasures)

    async def _rows(self, export: UUID, salt: bytes, told: Sequence[Told]) -> list[FeedbackRow]:
        people = {who for each in told for who in each.kept.people if who is not None}
        agreed = await self.consents.holders(people, "training")
        async with self.database.work() as work:
            store = FeedbackStore(work.session)
            await store.add_names(export, [name_under(salt, who) for who in agreed])
        # Asked again now that names are on record: a consent that was taken back before leaves
        # the rows, and one that is taken back from here on finds its name.
        agreed = await self.consents.holders(agreed, "training")
        return [row for each in told if (row := _row(each, salt, agreed)) is not None]

    async def erasures(self) -> list[Erasure]:
        async with self.database.work() as work:
            return await FeedbackStore(work.session).erasures()

    async def withdraw(self, person: PersonId, reason: ErasureReason) -> int:
        async with self.database.work() as work:
            store = FeedbackStore(work.session)
            found = [(export, name_under(salt, person)) for export, salt in await store.salts()]
            return await store.erase_names(found, reason, self.clock.now())


def _row(told: Told, salt: bytes, agreed: frozenset[PersonId]) -> FeedbackRow | None:
    rater, partner = told.kept.people[told.side], told.kept.people[1 - told.side]
    if rater is None or rater not in agreed:
        return None
    met_at = told.kept.met_at
    phase = phase_of(told.at, met_at)
    return FeedbackRow(
        rater=name_under(salt, rater),
        partner=name_under(salt, partner) if partner is not None and partner in agreed else None,
        pair=name_under(salt, str(told.kept.id)),
        kind=told.kind,
        value=told.value,
        answered_on=told.at.date(),
        met_on=None if met_at is None else met_at.date(),
        phase=phase,
        target_only=phase == "after_meeting",
    )
