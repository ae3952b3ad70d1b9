""" "This is wrong about me": out of matching at once, until it is settled."""

import asyncio
from uuid import uuid4

import pytest

from soullink.kernel.ids import PersonId
from soullink.modules.matching.api import (
    ChallengeNotFoundError,
    ChallengeResolvedError,
    InvalidMatchingError,
    PersonNotMatchedError,
)
from tests.matching.conftest import NOW, people, person

pytestmark = pytest.mark.anyio
ADA, BEN = PersonId("ada"), PersonId("ben")


async def _two(world) -> None:
    await world.join(
        person("Ada", looking_for={"smoking": ["never"]}),
        person("Ben", "man", "woman", smoking="often"),
    )


async def test_a_challenged_answer_counts_no_more_until_it_is_dismissed(world) -> None:
    await _two(world)
    assert await world.names("ada") == []
    made = await world.challenges.challenge(BEN, "smoking", " I stopped years ago. ", ADA)
    assert (made.state, made.text, made.match, made.made_at) == (
        "open", "I stopped years ago.", ADA, NOW,
    )  # fmt: skip
    assert await world.names("ada") == ["ben"]
    settled = await world.challenges.resolve(made.id, upheld=False, answer="You said so.", by="me")
    assert (settled.state, settled.answer, settled.resolved_by) == (
        "dismissed",
        "You said so.",
        "me",
    )
    assert await world.names("ada") == []


async def test_an_upheld_one_holds_until_the_profile_changes(world) -> None:
    await _two(world)
    made = await world.challenges.challenge(BEN, "smoking", "No.")
    await world.challenges.resolve(made.id, upheld=True, answer="Right.")
    assert await world.names("ada") == ["ben"]
    await world.join(person("Ben", "man", "woman", smoking="sometimes"))
    assert await world.names("ada") == []


async def test_what_somebody_wants_stays_theirs(world) -> None:
    await _two(world)
    await world.challenges.challenge(ADA, "smoking", "I never smoked.")
    assert await world.names("ada") == []


async def test_a_history_can_be_called_wrong(world) -> None:
    await world.join(person("Ada"), *people(2, "man", "woman"), *people(9, "woman", "man"))
    first, second = await world.names("ada")
    for k in range(9):
        await world.matching.record_answer(PersonId(f"w{k}"), PersonId(first), False, NOW)
        await world.matching.record_answer(PersonId(f"w{k}"), PersonId(second), True, NOW)
    assert await world.names("ada") == [second, first]
    for one in (first, second):
        await world.challenges.challenge(PersonId(one), "history", "Somebody used my account.")
    assert await world.names("ada") == [first, second]


async def test_the_same_field_again_is_the_open_one(world) -> None:
    await _two(world)
    made = await asyncio.gather(
        *(world.challenges.challenge(BEN, "age", f"Wrong {k}.") for k in range(4))
    )
    assert len({one.id for one in made}) == 1
    assert len(await world.challenges.list_challenges(BEN)) == 1
    await world.challenges.resolve(made[0].id, upheld=True, answer="Yes.")
    again = await world.challenges.challenge(BEN, "age", "Still wrong.")
    assert again.id != made[0].id
    assert [one.id for one in await world.challenges.list_challenges(state="open")] == [again.id]


async def test_what_cannot_be_challenged_is_told(world) -> None:
    await _two(world)
    with pytest.raises(InvalidMatchingError, match="one of age, gender"):
        await world.challenges.challenge(BEN, "charm", "No.")
    for text in (" ", "x" * 2_001):
        with pytest.raises(InvalidMatchingError, match="1 to 2,000"):
            await world.challenges.challenge(BEN, "age", text)
    with pytest.raises(PersonNotMatchedError, match="'zoe'"):
        await world.challenges.challenge(PersonId("zoe"), "age", "No.")
    with pytest.raises(ChallengeNotFoundError):
        await world.challenges.resolve(uuid4(), upheld=True, answer="")
    made = await world.challenges.challenge(BEN, "age", "No.")
    await world.challenges.resolve(made.id, upheld=True, answer="")
    with pytest.raises(ChallengeResolvedError, match="upheld already"):
        await world.challenges.resolve(made.id, upheld=False, answer="")
