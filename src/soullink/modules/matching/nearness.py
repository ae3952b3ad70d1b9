"""Who writes alike: one vector a person in the vector gateway, in step with what people write."""

from collections.abc import Callable, Collection, Sequence
from typing import Final, Protocol

import numpy as np

from soullink.gateways.embeddings.port import TextEmbedder
from soullink.gateways.log import Log
from soullink.gateways.vectors import port as vectors
from soullink.gateways.vectors.port import (
    Neighbour,
    VectorIndex,
    VectorIndexes,
    VectorsUnavailableError,
)
from soullink.kernel.errors import SoulLinkError, UnavailableError
from soullink.kernel.ids import PersonId
from soullink.modules.matching.api import Candidate
from soullink.modules.matching.crowd import Texts, written
from soullink.modules.matching.domain.pool import Vectors
from soullink.modules.matching.people import Source

_log = Log(__name__)

COLLECTION: Final = "people"


class EmbeddingTexts(Texts, Protocol):
    """Texts that say who embeds them."""

    async def made_by(self) -> TextEmbedder:
        """Return the embedder, opening it where that was not done."""
        ...


class Nearness:
    """Keeps the mean of the vectors of what each person writes, and searches among them.

    opening: gives the vector gateway when it is first needed.
    """

    def __init__(self, opening: Callable[[], VectorIndexes], texts: EmbeddingTexts) -> None:
        self._opening = opening
        self._texts = texts
        self._indexes: VectorIndexes | None = None

    async def follow(self, person: PersonId, candidate: Candidate | None) -> None:
        """Bring a person's vector up to date; None or somebody who writes nothing has none.

        Where the texts or the vectors cannot be had, this is logged and left to `rebuild`: joining
        must not wait for it. Raises UnavailableError where what was kept could not be removed.
        """
        if candidate is None or not written(candidate):
            await self.forget(person)
            return
        try:
            await self._put(await self._index(), [candidate])
        except SoulLinkError as error:
            if isinstance(error, UnavailableError) and not isinstance(
                error, VectorsUnavailableError
            ):
                raise
            _log.warning("matching.vector_not_kept", code=error.code)

    async def forget(self, person: PersonId) -> None:
        """Remove a person from every collection. Raises UnavailableError."""
        await self._gateway().forget([str(person)])

    async def nearest(self, reader: Candidate, k: int, only: Collection[str]) -> list[Neighbour]:
        """Return the `k` of `only` who write most like `reader`, nearest first.

        Nobody is near somebody who writes nothing. Raises UnavailableError, LlmError, and
        OtherEmbedderError where the vectors kept are another embedder's.
        """
        rows = await self._means([reader])
        row = rows.get(reader.profile.id)
        if row is None or not only:
            return []
        return await (await self._index()).search(row, k, only=only)

    async def count(self) -> int:
        """Return how many people have a vector."""
        return await (await self._index()).count()

    async def rebuild(self, source: Source) -> int:
        """Make everybody's vector anew, and return how many have one."""
        await self._gateway().drop(COLLECTION)
        index = await self._index()
        async for some in source.all():
            await self._put(index, [one for one in some if not one.paused])
        return await index.count()

    async def close(self) -> None:
        """Let go of what was opened."""
        if self._indexes is not None:
            await self._indexes.close()

    def _gateway(self) -> VectorIndexes:
        if self._indexes is None:
            self._indexes = self._opening()
        return self._indexes

    async def _index(self) -> VectorIndex:
        by = await self._texts.made_by()
        return await self._gateway().open(
            vectors.Collection(COLLECTION, by.dimensions, by.name, by.version)
        )

    async def _put(self, index: VectorIndex, candidates: Sequence[Candidate]) -> None:
        rows = await self._means(candidates)
        if rows:
            await index.upsert([str(person) for person in rows], np.stack(list(rows.values())))

    async def _means(self, candidates: Sequence[Candidate]) -> dict[PersonId, Vectors]:
        texts = {str(one.profile.id): written(one) for one in candidates}
        rows = await self._texts.embed_all({who: some for who, some in texts.items() if some})
        means = {PersonId(who): some.mean(axis=0) for who, some in rows.items()}
        return {who: mean for who, mean in means.items() if np.any(mean)}
