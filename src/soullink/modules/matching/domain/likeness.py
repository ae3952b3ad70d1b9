"""What people write, as 64 small numbers each: a reduction of text vectors that keeps cosines.

Text vectors lean all the same way (cosines of unrelated texts lie about .77 in one model), so the
mean is taken off first; what is left is turned to its main directions and cut to 64 of them.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from soullink.modules.matching.domain.pool import WIDTH, Vectors

FEWEST: Final = 256
"""Below so many texts mean and directions are chance: a fixed random turn is taken instead."""
_SEED: Final = 20_260_701


@dataclass(frozen=True, slots=True)
class Reduction:
    """From text vectors to what the pool keeps. mean: (d,). basis: (d, WIDTH)."""

    mean: NDArray[np.float32]
    basis: NDArray[np.float32]

    @classmethod
    def fitted(cls, vectors: NDArray[np.float32]) -> "Reduction":
        """Return the reduction to the main directions of (n, d) vectors (their covariance's)."""
        rows = np.asarray(vectors, dtype=np.float64)
        n, d = rows.shape
        if n < FEWEST or d <= WIDTH:
            return cls(np.zeros(d, dtype=np.float32), _turn(d))
        mean = rows.mean(axis=0)
        centred = rows - mean
        _, directions = np.linalg.eigh(centred.T @ centred)
        return cls(mean.astype(np.float32), directions[:, ::-1][:, :WIDTH].astype(np.float32))

    def reduce(self, vectors: NDArray[np.float32]) -> Vectors:
        """Return (n, WIDTH) of (n, d): unit rows times 127; a row of zeros stays one."""
        rows = np.asarray(vectors, dtype=np.float32)
        written = np.any(rows != 0.0, axis=1)
        turned = (rows - self.mean) @ self.basis
        lengths = np.linalg.norm(turned, axis=1, keepdims=True)
        usable = written[:, None] & (lengths > 1e-6)
        unit = np.divide(turned, lengths, out=np.zeros_like(turned), where=usable)
        reduced: Vectors = np.rint(unit * 127.0).astype(np.int8)
        return reduced


@cache
def _turn(d: int) -> NDArray[np.float32]:
    """Return (d, WIDTH): fixed random directions at right angles; short vectors stay the same."""
    if d <= WIDTH:
        return np.eye(d, WIDTH, dtype=np.float32)
    drawn = np.random.default_rng(_SEED).normal(size=(d, WIDTH))
    return np.asarray(np.linalg.qr(drawn)[0], dtype=np.float32)
