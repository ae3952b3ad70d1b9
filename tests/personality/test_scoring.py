"""Questionnaires give the sums, percentiles and errors that can be worked out by hand."""

import json
from itertools import pairwise
from math import sqrt
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ipipneo import IpipNeo

from soullink.modules.personality.api import Score, ScoringError
from soullink.modules.profiles.api import DOMAINS, FACETS, Answers

SHORT, LONG = "ipip-neo-120", "ipip-neo-300"


def _by_name(scores: list[Score]) -> dict[str, Score]:
    return {score.name: score for score in scores}


def _keyed(personality, wanted: dict[str, int], inventory=SHORT, rest: int = 3) -> Answers:
    """Answers that give every item of a domain or facet in `wanted` that keyed value."""
    answers = []
    for item in personality.items(inventory):
        value = wanted.get(item.facet, wanted.get(item.domain, rest))
        answers.append(value if item.key > 0 else 6 - value)
    return Answers(inventory, tuple(answers))


def test_five_domains_and_thirty_facets_come_out(personality) -> None:
    scores = personality.score(_keyed(personality, {}), "female", 30)
    assert [score.name for score in scores if not score.is_facet] == list(DOMAINS)
    assert {score.name for score in scores if score.is_facet} == {
        facet for facets in FACETS.values() for facet in facets
    }
    assert all(score.name in FACETS[score.domain] for score in scores if score.is_facet)


@pytest.mark.parametrize(("inventory", "per_facet"), [(SHORT, 4), (LONG, 10)])
def test_sums_follow_the_key(personality, inventory, per_facet: int) -> None:
    answers = _keyed(personality, {"neuroticism": 5, "trust": 1, "orderliness": 4}, inventory)
    found = _by_name(personality.score(answers, "male", 30))
    assert found["anxiety"].raw == 5 * per_facet
    assert found["neuroticism"].raw == 5 * per_facet * 6
    assert found["trust"].raw == per_facet
    assert found["agreeableness"].raw == per_facet + 3 * per_facet * 5
    assert found["conscientiousness"].raw == 4 * per_facet + 3 * per_facet * 5
    assert found["openness"].raw == 3 * per_facet * 6


def test_all_threes_sum_to_the_middle_and_all_ones_to_the_reversed_items(personality) -> None:
    middle = _by_name(personality.score(Answers(SHORT, (3,) * 120), None, None))
    assert all(middle[domain].raw == 72 for domain in DOMAINS)
    ones = _by_name(personality.score(Answers(SHORT, (1,) * 120), None, None))
    # Worry, Fear for the worst, Am afraid, Get stressed: none reversed
    assert ones["anxiety"].raw == 4
    # Jump into things, Make rash decisions, Rush, Act without thinking: all reversed
    assert ones["cautiousness"].raw == 20
    # Go on binges; Rarely overindulge, Easily resist, Able to control: three reversed
    assert ones["immoderation"].raw == 1 + 3 * 5


def test_a_percentile_by_hand_from_the_norms(personality) -> None:
    # Women of 21 to 40: anxiety has mean 13.08 and sd 3.68. A sum of 16 is T = 50 + 10 * 0.79348
    # = 57.935, which the cubic of five-factor-e calls the 76.89th percentile.
    answers = _keyed(personality, {"anxiety": 4})
    found = _by_name(personality.score(answers, "female", 30))["anxiety"]
    assert found.raw == 16
    assert found.percentile == pytest.approx(76.887, abs=1e-3)
    assert found.z == pytest.approx(NormalDist().inv_cdf(0.76887), abs=1e-4)
    assert found.z == pytest.approx(0.79348, abs=0.1)
    assert found.level == "high"


