"""What each side is told: right, in both languages, and nothing private of the other."""

import json
import re
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from soullink.kernel.ids import PersonId
from soullink.kernel.language import LANGUAGES
from soullink.modules.matching.api import RecommendSettings
from soullink.modules.matching.domain import wording
from soullink.modules.matching.domain.explanation import strength
from soullink.modules.matching.domain.interest.model import Chance, Contribution, Part
from soullink.modules.matching.views import Pairing, told
from tests.matching.conftest import NOW, people, person

pytestmark = pytest.mark.anyio
ADA, BEN = PersonId("ada"), PersonId("ben")

PRIVATE = {
    "secrets": ["CANARY-SECRET he writes poems"],
    "deal_breakers": ["CANARY-DEALBREAKER people who are late"],
    "essays": {"CANARY-TITLE": "CANARY-ESSAY I grow tomatoes."},
    "wants": {"goal": "casual", "children": "open", "text": "CANARY-WANTS"},
    "occupation": "CANARY-JOB",
    "pronouns": "CANARY-PRONOUNS",
    "source_id": "CANARY-SOURCE",
    "traits": {"percentiles": {"neuroticism": 97.53, "anger": 91.37}},
    "attachment": {"anxiety": 6.73},
    "values": {"power": 5.71},
    "religion": "taoist",
    "drinking": "often",
    "has_children": True,
    "looking_for": {
        "age_from": 23,
        "age_to": 61,
        "distance_km": 777,
        "languages": ["English", "Yiddish"],
        "deal_breakers": ["smoking"],
        "importance": {"age": "essential"},
    },
}
SECRETIVE = ("CANARY", "97.5", "91.3", "6.73", "5.71", "taoist", "777", "Yiddish", "61", "casual")


async def _both(world, language=None):
    ben = person("Ben", "man", "woman", interests=["Chess", "rowing"], **PRIVATE)
    await world.join(person("Ada", smoking="never", interests=["chess"]), ben)
    return await world.matching.pair(ADA, BEN, language)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_nothing_private_of_the_other_is_told(world, language) -> None:
    view = await _both(world, language)
    assert view.may_meet
    to_ada = msgspec.json.encode(view.explanations[ADA]).decode()
    for word in SECRETIVE:
        assert word not in to_ada, word
    made = await world.matching.recommend(ADA, RecommendSettings(language=language))
    listed = json.dumps(msgspec.to_builtins(made), ensure_ascii=False)
    listed = listed.replace(str(made.list_id), "")  # drawn, and may hold any two digits
    for word in SECRETIVE:
        assert word not in listed, word


async def test_a_refusal_tells_only_of_what_the_other_shows_openly(world) -> None:
    await world.join(
        person("Ada", smoking="never", looking_for={"drinking": ["never"]}),
        person("Ben", "man", "woman", **PRIVATE),
    )
    view = await world.matching.pair(ADA, BEN, "en")
    assert not view.may_meet
    assert view.explanations == {}
    assert view.refusals[ADA] == (wording.REFUSALS["other"]["en"],)
    assert view.refusals[BEN] == (wording.REFUSALS["other"]["en"],)


async def test_a_block_is_not_told_from_any_other_reason(world) -> None:
    await world.join(person("Ada"), person("Ben", "man", "woman"))
    await world.matching.block(BEN, ADA)
    view = await world.matching.pair(ADA, BEN, "en")
    assert view.refusals[ADA] == view.refusals[BEN] == (wording.REFUSALS["other"]["en"],)


async def test_age_and_place_are_named_to_whom_asked_for_them(world) -> None:
    await world.join(
        person("Ada", looking_for={"age_from": 35, "distance_km": 50}),
        person("Ben", "man", "woman", city="Leeds"),
    )
    view = await world.matching.pair(ADA, BEN, "en")
    assert view.refusals[ADA] == (
        "Ben's age lies outside the ages you gave.",
        "Ben lives farther away than you want.",
    )
    assert view.refusals[BEN] == (wording.REFUSALS["other"]["en"],)


async def test_each_side_reads_its_own_wishes(world) -> None:
    view = await _both(world, "en")
    reasons = {one.code: one for one in view.explanations[ADA].reasons}
    assert reasons["meets_your_wishes"].text == (
        "Ben fits what you asked for: whom you want to meet and languages."
    )
    assert reasons["you_meet_theirs"].whose == "theirs"
    assert reasons["shared_interests"].text.startswith("You both name chess.")
    assert reasons["near"].strength == "condition"
    to_ben = {one.code: one.text for one in view.explanations[BEN].reasons}
    assert "what you will not accept" in to_ben["meets_your_wishes"]
    changes = " ".join(view.explanations[ADA].would_change)
    assert "You have not said: what you look for" in changes
    assert "say so" in changes


async def test_chinese_readers_read_chinese(world) -> None:
    view = await _both(world, "zh")
    for explanation in view.explanations.values():
        for text in (
            *(one.text for one in explanation.reasons),
            explanation.sureness.text,
            *explanation.would_change,
        ):
            assert re.search(r"[\u4e00-\u9fff]", text)
            assert "{" not in text


