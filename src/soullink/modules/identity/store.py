"""Tables and SQL: one row an answer, never changed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Row,
    Table,
    Text,
    any_,
    delete,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on

from soullink.gateways.postgres.database import metadata
from soullink.gateways.postgres.session import Session
from soullink.kernel.ids import PersonId
from soullink.kernel.language import Language
from soullink.modules.identity.api import ConsentAnswer, Purpose

consents = Table(
    "consent",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("text_version", Integer, nullable=False),
    Column("text_language", Text, nullable=False),
    Column("text_hash", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("by", Text, nullable=False),
    Index(None, "person_id", "purpose", "id"),
)


@dataclass(frozen=True, slots=True)
class ConsentStore:
    """Reads and adds answers within one transaction."""

    session: Session

    async def alone(self, person_id: PersonId) -> None:
        """Wait until no other transaction answers for this person; held until this one ends."""
        key = func.hashtextextended(f"consent|{person_id}", 0)
        await self.session.execute(select(func.pg_advisory_xact_lock(key)))

    async def add(self, answer: ConsentAnswer) -> None:
        await self.session.execute(
            insert(consents).values(
                person_id=answer.person_id,
                purpose=answer.purpose,
                granted=answer.granted,
                text_version=answer.version,
                text_language=answer.language,
                text_hash=answer.content_hash,
                at=answer.at,
                by=answer.by,
            )
        )

    async def last(
        self,
        people: Collection[PersonId],
        purpose: Purpose | None = None,
        at: datetime | None = None,
    ) -> list[ConsentAnswer]:
        """Return the last answer of each person to each purpose, or to one; at: up to then."""
        place = (consents.c.person_id, consents.c.purpose)
        query = select(consents).ext(distinct_on(*place)).order_by(*place, consents.c.id.desc())
        # One array, as a statement takes no more than 65,535 parameters.
        query = query.where(consents.c.person_id == any_(literal(list(people), ARRAY(Text))))
        if purpose is not None:
            query = query.where(consents.c.purpose == purpose)
        if at is not None:
            query = query.where(consents.c.at <= at)
        return [_answer(row) for row in await self.session.execute(query)]

    async def history(self, person_id: PersonId, purpose: Purpose | None) -> list[ConsentAnswer]:
        query = select(consents).where(consents.c.person_id == person_id)
        if purpose is not None:
            query = query.where(consents.c.purpose == purpose)
        return [_answer(row) for row in await self.session.execute(query.order_by(consents.c.id))]

    async def forget(self, person_id: PersonId) -> int:
        query = delete(consents).where(consents.c.person_id == person_id).returning(consents.c.id)
        return len((await self.session.execute(query)).all())


def _answer(row: Row[Any]) -> ConsentAnswer:
    return ConsentAnswer(
        person_id=PersonId(row.person_id),
        purpose=cast("Purpose", row.purpose),
        granted=row.granted,
        version=row.text_version,
        language=cast("Language", row.text_language),
        content_hash=row.text_hash,
        at=row.at,
        by=row.by,
    )
