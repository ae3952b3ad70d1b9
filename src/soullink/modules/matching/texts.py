"""What turns texts into vectors: opened when the first text comes, or keeping nothing."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from soullink.gateways.embeddings.port import KeptEmbeddings, TextEmbedder
from soullink.modules.matching.nearness import EmbeddingTexts


class ClosingTexts(EmbeddingTexts, Protocol):
    """Texts with something to let go of."""

    async def close(self) -> None: ...


class LazyTexts:
    """Implements Texts by one that is opened with the first text: other commands need none.

    Raises what opening raises; a later call tries again. Forgetting needs nobody who embeds.
    """

    def __init__(
        self, opening: Callable[[], Awaitable[ClosingTexts]], kept: KeptEmbeddings
    ) -> None:
        self._opening = opening
        self._kept = kept
        self._opened: ClosingTexts | None = None

    async def embed_all(
        self, texts: Mapping[str, Sequence[str]]
    ) -> Mapping[str, NDArray[np.float32]]:
        return await (await self._open()).embed_all(texts)

    async def made_by(self) -> TextEmbedder:
        return await (await self._open()).made_by()

    async def forget(self, owner: str) -> int:
        return await self._kept.forget(owner)

    async def close(self) -> None:
        """Close what was opened."""
        if self._opened is not None:
            await self._opened.close()

    async def _open(self) -> ClosingTexts:
        if self._opened is None:
            self._opened = await self._opening()
        return self._opened


class PassingTexts:
    """Implements Texts by an embedder, and keeps nothing."""

    def __init__(self, embedder: TextEmbedder) -> None:
        self._embedder = embedder

    async def embed_all(
        self, texts: Mapping[str, Sequence[str]]
    ) -> Mapping[str, NDArray[np.float32]]:
        owners = [owner for owner, some in texts.items() for _ in some]
        rows = await self._embedder.embed([text for some in texts.values() for text in some])
        places: dict[str, list[int]] = {owner: [] for owner in texts}
        for place, owner in enumerate(owners):
            places[owner].append(place)
        return {owner: rows[np.array(found, dtype=int)] for owner, found in places.items()}

    async def made_by(self) -> TextEmbedder:
        return self._embedder

    async def forget(self, owner: str) -> int:  # noqa: ARG002 (there is nothing to forget)
        return 0
