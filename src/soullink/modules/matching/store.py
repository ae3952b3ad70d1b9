"""Where blocks, meetings, answers, exposures and challenges live. The only file that speaks SQL."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
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
    union_all,
    update,
)
from sqlalchemy.engine import Row

from soullink.gateways.postgres import upserts
from soullink.gateways.postgres.database import metadata
from soullink.gateways.postgres.session import Session
from soullink.kernel.ids import PersonId
from soullink.modules.matching.api import (
    Challenge,
    ChallengeField,
    ChallengeNotFoundError,
    ChallengeState,
    Exposure,
)

_MOMENT: Final = DateTime(timezone=True)

blocks = Table(
    "matching_block",
    metadata,
    Column("person_id", Text, primary_key=True),
    Column("other_id", Text, primary_key=True),
    Column("made_at", _MOMENT, nullable=False),
    Index(None, "other_id"),
)

# By order of another module; a block of one's own is not touched when that is taken back.
apart = Table(
    "matching_apart",
    metadata,
    Column("first_id", Text, primary_key=True),
    Column("second_id", Text, primary_key=True),
    Column("since", _MOMENT, nullable=False),
    Index(None, "second_id"),
)

meetings = Table(
    "matching_meeting",
    metadata,
    Column("first_id", Text, primary_key=True),
    Column("second_id", Text, primary_key=True),
    Column("met_at", _MOMENT, nullable=False),
    Index(None, "second_id"),
)

answers = Table(
    "matching_answer",
    metadata,
    Column("person_id", Text, primary_key=True),
    Column("other_id", Text, primary_key=True),
    Column("yes", Boolean, nullable=False),
    Column("answered_at", _MOMENT, nullable=False),
    Index(None, "other_id"),
)

exposures = Table(
    "matching_exposure",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("list_id", Uuid, nullable=False),
    Column("viewer_id", Text, nullable=False),
    Column("shown_id", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("propensity", Double, nullable=False),
    Column("explored", Boolean, nullable=False),
    Column("ranker", Text, nullable=False),
    Column("shown_at", _MOMENT, nullable=False),
    Index("ix_matching_exposure_viewer_id_id", "viewer_id", "id"),
    Index(None, "shown_id"),
    Index(None, "shown_at"),
)

challenges = Table(
    "matching_challenge",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("match_id", Text, nullable=True),
    Column("field", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("state", Text, nullable=False),
    # Of the member's profile when it was said: an upheld challenge holds until that changes.
    Column("revision", Integer, nullable=False),
    Column("made_at", _MOMENT, nullable=False),
    Column("resolved_at", _MOMENT, nullable=True),
    Column("resolved_by", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Index(None, "person_id"),
    Index(None, "match_id"),
    Index(
        "uq_matching_challenge_open",
        "person_id",
        "field",
        unique=True,
        postgresql_where=text("state = 'open'"),
    ),
)


@dataclass(frozen=True, slots=True)
class History:
    """Yeses and decisions of and about a person."""

    said_yes: int = 0
    decided: int = 0
    got_yes: int = 0
    was_decided: int = 0


@dataclass(frozen=True, slots=True)
class MatchingStore:
    """Reads and writes within one transaction."""

    session: Session

    async def block(self, person: PersonId, other: PersonId, now: datetime) -> None:
        await upserts.add(self.session, blocks, person_id=person, other_id=other, made_at=now)

    async def unblock(self, person: PersonId, other: PersonId) -> None:
        await self.session.execute(
            delete(blocks).where(blocks.c.person_id == person, blocks.c.other_id == other)
        )

    async def keep_apart(self, first: PersonId, second: PersonId, now: datetime) -> None:
        low, high = sorted((first, second))
        await upserts.add(self.session, apart, first_id=low, second_id=high, since=now)

    async def keep_apart_no_longer(self, first: PersonId, second: PersonId) -> None:
        low, high = sorted((first, second))
        pair = (apart.c.first_id == low, apart.c.second_id == high)
        await self.session.execute(delete(apart).where(*pair))

    async def meet(self, first: PersonId, second: PersonId, now: datetime) -> None:
        low, high = sorted((first, second))
        await upserts.add(self.session, meetings, first_id=low, second_id=high, met_at=now)

    async def answer(self, person: PersonId, other: PersonId, yes: bool, at: datetime) -> None:
        row = {"person_id": person, "other_id": other, "yes": yes, "answered_at": at}
        await upserts.add(self.session, answers, **row)

    async def hidden(self, person: PersonId) -> frozenset[PersonId]:
        """Return whom `person` blocked, who blocked them, is kept apart, and was met."""
        parts = (
            select(blocks.c.other_id).where(blocks.c.person_id == person),
            select(blocks.c.person_id).where(blocks.c.other_id == person),
            select(apart.c.second_id).where(apart.c.first_id == person),
            select(apart.c.first_id).where(apart.c.second_id == person),
            select(meetings.c.second_id).where(meetings.c.first_id == person),
            select(meetings.c.first_id).where(meetings.c.second_id == person),
        )
        rows = await self.session.execute(union_all(*parts))
        return frozenset(PersonId(found) for found in rows.scalars())

    async def hidden_pairs(self, people: Collection[PersonId]) -> set[tuple[PersonId, PersonId]]:
        """Return pairs among `people`, both orders, blocked, kept apart, or met."""
        named = list(people)
        found: set[tuple[PersonId, PersonId]] = set()
        for one, two in (
            (blocks.c.person_id, blocks.c.other_id),
            (apart.c.first_id, apart.c.second_id),
            (meetings.c.first_id, meetings.c.second_id),
        ):
            query = select(one, two).where(one.in_(named), two.in_(named))
            for first, second in await self.session.execute(query):
                found |= {(first, second), (second, first)}
        return found

    async def histories(
        self, people: Collection[PersonId] | None = None
    ) -> Mapping[PersonId, History]:
        """Return what was answered by and about people; None is everybody with an answer."""
        yes = func.sum(case((answers.c.yes, 1), else_=0))
        counts: dict[PersonId, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for place, who in ((0, answers.c.person_id), (2, answers.c.other_id)):
            query = select(who, yes, func.count()).group_by(who)
            if people is not None:
                query = query.where(who.in_(list(people)))
            for person, agreed, all_of_them in await self.session.execute(query):
                counts[person][place : place + 2] = [int(agreed), int(all_of_them)]
        return {person: History(*found) for person, found in counts.items()}

    async def expose(self, shown: Sequence[Exposure]) -> None:
        if shown:
            await self.session.execute(
                insert(exposures),
                [
                    {
                        "list_id": one.list_id,
                        "viewer_id": one.viewer,
                        "shown_id": one.shown,
                        "place": one.place,
                        "propensity": one.propensity,
                        "explored": one.explored,
                        "ranker": one.ranker,
                        "shown_at": one.shown_at,
                    }
                    for one in shown
                ],
            )

    async def exposures(self, viewer: PersonId | None, limit: int) -> list[Exposure]:
        """Return who was shown, newest first."""
        query = select(exposures).order_by(exposures.c.id.desc()).limit(limit)
        if viewer is not None:
            query = query.where(exposures.c.viewer_id == viewer)
        return [_exposure(row) for row in await self.session.execute(query)]

    async def times_shown(
        self, since: datetime, people: Collection[PersonId] | None = None
    ) -> Mapping[PersonId, int]:
        """Return how often people were shown since a moment; None is everybody."""
        query = select(exposures.c.shown_id, func.count()).where(exposures.c.shown_at >= since)
        if people is not None:
            query = query.where(exposures.c.shown_id.in_(list(people)))
        rows = await self.session.execute(query.group_by(exposures.c.shown_id))
        return {PersonId(person): count for person, count in rows}

    async def add_challenge(self, challenge: Challenge, revision: int) -> bool:
        """Insert it; False when one about the same field is open."""
        return await upserts.add(
            self.session,
            challenges,
            id=challenge.id,
            person_id=challenge.person,
            match_id=challenge.match,
            field=challenge.field,
            text=challenge.text,
            state=challenge.state,
            revision=revision,
            made_at=challenge.made_at,
            resolved_at=None,
            resolved_by="",
            answer="",
        )

    async def open_challenge(self, person: PersonId, field: ChallengeField) -> Challenge:
        """Return the open challenge about a field. Raises ChallengeNotFoundError."""
        query = select(challenges).where(
            challenges.c.person_id == person,
            challenges.c.field == field,
            challenges.c.state == "open",
        )
        row = (await self.session.execute(query)).one_or_none()
        if row is None:
            raise ChallengeNotFoundError(f"No challenge about {field} is open.")
        return _challenge(row)

    async def get_challenge(self, challenge: UUID) -> Challenge:
        """Return it, held until this transaction ends. Raises ChallengeNotFoundError."""
        query = select(challenges).where(challenges.c.id == challenge).with_for_update()
        row = (await self.session.execute(query)).one_or_none()
        if row is None:
            raise ChallengeNotFoundError(f"There is no challenge {challenge}.")
        return _challenge(row)

    async def resolve(
        self, challenge: UUID, state: ChallengeState, answer: str, by: str, now: datetime
    ) -> None:
        change = update(challenges).where(challenges.c.id == challenge)
        await self.session.execute(
            change.values(state=state, answer=answer, resolved_by=by, resolved_at=now)
        )

    async def list_challenges(
        self, person: PersonId | None, state: ChallengeState | None
    ) -> list[Challenge]:
        """Return challenges, newest first."""
        query = select(challenges).order_by(challenges.c.made_at.desc(), challenges.c.id.desc())
        if person is not None:
            query = query.where(challenges.c.person_id == person)
        if state is not None:
            query = query.where(challenges.c.state == state)
        return [_challenge(row) for row in await self.session.execute(query)]

    async def standing_challenges(
        self, people: Collection[PersonId] | None = None
    ) -> Mapping[PersonId, Mapping[ChallengeField, int | None]]:
        """Return the fields that are open or upheld, by person.

        The number is the profile's revision for an upheld one, None for an open one.
        """
        query = select(challenges).where(challenges.c.state != "dismissed")
        if people is not None:
            query = query.where(challenges.c.person_id.in_(list(people)))
        found: dict[PersonId, dict[ChallengeField, int | None]] = defaultdict(dict)
        for row in await self.session.execute(query.order_by(challenges.c.made_at)):
            known = found[PersonId(row.person_id)]
            known[row.field] = None if row.state == "open" else row.revision
        return found

    async def forget(self, person: PersonId) -> None:
        """Delete every row that names `person`, on whichever side."""
        for table, sides in (
            (blocks, (blocks.c.person_id, blocks.c.other_id)),
            (apart, (apart.c.first_id, apart.c.second_id)),
            (meetings, (meetings.c.first_id, meetings.c.second_id)),
            (answers, (answers.c.person_id, answers.c.other_id)),
            (exposures, (exposures.c.viewer_id, exposures.c.shown_id)),
            (challenges, (challenges.c.person_id,)),
        ):
            await self.session.execute(delete(table).where(or_(*(s == person for s in sides))))
        # Others' challenges stay theirs; that this person was the other side of one does not.
        of_others = challenges.c.match_id == person
        await self.session.execute(update(challenges).where(of_others).values(match_id=None))


def _exposure(row: Row[Any]) -> Exposure:
    return Exposure(
        list_id=row.list_id,
        viewer=PersonId(row.viewer_id),
        shown=PersonId(row.shown_id),
        place=row.place,
        propensity=row.propensity,
        explored=row.explored,
        ranker=row.ranker,
        shown_at=row.shown_at,
    )


def _challenge(row: Row[Any]) -> Challenge:
    return Challenge(
        id=row.id,
        person=PersonId(row.person_id),
        match=None if row.match_id is None else PersonId(row.match_id),
        field=row.field,
        text=row.text,
        state=row.state,
        made_at=row.made_at,
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by,
        answer=row.answer,
    )
