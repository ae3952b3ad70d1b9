"""Everybody in columns, ready to be filtered and scored: rows that never move, buckets by cell.

A person holds one row. Rows are reused after removal; what was in them is overwritten at once.
`near` finds the rows of a few cells without looking at the rest; `everywhere` walks the columns.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from soullink.kernel.ids import PersonId
from soullink.modules.matching.domain.facts import BITS, GONE, Facts
from soullink.modules.matching.domain.kinds import kind_of
from soullink.modules.profiles.api import Cell

Rows: TypeAlias = NDArray[np.int32]
Vectors: TypeAlias = NDArray[np.int8]

WIDTH: Final = 64
"""Numbers kept of what somebody writes."""
_FIRST_CAPACITY: Final = 64
_BUCKET: Final = 8
_EARTH_RADIUS_KM: Final = 6_371.0
PART: Final = 65_536
"""Rows of a part: what is walked in one go, and skipped where nobody in it has a wanted gender."""
UNKNOWN_CELL: Final = 0
"""Place in the table of cells of those who live nobody knows where."""


_GENDER_BITS: Final = np.uint64(sum(BITS["gender"].values()))


@dataclass(slots=True)
class Columns:
    """One entry a row.

    odds_liked: exp(-partner), odds_willing: exp(-actor), of the interest model: what multiplies
    the odds of a no. cell: place in the table of cells. shown: how often lately.
    texts: (n, WIDTH) unit vectors times 127, zeros where nothing is written.
    """

    facts: NDArray[np.uint64]
    rejects: NDArray[np.uint64]
    dislikes: NDArray[np.uint64]
    speaks: NDArray[np.uint64]
    wants_spoken: NDArray[np.uint64]
    age: NDArray[np.uint8]
    age_from: NDArray[np.uint8]
    age_to: NDArray[np.uint8]
    soft: NDArray[np.uint8]
    reach_km: NDArray[np.uint16]
    kind: NDArray[np.uint16]
    cell: NDArray[np.int32]
    odds_liked: NDArray[np.float32]
    odds_willing: NDArray[np.float32]
    shown: NDArray[np.uint16]
    texts: Vectors

    @classmethod
    def empty(cls, size: int) -> "Columns":
        """Return `size` rows with nobody in them."""
        made = {
            name: np.zeros((size, WIDTH) if name == "texts" else size, dtype=dtype)
            for name, dtype in _TYPES.items()
        }
        columns = cls(**made)
        columns.facts[:] = GONE
        return columns

    def grown(self, size: int) -> "Columns":
        """Return a copy with room for `size` rows."""
        made = Columns.empty(size)
        for column in fields(Columns):
            old = getattr(self, column.name)
            getattr(made, column.name)[: len(old)] = old
        return made

    @property
    def nbytes(self) -> int:
        return sum(getattr(self, column.name).nbytes for column in fields(Columns))


_TYPES: Final[Mapping[str, type[np.generic]]] = {
    "facts": np.uint64,
    "rejects": np.uint64,
    "dislikes": np.uint64,
    "speaks": np.uint64,
    "wants_spoken": np.uint64,
    "age": np.uint8,
    "age_from": np.uint8,
    "age_to": np.uint8,
    "soft": np.uint8,
    "reach_km": np.uint16,
    "kind": np.uint16,
    "cell": np.int32,
    "odds_liked": np.float32,
    "odds_willing": np.float32,
    "shown": np.uint16,
    "texts": np.int8,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One person for the pool. liked, willing: partner and actor parts, log-odds.

    text: (WIDTH,) int8, or None where nothing is written.
    """

    facts: Facts
    liked: float
    willing: float
    shown: int = 0
    text: Vectors | None = None


