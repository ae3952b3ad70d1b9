"""A collection in memory: exact rows, and over them usearch's HNSW graph. Knows no database.

Not for several threads at once.
"""

import hashlib
import json
import os
from collections.abc import Collection as Ids
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from soullink.gateways.vectors.port import (
    Collection,
    Neighbour,
    Rows,
    VectorsUnavailableError,
    in_order,
)

EXACT_UP_TO: Final = 4_096
"""Rows that are all compared with; a graph over so few is no faster, and not exact."""
PENDING_UP_TO: Final = 256
"""Changed rows that are compared with one by one before the graph learns of them together: to add
after a removal takes usearch time in proportion to all rows, 0.1 s for a million."""
_LINKS: Final = 16
_BUILD_EF: Final = 128
_FILLER: Final = 1 << 62
"""Keys from here on are of rows that stand for nobody."""
_COMPARED_AT_ONCE: Final = 65_536
_FORMAT: Final = 1
_MANY: Final = 512


class Graph:
    """Vectors by id. A row's number is its key in the graph.

    The graph holds 8-bit numbers, which is enough to find candidates; they are ranked by the
    32-bit rows, so that the cosines are exact. Memory: about 4 d + d + 350 bytes a vector.
    candidates: how many a search holds.
    """

    def __init__(self, collection: Collection, candidates: int) -> None:
        self.collection = collection
        self._candidates = candidates
        self._rows: Rows = np.zeros((1024, collection.dimensions), np.float32)
        self._ids: list[str | None] = []
        self._places: dict[str, int] = {}
        self._free: list[int] = []
        self._graph: Any = None
        self._fillers: list[int] = []
        self._pending: set[int] = set()
        self._next_filler = _FILLER
        # Explicit, so that equal histories make equal graphs.
        self._random = np.random.default_rng(0)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: str) -> bool:
        return name in self._places

    @property
    def fillers(self) -> int:
        """Return how many random rows hold the room of removed ones."""
        return len(self._fillers)

    @property
    def ids(self) -> Ids[str]:
        return self._places.keys()

    def put(self, ids: Sequence[str], rows: Rows) -> None:
        """Put different ids with unit rows in, replacing those that are there."""
        self._reserve(len(ids))
        places = np.empty(len(ids), np.int64)
        for at, name in enumerate(ids):
            place = self._places.get(name)
            places[at] = self._place(name) if place is None else place
        self._rows[places] = rows
        if self._graph is None:
            if len(self) > EXACT_UP_TO:
                self._build()
            return
        self._pending.update(places.tolist())
        if len(self._pending) > max(PENDING_UP_TO, len(self) // 1000):
            self._link()

    def remove(self, ids: Sequence[str]) -> int:
        """Remove ids and overwrite what was theirs; return how many were there."""
        places = [place for name in set(ids) if (place := self._places.pop(name, None)) is not None]
        for place in places:
            self._ids[place] = None
            self._rows[place] = 0.0
        self._free += places
        self._pending.difference_update(places)
        gone = self._linked(places)
        if gone.size:
            self._graph.remove(gone)
            # usearch only marks what is removed, and lets what is added next take its room. So
            # that nothing stays, random rows take it at once, until there are others for it.
            fillers = [self._next_filler + at for at in range(gone.size)]
            self._next_filler += gone.size
            self._fillers += fillers
            noise = self._random.normal(size=(gone.size, self.collection.dimensions))
            noise /= np.linalg.norm(noise, axis=1)[:, None]
            self._graph.add(np.array(fillers, np.uint64), noise.astype(np.float32), threads=1)
        return len(places)

    def search(self, query: Rows, k: int, only: Ids[str] | None) -> list[Neighbour]:
        """Return the k nearest to a unit query, among `only` where it is given."""
        if only is not None:
            places = [self._places[name] for name in set(only) if name in self._places]
            return self._best(query, np.array(places, np.int64), k)
        if self._graph is None or 4 * k >= len(self):
            return self._best(query, self._all(), k)
        wanted = max(2 * k, k + 16)
        self._graph.expansion_search = max(self._candidates, wanted)
        places = self._graph.search(query, wanted, threads=1).keys.astype(np.int64)
        pending = np.fromiter(self._pending, np.int64, len(self._pending))
        found = self._best(query, np.union1d(places[places < _FILLER], pending), k)
        # Rows that nobody links to any more are not met on the way.
        return found if len(found) == k else self._best(query, self._all(), k)

    def rebuild(self) -> None:
        """Make rows and graph anew, without the places of what was removed."""
        places = self._all()
        names = [name for name in self._ids if name is not None]
        self._rows = np.concatenate(
            [self._rows[places], np.zeros((1024, self.collection.dimensions), np.float32)]
        )
        self._ids = list(names)
        self._places = {name: place for place, name in enumerate(names)}
        self._free = []
        self._fillers = []
        self._pending.clear()
        self._graph = None
        if len(self) > EXACT_UP_TO:
            self._build()

    def save(self, folder: Path, made: str, change: int) -> None:
        """Write the graph and whose rows are where; the rows themselves are in the database."""
        if self._graph is None:
            return
        self._link()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        graph, names = _files(folder, self.collection.name)
        with _replacing(graph) as path:
            self._graph.save(str(path))
            digest = _digest(path)
        content = {
            "format": _FORMAT,
            "graph": digest,
            "made": made,
            "change": change,
            "ids": self._ids,
            "fillers": self._fillers,
        }
        with _replacing(names) as path:
            path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    def load(self, folder: Path, made: str, ids: Sequence[str], rows: Rows) -> int | None:
        """Take the saved graph, with the `rows` of `ids`; return the change it is as old as.

        What was put in later is still to be put, and ids that are no more are to be removed.
        None, with nothing changed, where there is no saved graph of this collection.
        """
        graph, names = _files(folder, self.collection.name)
        try:
            content = json.loads(names.read_text(encoding="utf-8"))
            if (content["format"], content["made"]) != (_FORMAT, made):
                return None
            # Of another time, or damaged: what reads the graph does not check it.
            if content["graph"] != _digest(graph):
                return None
            saved = _new_graph(self.collection, self._candidates)
            saved.load(str(graph))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError):
            # Whatever is wrong with it: it is a copy, and is made again.
            return None
        kept: list[str | None] = content["ids"]
        places = {name: place for place, name in enumerate(kept) if name is not None}
        self._ids, self._places, self._graph = kept, places, saved
        self._free = [place for place, name in enumerate(kept) if name is None]
        self._fillers = content["fillers"]
        self._next_filler = max([_FILLER, *(filler + 1 for filler in self._fillers)])
        self._rows = np.zeros((len(kept) + 1024, self.collection.dimensions), np.float32)
        there = [(places[name], at) for at, name in enumerate(ids) if name in places]
        if there:
            targets, sources = np.array(there).T
            self._rows[targets] = rows[sources]
        return int(content["change"])

    def _best(self, query: Rows, places: NDArray[np.int64], k: int) -> list[Neighbour]:
        if not len(places):
            return []
        if len(places) == len(self._ids):  # all of them: no copy is needed
            cosines = self._rows[: len(places)] @ query
        else:
            cosines = np.concatenate(
                [
                    self._rows[places[at : at + _COMPARED_AT_ONCE]] @ query
                    for at in range(0, len(places), _COMPARED_AT_ONCE)
                ]
            )
        if len(places) > k:
            # Everything that is as near as the k-th, so that equal ones are told apart by id.
            least = np.partition(cosines, len(cosines) - k)[len(cosines) - k]
            near = np.flatnonzero(cosines >= least)
        else:
            near = np.arange(len(places))
        found = []
        for at in near:
            name = self._ids[places[at]]
            if name is not None:
                found.append(Neighbour(name, float(np.clip(cosines[at], -1.0, 1.0))))
        return in_order(found, k)

    def _all(self) -> NDArray[np.int64]:
        if not self._free:
            return np.arange(len(self._ids))
        return np.array([at for at, name in enumerate(self._ids) if name is not None], np.int64)

    def _reserve(self, more: int) -> None:
        needed = len(self._ids) + more
        if needed > len(self._rows):
            # A graph that has just been loaded, or rebuilt, has no more room than it needs.
            grown = np.zeros((max(needed, len(self._rows) * 3 // 2), self._rows.shape[1]), "f4")
            grown[: len(self._ids)] = self._rows[: len(self._ids)]
            self._rows = grown

    def _place(self, name: str) -> int:
        if self._free:
            place = self._free.pop()
            self._ids[place] = name
        else:
            place = len(self._ids)
            self._ids.append(name)
        self._places[name] = place
        return place

    def _link(self) -> None:
        """Put what is pending into the graph."""
        places = np.array(sorted(self._pending), np.int64)
        self._pending.clear()
        if not places.size:
            return
        known = self._linked(places.tolist())
        # What is removed makes room, and what is added next takes that room.
        fillers = [self._fillers.pop() for _ in range(min(places.size - known.size, self.fillers))]
        room = np.concatenate([known, np.array(fillers, np.uint64)])
        if room.size:
            self._graph.remove(room)
        rows = self._rows[places]
        self._graph.add(places.astype(np.uint64), rows, threads=_threads(len(rows)))

    def _linked(self, places: list[int]) -> NDArray[np.uint64]:
        """Return those places that the graph has a row of."""
        keys = np.array(places, np.uint64)
        if self._graph is None or not keys.size:
            return keys[:0]
        known: NDArray[np.uint64] = keys[np.asarray(self._graph.contains(keys), bool)]
        return known

    def _build(self) -> None:
        self._graph = _new_graph(self.collection, self._candidates)
        places = self._all()
        self._graph.add(places.astype(np.uint64), self._rows[places], threads=_threads(len(places)))


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """Yield a path for a new file, which takes the place of `target` when it is complete."""
    fresh = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        yield fresh
        fresh.chmod(0o600)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


def discard(folder: Path, name: str) -> None:
    """Remove the saved graph of a collection, if there is one."""
    for path in _files(folder, name):
        path.unlink(missing_ok=True)


def check_installed() -> None:
    """Raise VectorsUnavailableError where usearch is not installed."""
    _usearch()


def _threads(rows: int) -> int:
    """Return how many threads add rows: 0 is one a core, which pays for many only."""
    return 0 if rows >= _MANY else 1


def _files(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}.usearch", folder / f"{name}.json"


def _new_graph(collection: Collection, candidates: int) -> Any:
    return _usearch()(
        ndim=collection.dimensions,
        metric="ip",
        dtype="i8",
        connectivity=_LINKS,
        expansion_add=_BUILD_EF,
        expansion_search=candidates,
    )


def _usearch() -> Any:
    try:
        # Imported here: an optional part.
        from usearch.index import Index  # noqa: PLC0415
    except ImportError as error:
        raise VectorsUnavailableError(
            "Searching vectors in memory needs usearch: pip install 'soullink[vectors]'."
        ) from error
    return Index
