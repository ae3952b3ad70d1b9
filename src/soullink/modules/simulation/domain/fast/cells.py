# ruff: noqa: ARG001 - `i` is all lanes at once: `source` takes it away
"""What a tile is, and how its rows are set: for one person, for both, for the pair."""

from typing import Any, TypeAlias

from soullink.modules.simulation.domain.fast.maths import pick, put_where
from soullink.modules.simulation.domain.fast.rows import P1, L

Rows: TypeAlias = Any
"""A tile, (N_ROWS, L), of float32 or float64, or an array of numbers to read."""
Words: TypeAlias = Any
"""64-bit words of L lanes: both people's keys and the pair's, (3, L); or whole numbers to read."""


def put(x: Rows, row: int, i: int, where: bool, value: float) -> None:
    """Set a row of the pair where the condition holds."""
    put_where(x, row * L, where, value)


def one_of(x: Rows, row: int, i: int, first: bool, second: bool, value: float) -> None:
    """Set a row of person 0 where `first`, of person 1 where `second`."""
    put_where(x, row * L, first, value)
    put_where(x, (P1 + row) * L, second, value)


def both(x: Rows, row: int, i: int, first: bool, second: bool, mine: float, others: float) -> None:
    """Give person 0 `mine` and person 1 `others` where `first`, the other way where `second`."""
    x[row, i] = pick(first, mine, pick(second, others, x[row, i]))
    x[P1 + row, i] = pick(first, others, pick(second, mine, x[P1 + row, i]))
