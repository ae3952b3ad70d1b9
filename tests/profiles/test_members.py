"""Members: kept, paused, forgotten, and what is published of it."""

import asyncio

import psycopg
import pytest

from soullink.kernel.ids import PersonId
from soullink.modules.profiles.api import PersonNotFoundError
from soullink.modules.profiles.wiring import build_members
from tests.profiles.conftest import StillClock

pytestmark = pytest.mark.anyio
ADA = PersonId("ada")


@pytest.fixture
def members(database):
    return build_members(database, StillClock())


def _published(url: str) -> list[tuple[str, str]]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT name, payload->>'person_id' FROM outbox ORDER BY id")
        return [(name, person) for name, person in rows]


async def test_a_member_comes_back_as_it_was(members, profiles, database_url) -> None:
    person = profiles.from_document(
        {"name": "Ada", "city": "Rotterdam", "has_children": False, "secrets": ["x"]}, "page"
    )
    member = await members.join(person)
    assert (member.profile, member.state, member.revision) == (person, "active", 1)
    assert await members.get(ADA) == member
    assert await members.count() == 1
    assert [one async for one in members.all()] == [member]
    assert _published(database_url) == [("profiles.person_joined.v1", "ada")]


async def test_the_same_again_changes_nothing(members, profiles, database_url) -> None:
    person = profiles.from_document({"name": "Ada"}, "page")
    await members.join(person)
    assert (await members.join(person)).revision == 1
    changed = await members.join(profiles.from_document({"name": "Ada", "age": 30}, "page"))
    assert (changed.revision, changed.profile.age) == (2, 30)
    assert [name for name, _ in _published(database_url)] == [
        "profiles.person_joined.v1",
        "profiles.person_changed.v1",
    ]


async def test_two_joins_at_once_make_one_member(members, profiles) -> None:
    person = profiles.from_document({"name": "Ada"}, "page")
    await asyncio.gather(*(members.join(person) for _ in range(5)))
    assert await members.count() == 1
    assert (await members.get(ADA)).revision == 1


async def test_a_pause_ends_with_resume_or_joining(members, profiles) -> None:
    person = profiles.from_document({"name": "Ada"}, "page")
    await members.join(person)
    assert (await members.pause(ADA)).state == "paused"
    assert (await members.pause(ADA)).revision == 2
    assert (await members.resume(ADA)).state == "active"
    await members.pause(ADA)
    assert (await members.join(person)).state == "active"


async def test_forgetting_leaves_nothing_and_tells_others(members, profiles, database_url) -> None:
    await members.join(profiles.from_document({"name": "Ada"}, "page"))
    assert await members.forget(ADA) is True
    assert await members.forget(ADA) is False
    assert await members.find(ADA) is None
    assert await members.count() == 0
    assert [name for name, _ in _published(database_url)][1:] == [
        "profiles.person_forgotten.v1"
    ] * 2


async def test_strangers_are_not_found(members) -> None:
    for call in (members.get, members.pause, members.resume):
        with pytest.raises(PersonNotFoundError, match="'ada'"):
            await call(ADA)


async def test_pages_are_walked_in_order(members, profiles, monkeypatch) -> None:
    monkeypatch.setattr("soullink.modules.profiles.members._PAGE", 2)
    for number in range(5):
        await members.join(profiles.from_document({"name": f"P{number}"}, "page"))
    assert [m.profile.id async for m in members.all()] == ["p0", "p1", "p2", "p3", "p4"]
    some = await members.several([PersonId("p3"), PersonId("p1"), PersonId("p9")])
    assert [member.profile.id for member in some] == ["p1", "p3"]
