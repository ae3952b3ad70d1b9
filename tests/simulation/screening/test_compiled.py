"""The compiled engine: the same pairs, and as little dependence on who else is there."""

import numpy as np
import pytest

from soullink.modules.simulation.domain import fast
from soullink.modules.simulation.domain.screening import NUMBERS, ArrayEngine, NumberArray
from soullink.modules.simulation.scenarios import library
from soullink.modules.simulation.screening import engines
from soullink.modules.simulation.screening.engines import CompiledEngine
from tests.simulation.screening.populations import TWO, a_grid, a_population

pytestmark = [
    pytest.mark.compiled,
    pytest.mark.skipif(not fast.available(), reason="needs numba (the extra fast)"),
]
GRID = a_grid(a_population(8), range(8), range(8))
SCENARIOS = tuple(library.get(name) for name in TWO)
REPLICAS = 48
ENGINE = CompiledEngine(GRID.people, SCENARIOS, 11, REPLICAS)
STEP = 1.0 / 128
"""Width of a bin of the histograms that quantiles are read from."""


@pytest.fixture(scope="module")
def compiled() -> NumberArray:
    return ENGINE.screen_block(GRID.block(0, GRID.count)).rows


def test_both_engines_say_the_same_of_a_pair(compiled: NumberArray) -> None:
    block = GRID.block(0, GRID.count)
    found = ArrayEngine(GRID.people, SCENARIOS, 11, REPLICAS).screen_block(block)
    again = ENGINE.screen_block(block)
    assert again.turns == pytest.approx(found.turns, rel=0.01)
    for name in NUMBERS.names or ():
        # A course that takes another turn by rounding moves a share by one replica.
        allowed = 1.5 / REPLICAS if name.startswith(("together", "again")) else 1.5 * STEP
        difference = np.abs(compiled[name] - found.rows[name])
        assert np.quantile(difference, 0.9) <= allowed, name
        assert difference.max() <= 3 * allowed, name
    assert (compiled["likeness"] == found.rows["likeness"]).all()


def test_a_pair_does_not_depend_on_its_neighbours(
    compiled: NumberArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = [ENGINE.screen_block(GRID.block(n, n + 1)).rows for n in range(GRID.count)]
    assert compiled.tobytes() == np.concatenate(alone).tobytes()
    monkeypatch.setattr(engines, "PAIRS_AT_ONCE", 3)
    assert compiled.tobytes() == ENGINE.screen_block(GRID.block(0, GRID.count)).rows.tobytes()


def test_a_block_without_pairs_has_no_rows() -> None:
    found = ENGINE.screen_block(GRID.block(0, 0))
    assert (found.rows.size, found.turns) == (0, 0)
