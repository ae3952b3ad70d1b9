"""What other modules are told, and what is done when they tell something; through the relay."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import pytest

from soullink.gateways.postgres.database import Database
from soullink.gateways.postgres.outbox import Relay
from soullink.kernel.ids import PersonId
from soullink.modules.identity import wiring as identity
from soullink.modules.matching.api import Matching
from soullink.modules.profiles.api import Profile
from soullink.modules.profiles.wiring import build_members
from soullink.modules.relationships import wiring
from tests.relationships.conftest import ADA, BEN, Clock, House

pytestmark = pytest.mark.anyio


@dataclass
class Heard:
    """What matching is told, in order."""

    said: list[tuple[object, ...]] = field(default_factory=list)

    async def record_answer(
        self, person: PersonId, other: PersonId, yes: bool, at: datetime
    ) -> None:
        assert at.tzinfo is not None
        self.said.append(("answer", person, other, yes))

    async def record_meeting(self, first: PersonId, second: PersonId) -> None:
        self.said.append(("met", first, second))

    async def keep_apart(self, first: PersonId, second: PersonId) -> None:
        self.said.append(("apart", first, second))

    async def keep_apart_no_longer(self, first: PersonId, second: PersonId) -> None:
        self.said.append(("apart no longer", first, second))


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def told(database: Database, heard: Heard) -> House:
    """The module with a matching that listens."""
    clock = Clock()
    consents = identity.build(database, clock)
    built = wiring.build(database, clock, consents, cast("Matching", heard))
    return House(database, clock, consents, built, Relay(database, clock, built.subscriptions))


async def test_matching_learns_of_answers_meetings_and_blocks(told: House, heard: Heard) -> None:
    found = await told.couple()
    await told.relationships.move(found, ADA, "accepted")
    await told.relationships.move(found, BEN, "accepted")
    await told.relationships.move(found, BEN, "met")
    await told.relationships.block(BEN, ADA)
    await told.relay.drain()
    assert heard.said == [
        ("answer", ADA, BEN, True),
        ("answer", BEN, ADA, True),
        ("met", ADA, BEN),
        ("apart", ADA, BEN),  # sorted, so that it does not show who wanted it
    ]


async def test_matching_keeps_two_apart_until_neither_blocks(told: House, heard: Heard) -> None:
    await told.relationships.block(BEN, ADA)
    await told.relationships.block(ADA, BEN)
    await told.relay.drain()
    await told.relationships.unblock(BEN, ADA)
    await told.relay.drain()
    assert set(heard.said) == {("apart", ADA, BEN)}
    await told.relationships.unblock(ADA, BEN)
    await told.relay.drain()
    assert heard.said[-1] == ("apart no longer", ADA, BEN)
    # What was taken back before anybody heard of it changes nothing in the end.
    await told.relationships.block(BEN, ADA)
    await told.relationships.unblock(BEN, ADA)
    await told.relay.drain()
    assert heard.said[-1] == ("apart no longer", ADA, BEN)


async def test_matching_learns_of_a_no_and_the_other_does_not(told: House, heard: Heard) -> None:
    found = await told.couple()
    await told.relationships.move(found, BEN, "declined")
    await told.relay.drain()
    assert heard.said == [("answer", BEN, ADA, False)]
    assert (await told.relationships.view(found, ADA)).state == "proposed"


async def test_nothing_is_told_of_somebody_who_was_forgotten_before_it_was_delivered(
    told: House, heard: Heard
) -> None:
    found = await told.couple("accepted")
    await told.relationships.move(found, ADA, "met")
    await told.relationships.block(ADA, BEN)
    await told.relationships.forget(ADA)
    done = await told.relay.drain()
    assert (done.failed, heard.said) == (0, [])


async def test_a_deleted_profile_takes_relationships_along_however_often_it_is_told(
    house: House, database: Database
) -> None:
    members = build_members(database, house.clock)
    await members.join(Profile(id=ADA, name="Ada"))
    found = await house.couple("accepted", "met")
    await house.relay.drain()
    for _ in range(3):
        await members.forget(ADA)
        await house.relay.drain()
    view = await house.relationships.view(found, BEN)
    assert (view.other, view.state) == (None, "ended")
    steps = [(e.kind, e.state) for e in await house.relationships.timeline(found, BEN)]
    assert steps[-1] == ("state", "ended")
    assert len(steps) == len(set(steps))


async def test_an_event_delivered_again_changes_nothing(house: House, heard: Heard) -> None:
    await house.couple("accepted")
    await house.consents.grant(ADA, "training")
    await house.feedback.export(lambda _: None)
    await house.consents.withdraw(ADA, "training")
    subscriptions = {one.handler: one for one in house.built.subscriptions}
    payload: dict[str, Any] = {
        "person_id": "ada",
        "purpose": "training",
        "withdrawn_at": house.clock.now().isoformat(),
    }
    for _ in range(3):
        await subscriptions["relationships.erase_feedback"].handle(payload)
    assert len(await house.feedback.erasures()) == 1
    assert heard.said == []
