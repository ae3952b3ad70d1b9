"""Kinds of people: all that the part of two people reads of one, in one small number.

The interest model's part of a pair reads ages, sexes and goals of members (nothing else of it is
asked in a profile) and the likeness of what they write. For one person it is therefore worked out
once for every kind, and a million others look it up.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from soullink.modules.matching.domain.interest.people import GOALS, FloatArray, People

KindArray: TypeAlias = NDArray[np.uint16]

AGES: Final = 128
_GOALS: Final = len(GOALS) + 1
KINDS: Final = AGES * 3 * _GOALS


class Interest(Protocol):
    """What is read of the interest model; the sum of the parts is the log-odds of a yes."""

    @property
    def intercept(self) -> float: ...

    def actor(self, people: People) -> FloatArray: ...

    def partner(self, people: People) -> FloatArray: ...

    def pair(
        self, deciders: People, others: People, likeness: FloatArray | None = None
    ) -> FloatArray: ...


class Indifferent:
    """Stands in where there is no model: every chance is one half, wishes and likeness decide."""

    intercept = 0.0

    def actor(self, people: People) -> FloatArray:
        return np.zeros(len(people))

    def partner(self, people: People) -> FloatArray:
        return np.zeros(len(people))

    def pair(
        self, deciders: People, others: People, likeness: FloatArray | None = None
    ) -> FloatArray:
        """Return a tenth of the likeness: enough for an order, and no claim about chances."""
        n = max(len(deciders), len(others))
        return np.zeros(n) if likeness is None else 0.1 * np.nan_to_num(likeness)


def kind_of(age: int, sex: int, goal: int) -> int:
    """Return the kind. age: 0 is unknown. sex: -1, 0, 1. goal: index, len(GOALS) is unknown."""
    return (min(age, AGES - 1) * 3 + sex + 1) * _GOALS + goal


def kinds_of(age: NDArray[np.uint8], sex: NDArray[np.int8], goal: NDArray[np.uint8]) -> KindArray:
    """Return `kind_of` of columns, (n,)."""
    ages = np.minimum(age, AGES - 1).astype(np.uint16)
    return (ages * 3 + (sex + 1).astype(np.uint16)) * _GOALS + goal


def people_of(kinds: KindArray) -> People:
    """Return people of whom only what their kinds say is known."""
    rest, goal = np.divmod(kinds.astype(np.int64), _GOALS)
    age, sex = np.divmod(rest, 3)
    return People.of(
        len(kinds),
        {
            "age": np.where(age > 0, age, np.nan),
            "sex": np.where(sex == 1, np.nan, sex - 1.0),
            "goal": np.where(goal < len(GOALS), goal, np.nan),
        },
    )


@dataclass(slots=True)
class KindTables:
    """The part of two people by kind, for the kinds that were asked about lately.

    kept: how many kinds' tables are held, 43 kB each.
    """

    interest: Interest
    kept: int = 512
    _everybody: People = field(init=False)
    _found: OrderedDict[int, tuple[NDArray[np.float32], NDArray[np.float32]]] = field(init=False)

    def __post_init__(self) -> None:
        self._everybody = people_of(np.arange(KINDS, dtype=np.uint16))
        self._found = OrderedDict()

    def bounds(self, kind: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return (KINDS,) highest log-odds that the pair may add, out of and into `kind`.

        Highest over every likeness: the part is monotone in it, so an end of -1..1 or not
        knowing it is the highest.
        """
        if kind in self._found:
            self._found.move_to_end(kind)
            return self._found[kind]
        one = people_of(np.array([kind], dtype=np.uint16))
        ends = (-1.0, 1.0, np.nan)
        out = [self._pair(one, self._everybody, end) for end in ends]
        into = [self._pair(self._everybody, one, end) for end in ends]
        made = (
            np.max(out, axis=0).astype(np.float32),
            np.max(into, axis=0).astype(np.float32),
        )
        self._found[kind] = made
        if len(self._found) > self.kept:
            self._found.popitem(last=False)
        return made

    def _pair(self, deciders: People, others: People, likeness: float) -> FloatArray:
        return self.interest.pair(deciders, others, np.full(KINDS, likeness))
