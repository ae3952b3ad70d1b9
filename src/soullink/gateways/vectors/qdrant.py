"""Vectors on a Qdrant server, 1.16 or newer (extra `qdrant`).

A collection of ours is called soullink_NAME__DIGEST there, the digest being of who made the
vectors, so that two embedders never meet in one; its metadata says it in words. Points have UUIDs
made of our ids (RFC 9562, version 5) and carry the id in their payload.

What was deleted is found by no search. Qdrant drops its bytes when it rewrites a segment, for which
there is no command; collections are made so that it does so early, at one deleted in a hundred.
"""

import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from collections.abc import Collection as Ids
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID, uuid5

from numpy.typing import ArrayLike

from soullink.gateways.vectors.port import (
    Collection,
    Neighbour,
    VectorsUnavailableError,
    check_same,
    checked_ids,
    in_order,
    last_of_each,
    unit_query,
)

_NAMESPACE: Final = UUID("5f0e7a53-3e0c-4c26-9d54-6f3a6b7d1c10")
_OURS: Final = re.compile(r"soullink_([a-z][a-z0-9_]{0,39}?)__[0-9a-f]{12}")
CANDIDATES: Final = 128
_PUT_AT_ONCE: Final = 500
_ASKED_AT_ONCE: Final = 5_000
_LINKS: Final = 16
_BUILD_EF: Final = 100


class QdrantIndexes:
    """Implements VectorIndexes over the server at `url`, e.g. http://localhost:6333.

    grpc: speak gRPC, on port 6334. candidates: how many a search holds.
    client: one that is open already, e.g. of the client library's local mode, instead of a URL.
    """

    def __init__(
        self,
        url: str = "",
        *,
        api_key: str | None = None,
        grpc: bool = False,
        candidates: int | None = None,
        timeout_seconds: int = 10,
        client: Any = None,
    ) -> None:
        self._parts = _Parts(url or "its client")
        self._client = client or self._parts.library.AsyncQdrantClient(
            url=url,
            api_key=api_key,
            prefer_grpc=grpc,
            timeout=timeout_seconds,
            check_compatibility=False,  # it asks at once, and warns where we raise
        )
        self._candidates = candidates or CANDIDATES

    async def open(self, collection: Collection) -> "QdrantIndex":
        name = _name_of(collection)
        for known in await self.collections():
            if known.name == collection.name:
                check_same(known, collection)
                break
        else:
            await self._make(collection, name)
        return QdrantIndex(self._client, self._parts, collection, name, self._candidates)

    async def collections(self) -> list[Collection]:
        found = [collection for _, collection in await self._ours()]
        return sorted(found, key=lambda one: one.name)

    async def drop(self, name: str) -> bool:
        there = False
        for place, collection in await self._ours():
            if collection.name == name:
                async with self._parts.speaking():
                    there = bool(await self._client.delete_collection(place)) or there
        return there

    async def forget(self, ids: Sequence[str]) -> int:
        removed = 0
        for place, collection in await self._ours():
            index = QdrantIndex(self._client, self._parts, collection, place, self._candidates)
            removed += await index.delete(ids)
        return removed

    async def close(self) -> None:
        await self._client.close()

    async def _ours(self) -> list[tuple[str, Collection]]:
        """Return the names there and what they hold."""
        async with self._parts.speaking():
            listed = (await self._client.get_collections()).collections
            found = []
            for each in listed:
                name = _OURS.fullmatch(each.name)
                if name is not None:
                    told = (await self._client.get_collection(each.name)).config
                    found.append((each.name, _told(each.name, name[1], told)))
        return found

    async def _make(self, collection: Collection, name: str) -> None:
        models = self._parts.library.models
        async with self._parts.speaking():
            try:
                await self._client.create_collection(
                    name,
                    vectors_config=models.VectorParams(
                        size=collection.dimensions, distance=models.Distance.COSINE
                    ),
                    hnsw_config=models.HnswConfigDiff(m=_LINKS, ef_construct=_BUILD_EF),
                    optimizers_config=models.OptimizersConfigDiff(
                        deleted_threshold=0.01, vacuum_min_vector_number=100
                    ),
                    metadata={
                        "name": collection.name,
                        "model": collection.model,
                        "version": collection.version,
                    },
                )
            except Exception as error:
                # Somebody else made it at the same time; it can only be the same.
                if not await self._client.collection_exists(name):
                    raise
                del error


