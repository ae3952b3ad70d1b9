"""Relationships on a real database, with a clock that tests set."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from soullink.gateways.postgres.database import Database
from soullink.gateways.postgres.outbox import Relay
from soullink.kernel.ids import PersonId
from soullink.modules.identity import wiring as identity
from soullink.modules.identity.api import Consents
from soullink.modules.relationships import wiring
from soullink.modules.relationships.api import Archive, Feedback, RelationshipId, Relationships
from soullink.modules.relationships.wiring import Built

ADA, BEN, CHEN = PersonId("ada"), PersonId("ben"), PersonId("chen")


def names_ada(found: object) -> bool:
    """Tell whether ada is in it as a word: drawn ids may hold these letters too."""
    return re.search(r"\bada\b", str(found)) is not None


@dataclass
class Clock:
    """Each look is a second later than the last."""

    time: datetime = field(default=datetime(2026, 1, 5, 8, tzinfo=UTC))

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time

    def pass_days(self, days: float) -> None:
        self.time += timedelta(days=days)


@dataclass
class House:
    """Everything that a test of this module works with."""

    database: Database
    clock: Clock
    consents: Consents
    built: Built
    relay: Relay

    @property
    def relationships(self) -> Relationships:
        return self.built.relationships

    @property
    def archive(self) -> Archive:
        return self.built.archive

    @property
    def feedback(self) -> Feedback:
        return self.built.feedback

    async def agree(self, *people: PersonId) -> None:
        for person in people:
            await self.consents.grant(person, "matching")

    async def couple(
        self, *states: str, people: tuple[PersonId, PersonId] = (ADA, BEN)
    ) -> RelationshipId:
        """Propose two people to each other, and take them through `states` together."""
        await self.agree(*people)
        found = await self.relationships.propose(*people)
        for state in states:
            for person in people:
                await self.relationships.move(found.id, person, state)  # type: ignore[arg-type]
        return found.id


@pytest.fixture
def house(database: Database) -> House:
    clock = Clock()
    consents = identity.build(database, clock)
    built = wiring.build(database, clock, consents)
    return House(database, clock, consents, built, Relay(database, clock, built.subscriptions))
