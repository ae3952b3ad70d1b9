"""The interest model: a sum whose parts are named, wide where little is known, moved by history."""

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink.modules.matching.domain.interest import artifact
from soullink.modules.matching.domain.interest.artifact import InvalidInterestModelError
from soullink.modules.matching.domain.interest.model import InterestModel
from soullink.modules.matching.domain.interest.people import (
    ACTIVITIES,
    GOAL_OF_WANTS,
    GOALS,
    MAN,
    WOMAN,
    Decisions,
    People,
    history,
)
from soullink.modules.matching.domain.interest.shrinkage import shrunk

MODEL = InterestModel.shipped()


def somebody(n: int, seed: int = 1, sex: float = WOMAN) -> People:
    generator = np.random.default_rng(seed)
    decided = generator.integers(0, 12, n).astype(float)
    was_decided = generator.integers(0, 12, n).astype(float)
    return People.of(
        n,
        {
            "age": generator.integers(18, 60, n).astype(float),
            "sex": np.full(n, sex),
            "goal": generator.integers(0, len(GOALS), n).astype(float),
            "dates_often": generator.integers(1, 8, n).astype(float),
            "goes_out": np.where(generator.random(n) < 0.5, np.nan, 3.0),
            "looks_for": generator.integers(1, 30, (n, 6)).astype(float),
            "self_rating": generator.integers(3, 11, (n, 5)).astype(float),
            "interests": generator.integers(1, 11, (n, 17)).astype(float),
            "decided": decided,
            "said_yes": np.floor(decided * generator.random(n)),
            "was_decided": was_decided,
            "got_yes": np.floor(was_decided * generator.random(n)),
        },
    )


def test_the_parts_and_the_intercept_are_the_log_odds() -> None:
    women, men = somebody(50), somebody(50, 2, MAN)
    parts = MODEL.contributions(women, men)
    total = MODEL.intercept + sum(one.value for one in parts.values())
    np.testing.assert_allclose(total, MODEL.logit(women, men), atol=1e-12)
    np.testing.assert_allclose(
        MODEL.logit(women, men),
        MODEL.intercept + MODEL.actor(women) + MODEL.partner(men) + MODEL.pair(women, men),
    )
    assert {one.part.whose for one in parts.values()} == {"decider", "other", "both"}
    for name, one in parts.items():
        assert one.part.name == name
        assert one.value.shape == one.known.shape == (50,)


def test_one_person_meets_all_others_as_row_by_row() -> None:
    women, men = somebody(1), somebody(20, 2, MAN)
    many = women.take(np.zeros(20, dtype=np.int64))
    for one, other in ((women, men), (men, women)):
        repeated = (many, men) if one is women else (men, many)
        np.testing.assert_allclose(MODEL.logit(one, other), MODEL.logit(*repeated))
        np.testing.assert_allclose(MODEL.chance(one, other).low, MODEL.chance(*repeated).low)
        got, expected = MODEL.contributions(one, other), MODEL.contributions(*repeated)
        for name in expected:
            np.testing.assert_allclose(got[name].value, expected[name].value)
    with pytest.raises(ValueError, match="cannot meet"):
        MODEL.pair(somebody(2), somebody(3))


def test_an_unknown_answer_adds_nothing_and_widens_the_interval() -> None:
    women, men = somebody(40), somebody(40, 2, MAN)
    nobody = People.of(40)
    np.testing.assert_allclose(MODEL.logit(nobody, nobody), MODEL.intercept)
    usual = {"age": np.full(1, 26.0), "self_rating": np.full((1, 5), 7.0), "sex": np.full(1, MAN)}
    everything = _width(People.of(1, usual))
    for column in ("age", "self_rating"):
        less = People.of(1, {name: value for name, value in usual.items() if name != column})
        assert _width(less) > everything
    chance = MODEL.chance(women, men)
    assert ((chance.low <= chance.middle) & (chance.middle <= chance.high)).all()
    assert ((chance.low > 0.0) & (chance.high < 1.0)).all()


def _width(others: People) -> float:
    """How wide the interval of a chance is, in log-odds."""
    chance = MODEL.chance(People.of(1), others)
    edges = np.array([chance.low[0], chance.high[0]])
    return float(np.diff(np.log(edges / (1.0 - edges)))[0])


def test_history_narrows_the_interval_and_moves_the_chance_its_way() -> None:
    woman = People.of(3, {"sex": np.full(3, WOMAN)})
    men = People.of(
        3,
        {
            "sex": np.full(3, MAN),
            "was_decided": np.array([0.0, 20.0, 20.0]),
            "got_yes": np.array([0.0, 16.0, 2.0]),
        },
    )
    chance = MODEL.chance(woman, men)
    assert chance.middle[2] < chance.middle[0] < chance.middle[1]
    zero = np.zeros(1, dtype=np.int64)
    assert _width(men.take(zero + 1)) < _width(men.take(zero))
    parts = MODEL.contributions(woman, men)
    assert parts["popularity_history"].part.whose == "other"
    np.testing.assert_array_equal(parts["popularity_history"].known, [0.0, 1.0, 1.0])


@given(st.integers(0, 60), st.integers(0, 60), st.floats(-2.0, 2.0), st.floats(0.2, 2.0))
def test_an_effect_grows_with_yeses_and_never_outruns_its_prior(
    yes: int, no: int, base: float, sd: float
) -> None:
    n = float(yes + no)
    found = shrunk(
        np.array([yes, yes + 1.0]), np.array([n, n + 1.0]), np.array([base, base]), sd, 1.0
    )
    assert found.mean[1] > found.mean[0]
    assert (found.variance <= sd**2 + 1e-12).all()
    assert found.variance[1] <= found.variance[0] + 0.3 * sd**2
    softened = 1.0 / np.sqrt(1.0 + np.pi / 8.0)
    p = 1.0 / (1.0 + np.exp(-(base + found.mean[0]) * softened))
    slope = softened * (yes - n * p) - found.mean[0] / sd**2
    assert slope == pytest.approx(0.0, abs=1e-6)  # it is the mode


