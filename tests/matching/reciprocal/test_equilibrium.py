"""The equilibrium: its equations hold, sharp tastes and capacities included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.reciprocal.equilibrium import equilibrium, surplus
from soullink.modules.matching.domain.reciprocal.market import Market
from tests.matching.reciprocal.markets import group_of, groups, seeds, two_sided_markets


@given(market=two_sided_markets(), beta=st.sampled_from((0.02, 0.2, 1.0)), seed=seeds)
@hypothesis_settings(max_examples=60)
def test_masses_are_capacities_and_follow_choo_and_siow(
    market: Market, beta: float, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    left = draw.uniform(0.2, 3.0, market.allowed.shape[0])
    right = draw.uniform(0.2, 3.0, market.allowed.shape[1])
    joint = surplus(market)
    masses = equilibrium(joint, beta, left, right)
    assert masses.residual <= 1e-9
    np.testing.assert_allclose(masses.couples.sum(axis=1) + masses.left_single, left, atol=1e-8)
    np.testing.assert_allclose(masses.couples.sum(axis=0) + masses.right_single, right, atol=1e-8)
    assert (masses.couples[~market.allowed] == 0.0).all()
    with np.errstate(divide="ignore"):
        ratio = np.log(masses.couples**2) - np.log(masses.left_single)[:, None]
        ratio = ratio - np.log(masses.right_single)[None, :]
    may = market.allowed
    np.testing.assert_allclose(ratio[may], joint[may] / beta, atol=1e-6)


@given(market=groups())
@hypothesis_settings(max_examples=30)
def test_one_group_has_a_symmetric_equilibrium(market: Market) -> None:
    joint = surplus(market)
    joint = np.maximum(joint, joint.T)  # P[i, j] + P[j, i], whatever the order of addition
    masses = equilibrium(joint, single=True)
    assert masses.residual <= 1e-9
    np.testing.assert_allclose(masses.couples, masses.couples.T, atol=1e-12)
    np.testing.assert_allclose(masses.couples.sum(axis=1) + masses.left_single, 1.0, atol=1e-8)


def test_more_demand_for_one_leaves_more_who_wanted_them_alone() -> None:
    calm = equilibrium(np.zeros((4, 4)))
    joint = np.zeros((4, 4))
    joint[:, 0] = 3.0
    wanted = equilibrium(joint)
    assert wanted.right_single[0] < calm.right_single[0]
    assert wanted.couples[0, 0] < 1.0 / 4.0 + 1e-9  # four rivals share what one can give
    assert wanted.couples[0, 1] < calm.couples[0, 1]


def test_what_has_no_equilibrium_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="beta"):
        equilibrium(np.zeros((2, 2)), 0.0)
    with pytest.raises(InvalidInputError, match="left_capacity"):
        equilibrium(np.zeros((2, 2)), 1.0, np.array([1.0, 0.0]))
    with pytest.raises(InvalidInputError, match="symmetric"):
        equilibrium(np.array([[0.0, 1.0], [0.0, 0.0]]), single=True)
    assert surplus(group_of(3, 0))[1, 1] == -np.inf
