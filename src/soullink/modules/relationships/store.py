"""Tables of relationships, and SQL on them within one transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Row,
    SmallInteger,
    Table,
    Text,
    Uuid,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from soullink.gateways.postgres import upserts
from soullink.gateways.postgres.database import metadata
from soullink.gateways.postgres.session import Session
from soullink.kernel.ids import PersonId
from soullink.modules.relationships.api import (
    CheckIn,
    Outcome,
    Relationship,
    RelationshipId,
    RelationshipNotFoundError,
    State,
)
from soullink.modules.relationships.domain.states import Side, Standing

_TIME: Final = DateTime(timezone=True)


def _of_relationship(**options: Any) -> Column[Any]:
    key = ForeignKey("relationship.id", ondelete="CASCADE")
    return Column("relationship_id", Uuid, key, nullable=False, **options)


relationships = Table(
    "relationship",
    metadata,
    Column("id", Uuid, primary_key=True),
    # The two in the order of their ids; their side is 0 or 1. NULL: forgotten.
    Column("person_0", Text, nullable=True),
    Column("person_1", Text, nullable=True),
    Column("state", Text, nullable=False),
    Column("since", _TIME, nullable=False),
    Column("proposed_at", _TIME, nullable=False),
    Column("expires_at", _TIME, nullable=False),
    Column("wish_0", Text, nullable=True),
    Column("wish_1", Text, nullable=True),
    Column("wished_at_0", _TIME, nullable=True),
    Column("wished_at_1", _TIME, nullable=True),
    Column("closed_from", Text, nullable=True),
    Column("paused_from", Text, nullable=True),
    Column("met_at", _TIME, nullable=True),
    Column("archived_at", _TIME, nullable=True),
    Column("restored_at", _TIME, nullable=True),
    Index(
        "uq_relationship_open_pair",
        "person_0",
        "person_1",
        unique=True,
        postgresql_where=text("closed_from IS NULL AND state <> 'expired'"),
    ),
    Index(None, "person_0", "person_1"),
    Index(None, "person_1"),
    Index(None, "state", "since"),
    Index(None, "archived_at"),
)

moves = Table(
    "relationship_move",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    _of_relationship(),
    Column("at", _TIME, nullable=False),
    Column("kind", Text, nullable=False),
    Column("side", SmallInteger, nullable=True),
    Column("both", Boolean, nullable=False),
    Column("before", Text, nullable=True),
    Column("state", Text, nullable=True),
    Index(None, "relationship_id", "id"),
)

check_ins = Table(
    "relationship_check_in",
    metadata,
    _of_relationship(primary_key=True),
    Column("side", SmallInteger, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    Column("satisfaction", SmallInteger, nullable=False),
    Column("tension", SmallInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("erased", Boolean, nullable=False),
    Column("at", _TIME, nullable=False),
    Index(None, "at"),
)

outcomes = Table(
    "relationship_outcome",
    metadata,
    _of_relationship(primary_key=True),
    Column("side", SmallInteger, primary_key=True, autoincrement=False),
    Column("would_meet_again", Boolean, nullable=False),
    Column("answered_at", _TIME, nullable=False),
)

blocks = Table(
    "relationship_block",
    metadata,
    Column("blocker", Text, primary_key=True),
    Column("blocked", Text, primary_key=True),
    Column("since", _TIME, nullable=False),
    Index(None, "blocked"),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A relationship as it is stored."""

    id: RelationshipId
    people: tuple[PersonId | None, PersonId | None]
    standing: Standing
    met_at: datetime | None
    archived_at: datetime | None

    def side_of(self, person: PersonId) -> Side:
        """Return the person's side. Raises RelationshipNotFoundError for anybody else."""
        if person == self.people[0]:
            return 0
        if person == self.people[1]:
            return 1
        raise missing(self.id)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done. side: by whom; None is time. both: the other had wished the same."""

    at: datetime
    kind: str
    side: Side | None
    both: bool = False
    before: State | None = None
    state: State | None = None


def missing(relationship: RelationshipId) -> RelationshipNotFoundError:
    """Return the error for strangers and for what is not there alike."""
    return RelationshipNotFoundError(
        f"There is no relationship {relationship} with this person in it."
    )


@dataclass(frozen=True, slots=True)
class RelationshipStore:
    """Reads and writes within one transaction."""

    session: Session

    async def alone(self, *people: PersonId) -> None:
        """Wait until no other transaction works on these people; held until this one ends."""
        for person in sorted(people):
            key = func.hashtextextended(f"relationships|{person}", 0)
            await self.session.execute(select(func.pg_advisory_xact_lock(key)))

    async def add(self, kept: Kept) -> None:
        await self.session.execute(
            insert(relationships).values(
                id=kept.id,
                person_0=kept.people[0],
                person_1=kept.people[1],
                **_columns(kept.standing),
            )
        )

    async def get(self, relationship: RelationshipId, *, lock: bool = False) -> Kept:
        """Return it; lock: nobody else changes it. Raises RelationshipNotFoundError."""
        query = select(relationships).where(relationships.c.id == relationship)
        if lock:
            query = query.with_for_update()
        row = (await self.session.execute(query)).one_or_none()
        if row is None:
            raise missing(relationship)
        return kept_of(row)

    async def between(self, one: PersonId, other: PersonId) -> list[Kept]:
        """Return all there was and is between two people, newest first."""
        first, second = sorted((one, other))
        query = select(relationships).where(
            relationships.c.person_0 == first, relationships.c.person_1 == second
        )
        query = query.order_by(relationships.c.proposed_at.desc()).with_for_update()
        return [kept_of(row) for row in await self.session.execute(query)]

    async def of(self, person: PersonId, *, archived: bool | None = None) -> list[Kept]:
        """Return the relationships of a person, newest first."""
        query = select(relationships).where(_has(person))
        if archived is not None:
            is_put_away = relationships.c.archived_at.is_not(None)
            query = query.where(is_put_away if archived else ~is_put_away)
        query = query.order_by(relationships.c.id.desc())
        return [kept_of(row) for row in await self.session.execute(query)]

    async def page(
        self, limit: int, before: RelationshipId | None, state: State | None
    ) -> list[Kept]:
        query = select(relationships).order_by(relationships.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(relationships.c.id < before)
        if state is not None:
            query = query.where(relationships.c.state == state)
        return [kept_of(row) for row in await self.session.execute(query)]

    async def put(
        self, relationship: RelationshipId, standing: Standing, met_at: datetime | None
    ) -> None:
        await self.session.execute(
            update(relationships)
            .where(relationships.c.id == relationship)
            .values(met_at=met_at, **_columns(standing))
        )

    async def add_step(self, relationship: RelationshipId, step: Step) -> None:
        await self.session.execute(
            insert(moves).values(
                relationship_id=relationship,
                at=step.at,
                kind=step.kind,
                side=step.side,
                both=step.both,
                before=step.before,
                state=step.state,
            )
        )

    async def steps(self, relationship: RelationshipId) -> list[Step]:
        query = select(moves).where(moves.c.relationship_id == relationship).order_by(moves.c.id)
        return [
            Step(
                row.at,
                row.kind,
                cast("Side | None", row.side),
                row.both,
                cast("State | None", row.before),
                cast("State | None", row.state),
            )
            for row in await self.session.execute(query)
        ]

    async def check_in(self, relationship: RelationshipId, side: Side, check_in: CheckIn) -> None:
        values = {
            "satisfaction": check_in.satisfaction,
            "tension": check_in.tension,
            "text": check_in.text,
            "erased": False,
            "at": check_in.at,
        }
        key = {"relationship_id": relationship, "side": side, "day": check_in.day}
        await upserts.put(self.session, check_ins, key, values)

    async def check_ins(
        self, relationship: RelationshipId, side: Side, day: date | None = None
    ) -> list[CheckIn]:
        """Return one side's check-ins, oldest first, or that of one day."""
        query = select(check_ins).where(
            check_ins.c.relationship_id == relationship, check_ins.c.side == side
        )
        if day is not None:
            query = query.where(check_ins.c.day == day)
        rows = await self.session.execute(query.order_by(check_ins.c.day))
        return [
            CheckIn(row.day, row.satisfaction, row.tension, row.text, row.erased, row.at)
            for row in rows
        ]

    async def last_check_ins(
        self, states: Collection[State], person: PersonId | None
    ) -> list[tuple[Kept, dict[Side, datetime]]]:
        """Return relationships in `states`, each with when its sides last checked in."""
        which: list[ColumnElement[bool]] = [
            relationships.c.state.in_(states),
            relationships.c.archived_at.is_(None),
        ]
        if person is not None:
            which.append(_has(person))
        query = select(relationships).where(*which)
        found = [kept_of(row) for row in await self.session.execute(query)]
        ids = select(relationships.c.id).where(*which)
        last = (
            select(check_ins.c.relationship_id, check_ins.c.side, func.max(check_ins.c.at))
            .where(check_ins.c.relationship_id.in_(ids))
            .group_by(check_ins.c.relationship_id, check_ins.c.side)
        )
        times: dict[RelationshipId, dict[Side, datetime]] = {}
        for relationship, side, at in await self.session.execute(last):
            times.setdefault(relationship, {})[side] = at
        return [(kept, times.get(kept.id, {})) for kept in found]

    async def tell_outcome(
        self, relationship: RelationshipId, side: Side, outcome: Outcome
    ) -> None:
        values = {
            "would_meet_again": outcome.would_meet_again,
            "answered_at": outcome.answered_at,
        }
        key = {"relationship_id": relationship, "side": side}
        await upserts.put(self.session, outcomes, key, values)

    async def outcome(self, relationship: RelationshipId, side: Side) -> Outcome | None:
        query = select(outcomes).where(
            outcomes.c.relationship_id == relationship, outcomes.c.side == side
        )
        row = (await self.session.execute(query)).one_or_none()
        return None if row is None else Outcome(row.would_meet_again, row.answered_at)

    async def block(self, blocker: PersonId, blocked: PersonId, now: datetime) -> bool:
        """Return whether there was no such block before."""
        return await upserts.add(self.session, blocks, blocker=blocker, blocked=blocked, since=now)

    async def unblock(self, blocker: PersonId, blocked: PersonId) -> bool:
        """Return whether there was such a block."""
        own = (blocks.c.blocker == blocker, blocks.c.blocked == blocked)
        query = delete(blocks).where(*own).returning(blocks.c.blocker)
        return (await self.session.execute(query)).first() is not None

    async def blocked_with(self, person: PersonId) -> frozenset[PersonId]:
        other = case((blocks.c.blocker == person, blocks.c.blocked), else_=blocks.c.blocker)
        either = or_(blocks.c.blocker == person, blocks.c.blocked == person)
        return frozenset((await self.session.execute(select(other).where(either))).scalars())

    async def forget_blocks(self, person: PersonId) -> None:
        either = or_(blocks.c.blocker == person, blocks.c.blocked == person)
        await self.session.execute(delete(blocks).where(either))

    async def forget_side(self, kept: Kept, side: Side) -> None:
        """Take one person out of a relationship; the last one takes it along."""
        of = kept.id
        if kept.people[1 - side] is None:
            await self.session.execute(delete(relationships).where(relationships.c.id == of))
            return
        for table in (check_ins, outcomes):
            query = delete(table).where(table.c.relationship_id == of, table.c.side == side)
            await self.session.execute(query)
        # What both went through stays with the other; what one wished or said alone goes.
        own = (moves.c.relationship_id == of, moves.c.side == side, moves.c.kind != "state")
        await self.session.execute(delete(moves).where(*own))
        gone = {"person_0": None} if side == 0 else {"person_1": None}
        query_of_row = update(relationships).where(relationships.c.id == of)
        await self.session.execute(query_of_row.values(**gone))


