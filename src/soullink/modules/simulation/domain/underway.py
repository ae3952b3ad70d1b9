"""An episode that one live course is in the middle of."""

from dataclasses import dataclass, field

from soullink.modules.simulation.api import FloatArray, Scenario
from soullink.modules.simulation.domain.dynamics import Situation


@dataclass(slots=True)
class Underway:
    """An episode that was opened.

    asks, shared: what it asks of this course and of all in it (packed.py). sequence: of the last
    turn. turns: taken by each person. ending, left_by: as in EpisodeArrays.
    """

    scenario: Scenario
    number: int
    asks: FloatArray
    shared: Situation
    sequence: int = 0
    turns: list[int] = field(default_factory=lambda: [0, 0])
    ending: int = -1
    left_by: int = -1
