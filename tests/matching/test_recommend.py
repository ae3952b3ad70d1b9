"""Lists for members: who is on them, who is not, what is logged, and what happens without parts."""

import numpy as np
import pytest

from soullink.kernel.errors import UnavailableError
from soullink.kernel.ids import PersonId
from soullink.modules.matching.api import (
    InvalidMatchingError,
    PersonNotMatchedError,
    PersonPausedError,
    RecommendSettings,
)
from soullink.modules.matching.domain.selection import diverse, explored
from tests.matching.conftest import NOW, BrokenTexts, people, person

pytestmark = pytest.mark.anyio
ADA = PersonId("ada")


async def test_those_who_fit_both_ways_are_suggested_the_nearest_ages_first(world) -> None:
    await world.join(
        person("Ada", age=30, looking_for={"age_from": 27, "age_to": 40}),
        person("Ben", "man", "woman", age=31),
        person("Cas", "man", "woman", age=38),
        person("Dov", "man", "woman", age=26),
        person("Eli", "man", "man", age=30),
        person("Fay", "woman", "woman", age=30),
    )
    made = await world.matching.recommend(ADA)
    assert [(one.rank, one.person, one.name) for one in made.suggestions] == [
        (1, "ben", "Ben"),
        (2, "cas", "Cas"),
    ]
    assert made.candidates == 2
    assert made.degraded == {}
    assert made.suggestions[0].distance_km == 0


async def test_what_was_shown_is_logged_with_its_chance(world) -> None:
    await world.join(person("Ada"), *people(4, "man", "woman"))
    made = await world.matching.recommend(ADA, RecommendSettings(top=3))
    logged = await world.matching.exposures(ADA)
    assert [(one.shown, one.place) for one in reversed(logged)] == [
        (one.person, one.rank) for one in made.suggestions
    ]
    assert {one.propensity for one in logged} == {1.0}
    assert {one.list_id for one in logged} == {made.list_id}
    assert {one.shown_at for one in logged} == {NOW}


async def test_exploring_shows_others_and_says_so(world) -> None:
    await world.join(person("Ada"), *people(14, "man", "woman"))
    best = await world.names("ada", top=2)
    explorers = [
        await world.matching.recommend(ADA, RecommendSettings(top=2, explore=0.5, seed=seed))
        for seed in range(12)
    ]
    shown = [one for made in explorers for one in made.suggestions if one.explored]
    assert shown
    assert not {one.person for one in shown} & set(best)
    assert all(one.explanation.reasons[0].code == "shown_to_learn" for one in shown)
    logged = [one for one in await world.matching.exposures(ADA) if one.explored]
    assert {round(one.propensity, 6) for one in logged} == {0.05}


async def test_every_list_explores_anew_unless_a_seed_is_given(world) -> None:
    await world.join(person("Ada"), *people(24, "man", "woman"))
    assert len({tuple(await world.names("ada", top=4, explore=0.5)) for _ in range(6)}) > 1
    same = {tuple(await world.names("ada", top=4, explore=0.5, seed=3)) for _ in range(3)}
    assert len(same) == 1


def test_propensities_are_the_frequencies() -> None:
    order, generator = list(range(40)), np.random.default_rng(4)
    counts = np.zeros((5, 40))
    for _ in range(20_000):
        for place, found in enumerate(explored(order, 5, 0.3, generator)):
            counts[place, found.candidate] += 1
            assert found.propensity == pytest.approx(0.3 / 25 if found.explored else 0.7)
            assert found.explored == (found.candidate >= 5)
    shares = counts / 20_000
    assert np.allclose(np.diag(shares[:, :5]), 0.7, atol=0.02)
    assert np.allclose(shares[:, 5:30], 0.012, atol=0.005)
    assert not shares[:, 30:].any()


def test_a_short_list_is_not_explored() -> None:
    places = explored([3, 1, 2], 3, 0.5, np.random.default_rng(0))
    assert [(p.candidate, p.propensity, p.explored) for p in places] == [
        (3, 1.0, False),
        (1, 1.0, False),
        (2, 1.0, False),
    ]


def test_diversity_puts_the_like_apart() -> None:
    texts = np.zeros((3, 64), dtype=np.int8)
    texts[:2, 0], texts[2, 1] = 127, 127
    scores = np.array([0.0, -0.1, -0.2])
    assert diverse(scores, texts, 0.0) == [0, 1, 2]
    assert diverse(scores, texts, 0.5) == [0, 2, 1]


async def test_blocks_meetings_and_pauses_take_people_off(world) -> None:
    await world.join(person("Ada"), *people(4, "man", "woman"))
    assert set(await world.names("ada")) == {"m0", "m1", "m2", "m3"}
    await world.matching.block(ADA, PersonId("m0"))
    await world.matching.block(PersonId("m1"), ADA)
    await world.matching.record_meeting(PersonId("m2"), ADA)
    assert await world.names("ada") == ["m3"]
    assert "ada" not in await world.names("m1")
    await world.members.pause(PersonId("m3"))
    assert await world.names("ada") == []
    with pytest.raises(PersonPausedError, match="'m3'"):
        await world.matching.recommend(PersonId("m3"))
    await world.members.resume(PersonId("m3"))
    await world.matching.member_changed(PersonId("m3"))
    await world.matching.unblock(ADA, PersonId("m0"))
    await world.matching.unblock(ADA, PersonId("m1"))  # it is not Ada's to take back
    assert set(await world.names("ada")) == {"m0", "m3"}
    for _ in range(2):
        await world.matching.keep_apart(ADA, PersonId("m0"))
    assert await world.names("ada") == ["m3"]
    assert "ada" not in await world.names("m0")
    await world.matching.block(PersonId("m0"), ADA)
    await world.matching.keep_apart_no_longer(PersonId("m0"), ADA)
    assert await world.names("ada") == ["m3"]  # a block of one's own stays
    await world.matching.unblock(PersonId("m0"), ADA)
    assert set(await world.names("ada")) == {"m0", "m3"}


