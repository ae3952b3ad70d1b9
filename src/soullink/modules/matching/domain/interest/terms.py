"""The terms of the interest model: one number each, made from columns of people."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from soullink.modules.matching.domain.interest.people import MAN, WOMAN, FloatArray, People

Side: TypeAlias = Literal["actor", "partner", "pair"]
Kind: TypeAlias = Literal[
    "number", "square", "level", "share", "gap_size", "man_older", "same", "likeness"
]
PERSON_KINDS: Final = ("number", "square", "level", "share")
PAIR_KINDS: Final = ("gap_size", "man_older", "same", "likeness")
_LEAST: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Term:
    """coefficient x (value - centre) / scale, 0 where the value is unknown; in log-odds.

    part: the name it is explained under. column, index: what it reads of People.
    low, high: the value is kept within what was seen in training.
    origin: of a square. level: of a code.
    """

    name: str
    side: Side
    part: str
    kind: Kind
    column: str
    index: int | None
    low: float
    high: float
    centre: float
    scale: float
    coefficient: float
    origin: float = 0.0
    level: int = 0


def person_value(term: Term, people: People) -> FloatArray:
    """Return what `term` reads of people before it is centred, (n,), NaN where unknown."""
    column: FloatArray = getattr(people, term.column)
    if term.kind == "share":
        total = column.sum(axis=1)
        given = column[:, term.index or 0] / np.where(np.abs(total) > _LEAST, total, np.nan)
        return np.clip(given, term.low, term.high)
    found = column if term.index is None else column[:, term.index]
    if term.kind == "level":
        return np.where(np.isfinite(found), found == term.level, np.nan)
    found = np.clip(found, term.low, term.high)
    return (found - term.origin) ** 2 if term.kind == "square" else found


def pair_value(
    term: Term, deciders: People, others: People, likeness: FloatArray | None
) -> FloatArray:
    """Return what `term` reads of pairs before it is centred, (n,), NaN where unknown."""
    if term.kind == "likeness":
        found = alike(deciders.interests, others.interests) if likeness is None else likeness
        return np.clip(found, term.low, term.high)
    mine: FloatArray = getattr(deciders, term.column)
    theirs: FloatArray = getattr(others, term.column)
    if term.kind == "same":
        known = np.isfinite(mine) & np.isfinite(theirs)
        return np.where(known, mine == theirs, np.nan)
    gap = theirs - mine
    if term.kind == "gap_size":
        return np.clip(np.abs(gap), term.low, term.high)
    older = np.where(
        (deciders.sex == WOMAN) & (others.sex == MAN),
        gap,
        np.where((deciders.sex == MAN) & (others.sex == WOMAN), -gap, np.nan),
    )
    return np.clip(older, term.low, term.high)


def alike(mine: FloatArray, theirs: FloatArray) -> FloatArray:
    """Return Pearson's correlation of interests row by row, NaN where not all are known."""
    left = mine - mine.mean(axis=1, keepdims=True)
    right = theirs - theirs.mean(axis=1, keepdims=True)
    size = np.sqrt((left * left).sum(axis=1) * (right * right).sum(axis=1))
    return np.asarray((left * right).sum(axis=1) / np.where(size > _LEAST, size, np.nan))


def standard(term: Term, value: FloatArray) -> FloatArray:
    """Return (value - centre) / scale, NaN where unknown."""
    return (value - term.centre) / term.scale


def by_part(terms: tuple[Term, ...]) -> Mapping[str, tuple[Term, ...]]:
    """Return the terms by the part they are explained under, in the order they come in."""
    found: dict[str, list[Term]] = {}
    for term in terms:
        found.setdefault(term.part, []).append(term)
    return {part: tuple(members) for part, members in found.items()}
