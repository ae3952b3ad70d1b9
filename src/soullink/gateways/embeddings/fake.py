"""Kept embeddings in the memory of one process: for tests."""

from collections.abc import Mapping, Sequence

from soullink.gateways.embeddings.port import Rows


class MemoryEmbeddings:
    """Implements KeptEmbeddings; nothing is durable."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], dict[bytes, Rows]] = {}

    async def find(
        self, owner: str, embedder: str, digests: Sequence[bytes]
    ) -> Mapping[bytes, Rows]:
        theirs = self._kept.get((owner, embedder), {})
        return {digest: theirs[digest] for digest in digests if digest in theirs}

    async def keep(self, owner: str, embedder: str, vectors: Mapping[bytes, Rows]) -> None:
        self._kept.setdefault((owner, embedder), {}).update(vectors)

    async def forget(self, owner: str) -> int:
        theirs = [key for key in self._kept if key[0] == owner]
        return sum(len(self._kept.pop(key)) for key in theirs)
