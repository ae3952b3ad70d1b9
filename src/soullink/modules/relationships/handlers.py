"""What happens here when something happened elsewhere."""

from dataclasses import dataclass

from soullink.kernel.ids import PersonId
from soullink.modules.identity.api import ConsentWithdrawn
from soullink.modules.matching.api import Matching
from soullink.modules.profiles.api import PersonForgotten
from soullink.modules.relationships.api import (
    Answered,
    Blocked,
    Feedback,
    Moved,
    Relationships,
    Unblocked,
)


@dataclass(frozen=True, slots=True)
class RelationshipHandlers:
    """Handlers of events; calling one twice does no harm."""

    relationships: Relationships
    feedback: Feedback

    async def on_person_forgotten(self, event: PersonForgotten) -> None:
        """Take the person out of every relationship and every export."""
        await self.relationships.forget(PersonId(event.person_id))

    async def on_consent_withdrawn(self, event: ConsentWithdrawn) -> None:
        """Have the person deleted from what was exported for training."""
        if event.purpose == "training":
            await self.feedback.withdraw(PersonId(event.person_id), "withdrawn")


@dataclass(frozen=True, slots=True)
class MatchingHandlers:
    """Lets matching know what came of its suggestions; calling one twice does no harm.

    Whoever was forgotten before their event came is left out: matching is told of nobody anew.
    """

    relationships: Relationships
    matching: Matching

    async def on_answered(self, event: Answered) -> None:
        """Tell what somebody said to a suggestion."""
        person, other = PersonId(event.person_id), PersonId(event.other_id)
        if await self.relationships.knows(person, other):
            await self.matching.record_answer(person, other, event.yes, event.at)

    async def on_moved(self, event: Moved) -> None:
        """Tell who has met."""
        first, second = event.people
        if event.state != "met" or first is None or second is None:
            return
        if await self.relationships.knows(PersonId(first), PersonId(second)):
            await self.matching.record_meeting(PersonId(first), PersonId(second))

    async def on_blocked(self, event: Blocked) -> None:
        """Have two people kept apart, without telling who wanted it."""
        first, second = (PersonId(person) for person in event.people)
        if second in await self.relationships.blocked_with(first):
            await self.matching.keep_apart(first, second)

    async def on_unblocked(self, event: Unblocked) -> None:
        """Keep two people apart no longer, unless there is a block of the other's."""
        first, second = (PersonId(person) for person in event.people)
        if second not in await self.relationships.blocked_with(first):
            await self.matching.keep_apart_no_longer(first, second)
