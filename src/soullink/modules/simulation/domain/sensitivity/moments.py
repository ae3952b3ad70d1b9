"""What single turns and life events of the course that was lived did to its outcome.

The game: a coalition keeps its moments as they were; a turn outside it takes the act that would
else have been most likely, a life event outside it does not happen. Everything else follows from
the equations with the course's own draws up to the last of these moments (common random numbers);
after it, chances are drawn anew, the same ones for all coalitions. So what a moment is worth is
what it did to the expected outcome, not what later luck made of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink.modules.simulation.api import (
    ACTS,
    STATE_VARIABLES,
    BoolArray,
    Episode,
    FloatArray,
    IntArray,
    Scenario,
    Turn,
)
from soullink.modules.simulation.domain import course, live, randomness
from soullink.modules.simulation.domain.course import Conditions
from soullink.modules.simulation.domain.environment import LIFE_EVENTS
from soullink.modules.simulation.domain.layout import Person, Shared
from soullink.modules.simulation.domain.sensitivity import outcomes
from soullink.modules.simulation.domain.sensitivity.lives import TOGETHER, Pair
from soullink.modules.simulation.domain.sensitivity.shapley import Game, game
from soullink.modules.simulation.domain.sensitivity.sobol import LEVEL, RESAMPLES
from soullink.modules.simulation.domain.turn import Batch

EVENTS_MOST: Final = 2
"""At most so many life events among the moments; turns take the other places."""
_MOVED: Final = ("trust", "closeness", "mood")


@dataclass(frozen=True, slots=True)
class Player:
    """A moment. turn: 0 for a life event before the episode, which `event` names.

    act, instead: indices of the act taken and of the one that would else have been most likely.
    """

    episode: int
    turn: int
    person: int
    act: int = -1
    instead: int = -1
    event: int = -1


@dataclass(frozen=True, slots=True)
class Worth:
    """What each player did. shares: (m, outcomes, 3) value, low, high of the 95 % interval.

    everyone, nobody: (outcomes,) expected with all moments as they were, and without all.
    """

    players: tuple[Player, ...]
    shares: FloatArray
    everyone: FloatArray
    nobody: FloatArray


def players(turns: Sequence[Turn], episodes: Sequence[Episode], most: int) -> tuple[Player, ...]:
    """Return the `most` moments that moved the two most at once, in order of time.

    Turns by the sum of changes of trust, closeness and mood of both; life events by what they add
    to load, stress and mood.
    """
    weighed = [(_size_of(turn), _player(turn)) for turn in turns]
    happened = []
    for episode in episodes:
        for text in episode.between:
            person, _, name = text.partition(":")
            number = next(n for n, event in enumerate(LIFE_EVENTS) if event.id == name)
            event = LIFE_EVENTS[number]
            size = abs(event.load) + abs(event.stress) + abs(event.mood)
            happened.append((size, Player(episode.number, 0, int(person), event=number)))
    weighed.sort(key=lambda one: (-one[0], one[1].episode, one[1].turn))
    happened.sort(key=lambda one: (-one[0], one[1].episode, one[1].event))
    events = happened[: min(EVENTS_MOST, most // 2)]
    kept = [player for _, player in (*events, *weighed[: most - len(events)])]
    return tuple(sorted(kept, key=lambda one: (one.episode, one.turn, one.event)))


def _size_of(turn: Turn) -> float:
    return sum(
        abs(float(getattr(after, name)) - float(getattr(before, name)))
        for before, after in zip(turn.before, turn.after, strict=True)
        for name in _MOVED
    )


def _player(turn: Turn) -> Player:
    chances = np.array([turn.distribution[str(act)] for act in ACTS])
    taken = ACTS.index(turn.act)
    chances[taken] = -1.0
    return Player(turn.episode, turn.sequence, turn.speaker, taken, int(np.argmax(chances)))


def worth(pair: Pair, moments: Sequence[Player], futures: int) -> Worth:
    """Return what each of `moments` did, with `futures` draws of what comes after them."""
    kept = tuple(moments)
    if not kept:
        empty = np.zeros(len(outcomes.OUTCOMES))
        return Worth((), np.zeros((0, empty.size, 3)), empty, empty)
    played = game(len(kept), pair.seed)
    values = valued(pair, kept, played, futures)
    shares = played.shares(values)  # (m, futures, outcomes)
    random = np.random.default_rng(pair.seed)
    picks = random.integers(0, futures, (RESAMPLES, futures))
    drawn = np.stack([shares[:, picked].mean(axis=1) for picked in picks])
    low, high = np.quantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2), axis=0)
    middle = shares.mean(axis=1)
    sizes = played.members.sum(axis=1)
    everyone = values[int(np.argmax(sizes))].mean(axis=0)
    nobody = values[int(np.argmin(sizes))].mean(axis=0)
    ends = np.stack([middle, np.minimum(low, middle), np.maximum(high, middle)], axis=2)
    return Worth(kept, ends, everyone, nobody)


def valued(pair: Pair, moments: Sequence[Player], played: Game, futures: int) -> FloatArray:
    """Return what comes of every coalition, (C, futures, outcomes)."""
    count = len(played.members)
    members = np.repeat(played.members, futures, axis=0)
    luck = np.tile(np.arange(1, futures + 1), count)
    found = [
        lived(pair, moments, members[start : start + TOGETHER], luck[start : start + TOGETHER])
        for start in range(0, len(luck), TOGETHER)
    ]
    return np.concatenate(found).reshape(count, futures, -1)


def lived(
    pair: Pair, moments: Sequence[Player], members: BoolArray, luck: IntArray | None
) -> FloatArray:
    """Live the course once for each row of `members`, (rows, m), and return its outcomes.

    luck: (rows,) number of the replica whose draws it has after the last moment; None keeps its
    own to the end.
    """
    rows = len(members)
    batch = live.batch_of(pair.personas, pair.alike, pair.seed, 1, 0, sampled=False, repeated=rows)
    later = None if luck is None else _keys(pair, luck)
    last = max((one.episode, one.turn) for one in moments)
    conditions = _conditions(pair, moments, members)
    return _walk(pair.scenarios, batch, conditions, last, later)


def _keys(pair: Pair, luck: IntArray) -> randomness.KeyArray:
    return randomness.person_keys(pair.seed, pair.names, int(luck.max()) + 1)[luck]


def _conditions(pair: Pair, moments: Sequence[Player], members: BoolArray) -> Conditions:
    forced: dict[tuple[int, int], dict[str, float | IntArray]] = {
        place: dict(changes) for place, changes in pair.overrides.items()
    }
    without: dict[int, BoolArray] = {}
    for column, one in enumerate(moments):
        kept = members[:, column]
        if one.event >= 0:
            shape = (len(members), 2, len(LIFE_EVENTS))
            gone = without.setdefault(one.episode, np.zeros(shape, dtype=np.bool_))
            gone[:, one.person, one.event] = ~kept
        else:
            place = forced.setdefault((one.episode, one.turn), {})
            for person in (0, 1):  # one turn, one speaker
                place.pop(f"{person}.act", None)
            place[f"{one.person}.act"] = np.where(kept, one.act, one.instead)
    overrides: Mapping[tuple[int, int], Mapping[str, float | IntArray]] = forced
    return Conditions(overrides=overrides, without=without)


def _walk(
    scenarios: Sequence[Scenario],
    batch: Batch,
    conditions: Conditions,
    last: tuple[int, int],
    later: randomness.KeyArray | None,
) -> FloatArray:
    peak, ended = np.zeros(batch.size), np.zeros(batch.size, dtype=np.int64)
    previous: Scenario | None = None
    for number, scenario in enumerate(scenarios, start=1):
        if not batch.alive.any():
            break
        record, situation = course.open_episode(batch, scenario, previous, number, conditions)
        if last == (number, 0):
            _draw_anew(batch, later)
        turns = course.live_turns(batch, scenario, number, situation, record, conditions)
        for sequence, _ in enumerate(turns, start=1):
            if last == (number, sequence):
                _draw_anew(batch, later)
        if last[0] == number:  # also where the episode was over before the last moment came
            _draw_anew(batch, later)
        course.close_episode(batch, scenario, number, record)
        ended[record.lived & ~batch.alive] = number
        peak = np.maximum(peak, np.where(record.lived, batch.pair[:, Shared.PEAK], 0.0))
        previous = scenario
    people = batch.people
    return outcomes.gathered(
        ended,
        people[..., Person.SATISFACTION],
        peak,
        batch.again,
        people[..., STATE_VARIABLES.index("trust")],
    )


def _draw_anew(batch: Batch, keys: randomness.KeyArray | None) -> None:
    if keys is not None:
        batch.keys, batch.env = keys, randomness.pair_keys(keys)
