"""What the interest model reads of people: columns of numbers, NaN where unknown."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from types import MappingProxyType
from typing import Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IndexArray: TypeAlias = NDArray[np.int64]

ATTRIBUTES: Final = (
    "attractive",
    "sincere",
    "intelligent",
    "fun",
    "ambitious",
    "shared_interests",
)
"""What somebody may look for, in the order of the columns of `looks_for`."""

TRAITS: Final = ATTRIBUTES[:5]
"""What somebody may say of themself, in the order of the columns of `self_rating`."""

ACTIVITIES: Final = (
    "sports",
    "watching_sports",
    "exercise",
    "dining",
    "museums",
    "art",
    "hiking",
    "gaming",
    "clubbing",
    "reading",
    "television",
    "theatre",
    "movies",
    "concerts",
    "music",
    "shopping",
    "yoga",
)
"""The activities that were asked about, in the order of the columns of `interests`."""

GOALS: Final = ("casual", "friendship", "dating", "serious", "unsure")
"""What for; `goal` holds the index."""

GOAL_OF_WANTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "casual": "casual",
        "friendship": "friendship",
        "dating": "dating",
        "long_term": "serious",
        "marriage": "serious",
        "unsure": "unsure",
    }
)
"""The goal here for each goal that a profile may state (profiles.api.Wants)."""

WOMAN: Final = -1.0
MAN: Final = 1.0

_WIDTHS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "looks_for": len(ATTRIBUTES),
        "self_rating": len(TRAITS),
        "interests": len(ACTIVITIES),
    }
)


@dataclass(frozen=True, slots=True)
class People:
    """Columns of n people. Every entry may be NaN: unknown.

    age: (n,) years. sex: (n,) WOMAN, MAN or NaN (unknown, or neither).
    looks_for: (n, 6) importance of each of ATTRIBUTES on any positive scale; rows are divided by
      their sum. self_rating: (n, 5) own opinion of TRAITS, 1 (awful) to 10 (great).
    interests: (n, 17) interest in each of ACTIVITIES, 1 to 10.
    goal: (n,) index into GOALS. dates_often, goes_out: (n,) 1 (several times a week) to 7 (almost
      never).
    said_yes, decided: (n,) yeses among the decisions that this person made before `as_of`.
    got_yes, was_decided: (n,) yeses among the decisions that others made about this person.
    """

    age: FloatArray
    sex: FloatArray
    looks_for: FloatArray
    self_rating: FloatArray
    interests: FloatArray
    goal: FloatArray
    dates_often: FloatArray
    goes_out: FloatArray
    said_yes: FloatArray
    decided: FloatArray
    got_yes: FloatArray
    was_decided: FloatArray

    def __post_init__(self) -> None:
        n = len(self.age)
        for column in fields(self):
            found = getattr(self, column.name)
            width = _WIDTHS.get(column.name)
            shape = (n,) if width is None else (n, width)
            if found.shape != shape or found.dtype != np.float64:
                raise ValueError(
                    f"The column {column.name} must be floats of the shape {shape}, "
                    f"not {found.dtype} of {found.shape}."
                )

    @classmethod
    def of(cls, size: int, columns: Mapping[str, FloatArray] | None = None) -> Self:
        """Return `size` people of whom only `columns` are known."""
        given = dict(columns or {})
        unknown = sorted(given.keys() - {column.name for column in fields(cls)})
        if unknown:
            raise ValueError(f"There is no column {unknown[0]}.")
        made: dict[str, FloatArray] = {}
        for column in fields(cls):
            width = _WIDTHS.get(column.name)
            shape = (size,) if width is None else (size, width)
            found = given.get(column.name)
            empty = 0.0 if column.name in _COUNTS else np.nan
            made[column.name] = (
                np.full(shape, empty) if found is None else np.asarray(found, dtype=np.float64)
            )
        return cls(**made)

    def __len__(self) -> int:
        return len(self.age)

    def take(self, rows: IndexArray) -> "People":
        """Return the people at `rows`, in that order, repeats included."""
        return People(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})


_COUNTS: Final = frozenset({"said_yes", "decided", "got_yes", "was_decided"})


@dataclass(frozen=True, slots=True)
class Decisions:
    """m yes-or-no decisions that were made.

    decider, about: (m,) rows of the people. yes: (m,) booleans.
    at: (m,) datetime64 in UTC, when each was made.
    """

    decider: IndexArray
    about: IndexArray
    yes: NDArray[np.bool_]
    at: NDArray[np.datetime64]


def history(decisions: Decisions, size: int, as_of: datetime) -> dict[str, FloatArray]:
    """Return the four count columns of `People` from what was decided strictly before `as_of`.

    size: number of people. as_of: UTC-aware. What was decided at that moment or later counts for
    nothing, so that no score can rest on what it is to foretell.
    """
    if as_of.tzinfo is None:
        raise ValueError("as_of must be aware of its time zone.")
    moment = np.datetime64(int(as_of.timestamp() * 1_000_000), "us")
    past = decisions.at.astype("datetime64[us]") < moment
    yes = decisions.yes[past].astype(np.float64)

    def count(who: IndexArray, weights: FloatArray | None = None) -> FloatArray:
        return np.bincount(who[past], weights=weights, minlength=size).astype(np.float64)

    return {
        "said_yes": count(decisions.decider, yes),
        "decided": count(decisions.decider),
        "got_yes": count(decisions.about, yes),
        "was_decided": count(decisions.about),
    }
