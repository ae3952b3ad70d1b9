"""Memory does not grow with the number of pairs."""

import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from soullink.modules.simulation.domain.screening import (
    NUMBERS,
    Block,
    BlockNumbers,
    ScreeningEngine,
)
from soullink.modules.simulation.screening import service, table
from soullink.modules.simulation.screening.engines import Plan
from tests.simulation.screening.populations import QUICK, a_population, a_service

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class NobodyLives(ScreeningEngine):
    """Rows of zeros at once: what is left is the work of keeping and merging them."""

    def screen_block(self, block: Block) -> BlockNumbers:
        return BlockNumbers(np.zeros(block.first.size, dtype=NUMBERS), 1)


async def _peak(size: int, out: Path) -> tuple[int, int]:
    """Return pairs, and bytes at most."""
    people = a_population(size)
    tracemalloc.start()
    try:
        done = await a_service().screen(people, people, QUICK, out)
        return done.pairs, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_twenty_times_the_pairs_need_no_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LARGEST_BLOCK", 200)
    monkeypatch.setattr(table, "ROW_GROUP", 200)
    monkeypatch.setattr(Plan, "engine", lambda _plan: NobodyLives())
    await _peak(10, tmp_path / "warm.parquet")
    few, small = await _peak(40, tmp_path / "few.parquet")
    many, large = await _peak(180, tmp_path / "many.parquet")
    assert many > 20 * few
    assert large < 2 * small  # the rows alone would be four times as much
