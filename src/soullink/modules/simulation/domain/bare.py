"""Turns as records keep them: what the arrays of many courses say, rounded once for all of them."""

from collections.abc import Mapping
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
from soullink.modules.simulation.domain import memory, randomness
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


def kept_list(values: FloatArray) -> Any:
    """Return the numbers as `kept` keeps each, as lists of the same shape."""
    scaled = values * 10.0**DIGITS
    whole = np.rint(scaled)
    # Within a rounding error of a tie the product alone does not tell which way it goes.
    unsure = np.abs(np.abs(scaled - whole) - 0.5) < _NEAR_A_TIE
    out = whole / 10.0**DIGITS + 0.0
    if unsure.any():
        out[unsure] = [kept(value) for value in values[unsure].tolist()]
    return out.tolist()


def pair_of(states: list[list[float]]) -> Pair:
    """Return both people's states out of a (2, 6) list."""
    first, second = states
    return PersonState(*first), PersonState(*second)


def states_of(people: FloatArray) -> Pair:
    """Return both people's states, (2, columns)."""
    return pair_of(kept_list(people[:, STATE]))


class BareTurns:
    """The turns that n courses in one scenario have taken together."""

    def __init__(self, taken: TurnArrays, scenario: Scenario) -> None:
        self._scenario = scenario
        rows = np.arange(taken.speaker.size)
        reading, pair = taken.reading, taken.pair
        self._speaker, self._act = taken.speaker.tolist(), taken.act.tolist()
        self._sequence = pair[:, Shared.TURNS].astype(np.int64).tolist()
        self._day = pair[:, Shared.DAY].tolist()
        self._minute = pair[:, Shared.MINUTE].tolist()
        self._heard = taken.before[rows, taken.speaker, Person.HEARD].tolist()
        self._previous = taken.before[rows, 1 - taken.speaker, Person.LAST_ACT].tolist()
        self._interrupted, self._double = taken.interrupted.tolist(), taken.double.tolist()
        self._perceived, self._misread = reading.perceived.tolist(), reading.misread.tolist()
        self._distribution = kept_list(taken.probabilities)
        self._states = kept_list(np.stack((taken.before[..., STATE], taken.after[..., STATE]), 1))
        numbers = (
            *(reading.affect, reading.connection, reading.autonomy, reading.esteem),
            *(reading.threat, reading.values, pair[:, Shared.CONFLICT]),
            *(taken.after[:, 0, Person.POSITION], taken.after[:, 1, Person.POSITION]),
        )
        self._numbers = kept_list(np.stack(numbers, 1))
        self._memories = _strongest(taken.recalled)
        self._fired = taken.fired.tolist()
        self._anything = (taken.fired.any(axis=1) | taken.paused | taken.arbitrated).tolist()
        self._paused, self._arbitrated = taken.paused.tolist(), taken.arbitrated.tolist()

    def of(self, row: int, episode: int, key: int) -> BareTurn:
        """Return the turn in `row`. key: of its speaker."""
        affect, connection, autonomy, esteem, threat, values, conflict, one, other = self._numbers[
            row
        ]
        sequence, scenario = self._sequence[row], self._scenario
        before, after = self._states[row]
        heard, previous = int(self._heard[row]), int(self._previous[row])
        return BareTurn(
            episode=episode,
            sequence=sequence,
            speaker=self._speaker[row],
            act=self._act[row],
            distribution=dict(zip(_NAMES, self._distribution[row], strict=True)),
            seed=randomness.turn_seed(key, episode, sequence),
            topic=scenario.topic,
            interrupted=self._interrupted[row],
            double=self._double[row],
            minute=kept(self._minute[row], 2),
            day=self._day[row],
            heard=None if heard < 0 else class_name(heard),
            previous=None if previous < 0 else previous,
            appraisal=Appraisal(
                perceived=class_name(self._perceived[row]),
                misread=self._misread[row],
                affect=affect,
                needs={"connection": connection, "autonomy": autonomy, "esteem": esteem},
                threat=threat,
                values=values,
            ),
            before=pair_of(before),
            after=pair_of(after),
            conflict=conflict,
            positions=None if scenario.decision is None else (one, other),
            memories=self._memories[row],
            events=self._events(row),
        )

    def speaker(self, row: int) -> int:
        """Return who spoke in `row`."""
        speaker: int = self._speaker[row]
        return speaker

    def _events(self, row: int) -> tuple[str, ...]:
        if not self._anything[row]:
            return ()
        triggers = zip(self._scenario.triggers, self._fired[row], strict=True)
        fired = [trigger.id for trigger, now in triggers if now]
        if self._paused[row]:
            fired.append("time_out")
        if self._arbitrated[row]:
            fired.append("deadline")
        return tuple(fired)


def _strongest(weight: FloatArray) -> list[tuple[str, ...]]:
    """Return the keys "aspect/topic" of the memories that came back, strongest first."""
    flat = weight.reshape(weight.shape[0], -1)
    found: list[tuple[str, ...]] = [()] * weight.shape[0]
    order = np.argsort(-flat, axis=1, kind="stable")[:, :_MOST_RECALLED]
    strengths = np.take_along_axis(flat, order, axis=1)
    for row in np.flatnonzero(strengths[:, 0] > 0.0).tolist():
        cells = zip(order[row].tolist(), strengths[row].tolist(), strict=True)
        found[row] = tuple([memory.key_at(cell) for cell, strength in cells if strength > 0.0])
    return found
