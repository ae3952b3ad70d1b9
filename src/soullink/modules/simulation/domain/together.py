"""Many live courses take their next turns in one go.

Each course is a batch of one. The equations cost nearly the same for one row as for fifty, so
courses that wait at the same moment are put below each other, take a turn, and are parted again.
Draws are keyed and rows do not see each other: a turn comes out the same, bit for bit, whoever
else is taken along.
"""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from soullink.modules.simulation.domain.course import EpisodeArrays
from soullink.modules.simulation.domain.dynamics import Situation
from soullink.modules.simulation.domain.memory import MemoryArrays
from soullink.modules.simulation.domain.turn import Batch


def joined(batches: Sequence[Batch]) -> Batch:
    """Return the courses below each other; they share their parameters."""
    memories = [batch.memory for batch in batches]
    return Batch(
        people=np.concatenate([batch.people for batch in batches]),
        pair=np.concatenate([batch.pair for batch in batches]),
        traits=np.concatenate([batch.traits for batch in batches]),
        memory=MemoryArrays(
            valence=np.concatenate([memory.valence for memory in memories]),
            importance=np.concatenate([memory.importance for memory in memories]),
            day=np.concatenate([memory.day for memory in memories]),
            count=np.concatenate([memory.count for memory in memories]),
            superseded=np.concatenate([memory.superseded for memory in memories]),
            beliefs=np.concatenate([memory.beliefs for memory in memories]),
        ),
        general=np.concatenate([batch.general for batch in batches]),
        sparks=np.concatenate([batch.sparks for batch in batches]),
        drawn=np.concatenate([batch.drawn for batch in batches]),
        keys=np.concatenate([batch.keys for batch in batches]),
        env=np.concatenate([batch.env for batch in batches]),
        alive=np.concatenate([batch.alive for batch in batches]),
        again=np.concatenate([batch.again for batch in batches]),
        parameters=batches[0].parameters,
    )


def parted(whole: Batch) -> list[Batch]:
    """Return every course of the whole as a batch of its own."""
    return [_row(whole, slice(row, row + 1)) for row in range(whole.size)]


def _row(whole: Batch, one: slice) -> Batch:
    memory = whole.memory
    return Batch(
        people=whole.people[one].copy(),
        pair=whole.pair[one].copy(),
        traits=whole.traits[one].copy(),
        memory=MemoryArrays(
            valence=memory.valence[one].copy(),
            importance=memory.importance[one].copy(),
            day=memory.day[one].copy(),
            count=memory.count[one].copy(),
            superseded=memory.superseded[one].copy(),
            beliefs=memory.beliefs[one].copy(),
        ),
        general=whole.general[one].copy(),
        sparks=whole.sparks[one].copy(),
        drawn=whole.drawn[one].copy(),
        keys=whole.keys[one].copy(),
        env=whole.env[one].copy(),
        alive=whole.alive[one].copy(),
        again=whole.again[one].copy(),
        parameters=whole.parameters,
    )


def part(whole: Batch, row: int, batch: Batch) -> None:
    """Give `batch` back what a turn has changed in its row of the whole."""
    # Copies: a view would keep the rows of all the others alive.
    one = slice(row, row + 1)
    batch.people = whole.people[one].copy()
    batch.pair = whole.pair[one].copy()
    mine, memory = batch.memory, whole.memory
    mine.valence = memory.valence[one].copy()
    mine.importance = memory.importance[one].copy()
    mine.day = memory.day[one].copy()
    mine.count = memory.count[one].copy()
    mine.superseded = memory.superseded[one].copy()


def part_settled(whole: Batch, row: int, batch: Batch) -> None:
    """Give `batch` back what the end of an episode has changed in its row of the whole."""
    one = slice(row, row + 1)
    batch.people = whole.people[one].copy()
    batch.again = whole.again[one].copy()
    batch.alive = whole.alive[one].copy()
    batch.memory.beliefs = whole.memory.beliefs[one].copy()


def joined_records(records: Sequence[EpisodeArrays]) -> EpisodeArrays:
    """Return the episodes of one scenario and number below each other, their choices apart."""
    names = [field.name for field in fields(EpisodeArrays) if field.name != "choices"]
    joint = {name: np.concatenate([getattr(one, name) for one in records]) for name in names}
    return EpisodeArrays(choices=[], **joint)


def joined_situation(situations: Sequence[Situation]) -> Situation:
    """Return what one scenario asks in all the courses."""
    first = situations[0]
    return Situation(
        demands=np.concatenate([s.demands for s in situations]),
        scenario_acts=first.scenario_acts,
        goal_acts=np.concatenate([s.goal_acts for s in situations]),
        decides=first.decides,
        fewest=first.fewest,
        most=first.most,
        strain=np.concatenate([s.strain for s in situations]),
        misreading=np.concatenate([s.misreading for s in situations]),
    )