async def test_who_does_not_agree_to_be_matched_is_not(world) -> None:
    await world.join(person("Ada"), *people(2, "man", "woman"))
    world.agreed.refuse.add("m0")
    assert await world.names("ada") == ["m1"]
    with pytest.raises(PersonPausedError, match="agree"):
        await world.matching.recommend(PersonId("m0"))


async def test_a_change_made_by_another_process_is_seen(world, opening) -> None:
    await world.join(person("Ada"), *people(3, "man", "woman"))
    other = opening()
    assert len(await world.names("ada")) == 3
    await other.join(person("m0", "man", "man"))
    await other.members.forget(PersonId("m1"))
    assert await world.names("ada") == ["m2"]


async def test_somebody_shown_often_enough_gives_way(world) -> None:
    await world.join(person("Ada"), *people(3, "man", "woman"))
    first = await world.names("ada", top=1)
    assert await world.names("ada", top=1, exposure_limit=1) != first
    await world.matching.refresh()
    assert first[0] not in await world.names("ada", top=3, exposure_limit=1)


async def test_answers_move_the_order(world) -> None:
    await world.join(person("Ada"), *people(2, "man", "woman"), *people(9, "woman", "man"))
    before = await world.names("ada")
    for k in range(9):
        await world.matching.record_answer(PersonId(f"w{k}"), PersonId(before[1]), True, NOW)
        await world.matching.record_answer(PersonId(f"w{k}"), PersonId(before[0]), False, NOW)
    assert await world.names("ada") == before[::-1]


async def test_strangers_and_settings_out_of_range_are_told(world) -> None:
    await world.join(person("Ada"))
    with pytest.raises(PersonNotMatchedError, match="'zoe'"):
        await world.matching.recommend(PersonId("zoe"))
    for wrong in ({"top": 0}, {"top": 999}, {"explore": 0.9}, {"diversity": -1}, {"screen": -1}):
        with pytest.raises(InvalidMatchingError):
            await world.matching.recommend(ADA, RecommendSettings(**wrong))


async def test_without_the_interest_model_the_list_says_so(opening) -> None:
    world = opening(interest=None)
    await world.join(person("Ada"), *people(3, "man", "woman"))
    made = await world.matching.recommend(ADA)
    assert len(made.suggestions) == 3
    assert made.degraded.keys() == {"no_interest_model"}
    sure = made.suggestions[0].explanation.sureness
    assert sure.rests_on == ("stated_preferences",)
    assert (sure.low, sure.high) == (0.0, 1.0)


async def test_without_text_vectors_the_list_says_so(opening) -> None:
    texts = BrokenTexts()
    world = opening(texts=texts)
    await world.join(person("Ada", interests=["chess"]), *people(2, "man", "woman"))
    made = await world.matching.recommend(ADA, RecommendSettings(language="zh"))
    assert len(made.suggestions) == 2
    assert "文字" in made.degraded["no_text_vectors"]
    await world.matching.forget(PersonId("m0"))
    assert "m0" in texts.forgotten


class Lives:
    """The share that stays together, by id; or an error."""

    def __init__(self, shares: dict[str, float] | None) -> None:
        self.shares = shares
        self.asked: list[str] = []

    async def together(self, _one, others):
        if self.shares is None:
            raise UnavailableError("No engine.")
        self.asked += [person.id for person in others]
        return {person.id: self.shares[person.id] for person in others}


async def test_the_head_is_reordered_only_among_those_who_agreed(opening) -> None:
    lives = Lives({"m0": 0.2, "m1": 0.9, "m2": 0.6})
    world = opening(lives=lives)
    await world.join(person("Ada", age=25), *people(4, "man", "woman"))
    assert await world.names("ada") == ["m0", "m1", "m2", "m3"]
    made = await world.matching.recommend(ADA, RecommendSettings(screen=3))
    assert [one.person for one in made.suggestions] == ["m0", "m1", "m2", "m3"]
    assert made.degraded.keys() == {"no_screening_consent"}
    assert lives.asked == []
    world.agreed.simulated |= {"ada", "m0", "m2"}
    made = await world.matching.recommend(ADA, RecommendSettings(screen=3))
    assert [one.person for one in made.suggestions] == ["m2", "m1", "m0", "m3"]
    assert set(lives.asked) == {"m0", "m2"}
    bases = {one.person: one.explanation.sureness.rests_on for one in made.suggestions}
    assert "simulated_interaction" in bases["m2"]
    assert "simulated_interaction" not in bases["m1"]


async def test_without_screening_the_list_says_so(opening) -> None:
    for lives in (None, Lives(None)):
        world = opening(lives=lives)
        await world.join(person("Ada"), *people(2, "man", "woman"))
        world.agreed.simulated |= {"ada", "m0", "m1"}
        made = await world.matching.recommend(ADA, RecommendSettings(screen=2))
        assert len(made.suggestions) == 2
        assert made.degraded.keys() == {"no_screening"}


async def test_nothing_is_logged_when_the_log_fails(world, monkeypatch) -> None:
    await world.join(person("Ada"), *people(1, "man", "woman"))
    await world.matching.refresh()

    async def fail(*_given):
        raise UnavailableError("The database is away.")

    monkeypatch.setattr("soullink.modules.matching.people.StoredPeople.expose", fail)
    with pytest.raises(UnavailableError):
        await world.matching.recommend(ADA)
    monkeypatch.undo()
    assert await world.matching.exposures(ADA) == []
