"""What may be explained of a course."""

from typing import Final

import numpy as np

from soullink.modules.simulation.api import (
    STATE_VARIABLES,
    BoolArray,
    FloatArray,
    IntArray,
    Replicas,
)

OUTCOMES: Final[tuple[str, ...]] = ("together", "satisfaction", "conflict", "again", "trust")
"""together: 1 when nobody has ended it at the end. satisfaction, trust: mean of both at the end,
0..1. conflict: the highest level of open conflict, 0..1. again: 1 when both would want to meet
again after the first episode."""

_TRUST: Final = STATE_VARIABLES.index("trust")


def gathered(
    ended: IntArray, satisfaction: FloatArray, peak: FloatArray, again: BoolArray, trust: FloatArray
) -> FloatArray:
    """Return the outcomes of R courses, (R, outcomes). peak: (R,) highest of each."""
    out: FloatArray = np.stack(
        [
            (ended == 0).astype(np.float64),
            satisfaction.mean(axis=1),
            peak,
            again.all(axis=1).astype(np.float64),
            trust.mean(axis=1),
        ],
        axis=1,
    )
    return out


def of_replicas(replicas: Replicas) -> FloatArray:
    """Return the outcomes of R courses, (R, outcomes) in the order of OUTCOMES."""
    return gathered(
        replicas.ended,
        replicas.satisfaction,
        replicas.conflict_peak.max(axis=1),
        replicas.again,
        replicas.states[:, -1, :, _TRUST],
    )
