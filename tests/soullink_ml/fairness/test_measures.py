"""Weighted measures against hand-computed cases and slow definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from soullink.modules.matching.domain import exposure
from soullink_ml.fairness import logistic, measures, resampling
from soullink_ml.fairness.resampling import FloatArray

ONE = np.ones((1, 4))


def test_area_under_curve_counts_pairs_and_half_of_ties() -> None:
    scores, outcomes = np.array([0.1, 0.4, 0.4, 0.8]), np.array([0.0, 1.0, 0.0, 1.0])
    # Pairs of a yes with a no: .4 > .1, .4 = .4, .8 > .1, .8 > .4, so 3.5 of 4.
    assert measures.area_under_curve(scores, outcomes, ONE) == pytest.approx([3.5 / 4])


def test_area_under_curve_weighs_like_repeated_cases() -> None:
    random = np.random.default_rng(1)
    scores = random.integers(0, 6, 30) / 6
    outcomes = (random.random(30) < 0.4).astype(np.float64)
    counts = random.integers(0, 4, 30)
    weighted = measures.area_under_curve(scores, outcomes, counts[None].astype(np.float64))
    again = np.repeat(np.arange(30), counts)
    repeated = measures.area_under_curve(scores[again], outcomes[again], np.ones((1, again.size)))
    assert weighted == pytest.approx(repeated)


def test_a_draw_without_cases_gives_no_figure() -> None:
    assert np.isnan(measures.area_under_curve(np.ones(4), np.ones(4), ONE)).all()
    assert np.isnan(measures.mean(np.ones(4), np.zeros((1, 4)))).all()


def test_calibration_in_the_large_is_what_was_promised_too_much() -> None:
    chances, outcomes = np.array([0.5, 0.5, 0.7, 0.7]), np.array([0.0, 1.0, 0.0, 1.0])
    assert measures.calibration_in_the_large(chances, outcomes, ONE) == pytest.approx([0.1])
    doubled = np.array([[1.0, 1.0, 0.0, 0.0]])
    assert measures.calibration_in_the_large(chances, outcomes, doubled) == pytest.approx([0.0])


def test_calibration_slope_of_two_groups_of_cases() -> None:
    """Chances .2 and .8 of which 1 in 3 and 2 in 3 come true: slope log 2 / log 4 = 1 / 2."""
    chances = np.repeat([0.2, 0.8], 3)
    outcomes = np.array([1.0, 0, 0, 1, 1, 0])
    slope = measures.calibration_slope(chances, outcomes, np.ones((2, 6)))
    assert slope == pytest.approx([0.5, 0.5], abs=1e-6)


def test_ece_is_the_mean_distance_over_bins() -> None:
    chances, outcomes = np.array([0.2, 0.2, 0.9, 0.9]), np.array([0.0, 0.0, 1.0, 0.0])
    bins = np.array([0, 0, 1, 1])
    found = measures.expected_calibration_error(chances, outcomes, ONE, bins)
    assert found == pytest.approx([(0.2 + 0.4) / 2])


def test_perfect_chances_stay_under_what_chance_alone_gives() -> None:
    random = np.random.default_rng(5)
    chances = random.uniform(0.1, 0.9, 400)
    bins = measures.bins_of(chances)
    bound = measures.ece_by_chance(chances, bins, 200, seed=1)
    above = 0
    for _ in range(100):
        outcomes = (random.random(400) < chances).astype(np.float64)
        error = measures.expected_calibration_error(chances, outcomes, np.ones((1, 400)), bins)
        above += bool(error[0] > bound)
    assert above <= 12


@given(arrays(np.float64, st.integers(2, 20), elements=st.floats(0.0, 10.0)))
def test_the_two_ginis_agree(values: FloatArray) -> None:
    if values.sum() > 1e-6:
        weighted = measures.gini(values[None], np.ones((1, values.size)))
        assert weighted == pytest.approx([exposure.gini(values.tolist())], abs=1e-9)


def test_gini_weighs_like_repeated_people() -> None:
    values = np.array([[1.0, 5.0, 2.0]])
    weighted = measures.gini(values, np.array([[2.0, 1.0, 0.0]]))
    assert weighted == pytest.approx([exposure.gini([1.0, 1.0, 5.0])])


def test_log_loss_of_even_chances_is_log_two() -> None:
    assert measures.log_loss(np.full(4, 0.5), np.ones(4), ONE) == pytest.approx([np.log(2)])


def test_ridge_fit_has_no_gradient_left() -> None:
    random = np.random.default_rng(2)
    columns = random.normal(size=(200, 3))
    outcomes = (random.random(200) < measures.chance(columns[:, 0])).astype(np.float64)
    found = logistic.fitted(columns, outcomes, ridge=5.0)
    residual = measures.chance(logistic.predicted(columns, found)) - outcomes
    assert columns.T @ residual + 5.0 * found[1:] == pytest.approx(np.zeros(3), abs=1e-5)
    assert residual.sum() == pytest.approx(0.0, abs=1e-3)


def test_the_penalty_on_groups_evens_what_they_are_promised() -> None:
    """The group says yes less often, and a column tells a little of who is in it."""
    random = np.random.default_rng(3)
    member = (random.random(3000) < 0.3).astype(np.float64)
    columns = (member + random.normal(size=3000) * 0.7)[:, None]
    outcomes = (random.random(3000) < 0.5 - 0.2 * member).astype(np.float64)
    gaps = []
    for evenness in (0.0, 50.0):
        found = logistic.fitted(columns, outcomes, 1.0, members=member[:, None], evenness=evenness)
        chances = measures.chance(logistic.predicted(columns, found))
        gaps.append(abs(float((chances - outcomes)[member == 1].mean())))
    assert gaps[1] < gaps[0] / 2


def test_unknown_answers_count_as_the_mean() -> None:
    standard = logistic.Standard.of(np.array([[1.0, np.nan], [3.0, 4.0], [np.nan, 4.0]]))
    assert standard.applied(np.array([[np.nan, np.nan], [3.0, 5.0]])) == pytest.approx(
        np.array([[0.0, 0.0], [1.0, 1.0]])
    )


def test_people_are_drawn_inside_their_side_of_their_wave() -> None:
    cells = np.array([0, 0, 0, 1, 1, 2])
    weights = resampling.person_weights(cells, cells, draws=50, seed=1)
    assert (weights[0] == 1).all()
    for cell in range(3):
        assert (weights[:, cells == cell].sum(axis=1) == (cells == cell).sum()).all()


def test_whole_waves_are_drawn_for_both_people_of_a_date() -> None:
    waves = np.array([1, 1, 4, 4])
    weights = resampling.person_weights(waves, waves, draws=20, seed=1, cluster="wave")
    dates = resampling.date_weights(weights, np.array([0, 2]), np.array([1, 3]))
    assert dates.sum(axis=1) == pytest.approx(np.full(21, 2.0))


def test_no_interval_where_many_draws_have_no_cases() -> None:
    assert resampling.interval(np.array([1.0, *[np.nan] * 20, *[1.0] * 80])) is None
    assert resampling.interval(np.array([np.nan, 1.0, 2.0])) is None
    low, high = resampling.interval(np.r_[500.0, np.arange(1, 1001.0)]) or (0.0, 0.0)
    assert (low, high) == pytest.approx((25.975, 975.025))
    assert resampling.interval(np.array([0.0, *np.full(50, 2.0)])) == (0.0, 2.0)


def test_an_interval_of_few_people_is_wider() -> None:
    values = np.r_[500.0, np.arange(1, 1001.0)]
    # Of twenty people the t quantile is 2.093, times the root of 20 / 19: 1.59 % at each end.
    assert resampling.interval(values, people=20) == pytest.approx((16.87, 984.13), abs=0.1)
    assert resampling.interval(values, people=2_000) == pytest.approx((25.8, 975.2), abs=0.2)
