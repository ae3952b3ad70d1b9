""" "This is wrong about me": recorded, listed, resolved. One method, one use case."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final
from uuid import UUID

from soullink.gateways.postgres.database import Database
from soullink.kernel.clock import Clock
from soullink.kernel.ids import PersonId, new_uuid7
from soullink.modules.matching.api import (
    CHALLENGE_FIELDS,
    Challenge,
    ChallengeField,
    ChallengeResolvedError,
    ChallengeState,
    InvalidMatchingError,
    PersonNotMatchedError,
)
from soullink.modules.matching.store import MatchingStore
from soullink.modules.profiles.api import Members

LONGEST_TEXT: Final = 2_000


class StoredChallenges:
    """Challenges in the database; `changed` brings matching up to date for a person."""

    def __init__(
        self,
        database: Database,
        members: Members,
        clock: Clock,
        changed: Callable[[PersonId], Awaitable[None]],
    ) -> None:
        self._database = database
        self._members = members
        self._clock = clock
        self._changed = changed

    async def challenge(
        self,
        person: PersonId,
        field: ChallengeField,
        text: str,
        match: PersonId | None = None,
    ) -> Challenge:
        said = text.strip()
        if field not in CHALLENGE_FIELDS:
            raise InvalidMatchingError(
                f"{field!r} is nothing that can be challenged; name one of "
                f"{', '.join(CHALLENGE_FIELDS)}."
            )
        if not said or len(said) > LONGEST_TEXT:
            raise InvalidMatchingError(f"Say what is wrong in 1 to {LONGEST_TEXT:,} characters.")
        member = await self._members.find(person)
        if member is None:
            raise PersonNotMatchedError(f"Nobody with the id {person!r} takes part in matching.")
        made = Challenge(
            id=new_uuid7(),
            person=person,
            match=match,
            field=field,
            text=said,
            state="open",
            made_at=self._clock.now(),
            resolved_at=None,
            resolved_by="",
            answer="",
        )
        async with self._database.work() as work:
            store = MatchingStore(work.session)
            if not await store.add_challenge(made, member.revision):
                made = await store.open_challenge(person, field)
        await self._changed(person)
        return made

    async def list_challenges(
        self, person: PersonId | None = None, state: ChallengeState | None = None
    ) -> list[Challenge]:
        async with self._database.work() as work:
            return await MatchingStore(work.session).list_challenges(person, state)

    async def resolve(
        self, challenge: UUID, *, upheld: bool, answer: str, by: str = ""
    ) -> Challenge:
        state: ChallengeState = "upheld" if upheld else "dismissed"
        now = self._clock.now()
        async with self._database.work() as work:
            store = MatchingStore(work.session)
            known = await store.get_challenge(challenge)
            if known.state != "open":
                raise ChallengeResolvedError(f"Challenge {challenge} was {known.state} already.")
            await store.resolve(challenge, state, answer, by, now)
        await self._changed(known.person)
        return replace(known, state=state, answer=answer, resolved_by=by, resolved_at=now)
