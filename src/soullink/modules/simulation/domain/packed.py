"""What is known of one course, in three rows of numbers.

The equations cost nearly the same for one row as for fifty, so courses that wait at the same
moment are put below each other, go on together, and are parted again. In rows that is three
copies of each course where its arrays would be thirty. Draws are keyed and rows do not see each
other: all comes out the same, bit for bit, whoever else is taken along.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Final, TypeAlias

import numpy as np

from soullink.modules.simulation.api import ACTS, DEMANDS, BoolArray, FloatArray
from soullink.modules.simulation.domain.dynamics import Situation
from soullink.modules.simulation.domain.layout import N_PERSON, N_SHARED, N_TRAIT
from soullink.modules.simulation.domain.memory import N_ASPECT, N_TOPIC, MemoryArrays
from soullink.modules.simulation.domain.parameters import Parameters
from soullink.modules.simulation.domain.turn import Batch

Rows: TypeAlias = tuple[FloatArray, FloatArray]
"""What turns change of a course, and what they do not."""
_CELLS: Final = 2 * N_ASPECT * N_TOPIC
_PEOPLE, _PAIR, *_MEMORY, CHANGES = accumulate((2 * N_PERSON, N_SHARED, *(_CELLS,) * 5, 0))
"""Where each part of the row of what turns change ends; after it come the triggers that fired."""
_TRAITS, _GENERAL, _SPARKS, _DRAWN, _BELIEFS, _ALIVE, _AGAIN, STAYS = accumulate(
    (2 * N_TRAIT, 2, 2, 2, 2 * N_ASPECT, 1, 2, 3)
)
"""Where each part of the row of what no turn changes ends; the last is keys of draws."""
_DEMANDS, _GOALS, _STRAIN, ASKED = accumulate((len(DEMANDS), 2 * len(ACTS), 2, 2))
"""Where each part of the row of what an episode asks ends."""


def rows_of(batch: Batch, fired: BoolArray) -> list[Rows]:
    """Return the rows of R courses. fired: triggers that fired in the episode, (R, triggers)."""
    return list(zip(parted(_changing(batch, fired)), parted(_staying(batch)), strict=True))


def _changing(batch: Batch, fired: BoolArray) -> FloatArray:
    """Return what turns change in R courses, shape (R, CHANGES + triggers)."""
    memory = batch.memory
    arrays = (batch.people, batch.pair, memory.valence, memory.importance, memory.day)
    return _table(arrays, memory.count, memory.superseded, fired)


def _staying(batch: Batch) -> FloatArray:
    """Return what no turn changes in R courses, shape (R, STAYS)."""
    made = (batch.traits, batch.general, batch.sparks, batch.drawn, batch.memory.beliefs)
    keys = np.concatenate((batch.keys, batch.env[:, None]), axis=1)
    # Keys keep their bits, whatever number these make.
    return _table(made, batch.alive, batch.again, keys.view(np.float64))


def asked(situation: Situation) -> FloatArray:
    """Return what an episode asks in R courses, shape (R, ASKED)."""
    return _table((situation.demands, situation.goal_acts, situation.strain, situation.misreading))


def shared(situation: Situation) -> Situation:
    """Return what an episode asks of no course in particular: a situation of no courses."""
    return _situation(np.zeros((0, ASKED)), situation)


def _table(arrays: Sequence[FloatArray], *more: FloatArray | BoolArray) -> FloatArray:
    flat = [array.reshape(len(array), -1) for array in (*arrays, *more)]
    table: FloatArray = np.concatenate(flat, axis=1, dtype=np.float64)
    return table


def parted(table: FloatArray) -> list[FloatArray]:
    """Return each course's row."""
    # Copies: a view would keep the rows of all the others alive.
    return [row.copy() for row in table]


def people_of(changes: FloatArray) -> FloatArray:
    """Return both people, (2, columns), of a row of what turns change: a view."""
    return changes[:_PEOPLE].reshape(2, N_PERSON)


def fired_of(changes: FloatArray) -> BoolArray:
    """Return the triggers that fired, (R, triggers), of rows of what turns change."""
    fired: BoolArray = changes[:, CHANGES:] != 0.0
    return fired


class Packed:
    """Courses below each other: `batch` has views of tables of their rows."""

    def __init__(self, rows: Sequence[Rows], parameters: Parameters) -> None:
        """Put the rows of courses of one scenario together; they share their parameters."""
        self._changes = np.array([changes for changes, _ in rows])
        fixed = np.array([stays for _, stays in rows])
        n = len(rows)
        keys = fixed[:, _AGAIN:].view(np.uint64)
        cells = (n, 2, N_ASPECT, N_TOPIC)
        valence, importance, day, count, superseded = (
            self._changes[:, end - _CELLS : end].reshape(cells) for end in _MEMORY
        )
        beliefs = fixed[:, _DRAWN:_BELIEFS].reshape(n, 2, N_ASPECT)
        self.batch = Batch(
            people=self._changes[:, :_PEOPLE].reshape(n, 2, N_PERSON),
            pair=self._changes[:, _PEOPLE:_PAIR],
            traits=fixed[:, :_TRAITS].reshape(n, 2, N_TRAIT),
            memory=MemoryArrays(valence, importance, day, count, superseded, beliefs),
            general=fixed[:, _TRAITS:_GENERAL],
            sparks=fixed[:, _GENERAL:_SPARKS],
            drawn=fixed[:, _SPARKS:_DRAWN],
            keys=keys[:, :2],
            env=keys[:, 2],
            alive=fixed[:, _BELIEFS] != 0.0,
            again=fixed[:, _ALIVE:_AGAIN] != 0.0,
            parameters=parameters,
        )
        self.fired = fired_of(self._changes)

    def changes(self) -> list[FloatArray]:
        """Return each course's row of what turns change, as they have left it."""
        self._changes[:, CHANGES:] = self.fired
        return parted(self._changes)


def situation_of(asks: Sequence[FloatArray], like: Situation) -> Situation:
    """Return what an episode asks in courses of one scenario. like: `shared` of it."""
    return _situation(np.array(asks), like)


def _situation(table: FloatArray, like: Situation) -> Situation:
    return Situation(
        demands=table[:, :_DEMANDS],
        scenario_acts=like.scenario_acts,
        goal_acts=table[:, _DEMANDS:_GOALS].reshape(len(table), 2, len(ACTS)),
        decides=like.decides,
        fewest=like.fewest,
        most=like.most,
        strain=table[:, _GOALS:_STRAIN],
        misreading=table[:, _STRAIN:],
    )
