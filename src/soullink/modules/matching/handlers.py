"""What happens here when something happened to a member."""

from dataclasses import dataclass

from soullink.kernel.ids import PersonId
from soullink.modules.identity.api import ConsentWithdrawn
from soullink.modules.matching.api import Matching, Nearby
from soullink.modules.profiles.api import PersonChanged, PersonForgotten, PersonJoined


@dataclass(frozen=True, slots=True)
class MatchingHandlers:
    """Handlers of events; calling one twice does no harm."""

    matching: Matching

    async def on_person_joined(self, event: PersonJoined) -> None:
        """Take the person in."""
        await self.matching.member_changed(PersonId(event.person_id))

    async def on_person_changed(self, event: PersonChanged) -> None:
        """Take the person as they are now."""
        await self.matching.member_changed(PersonId(event.person_id))

    async def on_consent_withdrawn(self, event: ConsentWithdrawn) -> None:
        """Suggest nobody who no longer agrees to be matched."""
        if event.purpose == "matching":
            await self.matching.member_changed(PersonId(event.person_id))

    async def on_person_forgotten(self, event: PersonForgotten) -> None:
        """Delete everything of the person."""
        await self.matching.forget(PersonId(event.person_id))


@dataclass(frozen=True, slots=True)
class VectorHandlers:
    """Keep the vector gateway in step, apart from the pool: one failing does not hold the other."""

    nearby: Nearby

    async def on_person_joined(self, event: PersonJoined) -> None:
        """Keep the person's vector."""
        await self.nearby.follow(PersonId(event.person_id))

    async def on_person_changed(self, event: PersonChanged) -> None:
        """Keep the person's vector as they write now."""
        await self.nearby.follow(PersonId(event.person_id))

    async def on_consent_withdrawn(self, event: ConsentWithdrawn) -> None:
        """Keep no vector of somebody who no longer agrees to be matched."""
        if event.purpose == "matching":
            await self.nearby.follow(PersonId(event.person_id))

    async def on_person_forgotten(self, event: PersonForgotten) -> None:
        """Remove the person's vector; a person who is gone has none."""
        await self.nearby.follow(PersonId(event.person_id))
