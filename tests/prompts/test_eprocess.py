"""Equal arms seldom win, better ones are found, however often one looks."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from soullink.modules.prompts.domain.eprocess import (
    judge_binary,
    judge_scores,
    log_e_value,
    share_interval,
)

ALPHA = 0.05
PAIRS = 500

# The logarithm of the e-value after n discordant pairs of which B won w, at [n, w].
LOG_E = np.array(
    [[log_e_value(w, n - w) if w <= n else -np.inf for w in range(PAIRS + 1)]
     for n in range(PAIRS + 1)]
)  # fmt: skip


def outcomes(
    seed: int, runs: int, a: float, b: float, correlation: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return outcomes of both arms, (runs, PAIRS) each, joined by a Gaussian copula."""
    draws = np.random.default_rng(seed)
    shared, first, second = draws.standard_normal((3, runs, PAIRS))
    alike, own = math.sqrt(correlation), math.sqrt(1.0 - correlation)
    border = NormalDist().inv_cdf
    return alike * shared + own * first < border(a), alike * shared + own * second < border(b)


def looked_at_after_every_pair(
    a: NDArray[np.bool_], b: NDArray[np.bool_]
) -> tuple[float, float, float]:
    """Return how often A won, how often B won, and the median of pairs until then."""
    discordant, wins = np.cumsum(a ^ b, axis=1), np.cumsum(b & ~a, axis=1)
    over = LOG_E[discordant, wins] >= -math.log(ALPHA)
    decided = over.any(axis=1)
    first = np.where(decided, over.argmax(axis=1), PAIRS - 1)
    rows = np.arange(len(a))
    b_wins = decided & (2 * wins[rows, first] > discordant[rows, first])
    median = float(np.median(np.where(decided, first + 1, PAIRS)))
    return float((decided & ~b_wins).mean()), float(b_wins.mean()), median


@pytest.mark.parametrize("correlation", [0.0, 0.7])
@pytest.mark.parametrize("rate", [0.6, 0.9])
def test_equal_arms_have_at_most_five_percent_false_winners(
    rate: float, correlation: float
) -> None:
    a_won, b_won, _ = looked_at_after_every_pair(*outcomes(11, 1_000, rate, rate, correlation))
    assert 0.0 < a_won + b_won <= ALPHA


def test_sixty_against_seventy_percent_is_found_within_500_pairs() -> None:
    a_won, b_won, median = looked_at_after_every_pair(*outcomes(12, 1_000, 0.6, 0.7, 0.7))
    assert b_won >= 0.95
    assert a_won <= 0.005
    assert median <= 250


def test_without_correlation_it_keeps_most_of_what_any_test_could_find() -> None:
    a, b = outcomes(13, 1_000, 0.6, 0.7, 0.0)
    a_won, b_won, _ = looked_at_after_every_pair(a, b)
    # McNemar's test, allowed one look at the end: no test that may be looked at finds more.
    wins, losses = (b & ~a).sum(axis=1), (a & ~b).sum(axis=1)
    once = np.abs(wins - losses) / np.sqrt(wins + losses) > NormalDist().inv_cdf(1 - ALPHA / 2)
    assert float(once.mean()) < 0.95
    assert b_won >= 0.68
    assert a_won <= 0.005


def test_the_interval_holds_the_true_share_at_every_look() -> None:
    draws = np.random.default_rng(14)
    missed = 0
    for share in np.repeat([0.3, 0.5, 0.62], 70):
        won = np.cumsum(draws.random(120) < share)
        looks = (share_interval(int(w), n - int(w), ALPHA) for n, w in enumerate(won, start=1))
        missed += any(not low <= share <= high for low, high in looks)
    assert missed <= 0.05 * 210


@given(st.integers(0, 400), st.integers(0, 400))
def test_an_interval_leaves_one_half_out_exactly_where_the_evidence_suffices(
    wins: int, losses: int
) -> None:
    low, high = share_interval(wins, losses, ALPHA)
    assert 0.0 <= low < high <= 1.0
    assert log_e_value(wins, losses) == log_e_value(losses, wins)
    if abs(log_e_value(wins, losses) + math.log(ALPHA)) > 1e-9:
        assert (low <= 0.5 <= high) == (log_e_value(wins, losses) < -math.log(ALPHA))


def test_the_e_value_is_a_fair_bet_against_equal_arms() -> None:
    # The next e-value, averaged over a win and a loss of the same odds, is the present one.
    for wins, losses in [(0, 0), (3, 1), (40, 22), (300, 310)]:
        following = np.logaddexp(log_e_value(wins + 1, losses), log_e_value(wins, losses + 1))
        assert following - math.log(2) == pytest.approx(log_e_value(wins, losses), abs=1e-9)
    assert log_e_value(0, 0) == pytest.approx(0.0)


def test_a_decision_stands_though_later_pairs_speak_against_it() -> None:
    pairs = [(0.0, 1.0)] * 13 + [(1.0, 1.0)] * 5 + [(1.0, 0.0)] * 8
    evidence = judge_binary(pairs, ALPHA)
    assert evidence.decided_after is not None
    assert evidence.decided_after <= 13
    assert evidence.winner == 1
    assert evidence.e_value < 20 <= evidence.peak
    assert (evidence.pairs, evidence.discordant, evidence.wins) == (26, 21, (8, 13))
    assert evidence.means == (13 / 26, 18 / 26)


def test_without_pairs_nothing_is_known() -> None:
    for judge, interval in ((judge_binary, (0.0, 1.0)), (judge_scores, (-1.0, 1.0))):
        evidence = judge([], ALPHA)
        assert (evidence.pairs, evidence.winner, evidence.decided_after) == (0, None, None)
        assert evidence.e_value == pytest.approx(1.0)
        assert evidence.interval == interval


def scores(seed: int, runs: int, shift: float) -> NDArray[np.float64]:
    """Return pairs of scores in 0..1, (runs, 300, 2), B larger by `shift` on average."""
    draws = np.random.default_rng(seed)
    shared = draws.normal(0.6, 0.15, (runs, 300, 1))
    own = draws.normal(0.0, 0.12, (runs, 300, 2))
    return np.clip(shared + own + np.array([0.0, shift]), 0.0, 1.0)


def test_equal_scores_seldom_win_and_better_ones_are_found() -> None:
    equal = [judge_scores(run.tolist(), ALPHA).winner for run in scores(15, 200, 0.0)]
    better = [judge_scores(run.tolist(), ALPHA).winner for run in scores(16, 60, 0.05)]
    assert sum(winner is not None for winner in equal) <= 0.05 * 200
    assert sum(winner == 1 for winner in better) >= 0.9 * 60
    assert 0 not in better


def test_the_interval_of_scores_holds_their_difference() -> None:
    runs = scores(17, 60, 0.05)
    truth = float((runs[:, :, 1] - runs[:, :, 0]).mean())
    intervals = [judge_scores(run.tolist(), ALPHA).interval for run in runs]
    assert sum(not low <= truth <= high for low, high in intervals) <= 3
    assert np.mean([high - low for low, high in intervals]) < 0.2
