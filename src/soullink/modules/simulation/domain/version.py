"""Which equations these are."""

import hashlib
from typing import Final

from soullink.modules.simulation.domain.acts import SPECS
from soullink.modules.simulation.domain.adjacency import TABLE
from soullink.modules.simulation.domain.parameters import CURRENT
from soullink.modules.simulation.domain.weights import WEIGHTS

EQUATIONS: Final = 4
"""Counted up by hand with every change that can change a course."""

DYNAMICS_VERSION: Final = (
    f"{EQUATIONS}-"
    + hashlib.sha256(
        WEIGHTS.tobytes() + TABLE.tobytes() + repr(SPECS).encode() + CURRENT.as_array().tobytes()
    ).hexdigest()[:8]
)
"""The count, then a digest of the tables: acts, weights, adjacency, free numbers."""