class QdrantIndex:
    """Implements VectorIndex. `upsert` sends 500 vectors a request."""

    def __init__(
        self, client: Any, parts: "_Parts", collection: Collection, place: str, candidates: int
    ) -> None:
        self._client = client
        self._parts = parts
        self._collection = collection
        self._place = place
        self._candidates = candidates

    @property
    def collection(self) -> Collection:
        return self._collection

    async def upsert(self, ids: Sequence[str], vectors: ArrayLike) -> None:
        names, rows = last_of_each(self._collection, ids, vectors)
        models = self._parts.library.models
        async with self._parts.speaking():
            for start in range(0, len(names), _PUT_AT_ONCE):
                some = names[start : start + _PUT_AT_ONCE]
                batch = models.Batch(
                    ids=[_point(name) for name in some],
                    vectors=rows[start : start + _PUT_AT_ONCE].tolist(),
                    payloads=[{"id": name} for name in some],
                )
                await self._client.upsert(self._place, points=batch, wait=True)

    async def delete(self, ids: Sequence[str]) -> int:
        names = list(dict.fromkeys(checked_ids(ids)))
        models = self._parts.library.models
        removed = 0
        async with self._parts.speaking():
            for start in range(0, len(names), _ASKED_AT_ONCE):
                points = [_point(name) for name in names[start : start + _ASKED_AT_ONCE]]
                there = await self._client.retrieve(
                    self._place, points, with_payload=False, with_vectors=False
                )
                removed += len(there)
                if there:
                    selected = models.PointIdsList(points=[each.id for each in there])
                    await self._client.delete(self._place, points_selector=selected, wait=True)
        return removed

    async def search(
        self, query: ArrayLike, k: int, *, only: Ids[str] | None = None
    ) -> list[Neighbour]:
        row = unit_query(self._collection, query, k)
        models = self._parts.library.models
        chosen = None
        if only is not None:
            points = [_point(name) for name in sorted(set(only))]
            if not points:
                return []
            chosen = models.Filter(must=[models.HasIdCondition(has_id=points)])
        async with self._parts.speaking():
            answer = await self._client.query_points(
                self._place,
                query=row.tolist(),
                limit=k,
                query_filter=chosen,
                search_params=models.SearchParams(hnsw_ef=max(self._candidates, k)),
                with_payload=["id"],
            )
        return in_order(
            [
                Neighbour(str(point.payload["id"]), min(1.0, max(-1.0, point.score)))
                for point in answer.points
            ],
            k,
        )

    async def count(self) -> int:
        async with self._parts.speaking():
            return int((await self._client.count(self._place, exact=True)).count)

    async def compact(self) -> None:
        """Nothing that the server offers; see the top of this file."""
        await self.count()


class _Parts:
    """The client library, and what its failures mean."""

    def __init__(self, where: str) -> None:
        try:
            # Imported here: an optional part.
            import grpc  # noqa: PLC0415
            import qdrant_client  # noqa: PLC0415
            from qdrant_client.http import exceptions  # noqa: PLC0415
        except ImportError as error:
            raise VectorsUnavailableError(
                "Vectors on a Qdrant server need its client: pip install 'soullink[qdrant]'."
            ) from error
        self.library: Any = qdrant_client
        self._where = where
        self._refused: Any = exceptions.UnexpectedResponse
        self._unreached: Any = exceptions.ResponseHandlingException
        self._grpc: Any = grpc.aio.AioRpcError

    @asynccontextmanager
    async def speaking(self) -> AsyncIterator[None]:
        """Say failures plainly. Raises VectorsUnavailableError."""
        try:
            yield
        except self._unreached as error:
            raise VectorsUnavailableError(
                f"Qdrant at {self._where} does not answer: {error}."
            ) from error
        except self._refused as error:
            raise VectorsUnavailableError(self._refusal(error.status_code, error)) from error
        except self._grpc as error:
            raise VectorsUnavailableError(
                f"Qdrant at {self._where} did not do it: {error.details()} ({error.code().name})."
            ) from error
        except ValueError as error:
            # The local mode's word for a collection that is not there.
            if "not found" not in str(error):
                raise
            raise VectorsUnavailableError(self._refusal(404, error)) from error

    def _refusal(self, status: int, error: object) -> str:
        if status in {401, 403}:
            return f"Qdrant at {self._where} does not accept the key: set SOULLINK_QDRANT_API_KEY."
        if status == 404:
            return "The collection was dropped meanwhile; open it again."
        told = " ".join(str(error).split())
        return f"Qdrant at {self._where} did not do it: {told[:300]}"


def _point(name: str) -> str:
    return str(uuid5(_NAMESPACE, name))


def _name_of(collection: Collection) -> str:
    maker = f"{collection.dimensions}\n{collection.model}\n{collection.version}"
    return f"soullink_{collection.name}__{hashlib.sha256(maker.encode()).hexdigest()[:12]}"


def _told(place: str, name: str, config: Any) -> Collection:
    metadata = config.metadata or {}
    if "model" not in metadata or "version" not in metadata:
        raise VectorsUnavailableError(
            f"The collection {place} does not say who made its vectors:"
            " Qdrant 1.16 or newer is needed, or it is not ours."
        )
    return Collection(
        name, int(config.params.vectors.size), str(metadata["model"]), str(metadata["version"])
    )
