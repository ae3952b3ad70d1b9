"""Texts that were embedded before are not embedded again, until their owner is forgotten."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from soullink.gateways.embeddings.port import KeptEmbeddings, Rows, TextEmbedder


class RememberingEmbedder:
    """Embeds texts that belong to somebody, and keeps the vectors by the digests of the texts.

    The same text of two owners is embedded and kept twice: so that to forget one leaves nothing of
    theirs behind, and takes nothing from the other.
    """

    def __init__(self, embedder: TextEmbedder, kept: KeptEmbeddings) -> None:
        self.embedder = embedder
        self._kept = kept
        self._label = f"{embedder.name}@{embedder.version}/{embedder.dimensions}"

    async def made_by(self) -> TextEmbedder:
        """Return the embedder."""
        return self.embedder

    async def embed(self, owner: str, texts: Sequence[str]) -> Rows:
        """Return (n, d) float32 rows of length 1. Raises as the embedder does, UnavailableError."""
        return (await self.embed_all({owner: texts}))[owner]

    async def embed_all(self, texts: Mapping[str, Sequence[str]]) -> dict[str, Rows]:
        """Return rows for the texts of many owners; what is not known is embedded in one go."""
        digests = {owner: [_digest(text) for text in some] for owner, some in texts.items()}
        known = await self._kept.find(self._label, digests)
        missing = {
            (owner, digest): text
            for owner, some in texts.items()
            for digest, text in zip(digests[owner], some, strict=True)
            if digest not in known[owner]
        }
        if missing:
            rows = await self.embedder.embed(list(missing.values()))
            fresh: dict[str, dict[bytes, Rows]] = {}
            for (owner, digest), row in zip(missing, rows, strict=True):
                fresh.setdefault(owner, {})[digest] = row
            await self._kept.keep(self._label, fresh)
            for owner, vectors in fresh.items():
                known[owner] |= vectors
        nothing = np.zeros((0, self.embedder.dimensions), np.float32)
        return {
            owner: np.stack([known[owner][digest] for digest in some]) if some else nothing
            for owner, some in digests.items()
        }

    async def forget(self, owner: str) -> int:
        """Remove everything that is kept of `owner`, of every embedder; return how much it was."""
        return await self._kept.forget(owner)

    async def close(self) -> None:
        """Close the embedder."""
        await self.embedder.close()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