def test_the_same_record_counts_more_the_longer_it_is() -> None:
    n = np.array([0.0, 2.0, 10.0, 50.0])
    found = shrunk(0.8 * n, n, np.zeros(4), 1.0, 1.0)
    assert found.mean[0] == 0.0
    assert (np.diff(found.mean) > 0.0).all()
    assert (np.diff(found.variance) < 0.0).all()


def test_only_what_was_decided_strictly_before_counts() -> None:
    noon = datetime(2026, 4, 1, 12, tzinfo=UTC)
    minutes = [-10, -1, 0, 1]
    decisions = Decisions(
        decider=np.array([0, 0, 0, 0]),
        about=np.array([1, 2, 1, 2]),
        yes=np.array([True, False, True, True]),
        at=np.array(
            [(noon + timedelta(minutes=m)).replace(tzinfo=None) for m in minutes], "datetime64[s]"
        ),
    )
    found = history(decisions, 3, noon)
    np.testing.assert_array_equal(found["decided"], [2, 0, 0])
    np.testing.assert_array_equal(found["said_yes"], [1, 0, 0])
    np.testing.assert_array_equal(found["got_yes"], [0, 1, 0])
    np.testing.assert_array_equal(found["was_decided"], [0, 1, 1])
    with pytest.raises(ValueError, match="time zone"):
        history(decisions, 3, noon.replace(tzinfo=None))


def test_a_pair_reads_age_sex_goal_and_likeness_only_and_is_monotone_in_likeness() -> None:
    women, men = somebody(30), somebody(30, 2, MAN)
    kept = ("age", "sex", "goal")
    bare = [People.of(30, {name: getattr(one, name) for name in kept}) for one in (women, men)]
    likeness = np.linspace(-1.0, 1.0, 30)
    np.testing.assert_array_equal(
        MODEL.pair(women, men, likeness), MODEL.pair(bare[0], bare[1], likeness)
    )
    same = women.take(np.zeros(30, dtype=np.int64)), men.take(np.zeros(30, dtype=np.int64))
    steps = np.diff(MODEL.pair(*same, likeness))
    assert (steps >= -1e-12).all() or (steps <= 1e-12).all()


def test_sensitive_attributes_are_no_columns() -> None:
    columns = {term.column for term in MODEL.numbers.terms}
    assert columns <= {
        "age", "sex", "goal", "dates_often", "goes_out", "looks_for", "self_rating", "interests",
    }  # fmt: skip


def test_the_goals_of_profiles_have_a_place_here() -> None:
    assert set(GOAL_OF_WANTS.values()) <= set(GOALS)
    assert len(ACTIVITIES) == 17


def test_ages_beyond_what_was_seen_are_held_at_its_edge() -> None:
    old = People.of(2, {"age": np.array([60.0, 90.0]), "sex": np.full(2, MAN)})
    assert MODEL.actor(old)[0] == MODEL.actor(old)[1]


def test_wrong_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="no column race"):
        People.of(2, {"race": np.zeros(2)})
    with pytest.raises(ValueError, match="shape"):
        People.of(2, {"age": np.zeros(3)})


def _shipped() -> dict[str, object]:
    found = Path(artifact.__file__).with_name("prior.json").read_text(encoding="utf-8")
    document: dict[str, object] = json.loads(found)
    return document


def test_the_shipped_artifact_is_small_and_read_back_alike(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(_shipped()))
    assert InterestModel.load(path).version == MODEL.version
    assert len(json.dumps(_shipped())) < 100_000
    again = artifact.sealed(artifact.to_document(MODEL.numbers), {"version": "again"})
    found = InterestModel.from_document(again, "again")
    women, men = somebody(10), somebody(10, 2, MAN)
    np.testing.assert_allclose(found.logit(women, men), MODEL.logit(women, men), atol=1e-5)


def test_a_changed_or_broken_artifact_is_refused(tmp_path: Path) -> None:
    document = copy.deepcopy(_shipped())
    document["version"] = "other"
    with pytest.raises(InvalidInterestModelError, match="digest"):
        InterestModel.from_document(document, "changed")
    with pytest.raises(InvalidInterestModelError, match="format"):
        InterestModel.from_document({"format": 2}, "newer")
    with pytest.raises(InvalidInterestModelError, match="incomplete"):
        InterestModel.from_document(artifact.sealed({}, {"version": "1"}), "empty")
    with pytest.raises(InvalidInterestModelError, match="cannot be read"):
        InterestModel.load(tmp_path / "none.json")
    (tmp_path / "text.json").write_text("hello")
    with pytest.raises(InvalidInterestModelError, match="not JSON"):
        InterestModel.load(tmp_path / "text.json")


@pytest.mark.parametrize(
    ("name", "value"),
    [("scale", 0.0), ("column", "race"), ("kind", "magic"), ("low", 1e12), ("side", "neither")],
)
def test_an_impossible_term_is_refused(name: str, value: object) -> None:
    document = copy.deepcopy(_shipped())
    numbers = document["numbers"]
    assert isinstance(numbers, dict)
    numbers["terms"][0][name] = value
    with pytest.raises(InvalidInterestModelError, match="incomplete"):
        InterestModel.from_document(artifact.sealed(numbers, {"version": "1"}), "odd")
