"""What a person remembers of the other, and how memories move decisions.

A memory is kept per (aspect of the other, topic): telling or doing the same five times is one
memory that grew, not five. New experience that contradicts a memory supersedes it; the stream
keeps the history. Recall weighs importance, recency and relevance, after Park et al. (2023),
"Generative Agents", with exponential forgetting (half-life in days) and topics for relevance;
reflection at the end of an episode turns memories into beliefs about the partner.

`MemoryArrays` is what the equations use, for R courses at once; `MemoryStream` is the readable
account of one person's column, kept by the same rules and checked to agree with it.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

import msgspec
import numpy as np
from msgspec.structs import replace

from soullink.modules.simulation.api import ACTS, TOPICS, Act, FloatArray, IntArray, Topic


class Aspect(IntEnum):
    """What about the other a memory tells."""

    CARE = 0
    RESPECT = 1
    RELIABILITY = 2
    OPENNESS = 3
    PLAY = 4
    AUTONOMY = 5


N_ASPECT: Final = len(Aspect)
N_TOPIC: Final = len(TOPICS)
HALF_LIFE_DAYS: Final = 45.0
RELEVANCE_ELSEWHERE: Final = 0.35
NOTICED: Final = 0.12
"""Least salience, 0..1, that leaves a memory."""
REFLECTION_RATE: Final = 0.4
PRIOR_WEIGHT: Final = 0.6
"""Weight of having no memory at all: keeps one early impression from being everything."""

_ASPECT_OF: Final[dict[Act, tuple[Aspect, float]]] = {
    Act.ASK: (Aspect.OPENNESS, 0.5),
    Act.DISCLOSE: (Aspect.OPENNESS, 0.7),
    Act.CONFIDE: (Aspect.OPENNESS, 1.0),
    Act.JOKE: (Aspect.PLAY, 0.8),
    Act.TEASE: (Aspect.PLAY, 0.6),
    Act.COMPLIMENT: (Aspect.RESPECT, 0.8),
    Act.AFFECTION: (Aspect.CARE, 1.0),
    Act.THANK: (Aspect.RESPECT, 0.6),
    Act.AGREE: (Aspect.RESPECT, 0.4),
    Act.VALIDATE: (Aspect.CARE, 0.8),
    Act.SUPPORT: (Aspect.CARE, 1.0),
    Act.PLAN: (Aspect.RELIABILITY, 0.5),
    Act.PROMISE: (Aspect.RELIABILITY, 0.8),
    Act.REQUEST: (Aspect.AUTONOMY, -0.3),
    Act.COMPROMISE: (Aspect.RESPECT, 0.7),
    Act.CONCEDE: (Aspect.RESPECT, 0.8),
    Act.INSIST: (Aspect.AUTONOMY, -0.7),
    Act.SEEK_REASSURANCE: (Aspect.AUTONOMY, -0.5),
    Act.COMPLAIN: (Aspect.RESPECT, -0.4),
    Act.CRITICISE: (Aspect.RESPECT, -0.9),
    Act.BELITTLE: (Aspect.RESPECT, -1.0),
    Act.DEFEND: (Aspect.RESPECT, -0.4),
    Act.STONEWALL: (Aspect.CARE, -0.9),
    Act.WITHDRAW: (Aspect.CARE, -0.6),
    Act.SILENCE: (Aspect.OPENNESS, -0.3),
    Act.REPAIR: (Aspect.CARE, 0.7),
    Act.APOLOGISE: (Aspect.RESPECT, 0.8),
    Act.FORGIVE: (Aspect.CARE, 0.9),
    Act.SET_BOUNDARY: (Aspect.OPENNESS, 0.3),
    Act.REFUSE: (Aspect.RELIABILITY, -0.4),
    Act.LEAVE: (Aspect.RELIABILITY, -1.0),
}
ASPECT_OF_ACT: Final[IntArray] = np.array(
    [int(_ASPECT_OF[a][0]) if a in _ASPECT_OF else -1 for a in ACTS], dtype=np.int64
)
SIGN_OF_ACT: Final[FloatArray] = np.array(
    [_ASPECT_OF[a][1] if a in _ASPECT_OF else 0.0 for a in ACTS]
)


_KEYS: Final = tuple(f"{aspect.name.lower()}/{topic}" for aspect in Aspect for topic in TOPICS)


def key_at(cell: int) -> str:
    """Return "aspect/topic" of a flat index into (aspects, topics)."""
    return _KEYS[cell]


@dataclass(slots=True)
class MemoryArrays:
    """All memories of both people in R courses; each array (R, 2, aspects, topics).

    valence: -1..1 as it stands now. importance: 0..1. day: when last renewed. count: how often
    the like was lived. superseded: how often it was overturned. beliefs: (R, 2, aspects), -1..1.
    """

    valence: FloatArray
    importance: FloatArray
    day: FloatArray
    count: FloatArray
    superseded: FloatArray
    beliefs: FloatArray

    @staticmethod
    def empty(replicas: int) -> "MemoryArrays":
        """Return nothing remembered."""
        shape = (replicas, 2, N_ASPECT, N_TOPIC)
        valence, importance, day, count, superseded = (np.zeros(shape) for _ in range(5))
        beliefs = np.zeros((replicas, 2, N_ASPECT))
        return MemoryArrays(valence, importance, day, count, superseded, beliefs)


def merged(
    valence: FloatArray,
    importance: FloatArray,
    count: FloatArray,
    new_valence: FloatArray,
    salience: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return (valence, importance, count, superseded) of a memory after one more experience.

    All arrays of one shape. Same sign: the memory moves towards the new experience and its
    importance grows with ever smaller steps. Opposite sign: if the new is at least half as
    important it supersedes, count starts again; else it only weakens what was there.
    """
    fresh = count == 0.0
    agrees = fresh | (valence * new_valence >= 0.0)
    overturns = ~agrees & (salience >= 0.5 * importance)
    rate = 1.0 / (1.0 + np.minimum(count, 4.0))
    blended = valence + rate * (new_valence - valence)
    weakened = valence * (1.0 - 0.5 * salience)
    after_valence = np.where(agrees, blended, np.where(overturns, new_valence, weakened))
    grown = np.maximum(importance, salience) + 0.25 * np.minimum(importance, salience) * (
        1.0 - np.maximum(importance, salience)
    )
    after_importance = np.where(
        agrees, grown, np.where(overturns, salience, importance * (1.0 - 0.3 * salience))
    )
    after_count = np.where(agrees, count + 1.0, np.where(overturns, 1.0, count))
    return after_valence, after_importance, after_count, overturns.astype(np.float64)


