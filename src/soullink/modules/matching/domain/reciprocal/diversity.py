"""Lists of people who are not all alike."""

import numpy as np

from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.reciprocal.market import Lists, Matrix, Vector

_LEAST = 1e-12


def marginal_relevance(
    scores: Vector, similarity: Matrix, length: int, relevance: float = 0.7
) -> Lists:
    """Maximal marginal relevance (Carbonell & Goldstein 1998): indices, best first, (length,).

    Next comes whoever has the most relevance * score - (1 - relevance) * largest similarity to
    those before. scores: (m,) on the scale of similarity; similarity: (m, m); relevance in [0, 1].
    """
    _check(scores, similarity, length)
    if not 0.0 <= relevance <= 1.0:
        raise InvalidInputError("relevance lies between 0 and 1")
    chosen: list[int] = []
    nearest = np.zeros(len(scores))
    still_open = np.ones(len(scores), dtype=bool)
    while len(chosen) < min(length, len(scores)):
        value = relevance * scores - (1.0 - relevance) * nearest
        pick = int(np.argmax(np.where(still_open, value, -np.inf)))
        still_open[pick] = False
        nearest = similarity[pick] if not chosen else np.maximum(nearest, similarity[pick])
        chosen.append(pick)
    return np.array(chosen, dtype=np.int32)


def determinantal(scores: Vector, similarity: Matrix, length: int) -> Lists:
    """The greedy mode of a determinantal point process: indices, best first, at most (length,).

    Each step adds whom the determinant of diag(scores) similarity diag(scores) gains most by
    (fast greedy, Chen et al. 2018). scores: (m,) above 0. similarity: (m, m), symmetric, no
    eigenvalue below 0, ones on its diagonal. Ends early when all left are copies of those before.
    """
    _check(scores, similarity, length)
    if not bool(np.all(scores > 0.0)):
        raise InvalidInputError("scores of a determinantal list are above 0")
    left_over = scores**2 * np.diag(similarity)
    rows = np.zeros((min(length, len(scores)), len(scores)))
    chosen: list[int] = []
    while len(chosen) < len(rows):
        pick = int(np.argmax(left_over))
        if left_over[pick] <= _LEAST:
            break
        kernel = scores[pick] * similarity[pick] * scores
        done = rows[: len(chosen)]
        row = (kernel - done[:, pick] @ done) / np.sqrt(left_over[pick])
        rows[len(chosen)] = row
        left_over = left_over - row**2
        left_over[pick] = -np.inf
        chosen.append(pick)
    return np.array(chosen, dtype=np.int32)


def _check(scores: Vector, similarity: Matrix, length: int) -> None:
    if scores.ndim != 1 or similarity.shape != (len(scores), len(scores)):
        raise InvalidInputError(f"similarity must be square for the {len(scores)} scores")
    if length < 1:
        raise InvalidInputError("length is at least 1")
