"""Courses that were begun in one go, apart."""

from soullink.modules.simulation.domain.memory import MemoryArrays
from soullink.modules.simulation.domain.turn import Batch


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
