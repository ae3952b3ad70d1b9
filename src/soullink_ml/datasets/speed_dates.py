"""Reads speed dates in the format of the Columbia experiment into arrays.

A date has two rows, one for each who decides. The number `order` counts each person's own dates,
so in an evening with more men than women the two rows of one date differ by the rounds that one of
them sat out. Both are at most the round, and one of them never sits out: the round is the larger.
"""

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from soullink.kernel.errors import InvalidInputError
from soullink_ml.datasets.moments import ATTRIBUTES, MOMENTS, Moment, require

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

RATINGS: Final = (*ATTRIBUTES, "like", "prob")
OUTCOMES: Final = ("dec", *RATINGS)
NEEDED: Final = ("iid", "pid", "wave", "gender", "order", "dec")
NOBODY: Final = -1
_SIGN_UP: Final = tuple(
    name
    for name, moment in MOMENTS.items()
    if moment is Moment.SIGN_UP
    and name not in {"field", "career", "int_corr", "age_o"}
    and not name.startswith("pf_o_")
)


@dataclass(frozen=True, slots=True)
class SpeedDates:
    """Dates in arrays; a row is one decision. n rows, m people.

    decider, about: (n,) rows of the people. reverse: (n,) row of the other's decision.
    round: (n,) from 1, the same for both rows of a date; what a row records is known when its
      round ends. turn: (n,) which of the decider's own dates it is, from 1.
    listed: (n,) False for a decision that only the other's row tells of (columns *_o).
    outcomes: "dec" (0 or 1) and ratings, (n,), NaN where not given. Recorded after the date.
    answers: sign-up answers by column, (m,), NaN where not given.
    man: (m,) 1.0 a man, 0.0 a woman. wave: (m,).
    """

    decider: IntArray
    about: IntArray
    reverse: IntArray
    round: IntArray
    turn: IntArray
    listed: BoolArray
    outcomes: Mapping[str, FloatArray]
    answers: Mapping[str, FloatArray]
    man: FloatArray
    wave: IntArray
    digest: str

    @property
    def people(self) -> int:
        """How many people."""
        return int(self.wave.size)

    @property
    def wave_of_row(self) -> IntArray:
        """(n,) the wave of each row."""
        return self.wave[self.decider]

    @property
    def waves(self) -> list[int]:
        """The waves, ascending."""
        return [int(wave) for wave in np.unique(self.wave)]

    @property
    def decision(self) -> FloatArray:
        """(n,) 1.0 yes, 0.0 no: a target; never a feature of its own row."""
        return self.outcomes["dec"]

    @property
    def match(self) -> FloatArray:
        """(n,) 1.0 where both said yes: a target."""
        return self.decision * self.decision[self.reverse]

    @property
    def one_of_two(self) -> IntArray:
        """Rows that hold every date once: the listed one, and of two listed ones the first."""
        rows = np.arange(len(self.decider))
        other = self.listed[self.reverse]
        return np.flatnonzero(self.listed & (~other | (rows < self.reverse)))

    def signed_up(self, name: str) -> FloatArray:
        """Return a sign-up answer, (m,). Raises LeakError for whatever is known later."""
        require(name, Moment.SIGN_UP)
        found = self.answers.get(name)
        return np.full(self.people, np.nan) if found is None else found

    def in_waves(self, waves: Sequence[int]) -> "SpeedDates":
        """Return the dates of these waves only; people keep their order."""
        rows = np.flatnonzero(np.isin(self.wave_of_row, list(waves)))
        people = np.flatnonzero(np.isin(self.wave, list(waves)))
        row_at = np.full(len(self.decider), NOBODY)
        row_at[rows] = np.arange(len(rows))
        person_at = np.full(self.people, NOBODY)
        person_at[people] = np.arange(len(people))
        return replace(
            self,
            decider=person_at[self.decider[rows]],
            about=person_at[self.about[rows]],
            reverse=row_at[self.reverse[rows]],
            round=self.round[rows],
            turn=self.turn[rows],
            listed=self.listed[rows],
            outcomes={name: values[rows] for name, values in self.outcomes.items()},
            answers={name: values[people] for name, values in self.answers.items()},
            man=self.man[people],
            wave=self.wave[people],
        )


