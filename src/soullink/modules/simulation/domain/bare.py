"""Turns as records keep them: what the arrays of many courses say, rounded once for all of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from soullink.modules.simulation.api import (
    ACTS,
    Appraisal,
    FloatArray,
    Pair,
    PersonState,
    Scenario,
    Topic,
)
from soullink.modules.simulation.domain import memory
from soullink.modules.simulation.domain.dynamics import class_name
from soullink.modules.simulation.domain.layout import STATE, Person, Shared
from soullink.modules.simulation.domain.turn import TurnArrays

DIGITS: Final = 6
"""Decimals kept in records; the equations themselves run at full precision."""

_NAMES: Final = tuple(str(act) for act in ACTS)
_NEAR_A_TIE: Final = 1e-5
_MOST_RECALLED: Final = 3


class BareTurn(msgspec.Struct, frozen=True):
    """A turn before anybody has put it into words; fields as in api.Turn.

    heard: what the speaker last took the other for, a name of ActClass, or None. previous: index
    of the other's last act, or None.
    """

    episode: int
    sequence: int
    speaker: int
    act: int
    distribution: Mapping[str, float]
    seed: int
    topic: Topic
    interrupted: bool
    double: bool
    minute: float
    day: float
    heard: str | None
    previous: int | None
    appraisal: Appraisal
    before: Pair
    after: Pair
    conflict: float
    positions: tuple[float, float] | None
    memories: tuple[str, ...]
    events: tuple[str, ...]


def kept(value: float, digits: int = DIGITS) -> float:
    """Return a number as records keep it: rounded, and never a negative zero."""
    return round(float(value), digits) + 0.0


def kept_list(values: FloatArray, digits: int = DIGITS) -> Any:
    """Return the numbers as `kept` keeps each, as lists of the same shape."""
    scaled = values * 10.0**digits
    whole = np.rint(scaled)
    # Within a rounding error of a tie the product alone does not tell which way it goes.
    unsure = np.abs(np.abs(scaled - whole) - 0.5) < _NEAR_A_TIE
    out = whole / 10.0**digits + 0.0
    if unsure.any():
        out[unsure] = [kept(value, digits) for value in values[unsure].tolist()]
    return out.tolist()


def pair_of(states: list[list[float]]) -> Pair:
    """Return both people's states out of a (2, 6) list."""
    first, second = states
    return PersonState(*first), PersonState(*second)


def states_of(people: FloatArray) -> Pair:
    """Return both people's states, (2, columns)."""
    return pair_of(kept_list(people[:, STATE]))


def turns(
    taken: TurnArrays,
    scenario: Scenario,
    episodes: Sequence[int],
    seeds: Sequence[int],
    before: Sequence[Pair],
) -> list[BareTurn]:
    """Return the turns that n courses in one scenario have taken together.

    episodes: of each course. seeds: of each turn. before: states of both people before it.
    """
    reading, pair, after = taken.reading, taken.pair, taken.after
    rows = np.arange(taken.speaker.size)
    # Appended side by side, so that all are rounded and turned into numbers of Python at once.
    numbers = (
        *(reading.affect, reading.connection, reading.autonomy, reading.esteem, reading.threat),
        *(reading.values, pair[:, Shared.CONFLICT]),
        *(after[:, 0, Person.POSITION], after[:, 1, Person.POSITION]),
    )
    facts = (
        *(taken.speaker, taken.act, taken.interrupted, taken.double, pair[:, Shared.TURNS]),
        taken.before[rows, taken.speaker, Person.HEARD],
        taken.before[rows, 1 - taken.speaker, Person.LAST_ACT],
        *(reading.perceived, reading.misread),
    )
    topic, decides, found = scenario.topic, scenario.decision is not None, []
    for row, (
        (affect, connection, autonomy, esteem, threat, values, conflict, *positions),
        (speaker, act, interrupted, double, sequence, heard, previous, perceived, misread),
        distribution,
        (one, other),
        minute,
        day,
        memories,
        events,
    ) in enumerate(
        zip(
            kept_list(np.array(numbers).T),
            np.array(facts).astype(np.int64).T.tolist(),
            kept_list(taken.probabilities),
            kept_list(after[..., STATE]),
            kept_list(pair[:, Shared.MINUTE], 2),
            pair[:, Shared.DAY].tolist(),
            _strongest(taken.recalled),
            _events(taken, scenario),
            strict=True,
        )
    ):
        found.append(
            BareTurn(
                episodes[row],
                sequence,
                speaker,
                act,
                dict(zip(_NAMES, distribution, strict=False)),
                seeds[row],
                topic,
                interrupted == 1,
                double == 1,
                minute,
                day,
                None if heard < 0 else class_name(heard),
                None if previous < 0 else previous,
                Appraisal(
                    class_name(perceived),
                    misread == 1,
                    affect,
                    {"connection": connection, "autonomy": autonomy, "esteem": esteem},
                    threat,
                    values,
                ),
                before[row],
                (PersonState(*one), PersonState(*other)),
                conflict,
                (positions[0], positions[1]) if decides else None,
                memories,
                events,
            )
        )
    return found


def _events(taken: TurnArrays, scenario: Scenario) -> list[tuple[str, ...]]:
    """Return what happened around each turn: triggers that fired, then what the rules did."""
    found: list[tuple[str, ...]] = [()] * taken.speaker.size
    for row in np.flatnonzero(taken.fired.any(axis=1) | taken.paused | taken.arbitrated).tolist():
        triggers = zip(scenario.triggers, taken.fired[row], strict=True)
        fired = [trigger.id for trigger, now in triggers if now]
        if taken.paused[row]:
            fired.append("time_out")
        if taken.arbitrated[row]:
            fired.append("deadline")
        found[row] = tuple(fired)
    return found


def _strongest(weight: FloatArray) -> list[tuple[str, ...]]:
    """Return the keys "aspect/topic" of the memories that came back, strongest first."""
    left = weight.reshape(weight.shape[0], -1).copy()
    rows = np.arange(left.shape[0])
    found: list[tuple[str, ...]] = [()] * left.shape[0]
    for _ in range(_MOST_RECALLED):
        cell = left.argmax(axis=1)  # of equals, the first
        more = np.flatnonzero(left[rows, cell] > 0.0).tolist()
        cells = cell.tolist()
        for row in more:
            found[row] += (memory.key_at(cells[row]),)
        left[rows, cell] = 0.0
    return found