def remember(
    memory: MemoryArrays,
    rows: IntArray,
    who: IntArray,
    act: IntArray,
    topic: int,
    affect: FloatArray,
    threat: FloatArray,
    day: FloatArray,
) -> None:
    """Store what `who` lived through when the other did `act`; changes `memory` in place.

    rows, who, act, affect, threat, day: shape (n,), one entry per course.
    """
    aspect = ASPECT_OF_ACT[act]
    sign = SIGN_OF_ACT[act]
    salience = (0.75 * np.abs(affect) + 0.35 * threat).clip(0.0, 1.0)
    noted = (aspect >= 0) & (salience >= NOTICED)
    if not noted.any():
        return
    r, w, a = rows[noted], who[noted], aspect[noted]
    # How it felt colours what is kept: a compliment taken for flattery is no good memory.
    new_valence = (0.5 * sign[noted] + 0.5 * affect[noted]).clip(-1.0, 1.0)
    cell = (r, w, a, topic)
    valence, importance, count, superseded = merged(
        memory.valence[cell],
        memory.importance[cell],
        memory.count[cell],
        new_valence,
        salience[noted],
    )
    memory.valence[cell] = valence
    memory.importance[cell] = importance
    memory.count[cell] = count
    memory.superseded[cell] += superseded
    memory.day[cell] = day[noted]


def weights(
    memory: MemoryArrays, rows: IntArray, who: IntArray, topic: int, day: FloatArray
) -> FloatArray:
    """Return how strongly each memory of `who` comes back now, shape (n, aspects, topics).

    importance x recency (halved every HALF_LIFE_DAYS) x relevance (1 on topic).
    """
    cells = (rows, who)
    age = np.maximum(day[:, None, None] - memory.day[cells], 0.0)
    relevance = np.full(N_TOPIC, RELEVANCE_ELSEWHERE)
    relevance[topic] = 1.0
    weight: FloatArray = memory.importance[cells] * np.exp2(-age / HALF_LIFE_DAYS) * relevance
    return weight