def read(path: Path) -> SpeedDates:
    """Read a file of dates. Raises InvalidInputError, with the first thing that is wrong."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        reader = csv.DictReader(content.decode("latin-1").splitlines())
        columns = reader.fieldnames or ()
        missing = [name for name in NEEDED if name not in columns]
        if missing:
            raise InvalidInputError(
                f"{path.name} is no file of speed dates: it has no column {missing[0]}."
            )
        rows = list(reader)
    except csv.Error as error:
        raise InvalidInputError(f"{path.name} is not a CSV file: {error}.") from error
    return from_rows(rows, path.name, hashlib.sha256(content).hexdigest())


@dataclass(slots=True)
class _Row:
    decider: str
    about: str
    order: int
    outcomes: list[float]
    listed: bool


def from_rows(rows: Sequence[Mapping[str, str]], name: str, digest: str = "") -> SpeedDates:
    """Return the dates in `rows`. Raises InvalidInputError."""
    found: dict[tuple[str, str], _Row] = {}
    answers: dict[str, Mapping[str, str]] = {}
    sides: dict[str, tuple[int, float]] = {}
    told: list[_Row] = []
    for number, row in enumerate(rows, start=2):
        decider, about, wave, man = _who(row, number, name)
        answers.setdefault(decider, row)
        sides[decider] = (wave, man)
        sides.setdefault(about, (wave, 1.0 - man))
        if (decider, about) in found:
            raise InvalidInputError(
                f"Line {number} of {name}: {decider} decides about {about} twice."
            )
        order = _whole(row, "order", number, name)
        decided = _number(row.get("dec"))
        if decided not in {0.0, 1.0}:
            raise InvalidInputError(f"Line {number} of {name}: dec is neither 0 nor 1.")
        ratings = [_number(row.get(rating)) for rating in RATINGS]
        found[decider, about] = _Row(decider, about, order, [decided, *ratings], listed=True)
        theirs = [_number(row.get(_of_other(outcome))) for outcome in OUTCOMES]
        told.append(_Row(about, decider, order, theirs, listed=False))
    if not found:
        raise InvalidInputError(f"{name} holds no date.")
    for row_told in told:  # only where the other's own row is missing
        found.setdefault((row_told.decider, row_told.about), row_told)
    return _arrays(list(found.values()), answers, sides, digest)


def _who(row: Mapping[str, str], number: int, name: str) -> tuple[str, str, int, float]:
    wave = _whole(row, "wave", number, name)
    man = _number(row.get("gender"))
    if man not in {0.0, 1.0}:
        raise InvalidInputError(f"Line {number} of {name}: gender is neither 0 nor 1.")
    decider, about = _code(row.get("iid")), _code(row.get("pid"))
    if not decider:
        raise InvalidInputError(f"Line {number} of {name} has no iid.")
    if not about:  # the partner handed in no sign-up sheet and has no row and no number
        about = f"wave {wave} {'woman' if man else 'man'} {_code(row.get('partner'))}"
    return decider, about, wave, man


def _of_other(outcome: str) -> str:
    return f"{outcome}_o"


def _arrays(
    rows: Sequence[_Row],
    answers: Mapping[str, Mapping[str, str]],
    sides: Mapping[str, tuple[int, float]],
    digest: str,
) -> SpeedDates:
    ids = list(sides)
    at = {person: index for index, person in enumerate(ids)}
    row_of = {(row.decider, row.about): index for index, row in enumerate(rows)}
    turn = np.array([row.order for row in rows], dtype=np.int64)
    reverse = np.array([row_of[row.about, row.decider] for row in rows], dtype=np.int64)
    blank: Mapping[str, str] = {}
    columns = {
        name: np.array([_number(answers.get(person, blank).get(name)) for person in ids])
        for name in _SIGN_UP
    }
    recorded = np.array([row.outcomes for row in rows])
    return SpeedDates(
        decider=np.array([at[row.decider] for row in rows], dtype=np.int64),
        about=np.array([at[row.about] for row in rows], dtype=np.int64),
        reverse=reverse,
        round=np.maximum(turn, turn[reverse]),
        turn=turn,
        listed=np.array([row.listed for row in rows]),
        outcomes={name: recorded[:, index] for index, name in enumerate(OUTCOMES)},
        answers=columns,
        man=np.array([sides[person][1] for person in ids]),
        wave=np.array([sides[person][0] for person in ids], dtype=np.int64),
        digest=digest,
    )


def _whole(row: Mapping[str, str], column: str, number: int, name: str) -> int:
    value = _number(row.get(column))
    if not value == np.floor(value):
        raise InvalidInputError(f"Line {number} of {name}: {column} is no whole number.")
    return int(value)


def _code(text: str | None) -> str:
    return (text or "").strip().removesuffix(".0")


def _number(text: str | None) -> float:
    try:
        return float((text or "").replace(",", ""))
    except ValueError:
        return float("nan")
