"""Where candidates come from: members in the database, or profiles that somebody just has."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from soullink.gateways.postgres.database import Database
from soullink.kernel.clock import Clock
from soullink.kernel.ids import PersonId
from soullink.modules.matching.api import Agreements, Candidate, ChallengeField, Exposure
from soullink.modules.matching.store import History, MatchingStore
from soullink.modules.profiles.api import Member, Members, Profile

LATELY: Final = timedelta(days=7)
"""How far back a limit of exposure looks."""
_PAGE: Final = 500


class Source(Protocol):
    """Candidates as they are now."""

    def all(self) -> AsyncIterator[list[Candidate]]:
        """Yield everybody, a few hundred at a time."""
        ...

    async def several(self, people: Collection[PersonId]) -> Mapping[PersonId, Candidate]:
        """Return those of `people` who are there."""
        ...

    async def hidden(self, person: PersonId) -> frozenset[PersonId]:
        """Return who must not be suggested to `person`: blocks, and who was met."""
        ...

    async def hidden_pairs(self, people: Collection[PersonId]) -> set[tuple[PersonId, PersonId]]:
        """Return pairs among `people`, both orders, that must not be suggested."""
        ...

    async def times_shown(
        self, people: Collection[PersonId] | None = None
    ) -> Mapping[PersonId, int]:
        """Return how often people were shown lately; None is everybody."""
        ...

    async def expose(self, shown: Sequence[Exposure]) -> None:
        """Log who was shown to whom."""
        ...


class StoredPeople:
    """Members, with what is known of them here.

    agreements: whoever does not agree to be matched counts as pausing; None asks nobody.
    """

    def __init__(
        self, database: Database, members: Members, clock: Clock, agreements: Agreements | None
    ) -> None:
        self._database = database
        self._members = members
        self._clock = clock
        self._agreements = agreements

    async def all(self) -> AsyncIterator[list[Candidate]]:
        page: list[Member] = []
        async for member in self._members.all():
            page.append(member)
            if len(page) == _PAGE:
                yield await self._candidates(page)
                page = []
        if page:
            yield await self._candidates(page)

    async def several(self, people: Collection[PersonId]) -> Mapping[PersonId, Candidate]:
        found = await self._candidates(await self._members.several(people))
        return {candidate.profile.id: candidate for candidate in found}

    async def hidden(self, person: PersonId) -> frozenset[PersonId]:
        async with self._database.work() as work:
            return await MatchingStore(work.session).hidden(person)

    async def hidden_pairs(self, people: Collection[PersonId]) -> set[tuple[PersonId, PersonId]]:
        async with self._database.work() as work:
            return await MatchingStore(work.session).hidden_pairs(people)

    async def times_shown(
        self, people: Collection[PersonId] | None = None
    ) -> Mapping[PersonId, int]:
        since: datetime = self._clock.now() - LATELY
        async with self._database.work() as work:
            return await MatchingStore(work.session).times_shown(since, people)

    async def expose(self, shown: Sequence[Exposure]) -> None:
        async with self._database.work() as work:
            await MatchingStore(work.session).expose(shown)

    async def _candidates(self, members: Sequence[Member]) -> list[Candidate]:
        ids = [member.profile.id for member in members]
        async with self._database.work() as work:
            store = MatchingStore(work.session)
            histories = await store.histories(ids)
            standing = await store.standing_challenges(ids)
        agreed = frozenset(ids)
        if self._agreements is not None:
            agreed = await self._agreements.holders(ids, "matching")
        return [
            _candidate(
                member,
                member.profile.id in agreed,
                histories.get(member.profile.id, History()),
                standing.get(member.profile.id, {}),
            )
            for member in members
        ]


class GivenPeople:
    """Profiles at hand; nothing is stored, so nobody was blocked, met or shown before."""

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self._candidates = {person.id: Candidate(person) for person in profiles}

    async def all(self) -> AsyncIterator[list[Candidate]]:
        yield list(self._candidates.values())

    async def several(self, people: Collection[PersonId]) -> Mapping[PersonId, Candidate]:
        return {key: self._candidates[key] for key in people if key in self._candidates}

    async def hidden(self, person: PersonId) -> frozenset[PersonId]:  # noqa: ARG002 (see the class)
        return frozenset()

    async def hidden_pairs(
        self,
        people: Collection[PersonId],  # noqa: ARG002 (see the class)
    ) -> set[tuple[PersonId, PersonId]]:
        return set()

    async def times_shown(
        self,
        people: Collection[PersonId] | None = None,  # noqa: ARG002 (see the class)
    ) -> Mapping[PersonId, int]:
        return {}

    async def expose(self, shown: Sequence[Exposure]) -> None:
        """Keep nothing."""


def _candidate(
    member: Member,
    agreed: bool,
    history: History,
    standing: Mapping[ChallengeField, int | None],
) -> Candidate:
    """Return a member as a candidate; an upheld challenge ends when the profile has changed."""
    out = {
        field
        for field, revision in standing.items()
        if revision is None or revision == member.revision
    }
    left = "history" in out
    return Candidate(
        profile=member.profile,
        paused=member.state == "paused" or not agreed,
        left_out=frozenset(out),
        said_yes=0 if left else history.said_yes,
        decided=0 if left else history.decided,
        got_yes=0 if left else history.got_yes,
        was_decided=0 if left else history.was_decided,
    )