class Cells:
    """The cells that somebody lives in, by place; place 0 stands for an unknown cell."""

    def __init__(self) -> None:
        self._places: dict[Cell, int] = {}
        self._directions = np.zeros((_FIRST_CAPACITY, 3))
        self.buckets: list[Rows] = [np.zeros(_BUCKET, dtype=np.int32)]
        self.sizes = np.zeros(_FIRST_CAPACITY, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._places) + 1

    def known(self) -> list[Cell]:
        """Return the cells by place, from place 1."""
        return list(self._places)

    def place_of(self, cell: Cell | None) -> int:
        """Return the place of `cell`, making one for a new cell."""
        if cell is None:
            return UNKNOWN_CELL
        known = self._places.get(cell)
        if known is not None:
            return known
        place = len(self)
        self._places[cell] = place
        if place >= len(self.sizes):
            room = 2 * len(self.sizes)
            grown = np.zeros((room, 3))
            grown[: len(self._directions)] = self._directions
            self._directions = grown
            self.sizes = np.concatenate([self.sizes, np.zeros(room // 2, dtype=np.int64)])
        self._directions[place] = _direction(cell)
        self.buckets.append(np.zeros(_BUCKET, dtype=np.int32))
        return place

    def distances_km(self, cell: Cell | None) -> NDArray[np.float32]:
        """Return (cells,) distances of the middles from that of `cell`; 0 where one is unknown.

        The chord between the two directions gives the great circle, 2 R asin(chord / 2), rounded
        to 0.1 km so that there and back are the same.
        """
        if cell is None:
            return np.zeros(len(self), dtype=np.float32)
        squares = 2.0 - 2.0 * (self._directions[: len(self)] @ _direction(cell))
        chord = np.sqrt(np.clip(squares, 0.0, 4.0, out=squares), out=squares)
        found = (2.0 * _EARTH_RADIUS_KM) * np.arcsin(chord / 2.0)
        distances: NDArray[np.float32] = np.round(found, 1).astype(np.float32)
        distances[UNKNOWN_CELL] = 0.0
        return distances


def _direction(cell: Cell) -> NDArray[np.float64]:
    latitude, longitude = np.radians(cell.centre)
    flat = np.cos(latitude)
    return np.array([flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)])


class Pool:
    """Everybody who takes part. Not for several threads at once: one writes, then one reads."""

    def __init__(self) -> None:
        self.columns = Columns.empty(_FIRST_CAPACITY)
        self.cells = Cells()
        self.ids: list[PersonId | None] = []
        self._row_of: dict[PersonId, int] = {}
        self._in_bucket = np.zeros(_FIRST_CAPACITY, dtype=np.int32)
        self._free: list[int] = []
        self._genders = np.zeros(_FIRST_CAPACITY // PART + 1, dtype=np.uint64)

    def __len__(self) -> int:
        return len(self._row_of)

    def __contains__(self, person: object) -> bool:
        return person in self._row_of

    @property
    def extent(self) -> int:
        """Return how many rows are in use or were."""
        return len(self.ids)

    @property
    def nbytes(self) -> int:
        """Return the bytes of columns and buckets; the ids come on top."""
        buckets = sum(bucket.nbytes for bucket in self.cells.buckets)
        return self.columns.nbytes + self._in_bucket.nbytes + buckets

    def row_of(self, person: PersonId) -> int | None:
        return self._row_of.get(person)

    def rows_of(self, people: Sequence[PersonId] | frozenset[PersonId]) -> Rows:
        """Return the rows of those of `people` who are here."""
        found = [row for person in people if (row := self._row_of.get(person)) is not None]
        return np.array(found, dtype=np.int32)

    def put(self, person: PersonId, entry: Entry) -> int:
        """Add `person` or replace what is here of them; return the row."""
        row = self._row_of.get(person)
        if row is None:
            row = self._take_row(person)
        else:
            self._leave_bucket(row)
        self._write(row, entry)
        self._enter_bucket(row, self.cells.place_of(entry.facts.cell))
        return row

    def remove(self, person: PersonId) -> bool:
        """Take `person` out and overwrite the row; False when nobody is here by that id."""
        row = self._row_of.pop(person, None)
        if row is None:
            return False
        self._leave_bucket(row)
        for column in fields(Columns):
            getattr(self.columns, column.name)[row] = 0
        self.columns.facts[row] = GONE
        self.ids[row] = None
        self._free.append(row)
        return True

    def load(self, ids: Sequence[PersonId], columns: Columns, cells: Sequence[Cell | None]) -> None:
        """Fill an empty pool with whole columns, whose `cell` holds places in `cells`.

        Rows are put in the order of genders, then cells: neighbours lie together in memory, and
        whole parts of it need not be looked at.
        Raises ValueError for a pool with somebody in it, or an id that comes twice.
        """
        if self.ids:
            raise ValueError("Only an empty pool can be loaded.")
        places = np.array([self.cells.place_of(cell) for cell in cells], dtype=np.int32)
        where = places[columns.cell]
        order = np.lexsort((where, columns.facts & _GENDER_BITS))
        where = where[order]
        room = len(ids) + len(ids) // 8 + _FIRST_CAPACITY  # so that the next to join copy nothing
        self.columns = Columns.empty(room)
        columns.cell = places[columns.cell]
        for column in fields(Columns):
            getattr(self.columns, column.name)[: len(ids)] = getattr(columns, column.name)[order]
        self.ids = [ids[k] for k in order.tolist()]
        self._row_of = {person: row for row, person in enumerate(self.ids) if person is not None}
        if len(self._row_of) != len(ids):
            raise ValueError("An id comes twice.")
        by_cell = np.argsort(where, kind="stable").astype(np.int32)
        starts = np.searchsorted(where[by_cell], np.arange(len(self.cells) + 1))
        self._in_bucket = np.zeros(room, dtype=np.int32)
        self._in_bucket[by_cell] = np.arange(len(ids)) - starts[where[by_cell]]
        for place in range(len(self.cells)):
            bucket = by_cell[starts[place] : starts[place + 1]].copy()
            self.cells.buckets[place] = bucket
            self.cells.sizes[place] = len(bucket)
        self._genders = np.zeros(room // PART + 1, dtype=np.uint64)
        for part in range(len(self._genders)):
            held = self.columns.facts[: len(ids)][part * PART : (part + 1) * PART]
            self._genders[part] = np.bitwise_or.reduce(held & _GENDER_BITS)

    def parts(self, rejects: int) -> list[slice]:
        """Return the parts of the rows in which somebody may have a gender not in `rejects`."""
        wanted = (self._genders & ~np.uint64(rejects)) != 0
        return [
            slice(start, min(self.extent, start + PART))
            for start in range(0, self.extent, PART)
            if wanted[start // PART]
        ]

    def near(self, places: NDArray[np.int64]) -> Rows:
        """Return the rows of everybody in these cells."""
        buckets, sizes = self.cells.buckets, self.cells.sizes
        parts = [buckets[place][: sizes[place]] for place in places.tolist()]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)

    def pick(self, row: int) -> Callable[[str], int]:
        """Return a reader of one row's columns as plain numbers."""
        return lambda name: int(getattr(self.columns, name)[row])

    def _take_row(self, person: PersonId) -> int:
        if self._free:
            row = self._free.pop()
            self.ids[row] = person
        else:
            row = len(self.ids)
            self.ids.append(person)
            if row >= len(self.columns.facts):
                self.columns = self.columns.grown(2 * max(row, _FIRST_CAPACITY))
                room = np.zeros(len(self.columns.facts), dtype=np.int32)
                room[: len(self._in_bucket)] = self._in_bucket
                self._in_bucket = room
                parts = np.zeros(len(self.columns.facts) // PART + 1, dtype=np.uint64)
                parts[: len(self._genders)] = self._genders
                self._genders = parts
        self._row_of[person] = row
        return row

    def _write(self, row: int, entry: Entry) -> None:
        columns, facts = self.columns, entry.facts
        columns.facts[row] = facts.facts
        self._genders[row // PART] |= np.uint64(facts.facts) & _GENDER_BITS
        columns.rejects[row] = facts.rejects
        columns.dislikes[row] = facts.dislikes
        columns.speaks[row] = facts.speaks
        columns.wants_spoken[row] = facts.wants_spoken
        columns.age[row] = facts.age
        columns.age_from[row] = facts.age_from
        columns.age_to[row] = facts.age_to
        columns.soft[row] = facts.soft
        columns.reach_km[row] = facts.reach_km
        columns.kind[row] = kind_of(facts.age, facts.sex, facts.goal)
        columns.odds_liked[row] = np.exp(-entry.liked)
        columns.odds_willing[row] = np.exp(-entry.willing)
        columns.shown[row] = min(entry.shown, 65_535)
        columns.texts[row] = 0 if entry.text is None else entry.text

    def _enter_bucket(self, row: int, place: int) -> None:
        cells = self.cells
        size = int(cells.sizes[place])
        bucket = cells.buckets[place]
        if size == len(bucket):
            bucket = np.concatenate([bucket, np.zeros(max(_BUCKET, size), dtype=np.int32)])
            cells.buckets[place] = bucket
        bucket[size] = row
        cells.sizes[place] = size + 1
        self._in_bucket[row] = size
        self.columns.cell[row] = place

    def _leave_bucket(self, row: int) -> None:
        """Take the row out of its bucket; the last of the bucket takes its seat."""
        place = int(self.columns.cell[row])
        bucket, last = self.cells.buckets[place], int(self.cells.sizes[place]) - 1
        seat = int(self._in_bucket[row])
        bucket[seat] = bucket[last]
        self._in_bucket[bucket[seat]] = seat
        bucket[last] = 0
        self.cells.sizes[place] = last
        self.columns.cell[row] = UNKNOWN_CELL
