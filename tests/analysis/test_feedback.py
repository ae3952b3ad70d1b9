"""What is said to each person depends on what the data show."""

from dataclasses import replace

import numpy as np
import pytest

from soullink.modules.analysis.api import DIMENSIONS, Counterfactual, Dimension
from soullink.modules.analysis.domain import standing
from soullink.modules.analysis.domain.counts import of_replicas
from soullink.modules.analysis.domain.feedback import Sides, differences, feedback
from soullink.modules.analysis.domain.measures import PERSONAL
from soullink.modules.analysis.domain.wording.feedback import (
    DIMENSION_STEPS,
    FRICTIONS,
    NO_FRICTION,
    NO_STRENGTH,
    NO_STRENGTH_UNKNOWN,
    STEPS,
    STRENGTHS,
)
from soullink.modules.profiles.api import Wants
from soullink.modules.simulation.api import Turn
from tests.analysis import lived as scene


def sides(
    turns: tuple[Turn, ...] = (),
    changes: tuple[Counterfactual, ...] = (),
    wants: tuple[Wants, Wants] = (Wants("dating", "open"), Wants("dating", "open")),
    untold: tuple[tuple[str, ...], tuple[str, ...]] = ((), ()),
    **scores: tuple[float, float],
) -> Sides:
    every = {name: np.array(scores.get(name, (0.0, 0.0))) for name in PERSONAL}
    return Sides(("Ada", "Ben"), every, wants, untold, turns, changes)


def said(words: dict[str, dict[str, str]] | object, code: str, other: str) -> str:
    return words[code]["en"].format(other=other)  # type: ignore[index]


def test_what_stands_out_comes_first_and_at_most_three_times() -> None:
    found = feedback(
        0, sides(care=(0.5, 0), play=(2.0, 0), interest=(1.0, 0), stress=(-0.4, 0)), "en"
    )
    assert found.strengths == tuple(
        said(STRENGTHS, code, "Ben") for code in ("play", "interest", "care")
    )


def test_each_hears_their_own_side_of_a_chase() -> None:
    both = sides(chasing=(1.2, 0.0), pressing=(1.0, 0.0), distance=(0.0, 0.9))
    first, second = (feedback(person, both, "en") for person in (0, 1))
    assert first.frictions[0] == said(FRICTIONS, "chase", "Ben")
    assert second.frictions[0] == said(FRICTIONS, "chased", "Ada")
    assert said(FRICTIONS, "pressing", "Ben") not in first.frictions
    assert said(FRICTIONS, "distance", "Ada") not in second.frictions
    assert said(STEPS, "chased", "Ada") in second.steps


def test_there_is_a_step_for_every_dimension_that_they_can_work_on() -> None:
    assert set(DIMENSION_STEPS) == set(DIMENSIONS) - {"spark"}


def test_what_both_do_is_said_of_both() -> None:
    found = feedback(0, sides(harshness=(0.8, 0.6)), "en")
    assert found.frictions == (said(FRICTIONS, "harshness_both", "Ben"),)
    alone = feedback(0, sides(harshness=(0.8, 0.0)), "en")
    assert alone.frictions == (said(FRICTIONS, "harshness", "Ben"),)


def test_nothing_is_made_up_where_nothing_stands_out() -> None:
    found = feedback(1, sides(), "en")
    assert found.strengths == (NO_STRENGTH["en"],)
    assert found.frictions == (NO_FRICTION["en"],)
    assert len(found.steps) == 1
    silent = feedback(1, sides(untold=((), ("traits",))), "zh")
    assert silent.strengths == (NO_STRENGTH_UNKNOWN["zh"],)


def test_without_anything_of_their_own_the_pair_is_looked_at() -> None:
    def dimension(name: str, value: float, level: str) -> Dimension:
        return Dimension(name, name.title(), value, 30, 70, 50, level, "", "", ())

    both = (
        dimension("trust", 30, "unclear"),
        dimension("fun", 44.4, "mixed"),
        dimension("warmth", 71, "high"),
        dimension("spark", 90, "high"),
    )
    found = feedback(0, replace(sides(), dimensions=both), "en")
    assert "warmth has the most room (71 of 100)" in found.strengths[0]
    assert "fun has the least room (44 of 100)" in found.frictions[0]
    assert found.steps == (DIMENSION_STEPS["fun"]["en"],)


def test_an_intervention_becomes_a_step_only_when_it_is_clear_and_theirs() -> None:
    clear = Counterfactual("stay_0", "", 0, 0.12, 0.05, 0.19, 0.01)
    vague = Counterfactual("mend_0", "", 0, 0.05, -0.01, 0.11, 0.01)
    harmful = Counterfactual("open_0", "", 0, -0.1, -0.15, -0.05, 0.01)
    theirs = Counterfactual("soften_1", "", 1, 0.2, 0.1, 0.3, 0.01)
    found = feedback(0, sides(changes=(clear, vague, harmful, theirs)), "en")
    assert len(found.steps) == 1
    assert found.steps[0].startswith("Stay a little longer")
    assert "12 more in 100 replicas were still together (5 to 19)" in found.steps[0]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (Wants("marriage", "wants"), Wants("casual", "does_not_want"), ["goals", "children"]),
        (Wants("casual", None), Wants("long_term", None), ["goals"]),
        (Wants("unsure", "open"), Wants("marriage", "wants"), []),
        (Wants(), Wants("marriage", "wants"), []),
        (Wants("dating", "has_and_done"), Wants("dating", "has_and_wants_more"), ["children"]),
    ],
)
def test_what_they_want_is_compared(first: Wants, second: Wants, expected: list[str]) -> None:
    assert differences((first, second)) == expected
    assert differences((second, first)) == expected
    for person in (0, 1):
        found = feedback(person, sides(wants=(first, second)), "en")
        for code in expected:
            assert FRICTIONS[code]["en"] in found.frictions


def test_what_the_other_did_not_tell_becomes_a_question() -> None:
    found = feedback(0, sides(untold=((), ("goal",))), "en")
    assert len(found.steps) == 1
    assert found.steps[0].startswith("Ask Ben about what they look for")


def test_examples_are_turns_of_that_person() -> None:
    people = (
        scene.person("ada", scene.HOSTILE, scene.INSECURE),
        scene.person("ben", scene.HOSTILE, scene.INSECURE),
    )
    turns = scene.lived(people, count=1).course.turns
    found = feedback(1, sides(turns=turns, harshness=(0.0, 2.0)), "en")
    hostile = {
        f"(Episode {t.episode}, turn {t.sequence}.)"
        for t in turns
        if t.speaker == 1 and t.act in ("criticise", "belittle", "defend")
    }
    assert hostile
    assert any(found.frictions[0].endswith(place) for place in hostile)


def test_different_couples_hear_different_things() -> None:
    heard = []
    for traits, attachment in ((scene.KIND, scene.SECURE), (scene.HOSTILE, scene.INSECURE)):
        people = (scene.person("ada", traits, attachment), scene.person("ben", traits, attachment))
        replicas = scene.lived(people, count=150).replicas
        scores = standing.person_scores(of_replicas(replicas), replicas.scenarios)
        heard.append(feedback(0, sides(**{k: tuple(v) for k, v in scores.items()}), "en"))
    kind, hostile = heard
    assert len(kind.strengths) == 3
    assert any("sharp words" in friction for friction in hostile.frictions)
    assert not set(kind.frictions) & set(hostile.frictions)
    assert not set(kind.strengths) & set(hostile.strengths)
