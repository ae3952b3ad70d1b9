"""Expected matches of evenings whose decisions are known."""

from dataclasses import replace

import numpy as np
import pytest

from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.reciprocal.market import two_sided
from soullink.modules.matching.domain.reciprocal.measures import expected_matches as recommended
from soullink.modules.matching.domain.reciprocal.recommend import recommend
from soullink_ml.markets.evening import matches_when_repaired, updated_chances
from soullink_ml.markets.rounds import MatchRow, Wave, expected_matches


def wave(seed: int, left: int = 9, right: int = 7, knowing: float = 1.0) -> Wave:
    """People with effects of their own; scores that know a share of them."""
    draw = np.random.default_rng(seed)
    odds_left = -0.7 + draw.normal(size=(left, 1)) + draw.normal(size=(1, right))
    odds_right = -0.7 + draw.normal(size=(right, 1)) + draw.normal(size=(1, left))
    truly_left, truly_right = 1 / (1 + np.exp(-odds_left)), 1 / (1 + np.exp(-odds_right))
    known_left = 1 / (1 + np.exp(0.7 - knowing * (odds_left + 0.7)))
    known_right = 1 / (1 + np.exp(0.7 - knowing * (odds_right + 0.7)))
    return Wave(
        str(seed),
        known_left,
        known_right,
        draw.random((left, right)) < truly_left,
        draw.random((right, left)) < truly_right,
        np.ones((left, right), dtype=bool),
    )


def by_method(rows: tuple[MatchRow, ...]) -> dict[str, MatchRow]:
    return {row.method: row for row in rows}


def test_good_scores_make_more_matches_and_ours_the_most() -> None:
    rows = by_method(expected_matches([wave(seed) for seed in range(8)], resamples=200))
    order = ["random", "product", "ours: coordinated"]
    matches = [rows[method].matches_per_wave for method in order]
    assert matches == sorted(matches)
    assert rows["coordinated, no scores"].matches_per_wave < matches[-1]
    assert rows["bound: coordinated on decisions"].matches_per_wave > matches[-1]
    halves = ("other half, no scores", "other half, ours")
    assert rows[halves[0]].matches_per_wave < rows[halves[1]].matches_per_wave < matches[-1]
    for row in rows.values():
        assert row.low <= row.matches_per_wave <= row.high
        assert row.matches_per_wave == pytest.approx(np.mean(row.by_wave))
        assert len(row.by_wave) == 8


def test_matches_are_decisions_weighed_by_both_ranks() -> None:
    # Two on each side; every pair says yes, so every list gives (1 + 1/2) ** 2 or both aligned.
    both = np.ones((2, 2), dtype=bool)
    scores = np.array([[0.9, 0.1], [0.2, 0.8]])
    rows = by_method(expected_matches([Wave("a", scores, scores.T, both, both, both)]))
    assert rows["product"].matches_per_wave == pytest.approx(2 * (1 + 1 / 4))
    nobody = np.zeros((2, 2), dtype=bool)
    rows = by_method(expected_matches([Wave("a", scores, scores.T, nobody, both, both)]))
    assert {row.matches_per_wave for row in rows.values()} == {0.0}


def test_random_lists_reach_the_base_rate() -> None:
    one = wave(3)
    rows = by_method(expected_matches([one]))
    chance = np.mean(1 / np.arange(1, 8)) * np.mean(1 / np.arange(1, 10))
    assert rows["random"].matches_per_wave == pytest.approx(one.matched.sum() * chance)
    market = two_sided(one.left_said.astype(float), one.right_said.astype(float))
    drawn = [recommended(market, recommend(market, "random", seed)) for seed in range(300)]
    assert rows["random"].matches_per_wave == pytest.approx(np.mean(drawn), rel=0.1)


def test_nobody_is_scored_who_did_not_meet() -> None:
    one = wave(4)
    met = np.ones_like(one.met)
    met[0] = False
    rows = expected_matches([replace(one, met=met)], resamples=50)
    without = Wave(
        "x",
        one.left_yes[1:],
        one.right_yes[:, 1:],
        one.left_said[1:],
        one.right_said[:, 1:],
        one.met[1:],
    )
    mine, theirs = by_method(rows), by_method(expected_matches([without], resamples=50))
    for method in ("product", "bound: coordinated on decisions"):
        assert mine[method].matches_per_wave == pytest.approx(theirs[method].matches_per_wave)


def test_chances_follow_the_decisions_seen_and_only_those() -> None:
    base = np.full((4, 5), -0.5)
    said = np.zeros((4, 5), dtype=bool)
    said[0] = True
    seen = np.zeros((4, 5), dtype=bool)
    before = updated_chances(base, said, seen)
    assert np.ptp(before) == pytest.approx(0.0)
    seen[:, :3] = True
    after = updated_chances(base, said, seen)
    assert (after[0, 3:] > before[0, 3:]).all()
    assert (after[1:, 3:] < before[1:, 3:]).all()
    hidden = said.copy()
    hidden[:, 3:] = ~said[:, 3:]
    np.testing.assert_array_equal(after, updated_chances(base, hidden, seen))


def test_who_says_yes_to_all_is_found_during_the_evening() -> None:
    gained = []
    for seed in range(10):
        draw = np.random.default_rng(seed)
        keen = np.arange(12) < 5
        flat = np.full((12, 12), 0.4)
        orders = draw.permutation(12), draw.permutation(12)
        left = np.tile(keen[orders[0]][:, None], (1, 12))
        right = np.tile(keen[orders[1]][:, None], (1, 12))
        found = matches_when_repaired(flat, flat, left, right, np.ones((12, 12), dtype=bool))
        # By chance each round has the same share of all 25 matches.
        gained.append(found / (25 / 12 * np.sum(1 / np.arange(1, 13) ** 2)))
    assert np.mean(gained) > 1.1


def test_half_an_evening_tells_of_the_other_half_what_scores_do_not() -> None:
    rows = by_method(
        expected_matches([wave(seed, 12, 12, knowing=0.0) for seed in range(10)], resamples=20)
    )
    after = rows["other half, ours after the first half"].matches_per_wave
    assert after > 1.1 * rows["other half, no scores"].matches_per_wave
    assert after > 1.1 * rows["other half, ours"].matches_per_wave


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="no wave"):
        expected_matches([])
    one = wave(0)
    with pytest.raises(InvalidInputError, match="wave 0"):
        expected_matches([replace(one, left_said=one.left_said.T)])
