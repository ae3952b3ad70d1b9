"""Where members' profiles live. The only file here that speaks SQL."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, Integer, Table, Text, delete, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.engine import Row

from soullink.gateways.postgres.database import metadata
from soullink.gateways.postgres.session import Session
from soullink.kernel.ids import PersonId

members = Table(
    "member",
    metadata,
    Column("person_id", Text, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("joined_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class StoredMember:
    """A row: the profile as plain data."""

    person_id: PersonId
    document: Mapping[str, object]
    state: str
    revision: int
    joined_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class MemberStore:
    """Reads and writes members within one transaction."""

    session: Session

    async def find(self, person: PersonId, *, lock: bool = False) -> StoredMember | None:
        """Return the member; lock: nobody else changes it until the transaction ends."""
        query = select(members).where(members.c.person_id == person)
        if lock:
            query = query.with_for_update()
        row = (await self.session.execute(query)).one_or_none()
        return None if row is None else _member(row)

    async def add(self, person: PersonId, document: Mapping[str, object], now: datetime) -> bool:
        """Insert a member; False when there is one with this id already."""
        row = insert(members).values(
            person_id=person,
            document=dict(document),
            state="active",
            revision=1,
            joined_at=now,
            changed_at=now,
        )
        query = row.on_conflict_do_nothing().returning(members.c.person_id)
        return (await self.session.execute(query)).first() is not None

    async def change(
        self, person: PersonId, document: Mapping[str, object], state: str, now: datetime
    ) -> StoredMember:
        query = (
            update(members)
            .where(members.c.person_id == person)
            .values(
                document=dict(document),
                state=state,
                revision=members.c.revision + 1,
                changed_at=now,
            )
            .returning(members)
        )
        return _member((await self.session.execute(query)).one())

    async def delete(self, person: PersonId) -> bool:
        query = delete(members).where(members.c.person_id == person).returning(members.c.person_id)
        return (await self.session.execute(query)).first() is not None

    async def page(self, after: str, size: int) -> Sequence[StoredMember]:
        """Return up to `size` members whose ids come after `after`, in the order of ids."""
        query = select(members).where(members.c.person_id > after)
        query = query.order_by(members.c.person_id).limit(size)
        return [_member(row) for row in await self.session.execute(query)]

    async def several(self, people: Collection[PersonId]) -> Sequence[StoredMember]:
        """Return those of `people` who are members, in the order of ids."""
        query = select(members).where(members.c.person_id.in_(list(people)))
        rows = await self.session.execute(query.order_by(members.c.person_id))
        return [_member(row) for row in rows]

    async def count(self) -> int:
        return (await self.session.execute(select(func.count()).select_from(members))).scalar_one()


def _member(row: Row[Any]) -> StoredMember:
    return StoredMember(
        person_id=PersonId(row.person_id),
        document=row.document,
        state=row.state,
        revision=row.revision,
        joined_at=row.joined_at,
        changed_at=row.changed_at,
    )
