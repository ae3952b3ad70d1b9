"""Keeps the profiles of people who have joined: one method, one use case, one transaction."""

from collections.abc import AsyncIterator, Collection
from typing import Final

from soullink.gateways.postgres.database import Database
from soullink.kernel.clock import Clock
from soullink.kernel.ids import PersonId
from soullink.modules.profiles.api import (
    Member,
    MemberState,
    PersonChanged,
    PersonForgotten,
    PersonJoined,
    PersonNotFoundError,
    Profile,
    Profiles,
)
from soullink.modules.profiles.store import MemberStore, StoredMember

_PAGE: Final = 500


class StoredMembers:
    """Members in the database; `profiles` turns them into plain data and back."""

    def __init__(self, database: Database, clock: Clock, profiles: Profiles) -> None:
        self._database = database
        self._clock = clock
        self._profiles = profiles

    async def join(self, profile: Profile) -> Member:
        document, now = self._profiles.to_document(profile), self._clock.now()
        # What cannot be read back must not be kept.
        self._profiles.from_document(document, f"profile {profile.id}")
        async with self._database.work() as work:
            store = MemberStore(work.session)
            if await store.add(profile.id, document, now):
                await work.publish(PersonJoined(profile.id))
                return self._member(_there(await store.find(profile.id), profile.id))
            known = _there(await store.find(profile.id, lock=True), profile.id)
            if known.document == document and known.state == "active":
                return self._member(known)
            changed = await store.change(profile.id, document, "active", now)
            await work.publish(PersonChanged(profile.id))
            return self._member(changed)

    async def get(self, person: PersonId) -> Member:
        found = await self.find(person)
        if found is None:
            raise PersonNotFoundError(f"Nobody with the id {person!r} has joined.")
        return found

    async def find(self, person: PersonId) -> Member | None:
        async with self._database.work() as work:
            found = await MemberStore(work.session).find(person)
        return None if found is None else self._member(found)

    async def several(self, people: Collection[PersonId]) -> list[Member]:
        async with self._database.work() as work:
            found = await MemberStore(work.session).several(people)
        return [self._member(stored) for stored in found]

    async def all(self) -> AsyncIterator[Member]:
        after = ""
        while True:
            async with self._database.work() as work:
                page = await MemberStore(work.session).page(after, _PAGE)
            for stored in page:
                yield self._member(stored)
            if len(page) < _PAGE:
                return
            after = page[-1].person_id

    async def count(self) -> int:
        async with self._database.work() as work:
            return await MemberStore(work.session).count()

    async def pause(self, person: PersonId) -> Member:
        return await self._become(person, "paused")

    async def resume(self, person: PersonId) -> Member:
        return await self._become(person, "active")

    async def forget(self, person: PersonId) -> bool:
        async with self._database.work() as work:
            was_there = await MemberStore(work.session).delete(person)
            await work.publish(PersonForgotten(person))
        return was_there

    async def _become(self, person: PersonId, state: MemberState) -> Member:
        async with self._database.work() as work:
            store = MemberStore(work.session)
            known = _there(await store.find(person, lock=True), person)
            if known.state == state:
                return self._member(known)
            changed = await store.change(person, known.document, state, self._clock.now())
            await work.publish(PersonChanged(person))
            return self._member(changed)

    def _member(self, stored: StoredMember) -> Member:
        return Member(
            profile=self._profiles.from_document(stored.document, f"member {stored.person_id}"),
            state="paused" if stored.state == "paused" else "active",
            revision=stored.revision,
            joined_at=stored.joined_at,
            changed_at=stored.changed_at,
        )


def _there(found: StoredMember | None, person: PersonId) -> StoredMember:
    if found is None:
        raise PersonNotFoundError(f"Nobody with the id {person!r} has joined.")
    return found
