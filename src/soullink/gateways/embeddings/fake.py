"""Kept embeddings in the memory of one process: for tests."""

from collections.abc import Mapping, Sequence

from soullink.gateways.embeddings.port import Rows


class MemoryEmbeddings:
    """Implements KeptEmbeddings; nothing is durable."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], dict[bytes, Rows]] = {}

    async def find(
        self, embedder: str, digests: Mapping[str, Sequence[bytes]]
    ) -> dict[str, dict[bytes, Rows]]:
        kept = {owner: self._kept.get((owner, embedder), {}) for owner in digests}
        return {
            owner: {digest: kept[owner][digest] for digest in some if digest in kept[owner]}
            for owner, some in digests.items()
        }

    async def keep(self, embedder: str, vectors: Mapping[str, Mapping[bytes, Rows]]) -> None:
        for owner, theirs in vectors.items():
            self._kept.setdefault((owner, embedder), {}).update(theirs)

    async def forget(self, owner: str) -> int:
        theirs = [key for key in self._kept if key[0] == owner]
        return sum(len(self._kept.pop(key)) for key in theirs)