def kept_of(row: Row[Any]) -> Kept:
    """Return a row of `relationships`."""
    return Kept(
        id=row.id,
        people=(row.person_0, row.person_1),
        standing=Standing(
            state=cast("State", row.state),
            since=row.since,
            proposed_at=row.proposed_at,
            expires_at=row.expires_at,
            wishes=(cast("State | None", row.wish_0), cast("State | None", row.wish_1)),
            wished_at=(row.wished_at_0, row.wished_at_1),
            closed_from=cast("State | None", row.closed_from),
            paused_from=cast("State | None", row.paused_from),
        ),
        met_at=row.met_at,
        archived_at=row.archived_at,
    )


def public(kept: Kept) -> Relationship:
    """Return a relationship as those who run the service see it."""
    return Relationship(
        id=kept.id,
        people=kept.people,
        state=kept.standing.state,
        since=kept.standing.since,
        proposed_at=kept.standing.proposed_at,
        expires_at=kept.standing.expires_at,
        archived_at=kept.archived_at,
    )


def _columns(standing: Standing) -> dict[str, Any]:
    return {
        "state": standing.state,
        "since": standing.since,
        "proposed_at": standing.proposed_at,
        "expires_at": standing.expires_at,
        "wish_0": standing.wishes[0],
        "wish_1": standing.wishes[1],
        "wished_at_0": standing.wished_at[0],
        "wished_at_1": standing.wished_at[1],
        "closed_from": standing.closed_from,
        "paused_from": standing.paused_from,
    }


def _has(person: PersonId) -> ColumnElement[bool]:
    return or_(relationships.c.person_0 == person, relationships.c.person_1 == person)
