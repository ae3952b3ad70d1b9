"""Vectors in the memory of one process, searched exactly: for tests and small experiments."""

from collections.abc import Collection as Ids
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from soullink.gateways.vectors.port import (
    Collection,
    Neighbour,
    Rows,
    VectorsUnavailableError,
    check_same,
    checked_ids,
    in_order,
    last_of_each,
    unit_query,
)


class MemoryIndexes:
    """Implements VectorIndexes within one process; nothing is durable."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Collection, dict[str, Rows]]] = {}

    async def open(self, collection: Collection) -> "MemoryIndex":
        known, rows = self._kept.setdefault(collection.name, (collection, {}))
        check_same(known, collection)
        return MemoryIndex(collection, rows, self._kept)

    async def collections(self) -> list[Collection]:
        return [self._kept[name][0] for name in sorted(self._kept)]

    async def drop(self, name: str) -> bool:
        return self._kept.pop(name, None) is not None

    async def forget(self, ids: Sequence[str]) -> int:
        names = checked_ids(ids)
        return sum(
            rows.pop(name, None) is not None for _, rows in self._kept.values() for name in names
        )

    async def close(self) -> None:
        pass


class MemoryIndex:
    """Implements VectorIndex by comparing the query with every vector."""

    def __init__(
        self,
        collection: Collection,
        rows: dict[str, Rows],
        kept: dict[str, tuple[Collection, dict[str, Rows]]],
    ) -> None:
        self._collection = collection
        self._own = rows
        self._kept = kept

    @property
    def collection(self) -> Collection:
        return self._collection

    async def upsert(self, ids: Sequence[str], vectors: ArrayLike) -> None:
        names, rows = last_of_each(self._collection, ids, vectors)
        self._rows().update(zip(names, rows, strict=True))

    async def delete(self, ids: Sequence[str]) -> int:
        rows = self._rows()
        return sum(rows.pop(each, None) is not None for each in checked_ids(ids))

    async def search(
        self, query: ArrayLike, k: int, *, only: Ids[str] | None = None
    ) -> list[Neighbour]:
        row = unit_query(self._collection, query, k)
        rows = self._rows()
        names = list(rows) if only is None else [each for each in set(only) if each in rows]
        if not names:
            return []
        cosines = np.clip(np.stack([rows[name] for name in names]) @ row, -1.0, 1.0)
        return in_order(
            [Neighbour(name, float(cosine)) for name, cosine in zip(names, cosines, strict=True)],
            k,
        )

    async def count(self) -> int:
        return len(self._rows())

    async def compact(self) -> None:
        self._rows()

    def _rows(self) -> dict[str, Rows]:
        known = self._kept.get(self._collection.name)
        if known is None or known[1] is not self._own:
            raise VectorsUnavailableError(
                f"The collection {self._collection.name} was dropped meanwhile; open it again."
            )
        return self._own
