"""Floors and parity of attention."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soullink.modules.matching.domain.reciprocal.market import Market, two_sided
from soullink_ml.fairness import floors, lists
from soullink_ml.fairness.simulated import World, simulated


def _market(seed: int, people: int = 7, others: int = 5) -> Market:
    random = np.random.default_rng(seed)
    return two_sided(random.random((people, others)), random.random((others, people)))


@given(st.integers(0, 10_000), st.floats(0.0, 1.0))
@settings(max_examples=15)
def test_nobody_falls_below_the_floor(seed: int, share: float) -> None:
    market = _market(seed)
    shown = floors.with_floor(market, share)
    for policy, looks in ((shown.left, market.left_looks), (shown.right, market.right_looks)):
        seen = policy.examination(looks)
        received = seen.sum(axis=0)
        assert received.min() >= share * received.mean() - 1e-9
        # Everybody still looks as far as before: the floor moves attention and makes none.
        assert seen.sum(axis=1) == pytest.approx(np.full(seen.shape[0], looks.sum()))


def test_a_floor_of_nothing_is_the_plain_ranking() -> None:
    market = _market(3)
    plain = lists.METHODS["product"](market, ((), ()))
    floored = floors.with_floor(market, 0.0)
    assert floored.left.examination(market.left_looks) == pytest.approx(
        plain.left.examination(market.left_looks)
    )


def test_the_floor_costs_little_of_what_lists_are_worth() -> None:
    """Beside lists without any order, the floor at 0.7 keeps most of the worth."""
    kept = []
    for seed in range(10):
        market = _market(seed, 12, 12)
        worth = [
            float((market.mutual * policy.examination(market.left_looks)).sum())
            for policy in (
                lists.METHODS["product"](market, ((), ())).left,
                floors.with_floor(market, 0.7).left,
                floors.with_floor(market, 1.0).left,
            )
        ]
        even = float(market.mutual.mean() * market.left_looks.sum() * 12)
        assert worth[0] >= worth[1] - 1e-9
        assert worth[1] >= worth[2] - 0.05
        kept.append((worth[1] - even) / (worth[0] - even))
    assert np.mean(kept) > 0.75


def test_parity_gives_groups_the_same_attention_a_person() -> None:
    random = np.random.default_rng(5)
    wanted = np.where(np.arange(16) < 6, 0.2, 0.7)
    market = two_sided(
        np.clip(wanted + random.normal(size=(14, 16)) * 0.1, 0, 1), random.random((16, 14))
    )
    labels = tuple("few" if one < 6 else "most" for one in range(16))
    seen = floors.with_parity(market, (("",) * 14, labels)).left.examination(market.left_looks)
    received = seen.sum(axis=0)
    assert received[:6].mean() == pytest.approx(received[6:].mean(), rel=0.02)


def test_those_who_never_met_are_never_shown() -> None:
    allowed = np.random.default_rng(1).random((8, 9)) < 0.5
    market = two_sided(np.full((8, 9), 0.5), np.full((9, 8), 0.5), allowed)
    for made in (
        floors.with_floor(market, 0.9),
        floors.with_parity(market, (("",) * 8, ("",) * 9)),
    ):
        assert (made.left.examination(market.left_looks)[~allowed] == 0).all()


def test_every_list_shows_five_to_everybody() -> None:
    dates, scores = simulated(World(waves=2, side=8), seed=1)
    for name, method in lists.METHODS.items():
        shown = lists.shown_by(dates, scores, dates.groups["group"], method)
        chosen = np.bincount(dates.viewer, weights=shown.chosen)
        assert chosen == pytest.approx(np.full(dates.people, 5.0)), name
        looked = np.bincount(dates.viewer, weights=shown.attention)
        assert looked == pytest.approx(np.full(dates.people, (1 / np.arange(1, 9)).sum())), name


def test_lists_that_know_nothing_share_attention_evenly() -> None:
    dates, scores = simulated(World(waves=2, side=8), seed=1)
    blind = lists.uninformed(dates, dates.groups["group"])
    again = lists.uninformed(dates, dates.groups["group"])
    assert np.array_equal(blind.both, again.both)
    received = np.bincount(dates.shown, weights=blind.attention)
    assert received == pytest.approx(np.full(dates.people, received.mean()), rel=0.35)
    plain = lists.shown_by(dates, scores, dates.groups["group"], lists.METHODS["product"])
    assert plain.both == pytest.approx(plain.attention * plain.attention[dates.reverse])
    # Two who find each other at the same place look at each other more often than by chance.
    assert blind.both.mean() > (blind.attention * blind.attention[dates.reverse]).mean()


def test_rows_are_found_from_both_sides() -> None:
    dates, _ = simulated(World(waves=2, side=4), seed=1)
    left, right = (np.flatnonzero((dates.wave == 1) & (dates.side == side)) for side in (0, 1))
    rows = lists.row_table(dates, left, right)
    assert (dates.viewer[rows] == left[:, None]).all()
    assert (dates.shown[rows] == right[None, :]).all()
    assert (dates.viewer[dates.reverse[rows]] == right[None, :]).all()
