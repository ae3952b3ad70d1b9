"""Sobol indices and Shapley values against what is known in closed form."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink.modules.simulation.api import FloatArray
from soullink.modules.simulation.domain.sensitivity import shapley, sobol
from soullink.modules.simulation.domain.sensitivity.sobol import Indices

POINTS = 4096


def sample(seed: int, columns: int, low: float, high: float) -> tuple[FloatArray, FloatArray]:
    random = np.random.default_rng(seed)
    cubes = [
        np.stack(
            [(random.permutation(POINTS) + random.random(POINTS)) / POINTS for _ in range(columns)],
            axis=1,
        )
        for _ in range(2)
    ]
    return low + (high - low) * cubes[0], low + (high - low) * cubes[1]


def decomposed(
    model: Callable[[FloatArray], FloatArray], a: FloatArray, b: FloatArray, noise: float = 0.0
) -> Indices:
    """Indices of `model` with normal noise: the same for A and the mixed points, B's its own."""
    random = np.random.default_rng(5)
    replicas = 4 if noise else 1
    luck = noise * random.normal(size=(POINTS, replicas))
    other = noise * random.normal(size=(POINTS, replicas))
    mixed = []
    for column in range(a.shape[1]):
        points = a.copy()
        points[:, column] = b[:, column]
        mixed.append(model(points)[:, None] + luck)
    return sobol.indices(model(a)[:, None] + luck, model(b)[:, None] + other, np.array(mixed), 1)


def ishigami(x: FloatArray) -> FloatArray:
    out: FloatArray = (
        np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    )
    return out


def test_the_ishigami_function_has_the_indices_that_are_known() -> None:
    """Ishigami & Homma (1990), with a = 7, b = 0.1: in closed form."""
    found = decomposed(ishigami, *sample(1, 3, -math.pi, math.pi))
    assert found.first is not None
    assert found.total is not None
    assert found.beyond is not None
    assert found.first[:, 0] == pytest.approx([0.3139, 0.4424, 0.0], abs=0.04)
    assert found.total[:, 0] == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.04)
    for known, rows in (
        ((0.3139, 0.4424, 0.0), found.first),
        ((0.5576, 0.4424, 0.2437), found.total),
    ):
        for value, (_, low, high) in zip(known, rows, strict=True):
            assert low - 0.02 <= value <= high + 0.02
    assert found.beyond[0, 1] > 0.1, "the first works together with the third"
    assert found.beyond[1, 1] < 0.05, "the second works alone"
    assert found.varied[0] == pytest.approx(1.0), "nothing is left to chance"


def test_chance_has_its_own_share_and_leaves_the_indices_alone() -> None:
    clean = sample(2, 3, -math.pi, math.pi)
    noise = 3.0
    found = decomposed(ishigami, *clean, noise=noise)
    variance = 13.845  # of the Ishigami function
    assert found.total is not None
    assert found.varied[0] == pytest.approx(variance / (variance + noise**2), abs=0.03)
    assert found.total[:, 0] == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.05)


def test_where_nothing_matters_there_are_no_indices() -> None:
    """And not a division by what is left of the variance."""
    a, b = sample(3, 2, 0.0, 1.0)
    found = decomposed(lambda x: np.zeros(len(x)), a, b, noise=1.0)
    assert found.first is None
    assert found.total is None
    assert found.varied[0] < 0.05
    constant = decomposed(lambda x: np.zeros(len(x)), a, b)
    assert constant.first is None
    assert constant.varied.tolist() == [0.0, 0.0, 0.0]


def test_the_same_seed_gives_the_same_intervals() -> None:
    cubes = sample(4, 3, -math.pi, math.pi)
    one, two = decomposed(ishigami, *cubes), decomposed(ishigami, *cubes)
    assert one.first is not None
    assert two.first is not None
    assert one.first.tobytes() == two.first.tobytes()


def gloves(members: np.ndarray) -> FloatArray:
    """The glove game: players 0 and 1 hold left gloves, 2 a right one; a pair is worth 1."""
    out: FloatArray = ((members[:, 0] | members[:, 1]) & members[:, 2]).astype(np.float64)
    return out


def test_shapley_values_of_the_glove_game() -> None:
    game = shapley.game(3, seed=0)
    assert game.shares(gloves(game.members)) == pytest.approx([1 / 6, 1 / 6, 4 / 6])


@given(
    st.integers(1, 7).flatmap(lambda m: st.lists(st.floats(-10, 10), min_size=2**m, max_size=2**m))
)
def test_shapley_values_sum_to_the_difference(values: list[float]) -> None:
    players = int(math.log2(len(values)))
    for game in (shapley.game(players, 1), shapley.game(players, 1, exact_up_to=0, orders=8)):
        numbers = game.members @ (1 << np.arange(players))
        of_all = np.array(values)[numbers]
        difference = values[-1] - values[0]
        assert game.shares(of_all).sum() == pytest.approx(difference, abs=1e-9)


def test_players_who_do_alike_get_alike_and_one_who_does_nothing_gets_nothing() -> None:
    game = shapley.game(4, seed=0)
    size = game.members[:, :3].sum(axis=1)
    shares = game.shares((size**2).astype(np.float64))
    assert shares == pytest.approx([3.0, 3.0, 3.0, 0.0])


def test_drawn_orders_come_near_the_exact_values() -> None:
    weights = np.arange(1.0, 11.0)

    def value(members: np.ndarray) -> FloatArray:
        out: FloatArray = (members @ weights) ** 2 / 100.0
        return out

    drawn = shapley.game(10, seed=3, orders=200)
    exact = shapley.game(10, seed=3, exact_up_to=10)
    assert len(drawn.members) < len(exact.members)
    assert drawn.shares(value(drawn.members)) == pytest.approx(
        exact.shares(value(exact.members)), abs=0.15
    )
