"""The sparse and the low-rank equilibrium are the dense one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.reciprocal import equilibrium_low_rank
from soullink.modules.matching.domain.reciprocal.equilibrium import (
    equilibrium,
    equilibrium_lists,
    surplus,
)
from soullink.modules.matching.domain.reciprocal.equilibrium_low_rank import (
    Factors,
    low_rank_equilibrium,
)
from soullink.modules.matching.domain.reciprocal.equilibrium_sparse import (
    candidates,
    priced_lists,
    sparse_equilibrium,
)
from tests.matching.reciprocal.markets import market_of, seeds


@given(
    left=st.integers(1, 12),
    right=st.integers(1, 12),
    seed=seeds,
    share=st.sampled_from((1.0, 0.4, 0.1)),
    beta=st.sampled_from((0.1, 1.0)),
)
@hypothesis_settings(max_examples=60)
def test_sparse_is_dense_with_the_rest_forbidden(
    left: int, right: int, seed: int, share: float, beta: float
) -> None:
    draw = np.random.default_rng(seed)
    joint = (2.0 * draw.random((left, right))).astype(np.float32)
    may = draw.random((left, right)) < share
    capacity = draw.uniform(0.5, 2.0, left)
    order = draw.permutation(np.argwhere(may))
    prices = sparse_equilibrium(
        candidates(order[:, 0], order[:, 1], joint[order[:, 0], order[:, 1]], joint.shape),
        beta,
        capacity,
        tolerance=1e-6,
    )
    assert prices.residual <= 1e-6
    dense = equilibrium(np.where(may, joint.astype(np.float64), -np.inf), beta, capacity)
    np.testing.assert_allclose(np.exp(2.0 * prices.left), dense.left_single, atol=2e-5)
    np.testing.assert_allclose(np.exp(2.0 * prices.right), dense.right_single, atol=2e-5)


def test_blocks_change_nothing_and_earlier_prices_save_sweeps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw = np.random.default_rng(1)
    pairs = draw.integers(0, 300, (2, 6_000))
    market = candidates(pairs[0], pairs[1], draw.random(6_000).astype(np.float32), (300, 300))
    assert len(market.partners) == len(np.unique(pairs[0] * 300 + pairs[1]))
    once = sparse_equilibrium(market, 0.1)
    monkeypatch.setattr(
        "soullink.modules.matching.domain.reciprocal.equilibrium_sparse._BLOCK", 100
    )
    np.testing.assert_allclose(sparse_equilibrium(market, 0.1).left, once.left, rtol=1e-6)
    assert sparse_equilibrium(market, 0.1, start=once).sweeps < once.sweeps


@pytest.mark.parametrize("share", [1.0, 0.3])
def test_lists_by_price_are_those_of_the_dense_equilibrium(share: float) -> None:
    market = market_of(12, 9, 3, open_share=share)
    joint = np.where(market.allowed, surplus(market), 0.0).astype(np.float32)
    left, right = np.nonzero(market.allowed)
    sparse = candidates(left, right, joint[left, right], joint.shape)
    prices = sparse_equilibrium(sparse, 0.5, tolerance=1e-6)
    dense = equilibrium_lists(market, 0.5)
    np.testing.assert_array_equal(priced_lists(sparse, prices, 0.5, 9), dense.left.lists[0])
    np.testing.assert_array_equal(
        priced_lists(sparse, prices, 0.5, 4, "right"), dense.right.lists[0, :, :4]
    )


def test_one_group_named_both_ways_has_one_set_of_prices() -> None:
    draw = np.random.default_rng(4)
    joint = draw.random((40, 40))
    joint = (joint + joint.T).astype(np.float32)
    may = np.triu(draw.random((40, 40)) < 0.2, 1)
    left, right = np.nonzero(may | may.T)
    prices = sparse_equilibrium(
        candidates(left, right, joint[left, right], (40, 40)), tolerance=1e-7
    )
    np.testing.assert_allclose(prices.left, prices.right, atol=1e-5)
    table = np.where(may | may.T, joint.astype(np.float64), -np.inf)
    single = equilibrium(table, single=True)
    np.testing.assert_allclose(np.exp(2.0 * prices.left), single.left_single, atol=1e-5)


def factors(left: int, right: int, seed: int, rank: int = 6) -> tuple[Factors, Factors]:
    draw = np.random.default_rng(seed)
    first, second = draw.normal(size=(left, rank)), draw.normal(size=(right, rank))
    effects = 0.3 * draw.normal(size=left), 0.3 * draw.normal(size=right)
    return (
        np.column_stack((0.4 * first, effects[0], np.ones(left))).astype(np.float32),
        np.column_stack((0.4 * second, np.ones(right), effects[1])).astype(np.float32),
    )


@pytest.mark.parametrize(("left", "right", "beta"), [(150, 90, 1.0), (70, 130, 0.2), (1, 1, 1.0)])
def test_low_rank_is_dense(left: int, right: int, beta: float) -> None:
    first, second = factors(left, right, 0)
    capacity = np.random.default_rng(2).uniform(0.5, 2.0, right)
    prices = low_rank_equilibrium(first, second, beta, None, capacity, tolerance=1e-5)
    assert prices.residual <= 1e-5
    dense = equilibrium((first @ second.T).astype(np.float64), beta, None, capacity)
    np.testing.assert_allclose(np.exp(2.0 * prices.left), dense.left_single, atol=1e-4)
    np.testing.assert_allclose(np.exp(2.0 * prices.right), dense.right_single, atol=1e-4)


@pytest.mark.parametrize(("left", "right"), [(900, 900), (1_200, 500), (400, 1_300)])
def test_a_sample_starts_near_the_end(
    monkeypatch: pytest.MonkeyPatch, left: int, right: int
) -> None:
    first, second = factors(left, right, 3)
    plain = low_rank_equilibrium(first, second, tolerance=1e-3)
    monkeypatch.setattr(equilibrium_low_rank, "SAMPLE", 150)
    started = low_rank_equilibrium(first, second, tolerance=1e-3, threads=2)
    assert started.residual <= 1e-3
    assert started.sweeps < plain.sweeps
    np.testing.assert_allclose(np.exp(2 * started.left), np.exp(2 * plain.left), atol=5e-3)


def test_what_does_not_fit_is_refused() -> None:
    first, second = factors(4, 5, 0)
    with pytest.raises(InvalidInputError, match="equal rank"):
        low_rank_equilibrium(first, second[:, 1:])
    with pytest.raises(InvalidInputError, match="beta"):
        low_rank_equilibrium(first, second, -1.0)
    one = np.array([0])
    with pytest.raises(InvalidInputError, match="left people"):
        candidates(one - 1, one, np.ones(1, dtype=np.float32), (2, 2))
    with pytest.raises(InvalidInputError, match="right people"):
        candidates(one, one + 2, np.ones(1, dtype=np.float32), (2, 2))
    with pytest.raises(InvalidInputError, match="beta"):
        sparse_equilibrium(candidates(one, one, np.ones(1, dtype=np.float32), (2, 2)), 0.0)
