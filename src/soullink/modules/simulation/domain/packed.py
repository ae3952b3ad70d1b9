"""What a turn reads and changes of one course, in two rows of numbers.

So courses are put below each other by copying two rows of each, not thirty arrays, and each is
parted from the others by copying one.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import numpy as np

from soullink.modules.simulation.api import ACTS, DEMANDS, BoolArray, FloatArray
from soullink.modules.simulation.domain.dynamics import Situation
from soullink.modules.simulation.domain.layout import N_PERSON, N_SHARED, N_TRAIT
from soullink.modules.simulation.domain.memory import N_ASPECT, N_TOPIC, MemoryArrays
from soullink.modules.simulation.domain.parameters import Parameters
from soullink.modules.simulation.domain.turn import Batch

_CELLS: Final = 2 * N_ASPECT * N_TOPIC
_PEOPLE, _PAIR, *_MEMORY, CHANGES = accumulate((2 * N_PERSON, N_SHARED, *(_CELLS,) * 5, 0))
"""Where each part of the row of what changes ends; after it come the triggers that fired."""
_TRAITS, _DRAWN, _BELIEFS, _DEMANDS, _GOALS, _STRAIN, _MISREADING, _KEYS, STAYS = accumulate(
    (2 * N_TRAIT, 2, 2 * N_ASPECT, len(DEMANDS), 2 * len(ACTS), 2, 2, 2, 1)
)
"""Where each part of the row of what stays for an episode ends."""


def changing(batch: Batch, fired: BoolArray) -> FloatArray:
    """Return what turns change of a batch of one, shape (CHANGES + triggers,)."""
    memory = batch.memory
    arrays = (batch.people, batch.pair, memory.valence, memory.importance, memory.day)
    more = (memory.count, memory.superseded, fired.astype(np.float64))
    return np.concatenate([array.ravel() for array in (*arrays, *more)])


def staying(batch: Batch, situation: Situation) -> FloatArray:
    """Return what no turn of an episode changes of a batch of one, shape (STAYS,)."""
    arrays = (batch.traits, batch.drawn, batch.memory.beliefs, situation.demands)
    more = (situation.goal_acts, situation.strain, situation.misreading)
    # Keys keep their bits, whatever number these make.
    keys = (batch.keys.view(np.float64), batch.env.view(np.float64))
    return np.concatenate([array.ravel() for array in (*arrays, *more, *keys)])


def people_of(row: FloatArray) -> FloatArray:
    """Return both people, (2, columns), of a row of what changes: a view."""
    return row[:_PEOPLE].reshape(2, N_PERSON)


def give(row: FloatArray, batch: Batch) -> BoolArray:
    """Let the batch of one have what the row says; returns the triggers that fired, (1, T)."""
    whole = row[None]
    batch.people, batch.pair = _people_and_pair(whole)
    mine, now = batch.memory, _memory(whole)
    mine.valence, mine.importance, mine.day = now.valence, now.importance, now.day
    mine.count, mine.superseded = now.count, now.superseded
    return _fired(whole)


class Packed:
    """Courses below each other, as `take_turn` takes them: views of two tables of rows."""

    def __init__(
        self,
        changes: Sequence[FloatArray],
        stays: Sequence[FloatArray],
        shared: tuple[Parameters, Situation],
    ) -> None:
        """Put the rows of courses in one scenario together. shared: what is the same in all."""
        self._changes, fixed = np.array(changes), np.array(stays)
        n = len(changes)
        parameters, first = shared
        people, pair = _people_and_pair(self._changes)
        memory = _memory(self._changes)
        memory.beliefs = fixed[:, _DRAWN:_BELIEFS].reshape(n, 2, N_ASPECT)
        keys = fixed[:, _MISREADING:].view(np.uint64)
        drawn = fixed[:, _TRAITS:_DRAWN]
        self.batch = Batch(
            people=people,
            pair=pair,
            traits=fixed[:, :_TRAITS].reshape(n, 2, N_TRAIT),
            memory=memory,
            general=drawn,  # a turn does not look at the parts that it was made of
            sparks=drawn,
            drawn=drawn,
            keys=keys[:, :2],
            env=keys[:, 2],
            alive=np.ones(n, dtype=np.bool_),
            again=np.zeros((n, 2), dtype=np.bool_),
            parameters=parameters,
        )
        self.situation = Situation(
            demands=fixed[:, _BELIEFS:_DEMANDS],
            scenario_acts=first.scenario_acts,
            goal_acts=fixed[:, _DEMANDS:_GOALS].reshape(n, 2, len(ACTS)),
            decides=first.decides,
            fewest=first.fewest,
            most=first.most,
            strain=fixed[:, _GOALS:_STRAIN],
            misreading=fixed[:, _STRAIN:_MISREADING],
        )
        self.fired = _fired(self._changes)

    def rows(self) -> list[FloatArray]:
        """Return each course's row of what changes, as it is now."""
        self._changes[:, CHANGES:] = self.fired
        # Copies: a view would keep the rows of all the others alive.
        return [row.copy() for row in self._changes]


def _fired(changes: FloatArray) -> BoolArray:
    out: BoolArray = changes[:, CHANGES:] != 0.0
    return out


def _people_and_pair(changes: FloatArray) -> tuple[FloatArray, FloatArray]:
    people = changes[:, :_PEOPLE].reshape(len(changes), 2, N_PERSON)
    return people, changes[:, _PEOPLE:_PAIR]


def _memory(changes: FloatArray) -> MemoryArrays:
    shape = (len(changes), 2, N_ASPECT, N_TOPIC)
    cells = [changes[:, end - _CELLS : end].reshape(shape) for end in _MEMORY]
    valence, importance, day, count, superseded = cells
    return MemoryArrays(valence, importance, day, count, superseded, changes[:, :0])
