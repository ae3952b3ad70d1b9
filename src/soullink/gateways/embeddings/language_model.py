"""Embeddings by whichever embedding model the language model gateway reaches."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from soullink.gateways.embeddings.port import EmbedderUnavailableError, Rows
from soullink.gateways.llm.port import EmbeddingModel, EmbeddingRequest

_AT_ONCE: Final = 64
"""Texts in one request: Gemini takes 100, and a request that fails is sent again as a whole."""
_NOTHING: Final = "-"
"""What an empty text is sent as: providers refuse it."""


class LanguageModelEmbedder:
    """Implements TextEmbedder. Texts leave this machine for the model's provider.

    version: providers do not say when a model's vectors change under its name; an operator who
    learns of it sets another one. Raises LlmError.
    """

    def __init__(self, model: EmbeddingModel, dimensions: int, version: str = "1") -> None:
        self._model = model
        self.dimensions = dimensions
        self.version = version

    @staticmethod
    async def probe(model: EmbeddingModel, version: str = "1") -> "LanguageModelEmbedder":
        """Return an embedder of a model that is asked for its dimensions, with one short text."""
        reply = await model.embed(EmbeddingRequest(texts=(_NOTHING,), purpose="embeddings.probe"))
        return LanguageModelEmbedder(model, len(reply.vectors[0]), version)

    @property
    def name(self) -> str:
        return self._model.name

    async def embed(self, texts: Sequence[str]) -> Rows:
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for start in range(0, len(texts), _AT_ONCE):
            some = tuple(text.strip() or _NOTHING for text in texts[start : start + _AT_ONCE])
            reply = await self._model.embed(EmbeddingRequest(texts=some, purpose="embeddings"))
            vectors = np.array(reply.vectors, np.float64)
            if vectors.shape[1] != self.dimensions:
                raise EmbedderUnavailableError(
                    f"{self.name} gives vectors of {vectors.shape[1]} numbers now, not of"
                    f" {self.dimensions}: set SOULLINK_EMBEDDINGS_DIMENSIONS, or embed all anew."
                )
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            if not np.isfinite(lengths).all() or not (lengths > 0.0).all():
                raise EmbedderUnavailableError(f"{self.name} gave a vector without a direction.")
            rows[start : start + len(some)] = vectors / lengths
        return rows

    async def close(self) -> None:
        await self._model.close()