def test_percentiles_are_those_of_five_factor_e(personality) -> None:
    answers = tuple(1 + (number * 7 + number // 11) % 5 for number in range(120))
    questions = [{"id_question": n, "id_select": a} for n, a in enumerate(answers, start=1)]
    theirs = IpipNeo(120).compute(sex="M", age=52, answers={"answers": questions})
    ours = _by_name(personality.score(Answers(SHORT, answers), "male", 52))
    for entry in theirs["person"]["result"]["personalities"]:
        for domain in set(entry) & set(DOMAINS):
            value = entry[domain][domain[0].upper()]
            assert ours[domain].percentile == pytest.approx(min(max(value, 1.0), 98.9))


@settings(max_examples=25, derandomize=True, deadline=None)
@given(
    sex=st.sampled_from(["female", "male", None]),
    age=st.one_of(st.none(), st.integers(18, 120)),
    inventory=st.sampled_from([SHORT, LONG]),
)
def test_more_of_a_trait_never_lowers_its_percentile(personality, sex, age, inventory) -> None:
    number = 120 if inventory == SHORT else 300
    order = sorted(range(number), key=lambda place: (place * 37) % number)
    keys = [item.key for item in personality.items(inventory)]
    levels = [1] * number
    steps = []
    for level in (2, 3, 4, 5):
        for half in (order[: number // 2], order[number // 2 :]):
            for place in half:
                levels[place] = level
            answers = [v if k > 0 else 6 - v for v, k in zip(levels, keys, strict=True)]
            steps.append(_by_name(personality.score(Answers(inventory, tuple(answers)), sex, age)))
    for before, after in pairwise(steps):
        assert all(before[name].percentile <= after[name].percentile for name in before)
        assert all(before[name].z <= after[name].z for name in before)
    assert all(steps[0][name].percentile < 10 for name in DOMAINS)
    assert all(steps[-1][name].percentile > 90 for name in DOMAINS)


def test_levels_follow_the_30th_and_70th_percentile(personality) -> None:
    for score in personality.score(_keyed(personality, {"anxiety": 5, "trust": 1}), "male", 40):
        expected = "average" if 30 <= score.percentile <= 70 else None
        expected = expected or ("low" if score.percentile < 30 else "high")
        assert score.level == expected


def test_unknown_sex_and_age_lie_between_the_norms(personality) -> None:
    answers = _keyed(personality, {"neuroticism": 4, "agreeableness": 4})
    for name in ("anxiety", "sympathy"):
        known = [
            _by_name(personality.score(answers, sex, age))[name].percentile
            for sex in ("female", "male")
            for age in (30, 50, 70)
        ]
        unknown = _by_name(personality.score(answers, None, None))[name].percentile
        assert min(known) < unknown < max(known)


def test_the_standard_error_is_that_of_the_scale(personality) -> None:
    short = _by_name(personality.score(_keyed(personality, {"trust": 4}), None, None))
    long = _by_name(personality.score(_keyed(personality, {"trust": 4}, LONG), None, None))
    assert short["anxiety"].sem == pytest.approx(sqrt(1 - 0.71))
    assert long["anxiety"].sem == pytest.approx(sqrt(1 - 0.83))
    # Spearman-Brown: trust has .82 with 10 items, so 4 * .082 / (1 - .6 * .82) with 4
    assert short["trust"].sem == pytest.approx(sqrt(1 - 0.328 / 0.508))
    assert all(long[name].sem < short[name].sem for name in DOMAINS)


@pytest.mark.parametrize("run", [40, 120])
def test_a_straight_line_is_as_uncertain_as_no_answers(personality, run: int) -> None:
    rest = tuple(1 + number % 5 for number in range(120 - run))
    scores = personality.score(Answers(SHORT, (4,) * run + rest), "female", 30)
    assert {score.sem for score in scores} == {1.0}


def test_shorter_runs_are_taken_seriously(personality) -> None:
    answers = (4,) * 39 + tuple(1 + number % 3 for number in range(81))
    assert all(s.sem < 0.75 for s in personality.score(Answers(SHORT, answers), None, None))


@pytest.mark.parametrize(
    ("inventory", "answers", "expected"),
    [
        (SHORT, (3,) * 119, "Item 120 has no answer"),
        (SHORT, (), "Item 1 has no answer"),
        (SHORT, (3,) * 121, "Item 121 does not exist"),
        (LONG, (3,) * 120, "Item 121 has no answer"),
        (SHORT, (3,) * 6 + (0,) + (3,) * 113, "Item 7 is 0"),
        (SHORT, (3,) * 119 + (6,), "Item 120 is 6"),
        (SHORT, (None,) + (3,) * 119, "Item 1 is None"),
        (SHORT, (True,) + (3,) * 119, "Item 1 is True"),
        (SHORT, (3.0,) + (3,) * 119, "Item 1 is 3.0"),
        ("neo-ffi", (3,) * 60, "'neo-ffi' is not known"),
    ],
)
def test_answers_that_cannot_be_scored_name_the_item(
    personality, inventory, answers, expected
) -> None:
    with pytest.raises(ScoringError, match=expected):
        personality.score(Answers(inventory, answers), None, None)


def test_scoring_is_silent_and_the_same_every_time(personality, capsys) -> None:
    answers = _keyed(personality, {"openness": 4})
    assert personality.score(answers, None, 44) == personality.score(answers, None, 44)
    assert capsys.readouterr() == ("", "")


def test_the_questions_of_the_short_form_have_both_languages(personality) -> None:
    items = personality.items(SHORT)
    assert [item.number for item in items] == list(range(1, 121))
    assert all(item.text_en and item.text_zh for item in items)
    assert len({item.text_en for item in items}) == len({item.text_zh for item in items}) == 120
    assert all("\u4e00" <= item.text_zh[0] <= "\u9fff" for item in items)
    assert sum(item.key < 0 for item in items) == 55
    worry, jump = items[0], items[29]
    assert (worry.text_en, worry.facet, worry.key) == ("Worry about things", "anxiety", 1)
    assert (jump.facet, jump.domain, jump.key) == ("cautiousness", "conscientiousness", -1)


def test_the_long_form_has_keys_but_no_texts(personality) -> None:
    items = personality.items(LONG)
    assert len(items) == 300
    assert sum(item.key < 0 for item in items) == 148
    assert {item.text_en for item in items} == {None}
    for facets in FACETS.values():
        assert all(sum(item.facet == facet for item in items) == 10 for facet in facets)


def test_the_texts_carry_their_licence() -> None:
    from importlib.resources import files

    content = files("soullink.modules.personality").joinpath("ipip_neo_120.json").read_text("utf-8")
    data = json.loads(content)
    assert "MIT License" in data["licence"]
    assert "public domain" in data["source"]


def test_straight_lined_answers_are_told_from_others(personality) -> None:
    for run, straight in ((120, True), (40, True), (39, False)):
        answers = (3,) * run + (1, 5) * ((120 - run) // 2) + (1,) * (run % 2)
        assert personality.is_straight_line(Answers(SHORT, answers)) is straight
