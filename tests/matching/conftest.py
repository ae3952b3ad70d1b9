"""What tests of matching share: a still clock, members, and matching over them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from soullink.gateways.embeddings.builtin import BuiltinEmbedder
from soullink.gateways.embeddings.port import Rows
from soullink.gateways.embeddings.remembering import RememberingEmbedder
from soullink.gateways.embeddings.store import PostgresEmbeddings
from soullink.gateways.postgres.database import Database
from soullink.kernel.errors import UnavailableError
from soullink.kernel.ids import PersonId
from soullink.modules.matching.api import Challenges, Matching, RecommendSettings
from soullink.modules.matching.challenges import StoredChallenges
from soullink.modules.matching.crowd import Crowd
from soullink.modules.matching.people import StoredPeople
from soullink.modules.matching.service import PoolMatching
from soullink.modules.profiles.api import Members, Profile
from soullink.modules.profiles.wiring import build, build_members
from tests.matching.people import SmallModel

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


class StillClock:
    def now(self) -> datetime:
        return NOW


@dataclass
class Agreed:
    """Everybody agrees to be matched but for `refuse`; to be simulated only `simulated`."""

    refuse: set[str] = field(default_factory=set)
    simulated: set[str] = field(default_factory=set)

    async def holders(self, people: Collection[PersonId], purpose: str) -> frozenset[PersonId]:
        if purpose == "matching":
            return frozenset(p for p in people if p not in self.refuse)
        return frozenset(p for p in people if p in self.simulated)


class BrokenTexts:
    """Texts whose embedder does not answer; it forgets all the same."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    async def embed_all(self, _texts: Any) -> dict[str, Rows]:
        raise UnavailableError("The embedder does not answer.")

    async def forget(self, owner: str) -> int:
        self.forgotten.append(owner)
        return 0


@dataclass
class World:
    """Members and matching over them."""

    members: Members
    matching: Matching
    challenges: Challenges
    agreed: Agreed
    crowd: Crowd
    database: Database

    async def join(self, *documents: dict[str, Any]) -> list[Profile]:
        people = []
        for document in documents:
            person = build(StillClock()).from_document(document, "test")
            await self.members.join(person)
            await self.matching.member_changed(person.id)
            people.append(person)
        return people

    async def names(self, person: str, **settings: Any) -> list[str]:
        made = await self.matching.recommend(PersonId(person), RecommendSettings(**settings))
        return [one.person for one in made.suggestions]


@pytest.fixture
def opening(database) -> Callable[..., World]:
    """Open matching over the members of the test's database, as often as one likes."""

    def opened(**parts: Any) -> World:
        clock, agreed = StillClock(), parts.get("agreed") or Agreed()
        members = build_members(database, clock)
        texts = RememberingEmbedder(BuiltinEmbedder(), PostgresEmbeddings(database))
        crowd = Crowd(
            StoredPeople(database, members, clock, agreed),
            lambda: parts.get("interest", SmallModel()),
            parts.get("texts", texts),
            build(clock).cell_of,
            NOW.date,
        )
        matching = PoolMatching(crowd, clock, database, parts.get("lives"), agreed)
        challenges = StoredChallenges(database, members, clock, matching.member_changed)
        return World(members, matching, challenges, agreed, crowd, database)

    return opened


@pytest.fixture
def world(opening) -> World:
    return opening()


def person(name: str, gender: str = "woman", seeks: str = "man", **more: Any) -> dict[str, Any]:
    """Return a document of somebody in Rotterdam who speaks English."""
    return {
        "name": name,
        "age": 30,
        "city": "Rotterdam",
        "languages": ["English"],
        "gender": gender,
        "interested_in": [seeks],
        **more,
    }


def people(count: int, gender: str, seeks: str) -> Sequence[dict[str, Any]]:
    return [person(f"{gender[0]}{k}", gender, seeks, age=25 + k) for k in range(count)]
