"""What happens here when something happened elsewhere."""

from dataclasses import dataclass

from soullink.kernel.ids import PersonId
from soullink.modules.identity.api import ConsentWithdrawn
from soullink.modules.profiles.api import PersonForgotten
from soullink.modules.relationships.api import Feedback, Relationships


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
