"""Relationships on PostgreSQL: every move is one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from soullink.gateways.postgres.database import Database, Work
from soullink.kernel.clock import Clock
from soullink.kernel.errors import InvalidInputError
from soullink.kernel.ids import PersonId, new_uuid7
from soullink.kernel.language import Language
from soullink.modules.identity.api import Consents
from soullink.modules.relationships.api import (
    OPEN,
    STATES,
    Answered,
    Blocked,
    CheckIn,
    DueCheckIn,
    Feedback,
    MissingConsentError,
    Moved,
    MoveNotPossibleError,
    Outcome,
    ProposalNotPossibleError,
    Proposed,
    Relationship,
    RelationshipId,
    Relationships,
    RelationshipView,
    State,
    TimelineEntry,
    TooEarlyError,
    Trends,
    Unblocked,
    Words,
)
from soullink.modules.relationships.domain import check_ins, states
from soullink.modules.relationships.domain.states import CLOSING, MEETINGS, Side, Standing
from soullink.modules.relationships.domain.trend import trend_of
from soullink.modules.relationships.domain.views import Change, Own, timeline_of
from soullink.modules.relationships.domain.wording import words_in
from soullink.modules.relationships.store import (
    Kept,
    RelationshipStore,
    Step,
    public,
)

PROPOSAL_DAYS: Final = 14
"""Days that two people have to answer a proposal."""

AGAIN_DAYS: Final = 90
"""Days from the end of anything between two people until they can be proposed again."""

_SIDES: Final[tuple[Side, Side]] = (0, 1)
_LONGEST_PERSON: Final = 200


@dataclass(frozen=True, slots=True)
class StoredRelationships(Relationships):
    """Implements Relationships. feedback: told of who is forgotten."""

    database: Database
    clock: Clock
    consents: Consents
    feedback: Feedback

    async def propose(
        self, first: PersonId, second: PersonId, *, by: PersonId | None = None
    ) -> Relationship:
        people = _pair(first, second)
        if by is not None and by not in people:
            raise InvalidInputError("A proposal is made by one of the two, or by neither.")
        if await self.consents.holders(people, "matching") != frozenset(people):
            raise MissingConsentError(
                "Both people must have agreed to being matched (`soullink consent show PERSON`)."
            )
        now = self.clock.now()
        async with self.database.work() as work:
            store = RelationshipStore(work.session)
            await store.alone(*people)
            for kept in await store.between(*people):
                if states.at_time(kept.standing, now).state in OPEN:
                    return public(kept)
                if _over_since(kept.standing, now) + timedelta(days=AGAIN_DAYS) > now:
                    raise _not_now()
                await _let_expire(store, kept, now)
            if people[1] in await store.blocked_with(people[0]):
                raise _not_now()
            kept = Kept(
                id=RelationshipId(new_uuid7()),
                people=people,
                standing=Standing("proposed", now, now, now + timedelta(days=PROPOSAL_DAYS)),
                met_at=None,
                archived_at=None,
            )
            await store.add(kept)
            await store.add_step(kept.id, Step(now, "state", None, state="proposed"))
            await work.publish(Proposed(relationship_id=kept.id, people=people, at=now))
            if by is not None:
                kept = await self._move(work, kept, by, "accepted", None)
        return public(kept)

    async def move(
        self,
        relationship: RelationshipId,
        person: PersonId,
        to: State,
        *,
        seen: State | None = None,
    ) -> RelationshipView:
        for named in (to, seen):
            if named is not None and named not in STATES:
                raise InvalidInputError(f"{named!r} is no state; there are {', '.join(STATES)}.")
        async with self.database.work() as work:
            store = RelationshipStore(work.session)
            kept = await store.get(relationship)
            # In the order that `block` and `forget` take these locks in, people first.
            await store.alone(*(other for other in kept.people if other is not None))
            kept = await store.get(relationship, lock=True)
            kept = await self._move(work, kept, person, to, seen)
        return _view(kept, kept.side_of(person), self.clock.now())

    async def _move(
        self, work: Work, kept: Kept, person: PersonId, to: State, seen: State | None
    ) -> Kept:
        """Move a locked relationship, record the steps and publish what changed."""
        now, side = self.clock.now(), kept.side_of(person)
        store = RelationshipStore(work.session)
        await _let_expire(store, kept, now)
        before = states.at_time(kept.standing, now)
        after = states.move(before, side, to, now, seen)
        if to == "blocked":
            await self._block(work, kept, side, now)
        moved = _with(kept, after, now)
        if after == before:
            return moved
        await store.put(kept.id, after, moved.met_at)
        for step in _steps(before, after, side, now):
            await store.add_step(kept.id, step)
            other = kept.people[1 - side]
            if step.kind == "answer" and other is not None:
                await work.publish(
                    Answered(
                        relationship_id=kept.id,
                        person_id=person,
                        other_id=other,
                        yes=step.state == "accepted",
                        at=now,
                    )
                )
        if after.state != before.state:
            await work.publish(_moved(moved, before, now))
        return moved

    async def _block(self, work: Work, kept: Kept, side: Side, now: datetime) -> None:
        own, other = kept.people[side], kept.people[1 - side]
        if own is None or other is None:  # nobody is left to be kept away
            return
        if await RelationshipStore(work.session).block(own, other, now):
            await work.publish(Blocked(people=_pair(own, other), at=now))

    async def block(self, person: PersonId, other: PersonId) -> None:
        people, now = _pair(person, other), self.clock.now()
        async with self.database.work() as work:
            store = RelationshipStore(work.session)
            await store.alone(*people)
            if await store.block(person, other, now):
                await work.publish(Blocked(people=people, at=now))
            for kept in await store.between(*people):
                side = kept.side_of(person)
                if states.seen_by(kept.standing, side, now).state in OPEN:
                    await self._move(work, kept, person, "blocked", None)

    async def unblock(self, person: PersonId, other: PersonId) -> None:
        people, now = _pair(person, other), self.clock.now()
        async with self.database.work() as work:
            store = RelationshipStore(work.session)
            await store.alone(*people)
            if await store.unblock(person, other):
                await work.publish(Unblocked(people=people, at=now))

    async def blocked_with(self, person: PersonId) -> frozenset[PersonId]:
        async with self.database.work() as work:
            return await RelationshipStore(work.session).blocked_with(person)

    async def knows(self, person: PersonId, other: PersonId) -> bool:
        async with self.database.work() as work:
            return bool(await RelationshipStore(work.session).between(person, other))

    async def view(self, relationship: RelationshipId, person: PersonId) -> RelationshipView:
        async with self.database.work() as work:
            kept = await RelationshipStore(work.session).get(relationship)
        return _view(kept, kept.side_of(person), self.clock.now())

    async def list_views(
        self, person: PersonId, *, archived: bool = False
    ) -> list[RelationshipView]:
        async with self.database.work() as work:
            found = await RelationshipStore(work.session).of(person, archived=archived)
        now = self.clock.now()
        return [_view(kept, kept.side_of(person), now) for kept in found]

    async def list_all(
        self, limit: int = 100, before: RelationshipId | None = None, state: State | None = None
    ) -> list[Relationship]:
        async with self.database.work() as work:
            found = await RelationshipStore(work.session).page(limit, before, state)
        return [public(kept) for kept in found]

    async def check_in(
        self,
        relationship: RelationshipId,
        person: PersonId,
        satisfaction: int,
        tension: int,
        text: str = "",
    ) -> CheckIn:
        words, now = check_ins.checked(satisfaction, tension, text), self.clock.now()
        async with self.database.work() as work:
            store = RelationshipStore(work.session)
            kept = await store.get(relationship, lock=True)
            side = kept.side_of(person)
            shown = states.seen_by(kept.standing, side, now).state
            if shown not in OPEN:
                raise MoveNotPossibleError(f"This is over ({shown}); nobody is asked any more.")
            if kept.standing.state not in MEETINGS:
                raise TooEarlyError("Check-ins begin after the two have met.")
            there = await store.check_ins(relationship, side, now.date())
            done = CheckIn(now.date(), satisfaction, tension, words, erased=False, at=now)
            for known in there:
                if (known.satisfaction, known.tension, known.text) == (
                    satisfaction,
                    tension,
                    words,
                ):
                    return known
            await store.check_in(relationship, side, done)
        return done

    async def due_check_ins(self, person: PersonId | None = None) -> list[DueCheckIn]:
        async with self.database.work() as work:
            store = RelationshipStore(work.session)
            found = await store.last_check_ins(tuple(check_ins.EVERY_DAYS), person)
        now, due = self.clock.now(), []
        for kept, last in found:
            for side in _SIDES:
                who, standing = kept.people[side], kept.standing
                when = check_ins.due(standing.state, standing.since, last.get(side))
                asked = who is not None and (person is None or who == person)
                if who is not None and asked and when is not None and when <= now:
                    due.append(DueCheckIn(kept.id, who, when))
        return sorted(due, key=lambda one: (one.due, one.relationship, one.person))

    async def tell_outcome(
        self, relationship: RelationshipId, person: PersonId, would_meet_again: bool
    ) -> Outcome:
        async with self.database.work() as work:
            store = RelationshipStore(work.session)
            kept = await store.get(relationship, lock=True)
            side = kept.side_of(person)
            if kept.met_at is None:
                raise TooEarlyError("This can be answered once the two have met.")
            known = await store.outcome(relationship, side)
            if known is not None and known.would_meet_again == would_meet_again:
                return known
            outcome = Outcome(would_meet_again, self.clock.now())
            await store.tell_outcome(relationship, side, outcome)
        return outcome

    async def timeline(self, relationship: RelationshipId, person: PersonId) -> list[TimelineEntry]:
        async with self.database.work() as work:
            store = RelationshipStore(work.session)
            kept = await store.get(relationship)
            side = kept.side_of(person)
            steps = await store.steps(relationship)
            own = Own(
                _wishes(steps, side),
                await store.check_ins(relationship, side),
                await store.outcome(relationship, side),
            )
        changes = [
            Change(step.at, step.side, step.both, step.state)
            for step in steps
            if step.kind == "state" and step.state is not None
        ]
        return timeline_of(kept.standing, side, self.clock.now(), changes, own)

    async def trends(self, relationship: RelationshipId, person: PersonId) -> Trends:
        async with self.database.work() as work:
            store = RelationshipStore(work.session)
            kept = await store.get(relationship)
            own = await store.check_ins(relationship, kept.side_of(person))
        days = [done.day for done in own]
        return Trends(
            trend_of(days, [done.satisfaction for done in own]),
            trend_of(days, [done.tension for done in own]),
        )

    def words(self, language: Language) -> Words:
        return words_in(language)

    async def forget(self, person: PersonId) -> int:
        now = self.clock.now()
        await self.feedback.withdraw(person, "forgotten")
        async with self.database.work() as work:
            store = RelationshipStore(work.session)
            found = await store.of(person)
            others = {other for kept in found for other in kept.people if other is not None}
            await store.alone(person, *others)
            found = await store.of(person)
            await store.forget_blocks(person)
            for kept in found:
                side = kept.side_of(person)
                after = states.without(kept.standing, side, now)
                await store.put(kept.id, after, kept.met_at)
                await store.forget_side(kept, side)
                other = kept.people[1 - side]
                if after.state != kept.standing.state and other is not None:
                    step = Step(now, "state", None, before=kept.standing.state, state=after.state)
                    await store.add_step(kept.id, step)
                    gone = _without(kept, side)
                    await work.publish(_moved(_with(gone, after, now), kept.standing, now))
        return len(found)


def _pair(first: PersonId, second: PersonId) -> tuple[PersonId, PersonId]:
    for person in (first, second):
        if not person.strip() or "\0" in person or len(person) > _LONGEST_PERSON:
            raise InvalidInputError(f"A person's id has 1 to {_LONGEST_PERSON} characters.")
    if first == second:
        raise InvalidInputError("It takes two different people.")
    return (first, second) if first < second else (second, first)


def _not_now() -> ProposalNotPossibleError:
    return ProposalNotPossibleError("These two cannot be proposed to each other now.")


def _over_since(standing: Standing, now: datetime) -> datetime:
    """Return since when something is over, as the one who may know least would count it."""
    if states.at_time(standing, now).closed_from == "proposed":
        return standing.expires_at
    return standing.since


async def _let_expire(store: RelationshipStore, kept: Kept, now: datetime) -> None:
    """Write down that a proposal has expired, where it has."""
    after = states.at_time(kept.standing, now)
    if after != kept.standing:
        await store.put(kept.id, after, kept.met_at)
        step = Step(after.since, "state", None, before="proposed", state="expired")
        await store.add_step(kept.id, step)


def _with(kept: Kept, standing: Standing, now: datetime) -> Kept:
    met_at = now if kept.met_at is None and standing.state == "met" else kept.met_at
    return Kept(kept.id, kept.people, standing, met_at, kept.archived_at)


def _without(kept: Kept, side: Side) -> Kept:
    people = (None, kept.people[1]) if side == 0 else (kept.people[0], None)
    return Kept(kept.id, people, kept.standing, kept.met_at, kept.archived_at)


def _steps(before: Standing, after: Standing, side: Side, now: datetime) -> list[Step]:
    """Return what to record of a move: what the side said, and what became of it."""
    steps, said = [], after.wishes[side]
    changed = after.state != before.state
    both = changed and states.TRANSITIONS[before.state].get(after.state) == "both"
    if both:
        said = after.state
    if said is not None and said != before.wishes[side]:
        answer = said in {"accepted", "declined"}
        if answer or said not in CLOSING:
            steps.append(Step(now, "answer" if answer else "wish", side, state=said))
    if changed:
        steps.append(Step(now, "state", side, both, before.state, after.state))
    return steps


def _moved(kept: Kept, before: Standing, now: datetime) -> Moved:
    return Moved(
        relationship_id=kept.id,
        people=kept.people,
        before=before.state,
        state=kept.standing.state,
        at=now,
    )


def _wishes(steps: Sequence[Step], side: Side) -> list[tuple[datetime, State]]:
    return [
        (step.at, step.state)
        for step in steps
        if step.kind != "state"
        and step.side == side
        and step.state is not None
        and step.state not in CLOSING
    ]


def _view(kept: Kept, side: Side, now: datetime) -> RelationshipView:
    you = kept.people[side]
    if you is None:  # side_of found this person
        raise AssertionError
    seen, wish = states.seen_by(kept.standing, side, now), kept.standing.wishes[side]
    waiting = wish is not None and wish not in CLOSING and seen.state in OPEN
    return RelationshipView(
        id=kept.id,
        you=you,
        other=kept.people[1 - side],
        state=seen.state,
        since=seen.since,
        expires_at=kept.standing.expires_at if seen.state == "proposed" else None,
        you_want=wish if waiting else None,
        moves=states.moves_of(kept.standing, side, now),
        archived_at=kept.archived_at,
    )
