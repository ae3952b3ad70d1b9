"""AUC, log loss and calibration error are what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink_ml.evaluation import measures

rows = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=2, max_size=40)


@given(rows)
def test_auc_is_the_share_of_pairs_in_order(found: list[tuple[int, int]]) -> None:
    y = np.array([one for one, _ in found], dtype=np.float64)
    scores = np.array([score for _, score in found], dtype=np.float64)
    ones, zeros = scores[y == 1.0], scores[y == 0.0]
    if not len(ones) or not len(zeros):
        assert np.isnan(measures.auc(y, scores))
        return
    above = (ones[:, None] > zeros).sum() + 0.5 * (ones[:, None] == zeros).sum()
    assert measures.auc(y, scores) == pytest.approx(above / (len(ones) * len(zeros)))


@given(rows, st.integers(0, 100))
def test_a_weight_is_a_row_that_stands_so_often(found: list[tuple[int, int]], seed: int) -> None:
    y = np.array([one for one, _ in found], dtype=np.float64)
    scores = np.array([score for _, score in found], dtype=np.float64)
    weights = np.random.default_rng(seed).integers(0, 3, len(y))
    repeated = np.repeat(np.arange(len(y)), weights)
    if len({*y[repeated]}) < 2:
        return
    assert measures.auc(y, scores, weights.astype(np.float64)) == pytest.approx(
        measures.auc(y[repeated], scores[repeated])
    )


def test_the_interval_over_people_is_wider_than_over_rows() -> None:
    generator = np.random.default_rng(5)
    a = np.repeat(np.arange(40), 20)
    b = 40 + np.tile(np.arange(20), 40)
    liked = generator.normal(size=60)
    y = (liked[b] + generator.normal(size=800) > 0.0) * 1.0
    found = measures.auc_over_people(y, liked[b], a, b, 0, 300)
    each = np.arange(800)
    alone = measures.auc_over_people(y, liked[b], each, each, 0, 300)
    assert found.low < found.value < found.high
    assert found.high - found.low > 1.5 * (alone.high - alone.low)
    assert found == measures.auc_over_people(y, liked[b], a, b, 0, 300)


def test_no_constant_beats_the_base_rate() -> None:
    y = np.array([1.0, 0.0, 0.0, 0.0])
    best = measures.base_log_loss(y)
    for constant in np.linspace(0.01, 0.99, 99):
        assert measures.log_loss(y, np.full(4, constant)) >= best - 1e-12


def test_calibration_error_is_0_for_the_truth_and_the_gap_for_a_shift() -> None:
    generator = np.random.default_rng(1)
    p = generator.uniform(0.05, 0.75, 200_000)
    y = (generator.random(len(p)) < p) * 1.0
    assert measures.calibration_error(y, p) < 0.01
    assert measures.calibration_error(y, p + 0.2) == pytest.approx(0.2, abs=0.01)


def test_one_bin_is_the_difference_of_means() -> None:
    y, p = np.array([1.0, 0.0, 0.0]), np.array([0.41, 0.45, 0.49])
    assert measures.calibration_error(y, p) == pytest.approx(abs(0.45 - 1.0 / 3.0))
