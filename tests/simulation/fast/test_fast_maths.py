"""The kernel's own functions: errors below their bounds over all that they are asked."""

from types import ModuleType

import numpy as np
import pytest

from soullink.modules.simulation.domain import fast, randomness
from soullink.modules.simulation.domain.fast import maths, source

pytestmark = [
    pytest.mark.compiled,
    pytest.mark.skipif(not fast.available(), reason="needs the extra `fast`"),
]


@pytest.fixture(scope="module")
def kernel() -> ModuleType:
    return source.compiled("float32")


def _each(function: object, values: np.ndarray) -> np.ndarray:
    return np.array([function(v) for v in values], dtype=np.float64)  # type: ignore[operator]


def test_exponentials_are_right_to_three_in_ten_million(kernel: ModuleType) -> None:
    x = np.linspace(-80, 80, 4001).astype(np.float32)
    assert np.abs(_each(kernel.exp, x) / np.exp(x.astype(np.float64)) - 1).max() < 3e-7
    x = np.linspace(-120, 120, 4001).astype(np.float32)
    assert np.abs(_each(kernel.exp_2, x) / np.exp2(x.astype(np.float64)) - 1).max() < 4e-7
    assert 0.0 < kernel.exp_2(np.float32(-1000.0)) < 1e-37


def test_the_logarithm_is_right_to_three_in_ten_million(kernel: ModuleType) -> None:
    x = np.exp(np.linspace(-36, 36, 6001)).astype(np.float32)
    exact = np.log(x.astype(np.float64))
    assert (np.abs(_each(kernel.log, x) - exact) < 3e-7 * np.maximum(np.abs(exact), 1.0)).all()


def test_the_cosine_is_right_to_three_in_ten_million(kernel: ModuleType) -> None:
    x = np.linspace(0, 1, 5001).astype(np.float32)
    assert np.abs(_each(kernel.cos_2pi, x) - np.cos(2 * np.pi * x.astype(np.float64))).max() < 4e-7


def test_draws_are_those_of_the_equations() -> None:
    keys = np.random.default_rng(0).integers(0, 2**63, 200).astype(np.uint64)
    with np.errstate(over="ignore"):
        counter = maths.counted(12, 3, 7, 1)
        found = [maths.to_unit_64(maths.drawn_bits(key, counter)) for key in keys]
    known = randomness.uniform(keys, randomness.Purpose.ACT, 3, 7, 1)
    assert (np.array(found) == known).all()


def test_a_draw_of_single_precision_is_never_one() -> None:
    assert maths.to_unit_32(np.uint64(2**53 - 1)) < 1.0
    assert maths.to_unit_32(np.uint64(0)) > 0.0


def test_the_source_follows_from_the_equations_alone() -> None:
    assert source.text_of("float32") == source.text_of("float32")