class Learned:
    """A model with parts of every kind; what it says of pairs is fixed."""

    def __init__(self, other: float) -> None:
        self.other = other

    def contributions(self, *_given):
        def part(name: str, whose: str, value: float, known: float = 1.0) -> Contribution:
            return Contribution(Part(name, whose), np.array([value]), np.array([known]))

        return {
            "choosiness": part("choosiness", "decider", -0.6),
            "own_answers": part("own_answers", "decider", 0.1),
            "popularity": part("popularity", "other", self.other),
            "their_answers": part("their_answers", "other", 0.3),
            "age_gap": part("age_gap", "both", -0.25),
            "goal_same": part("goal_same", "both", -0.4),
            "interests_alike": part("interests_alike", "both", 0.04),
            "attractive_wish": part("attractive_wish", "both", 0.9, 0.0),
        }

    def chance(self, *_given):
        return Chance(np.array([0.412]), np.array([0.287]), np.array([0.561]))


async def _learned(world, monkeypatch, other: float):
    monkeypatch.setattr("soullink.modules.matching.views.InterestModel", Learned)
    await world.join(person("Ada"), person("Ben", "man", "woman"))
    found = await world.crowd.source.several([ADA, BEN])
    monkeypatch.setattr(world.crowd, "interest", Learned(other))
    monkeypatch.setattr(world.crowd, "learned", True)
    return told(world.crowd, found[ADA], found[BEN], Pairing(np.nan, np.nan), "en")


async def test_parts_of_the_model_become_reasons_with_their_size_in_words(
    world, monkeypatch
) -> None:
    explanation = await _learned(world, monkeypatch, 1.5)
    reasons = {one.code: (one.strength, one.favours, one.whose) for one in explanation.reasons}
    assert reasons["your_choosiness"] == ("much", False, "yours")
    assert reasons["what_you_state"] == ("a_little", True, "yours")
    assert reasons["what_they_state"] == ("some", True, "theirs")
    assert reasons["age_apart"] == ("some", False, "both")
    assert reasons["between_you"] == ("a_trace", True, "both")
    assert "same_goal" not in reasons


async def test_the_range_is_coarse_and_says_what_it_rests_on(world, monkeypatch) -> None:
    sure = (await _learned(world, monkeypatch, 1.5)).sureness
    assert (sure.low, sure.middle, sure.high) == (0.3, 0.4, 0.55)
    assert sure.rests_on == ("stated_preferences", "learned_interest")
    assert "between 30 and 55 would want to see Ben again" in sure.text
    assert "not what you will feel" in sure.text


async def test_how_others_answered_the_other_is_not_among_the_reasons(world, monkeypatch) -> None:
    liked = await _learned(world, monkeypatch, 2.0)
    disliked = replace(await _learned(world, monkeypatch, -2.0))
    assert liked.reasons == disliked.reasons


def test_sizes_are_ordered() -> None:
    assert [strength(x) for x in (0.0, -0.1, 0.4, -0.9)] == ["a_trace", "a_little", "some", "much"]


async def test_names_with_braces_are_only_names(world) -> None:
    await world.join(person("Ada", id="ada"), person("B{other}{0}n", "man", "woman", id="ben"))
    view = await world.matching.pair(ADA, BEN, "en")
    assert "B{other}{0}n fits" in view.explanations[ADA].reasons[0].text


def test_every_sentence_is_there_in_both_languages_and_promises_nothing() -> None:
    tables = [
        getattr(wording, name)
        for name in dir(wording)
        if name.isupper() and isinstance(getattr(wording, name), dict)
    ]
    texts = [t for table in tables for t in (table.values() if "en" not in table else [table])]
    assert len(texts) > 50
    promises = re.compile(
        r"soul ?mate|perfect|destin|guarante|true love|you will (love|fall|be happy)|"
        r"made for each other|注定|完美|命中|一定会|保证|真爱",
        re.IGNORECASE,
    )
    for found in texts:
        assert set(found) == {"en", "zh"}
        slots = [sorted(re.findall(r"\{(\w+)\}", found[k])) for k in ("en", "zh")]
        assert slots[0] == slots[1]
        assert re.search(r"[\u4e00-\u9fff]", found["zh"])
        assert not re.search(r"[\u4e00-\u9fff]", found["en"])
        assert not promises.search(found["en"] + found["zh"])


async def test_a_list_is_explained_without_the_others_chance(world) -> None:
    """Two whom Ada would equally want, one of whom always says no: she reads the same of both."""
    await world.join(
        person("Ada"), person("Ben", "man", "woman"), person("Bob", "man", "woman"),
        *people(6, "woman", "man"),
    )  # fmt: skip
    for k in range(6):
        await world.matching.record_answer(BEN, PersonId(f"w{k}"), False, NOW)
    made = await world.matching.recommend(ADA)
    shown = {one.person: one.explanation for one in made.suggestions}

    def without_names(explanation) -> str:
        text = msgspec.json.encode(explanation).decode().lower()
        return text.replace("ben", "x").replace("bob", "x")

    assert without_names(shown[BEN]) == without_names(shown[PersonId("bob")])