def recall(
    memory: MemoryArrays, rows: IntArray, who: IntArray, topic: int, day: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return (signal, hurt) of what comes back, each shape (n,).

    signal: -1..1, weighted valence, drawn to 0 by PRIOR_WEIGHT. hurt: 0..1, its negative part.
    """
    _, signal, hurt = recalled(memory, rows, who, topic, day)
    return signal, hurt


def recalled(
    memory: MemoryArrays, rows: IntArray, who: IntArray, topic: int, day: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the `weights` of what comes back, and what `recall` returns of it."""
    weight = weights(memory, rows, who, topic, day)
    valence = memory.valence[rows, who]
    total = PRIOR_WEIGHT + weight.sum(axis=(1, 2))
    product = weight * valence
    signal = product.sum(axis=(1, 2)) / total
    hurt = np.maximum(-product, 0.0).sum(axis=(1, 2)) / total
    return weight, signal, hurt


def reflect(memory: MemoryArrays, rows: IntArray, day: FloatArray) -> None:
    """Turn the memories of both people in courses `rows` into beliefs, in place.

    beliefs move by REFLECTION_RATE towards the weighted valence of each aspect over all topics.
    """
    age = np.maximum(day[:, None, None, None] - memory.day[rows], 0.0)
    weight = memory.importance[rows] * np.exp2(-age / HALF_LIFE_DAYS)
    target = (weight * memory.valence[rows]).sum(axis=3) / (PRIOR_WEIGHT + weight.sum(axis=3))
    memory.beliefs[rows] += REFLECTION_RATE * (target - memory.beliefs[rows])


class MemoryItem(msgspec.Struct, frozen=True):
    """One memory in words. key: "aspect/topic". turns: where it was lived, (episode, turn).

    superseded_by: number of the item that overturned it, None while it stands.
    """

    number: int
    aspect: Aspect
    topic: Topic
    text: str
    valence: float
    importance: float
    day: float
    count: int
    turns: tuple[tuple[int, int], ...]
    superseded_by: int | None = None

    @property
    def key(self) -> str:
        """Return "aspect/topic"."""
        return f"{self.aspect.name.lower()}/{self.topic}"


def _merged_one(
    memory: MemoryItem, new_valence: float, salience: float
) -> tuple[float, float, int, bool]:
    """Return what `merged` does of one memory: the same rule, in a twentieth of the time."""
    valence, importance, count = memory.valence, memory.importance, memory.count
    if count == 0 or valence * new_valence >= 0.0:
        rate = 1.0 / (1.0 + min(count, 4))
        most, least = max(importance, salience), min(importance, salience)
        grown = most + 0.25 * least * (1.0 - most)
        return valence + rate * (new_valence - valence), grown, count + 1, False
    if salience >= 0.5 * importance:
        return new_valence, salience, 1, True
    weakened = valence * (1.0 - 0.5 * salience)
    return weakened, importance * (1.0 - 0.3 * salience), count, False


@dataclass(slots=True)
class MemoryStream:
    """The readable memories of one person, history included."""

    items: list[MemoryItem] = field(default_factory=list)

    def current(self) -> list[MemoryItem]:
        """Return what stands, not what was superseded."""
        return [item for item in self.items if item.superseded_by is None]

    def observe(
        self,
        act: Act,
        topic: Topic,
        affect: float,
        threat: float,
        day: float,
        turn: tuple[int, int],
        text: str,
    ) -> MemoryItem | None:
        """Store one experience by the rules of `remember`; returns the memory, or None."""
        told = _ASPECT_OF.get(act)
        salience = min(max(0.75 * abs(affect) + 0.35 * threat, 0.0), 1.0)
        if told is None or salience < NOTICED:
            return None
        aspect, sign = told
        new_valence = min(max(0.5 * sign + 0.5 * affect, -1.0), 1.0)
        old = None
        for one in self.items:
            if one.superseded_by is None and one.aspect is aspect and one.topic is topic:
                old = one
                break
        start = old or MemoryItem(len(self.items), aspect, topic, text, 0.0, 0.0, day, 0, ())
        valence, importance, count, superseded = _merged_one(start, new_valence, salience)
        if old is None or superseded:
            item = MemoryItem(
                len(self.items), aspect, topic, text, valence, importance, day, count, (turn,)
            )
            if old is not None:
                self.items[old.number] = replace(old, superseded_by=item.number)
            self.items.append(item)
            return item
        says = text if abs(new_valence) >= abs(old.valence) else old.text
        item = replace(
            old,
            valence=valence,
            importance=importance,
            count=count,
            day=day,
            text=says,
            turns=(*old.turns, turn),
        )
        self.items[old.number] = item
        return item

    def recall(self, topic: Topic, day: float, limit: int = 3) -> list[MemoryItem]:
        """Return the memories that come back now, strongest first."""
        found = []
        for item in self.items:
            if item.superseded_by is None:
                relevance = 1.0 if item.topic is topic else RELEVANCE_ELSEWHERE
                recency = 2.0 ** (-max(day - item.day, 0.0) / HALF_LIFE_DAYS)
                # Of equals, the older; numbers differ, so items themselves are never compared.
                found.append((-(item.importance * recency * relevance), item.number, item))
        found.sort()
        return [item for _, _, item in found[:limit]]
