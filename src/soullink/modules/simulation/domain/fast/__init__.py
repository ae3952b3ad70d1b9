"""The same equations compiled: pairs by replicas by turns, with sums that do not grow.

Needs the extra `fast`; `available` says whether it is there. Importing this costs nothing of it.
"""

from importlib.util import find_spec

from soullink.modules.simulation.domain.fast.screen import Population, Traced, screen, trace
from soullink.modules.simulation.domain.fast.source import ROUNDING
from soullink.modules.simulation.domain.fast.statistics import (
    COUNTS,
    RANGES,
    VARIABLES,
    Statistics,
)

__all__ = [
    "COUNTS",
    "RANGES",
    "ROUNDING",
    "VARIABLES",
    "Population",
    "Statistics",
    "Traced",
    "available",
    "screen",
    "trace",
]


def available() -> bool:
    """Return whether numba is installed; without it, the NumPy equations serve."""
    return find_spec("numba") is not None
