"""What an engine says of a pair depends on the pair alone."""

import numpy as np
import pytest

from soullink.modules.simulation.domain import replicas
from soullink.modules.simulation.domain.screening import ArrayEngine, Block
from soullink.modules.simulation.scenarios import library
from tests.simulation.screening.populations import (
    TWO,
    a_grid,
    a_personality,
    a_population,
)

PEOPLE = a_population(7)
GRID = a_grid(PEOPLE, range(7), range(7))
SCENARIOS = tuple(library.get(name) for name in TWO)
ENGINE = ArrayEngine(GRID.people, SCENARIOS, seed=11, replicas=8)


def test_a_pair_does_not_depend_on_its_neighbours() -> None:
    whole = ENGINE.screen_block(GRID.block(0, GRID.count))
    alone = [ENGINE.screen_block(GRID.block(n, n + 1)) for n in range(GRID.count)]
    assert whole.rows.tobytes() == b"".join(part.rows.tobytes() for part in alone)
    assert whole.turns == sum(part.turns for part in alone) > 0
    assert np.unique(whole.rows["satisfaction_first_mean"]).size > 15


def test_the_limit_on_rows_bounds_memory_and_not_the_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    block = GRID.block(3, 7)
    whole = ENGINE.screen_block(block)
    for most in (20, 8, 3):  # two pairs at once, one, and a pair in three pieces
        monkeypatch.setattr(replicas, "MOST_ROWS", most)
        cut = ENGINE.screen_block(block)
        assert cut.rows.tobytes() == whole.rows.tobytes()
        assert cut.turns == whole.turns


def test_a_pair_is_screened_as_it_is_simulated() -> None:
    who = a_personality()
    first, second = 2, 5
    block = Block(0, np.array([first]), np.array([second]), np.array([0.25]))
    row = ENGINE.screen_block(block).rows[0]
    personas = who.persona(PEOPLE[first]), who.persona(PEOPLE[second])
    lived = replicas.of_pair(personas, 0.25, 11, 8, SCENARIOS, {})[0]
    assert row["together"] == np.float32((lived.ended == 0).mean())
    assert row["satisfaction_first_mean"] == pytest.approx(lived.satisfaction[:, 0].mean())
    assert row["satisfaction_second_q90"] == pytest.approx(
        np.quantile(lived.satisfaction[:, 1], 0.9, method="inverted_cdf")
    )
    assert row["again_second"] == np.float32(lived.again[:, 1].mean())
    assert row["conflict_peak_mean"] == pytest.approx(lived.conflict_peak.max(axis=1).mean())
    assert row["likeness"] == np.float32(0.25)


def test_the_first_and_the_second_of_a_pair_swap_with_their_numbers() -> None:
    one = Block(0, np.array([2]), np.array([5]), np.array([0.5]))
    other = Block(0, np.array([5]), np.array([2]), np.array([0.5]))
    a, b = ENGINE.screen_block(one).rows[0], ENGINE.screen_block(other).rows[0]
    assert a["satisfaction_first_mean"] == pytest.approx(b["satisfaction_second_mean"])
    assert a["again_second"] == b["again_first"]
    assert a["together"] == b["together"]


def test_a_block_without_pairs_has_no_rows() -> None:
    found = ENGINE.screen_block(GRID.block(0, 0))
    assert (found.rows.size, found.turns) == (0, 0)
