"""Builds the module."""

from collections.abc import Sequence
from dataclasses import dataclass

from soullink.gateways.postgres.database import Database
from soullink.gateways.postgres.outbox import Subscription, subscription
from soullink.kernel.clock import Clock
from soullink.modules.identity.api import Consents, ConsentWithdrawn
from soullink.modules.matching.api import Matching
from soullink.modules.profiles.api import PersonForgotten
from soullink.modules.relationships.api import (
    Answered,
    Archive,
    Blocked,
    Feedback,
    Moved,
    Relationships,
    Unblocked,
)
from soullink.modules.relationships.archive import StoredArchive
from soullink.modules.relationships.feedback import StoredFeedback
from soullink.modules.relationships.handlers import MatchingHandlers, RelationshipHandlers
from soullink.modules.relationships.service import StoredRelationships


@dataclass(frozen=True, slots=True)
class Built:
    """The module's parts, and the events that it wants."""

    relationships: Relationships
    archive: Archive
    feedback: Feedback
    subscriptions: Sequence[Subscription]


def build(
    database: Database, clock: Clock, consents: Consents, matching: Matching | None = None
) -> Built:
    """Return the module over `database`. matching: learns what came of its suggestions."""
    feedback = StoredFeedback(database, clock, consents)
    relationships = StoredRelationships(database, clock, consents, feedback)
    handlers = RelationshipHandlers(relationships, feedback)
    wanted = [
        subscription(PersonForgotten, "relationships.forget", handlers.on_person_forgotten),
        subscription(
            ConsentWithdrawn, "relationships.erase_feedback", handlers.on_consent_withdrawn
        ),
    ]
    if matching is not None:
        told = MatchingHandlers(relationships, matching)
        wanted += [
            subscription(Answered, "relationships.tell_answer", told.on_answered),
            subscription(Moved, "relationships.tell_meeting", told.on_moved),
            subscription(Blocked, "relationships.tell_block", told.on_blocked),
            subscription(Unblocked, "relationships.tell_unblock", told.on_unblocked),
        ]
    return Built(relationships, StoredArchive(database, clock), feedback, wanted)
