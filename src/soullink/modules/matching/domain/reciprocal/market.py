"""A market: who would say yes to whom, who may be shown to whom, and how far people look.

Two sides, called left and right; or one side, where anybody may meet anybody and each pair
counts once. Examination is position-based: the person at rank k of a list (k from 1) is looked
at with a chance that depends on k only (Tomita & Yokoyama 2024, section 3).
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from soullink.kernel.errors import InvalidInputError

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
Lists = NDArray[np.int32]

Attention = Literal["inverse", "logarithmic", "geometric", "exponential", "top", "uniform"]
"""How far people look: 1/k; 1/log2(k+1); decay^(k-1); exp(-(k-1)); the first only; everybody."""


@dataclass(frozen=True, slots=True)
class Market:
    """What two groups of people think of one another; build it with two_sided or one_sided.

    left_yes: (n, m) chance that left person i says yes to right person j once looked at.
    right_yes: (m, n) the reverse. allowed: (n, m) whether the two may be shown to each other.
    left_looks: (m,) chance that a left person looks at rank k of its list; right_looks: (n,).
    single: one group; then left and right are the same people, in the same order.
    """

    left_yes: Matrix
    right_yes: Matrix
    allowed: Mask
    left_looks: Vector
    right_looks: Vector
    single: bool = False

    @property
    def mutual(self) -> Matrix:
        """(n, m) chance that both say yes if each looks at the other; 0 where not allowed."""
        return np.where(self.allowed, self.left_yes * self.right_yes.T, 0.0)

    def mirrored(self) -> "Market":
        """The same market seen from the right side."""
        return Market(
            self.right_yes,
            self.left_yes,
            self.allowed.T,
            self.right_looks,
            self.left_looks,
            self.single,
        )


def looks(length: int, attention: Attention = "inverse", decay: float = 0.8) -> Vector:
    """The chance that ranks 1..length are looked at, (length,); decay is of `geometric` only."""
    if attention not in get_args(Attention):
        raise InvalidInputError(f"attention is one of {', '.join(get_args(Attention))}")
    if not 0.0 < decay < 1.0:
        raise InvalidInputError("decay lies between 0 and 1")
    rank = np.arange(1, length + 1, dtype=np.float64)
    curve: Vector
    match attention:
        case "inverse":
            curve = 1.0 / rank
        case "logarithmic":
            curve = 1.0 / np.log2(rank + 1.0)
        case "geometric":
            curve = decay ** (rank - 1.0)
        case "exponential":
            curve = np.exp(1.0 - rank)
        case "top":
            curve = (rank == 1.0).astype(np.float64)
        case "uniform":
            curve = np.ones(length)
    return curve


def two_sided(
    left_yes: Matrix,
    right_yes: Matrix,
    allowed: Mask | None = None,
    attention: Attention = "inverse",
    decay: float = 0.8,
    shown: int | None = None,
) -> Market:
    """A market of two groups; left_yes (n, m), right_yes (m, n), chances in [0, 1].

    shown: nobody looks beyond this rank (default: the whole list). Raises InvalidInputError.
    """
    left, right = _chances(left_yes, "left_yes"), _chances(right_yes, "right_yes")
    if left.shape != right.T.shape:
        raise InvalidInputError(
            f"left_yes is {left.shape}, so right_yes must be {left.T.shape}, not {right.shape}"
        )
    may = np.ones(left.shape, dtype=bool) if allowed is None else np.asarray(allowed, dtype=bool)
    if may.shape != left.shape:
        raise InvalidInputError(f"allowed must be {left.shape}, not {may.shape}")
    return Market(
        left,
        right,
        may,
        _cut(looks(left.shape[1], attention, decay), shown),
        _cut(looks(left.shape[0], attention, decay), shown),
    )


def one_sided(
    yes: Matrix,
    allowed: Mask | None = None,
    attention: Attention = "inverse",
    decay: float = 0.8,
    shown: int | None = None,
) -> Market:
    """A market of one group; yes[i, j] is the chance that i says yes to j, (n, n).

    The diagonal is never allowed; allowed must be symmetric. Raises InvalidInputError.
    """
    chance = _chances(yes, "yes")
    if chance.shape[0] != chance.shape[1]:
        raise InvalidInputError(f"yes must be square, not {chance.shape}")
    may = np.ones(chance.shape, dtype=bool) if allowed is None else np.array(allowed, dtype=bool)
    if may.shape != chance.shape:
        raise InvalidInputError(f"allowed must be {chance.shape}, not {may.shape}")
    if not np.array_equal(may, may.T):
        raise InvalidInputError("allowed must be symmetric: two people may meet, or may not")
    may &= ~np.eye(len(may), dtype=bool)
    attentive = _cut(looks(len(chance), attention, decay), shown)
    return Market(chance, chance, may, attentive, attentive, single=True)


def _chances(values: Matrix, name: str) -> Matrix:
    chance = np.asarray(values, dtype=np.float64)
    if chance.ndim != 2 or 0 in chance.shape:
        raise InvalidInputError(f"{name} must be a table with people in both directions")
    if not bool(np.all((chance >= 0.0) & (chance <= 1.0))):
        raise InvalidInputError(f"{name} must hold chances between 0 and 1")
    return chance


def _cut(attentive: Vector, shown: int | None) -> Vector:
    if shown is None:
        return attentive
    if shown < 1:
        raise InvalidInputError("shown is at least 1")
    return np.where(np.arange(len(attentive)) < shown, attentive, 0.0)
