"""Which pairs there are: each once, nobody with themself, numbered the same in any cut."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink.modules.simulation.domain import live
from soullink.modules.simulation.domain.screening import NUMBERS, PairGrid, put_shares
from tests.simulation.screening.populations import a_grid, a_population, the_people

PEOPLE = a_population(9)
SIDE = st.sets(st.integers(0, 8), max_size=9).map(sorted)
ARRAYS = the_people(PEOPLE)


def _grid(left: list[int], right: list[int]) -> PairGrid:
    return PairGrid(ARRAYS, np.array(left, dtype=np.int64), np.array(right, dtype=np.int64))


def _pairs(grid: PairGrid, start: int, stop: int) -> list[tuple[int, int]]:
    first, second = grid.rows(start, stop)
    return list(zip(first.tolist(), second.tolist(), strict=True))


@given(SIDE, SIDE)
def test_every_pair_comes_once_and_nobody_with_themself(left: list[int], right: list[int]) -> None:
    grid = _grid(left, right)
    pairs = _pairs(grid, 0, grid.count)
    expected = {frozenset((a, b)) for a in left for b in right if a != b}
    assert len(pairs) == grid.count == len(expected)
    assert {frozenset(pair) for pair in pairs} == expected
    assert all(a in left and b in right for a, b in pairs)
    assert pairs == sorted(pairs)


@given(SIDE, SIDE, st.lists(st.integers(0, 100), max_size=5))
def test_any_cut_gives_the_same_pairs(left: list[int], right: list[int], cuts: list[int]) -> None:
    grid = _grid(left, right)
    places = sorted({0, grid.count, *(cut for cut in cuts if cut < grid.count)})
    joined = [pair for start, stop in pairwise(places) for pair in _pairs(grid, start, stop)]
    assert joined == _pairs(grid, 0, grid.count)


def test_a_population_against_itself_is_every_unordered_pair() -> None:
    grid = a_grid(PEOPLE, range(9), range(9))
    assert _pairs(grid, 0, grid.count) == [(a, b) for a in range(9) for b in range(a + 1, 9)]


def test_the_order_in_which_people_are_given_decides_on_nothing() -> None:
    shuffled = [PEOPLE[place] for place in (4, 0, 8, 3, 1, 7, 2, 6, 5)]
    grids = a_grid(PEOPLE, range(9), range(4)), a_grid(shuffled, range(9), range(4))
    assert grids[0].people.ids == grids[1].people.ids
    assert _pairs(grids[0], 0, 26) == _pairs(grids[1], 0, 26)
    assert grids[0].people.digest(grids[0].left) == grids[1].people.digest(grids[1].left)


def test_the_digest_knows_traits_and_interests() -> None:
    digests = {
        a_grid(people, [0], [1]).people.digest(np.array([0]))
        for people in (
            a_population(2),
            [PEOPLE[0], PEOPLE[1]],
            [a_population(2, "q")[0], PEOPLE[1]],
            [PEOPLE[2], PEOPLE[3]],
        )
    }
    assert len(digests) == 3


def test_likeness_is_that_of_a_single_course() -> None:
    grid = a_grid(PEOPLE, range(9), range(9))
    first, second = grid.rows(0, grid.count)
    expected = [
        live.likeness(PEOPLE[a].interests, PEOPLE[b].interests)
        for a, b in zip(first, second, strict=True)
    ]
    assert len(set(expected)) > 2
    assert grid.likeness(first, second).tolist() == expected


def test_unknown_is_between_nothing_and_all() -> None:
    unknown = a_grid(PEOPLE, [0], [1]).people.unknown()
    assert np.all((unknown > 0.0) & (unknown <= 1.0))
    assert unknown[0] > unknown[1]


@pytest.mark.parametrize(
    ("hits", "low", "high"),
    # Wilson 1927; as in Agresti & Coull 1998 for none and for half of ten.
    [(0, 0.0, 0.2775), (5, 0.2366, 0.7634), (10, 0.7225, 1.0)],
)
def test_the_interval_of_together_stays_honest_at_the_ends(
    hits: int, low: float, high: float
) -> None:
    rows = np.zeros(1, dtype=NUMBERS)
    put_shares(rows, np.array([hits]), 10)
    assert rows["together_low"][0] == pytest.approx(low, abs=1e-4)
    assert rows["together_high"][0] == pytest.approx(high, abs=1e-4)
    assert rows["together_se"][0] == pytest.approx((hits / 10 * (1 - hits / 10) / 10) ** 0.5)
