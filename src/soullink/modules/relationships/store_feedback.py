"""Exports of feedback: their salts, the names in them, and which must be deleted."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    Subquery,
    Table,
    Text,
    Uuid,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_or_leave

from soullink.gateways.postgres.database import metadata
from soullink.gateways.postgres.session import Session
from soullink.modules.relationships.api import AnswerKind, Erasure, RelationshipId
from soullink.modules.relationships.domain.states import Side
from soullink.modules.relationships.store import (
    Kept,
    check_ins,
    kept_of,
    moves,
    outcomes,
    relationships,
)


def _of_export() -> Column[Any]:
    key = ForeignKey("feedback_export.id", ondelete="CASCADE")
    return Column("export_id", Uuid, key, primary_key=True)


exports = Table(
    "feedback_export",
    metadata,
    Column("id", Uuid, primary_key=True),
    # Without it nobody can find a person's name in an export, to have it deleted.
    Column("salt", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("rows", Integer, nullable=False),
)

names = Table(
    "feedback_export_name", metadata, _of_export(), Column("name", Text, primary_key=True)
)

erasures = Table(
    "feedback_erasure",
    metadata,
    _of_export(),
    Column("name", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Told:
    """One answer of one side. kind and value as in FeedbackRow."""

    kept: Kept
    side: Side
    kind: AnswerKind
    value: int
    at: datetime


@dataclass(frozen=True, slots=True)
class FeedbackStore:
    """Reads and writes within one transaction."""

    session: Session

    async def told(
        self, after: RelationshipId | None, limit: int
    ) -> tuple[RelationshipId | None, list[Told]]:
        """Return a page of relationships' answers, by relationship and time, and its last id.

        Of everybody who is not forgotten. The id is None behind the last page.
        """
        query = select(relationships).order_by(relationships.c.id).limit(limit)
        if after is not None:
            query = query.where(relationships.c.id > after)
        known = {row.id: kept_of(row) for row in await self.session.execute(query)}
        if not known:
            return None, []
        ids = query.with_only_columns(relationships.c.id).subquery()
        found = [*await self._answers(known, ids), *await self._after(known, ids)]
        found = [each for each in found if each.kept.people[each.side] is not None]
        found.sort(key=lambda each: (each.kept.id, each.at, each.side, each.kind))
        return max(known), found

    async def _answers(self, known: dict[RelationshipId, Kept], ids: Subquery) -> list[Told]:
        """Return how each side answered the proposal; the last answer counts."""
        query = select(moves).where(
            moves.c.relationship_id.in_(select(ids)),
            moves.c.kind == "answer",
            moves.c.state.in_(("accepted", "declined")),
        )
        last: dict[tuple[RelationshipId, Side], Told] = {}
        for row in await self.session.execute(query.order_by(moves.c.id)):
            # What came in after the page was read is another page's, or the next export's.
            if row.relationship_id not in known:
                continue
            said = int(row.state == "accepted")
            told = Told(known[row.relationship_id], row.side, "said_yes", said, row.at)
            last[row.relationship_id, row.side] = told
        return list(last.values())

    async def _after(self, known: dict[RelationshipId, Kept], ids: Subquery) -> list[Told]:
        found = []
        within = outcomes.c.relationship_id.in_(select(ids))
        for row in await self.session.execute(select(outcomes).where(within)):
            if kept := known.get(row.relationship_id):
                again = int(row.would_meet_again)
                found.append(Told(kept, row.side, "would_meet_again", again, row.answered_at))
        within = check_ins.c.relationship_id.in_(select(ids))
        for row in await self.session.execute(select(check_ins).where(within)):
            if kept := known.get(row.relationship_id):
                found.append(Told(kept, row.side, "satisfaction", row.satisfaction, row.at))
                found.append(Told(kept, row.side, "tension", row.tension, row.at))
        return found

    async def begin(self, export: UUID, salt: bytes, now: datetime) -> None:
        await self.session.execute(
            insert(exports).values(id=export, salt=salt, created_at=now, rows=0)
        )

    async def add_names(self, export: UUID, people: Collection[str]) -> None:
        if not people:
            return
        inside = [{"export_id": export, "name": name} for name in sorted(people)]
        row = insert_or_leave(names).on_conflict_do_nothing()
        await self.session.execute(row, inside)

    async def finish(self, export: UUID, rows: int) -> None:
        await self.session.execute(update(exports).where(exports.c.id == export).values(rows=rows))

    async def salts(self) -> list[tuple[UUID, bytes]]:
        rows = await self.session.execute(select(exports.c.id, exports.c.salt))
        return [(row.id, row.salt) for row in rows]

    async def erase_names(
        self, found: Collection[tuple[UUID, str]], reason: str, now: datetime
    ) -> int:
        """Note those of `found` that are in an export; return how many were not noted before."""
        noted = 0
        for export, name in found:
            inside = select(names).where(names.c.export_id == export, names.c.name == name)
            if (await self.session.execute(inside)).one_or_none() is None:
                continue
            row = insert_or_leave(erasures).values(
                export_id=export, name=name, reason=reason, since=now
            )
            query = row.on_conflict_do_nothing().returning(erasures.c.name)
            noted += (await self.session.execute(query)).first() is not None
        return noted

    async def erasures(self) -> list[Erasure]:
        order = (erasures.c.since, erasures.c.export_id, erasures.c.name)
        rows = await self.session.execute(select(erasures).order_by(*order))
        return [Erasure(row.export_id, row.name, row.reason, row.since) for row in rows]
