"""The kernel's own functions: errors below their bounds over all that they are asked."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from soullink.modules.simulation.domain import fast, randomness
from soullink.modules.simulation.domain.fast import choice, maths, source
from soullink.modules.simulation.domain.fast.rows import N_ROWS, TABLES, L
from soullink.modules.simulation.domain.weights import WEIGHTS

pytestmark = [
    pytest.mark.compiled,
    pytest.mark.skipif(not fast.available(), reason="needs the extra `fast`"),
]


@pytest.fixture(scope="module")
def kernel() -> ModuleType:
    return source.compiled("float32")


def _each(kernel: ModuleType, function: Any, values: np.ndarray, *, of_tile: bool = False) -> Any:
    """Return what a function of lanes makes of each value, in double precision."""
    numba = pytest.importorskip("numba")
    get_row, put_row, tile_of = kernel.get_row, kernel.put_row, kernel.tile_of
    get_lane, put_lane = kernel.get_lane, kernel.put_lane

    if of_tile:
        made = numba.njit(lambda x: function(x, get_row(x, 0)))
    else:
        made = numba.njit(lambda x: function(get_row(x, 0)))

    @numba.njit  # type: ignore[untyped-decorator]
    def run(values: np.ndarray, held: np.ndarray, table: np.ndarray) -> None:
        x = tile_of(held)
        for n in range(len(table)):
            put_lane(x, TABLES * L + n, table[n])
        for first in range(0, len(values), L):
            for lane in range(L):
                put_lane(x, lane, values[first + lane])
            put_row(x, 0, made(x))
            for lane in range(L):
                values[first + lane] = get_lane(x, lane)

    out = np.resize(values, -(-values.size // L) * L).astype(np.float32)
    table = choice.weights_in_order(WEIGHTS)[1].astype(np.float32)
    run(out, np.zeros((N_ROWS + 4) * L, np.float32), table)
    return out[: values.size].astype(np.float64)


def test_exponentials_are_right_to_four_in_ten_million(kernel: ModuleType) -> None:
    x = np.linspace(-80, 80, 4001).astype(np.float32)
    assert np.abs(_each(kernel, kernel.exp, x) / np.exp(x.astype(np.float64)) - 1).max() < 3e-7
    x = np.linspace(-120, 120, 4001).astype(np.float32)
    assert np.abs(_each(kernel, kernel.exp_2, x) / np.exp2(x.astype(np.float64)) - 1).max() < 4e-7
    (least,) = _each(kernel, kernel.exp_2, np.array([-1000.0], np.float32))
    assert 0.0 < least < 1e-37


def test_powers_that_weigh_acts_are_right_to_six_in_ten_million(kernel: ModuleType) -> None:
    x = np.linspace(-120, 120, 40_001).astype(np.float32)
    found = _each(kernel, kernel.power, x, of_tile=True)
    assert np.abs(found / np.exp2(x.astype(np.float64)) - 1).max() < 6e-7
    (least,) = _each(kernel, kernel.power, np.array([-1000.0], np.float32), of_tile=True)
    assert 0.0 < least < 1e-37


def test_the_logarithm_is_right_to_three_in_ten_million(kernel: ModuleType) -> None:
    x = np.exp(np.linspace(-36, 36, 6001)).astype(np.float32)
    exact = np.log(x.astype(np.float64))
    error = np.abs(_each(kernel, kernel.log, x) - exact)
    assert (error < 3e-7 * np.maximum(np.abs(exact), 1.0)).all()


def test_the_cosine_is_right_to_four_in_ten_million(kernel: ModuleType) -> None:
    x = np.linspace(0, 1, 5001).astype(np.float32)
    exact = np.cos(2 * np.pi * x.astype(np.float64))
    assert np.abs(_each(kernel, kernel.cos_2pi, x) - exact).max() < 4e-7


def test_draws_are_those_of_the_equations() -> None:
    keys = np.random.default_rng(0).integers(0, 2**63, 200).astype(np.uint64)
    with np.errstate(over="ignore"):
        counter = maths.counted(12, 3, 7, 1)
        found = [maths.to_unit_64(maths.drawn_bits(key, counter)) for key in keys]
    known = randomness.uniform(keys, randomness.Purpose.ACT, 3, 7, 1)
    assert (np.array(found) == known).all()


def test_a_draw_of_single_precision_is_near_and_never_nothing() -> None:
    bits = np.array([0, 1, 2**20, 2**40, 2**63, 2**64 - 1], dtype=np.uint64)
    found = [maths.to_unit_32(b) for b in bits]
    known = [maths.to_unit_64(b) for b in bits]
    assert np.allclose(found, known, rtol=2e-7, atol=2**-52)
    assert min(found) > 0.0
    assert max(found) <= 1.0


def test_the_source_follows_from_the_equations_alone() -> None:
    assert source.text_of("float32") == source.text_of("float32")
