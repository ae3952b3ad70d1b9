"""Nothing that is recorded at or after a date is a feature of it: by name, and by time."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from soullink_ml.datasets.moments import MOMENTS, LeakError, Moment
from soullink_ml.datasets.speed_dates import FloatArray, SpeedDates, from_rows
from soullink_ml.features import earlier, sign_up
from soullink_ml.features.registry import FEATURES, PAIR, PERSON, Feature, Known
from soullink_ml.training import beside, ours, prior
from tests.soullink_ml.interest import made_up

FUTURE = frozenset({Moment.DATE, Moment.LATER, Moment.WITHHELD})


@pytest.fixture(scope="module")
def training() -> SpeedDates:
    return made_up.dates(seed=1)


@pytest.fixture(scope="module")
def model(training: SpeedDates) -> ours.OurModel:
    return ours.train(training)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda one: f"{one.of}.{one.name}")
def test_every_feature_reads_only_what_is_known_at_its_moment(feature: Feature) -> None:
    feature.check()


def test_what_is_known_at_sign_up_reads_no_scorecard() -> None:
    for feature in (*PERSON, *PAIR):
        assert feature.known is Known.SIGN_UP
        for column in feature.columns:
            assert MOMENTS[column] in {Moment.SIGN_UP, Moment.PLAN}, column


@pytest.mark.parametrize(
    "column", [name for name, moment in MOMENTS.items() if moment in FUTURE] + ["made_up"]
)
def test_a_later_or_withheld_or_undeclared_column_is_refused(
    column: str, training: SpeedDates
) -> None:
    with pytest.raises(LeakError, match=column):
        Feature("leak", "leak", "person", Known.SIGN_UP, (column,)).check()
    with pytest.raises(LeakError, match=column):
        training.signed_up(column)


@pytest.mark.parametrize(
    "column", ["race", "samerace", "imprace", "match_es", "attr1_s", "satis_2"]
)
def test_not_even_earlier_dates_excuse_a_withheld_or_later_column(column: str) -> None:
    with pytest.raises(LeakError):
        Feature("leak", "leak", "evening", Known.EARLIER, (column,)).check()


def test_every_column_of_the_real_file_is_declared(data_samples: Path) -> None:
    with (data_samples / "speed_dating" / "dates.csv").open(encoding="latin-1") as file:
        assert set(next(csv.reader(file))) == set(MOMENTS)


def test_answers_do_not_move_when_all_that_is_later_is_noise() -> None:
    made = made_up.rows()
    before = from_rows(made, "as it was")
    after = from_rows(made_up.scrambled(made, FUTURE), "scrambled")
    np.testing.assert_array_equal(sign_up.raw(before), sign_up.raw(after))
    np.testing.assert_array_equal(sign_up.pair(before), sign_up.pair(after))


def _with_changes(dates: SpeedDates, rows: np.ndarray) -> SpeedDates:
    """Turn every decision of `rows` around and every rating upside down."""
    changed = {}
    for name, values in dates.outcomes.items():
        made = values.copy()
        made[rows] = 1.0 - made[rows] if name == "dec" else 11.0 - made[rows]
        changed[name] = made
    return replace(dates, outcomes=changed)


Scores = Callable[[ours.OurModel, SpeedDates, SpeedDates], FloatArray]


def _ours(model: ours.OurModel, _training: SpeedDates, dates: SpeedDates) -> FloatArray:
    found = model.predict(dates, "profiles+earlier")
    return np.column_stack([found.decision, found.match])


def _running(_model: ours.OurModel, training: SpeedDates, dates: SpeedDates) -> FloatArray:
    return earlier.running(dates, earlier.learn_means(training))


def _popularity(_model: ours.OurModel, training: SpeedDates, dates: SpeedDates) -> FloatArray:
    found = beside.compare("popularity alone", "profiles+earlier", training, dates, 0)
    return np.column_stack([found.decision, found.match])


def _shipped(model: ours.OurModel, _training: SpeedDates, dates: SpeedDates) -> FloatArray:
    deciders, others = prior.with_history(dates, prior.people_of(dates))
    return model.shipped.logit(deciders, others)[:, None]


@pytest.mark.parametrize("scores", [_ours, _running, _popularity, _shipped])
def test_what_happens_from_a_round_on_moves_nothing_before_its_end(
    scores: Scores, model: ours.OurModel, training: SpeedDates
) -> None:
    dates = made_up.dates(seed=2)
    before = scores(model, training, dates)
    for turn in range(1, int(dates.round.max()) + 1):
        after = scores(model, training, _with_changes(dates, np.flatnonzero(dates.round >= turn)))
        known = dates.round <= turn
        np.testing.assert_array_equal(before[known], after[known])
    first = scores(model, training, _with_changes(dates, np.flatnonzero(dates.round == 1)))
    later = dates.round > 1
    assert (np.abs(before[later] - first[later]) > 1e-6).any(axis=1).mean() > 0.5


def test_profiles_do_not_move_whatever_anybody_decides(model: ours.OurModel) -> None:
    dates = made_up.dates(seed=2)
    turned = _with_changes(dates, np.arange(len(dates.decider)))
    for one, other in zip(
        (model.predict(dates, "profiles").decision, model.predict(dates, "profiles").match),
        (model.predict(turned, "profiles").decision, model.predict(turned, "profiles").match),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_another_evening_moves_nothing(model: ours.OurModel) -> None:
    dates = made_up.dates(seed=2)
    first = dates.waves[0]
    rows = dates.wave_of_row == first
    elsewhere = _with_changes(dates, np.flatnonzero(~rows))
    before = model.predict(dates, "profiles+earlier").decision[rows]
    np.testing.assert_array_equal(
        before, model.predict(elsewhere, "profiles+earlier").decision[rows]
    )
    np.testing.assert_allclose(
        before, model.predict(dates.in_waves([first]), "profiles+earlier").decision, atol=1e-12
    )


def test_without_knowing_the_turn_profiles_say_the_same_at_every_turn(
    model: ours.OurModel,
) -> None:
    dates = made_up.dates(seed=2)
    later = replace(dates, turn=dates.turn + 3)
    one, other = (model.predict(d, "profiles", any_turn=True).decision for d in (dates, later))
    np.testing.assert_array_equal(one, other)
