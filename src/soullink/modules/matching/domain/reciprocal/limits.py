"""Lists within limits: so many partners a list, and for each person only so much exposure.

Rank by rank the viewers ask for whom they score highest, and each person takes the viewers who
score it highest while its exposure lasts (deferred acceptance with capacities). So no limit is
ever exceeded, and at each rank no viewer and person would both rather have had each other.
"""

import numpy as np

from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.reciprocal.market import Lists, Mask, Matrix, Vector
from soullink.modules.matching.domain.reciprocal.policies import NOBODY
from soullink.modules.matching.domain.reciprocal.stable import preferences, stable_pairs

_ROUNDING = 1e-9


def limited_lists(
    scores: Matrix,
    allowed: Mask,
    looks: Vector,
    length: int,
    most_exposure: Vector,
    viewer_scores: Matrix | None = None,
    seed: int = 0,
) -> Lists:
    """Lists (n, length) in which partner j is looked at by at most most_exposure[j] in sum.

    scores: (n, m) of partner for viewer. looks: chance that rank k is looked at, above 0 up to
    `length`. viewer_scores: (m, n) of viewer for partner (default: scores.T), who comes first where
    exposure is short. Ties are broken by seed.
    A rank holds NOBODY where nobody has exposure left for it; a later rank, which costs less, may
    then still be filled, and moving it up would spend more than there is.
    """
    people, partners = scores.shape
    if most_exposure.shape != (partners,) or bool(np.any(most_exposure < 0.0)):
        raise InvalidInputError(f"most_exposure holds one number, not below 0, for {partners}")
    if not 1 <= length <= min(len(looks), partners) or bool(np.any(looks[:length] <= 0.0)):
        raise InvalidInputError("every rank up to length must be looked at")
    other = scores.T if viewer_scores is None else viewer_scores
    left_over = most_exposure.astype(np.float64)
    still_open = allowed.copy()
    lists = np.full((people, length), NOBODY, dtype=np.int32)
    one_each = np.ones(people, dtype=np.int64)
    for rank in range(length):
        room = np.floor(left_over / looks[rank] + _ROUNDING).astype(np.int64)
        wishes = preferences(scores, other, still_open, seed)
        pairs = stable_pairs(wishes, one_each, np.minimum(room, people))
        lists[pairs[:, 0], rank] = pairs[:, 1]
        still_open[pairs[:, 0], pairs[:, 1]] = False
        left_over -= looks[rank] * np.bincount(pairs[:, 1], minlength=partners)
    return lists
