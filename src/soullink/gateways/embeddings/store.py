"""Embeddings that are kept in PostgreSQL. The only file here that speaks SQL."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from sqlalchemy import ARRAY, Column, LargeBinary, Table, Text, bindparam, delete, text

from soullink.gateways.embeddings.port import Rows
from soullink.gateways.postgres.database import Database, metadata

kept = Table(
    "kept_embedding",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("embedder", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    # 32-bit floats, little-endian.
    Column("vector", LargeBinary, nullable=False),
)


_AT_ONCE: Final = 5_000
_FIND: Final = text(
    "SELECT owner, digest, vector FROM unnest(:owners, :digests) AS asked (owner, digest)"
    " JOIN kept_embedding USING (owner, digest) WHERE embedder = :embedder"
).bindparams(bindparam("owners", type_=ARRAY(Text)), bindparam("digests", type_=ARRAY(LargeBinary)))
_KEEP: Final = text(
    "INSERT INTO kept_embedding (owner, embedder, digest, vector)"
    " SELECT owner, :embedder, digest, vector"
    " FROM unnest(:owners, :digests, :vectors) AS given (owner, digest, vector)"
    " ON CONFLICT (owner, embedder, digest) DO UPDATE SET vector = excluded.vector"
).bindparams(
    bindparam("owners", type_=ARRAY(Text)),
    bindparam("digests", type_=ARRAY(LargeBinary)),
    bindparam("vectors", type_=ARRAY(LargeBinary)),
)


class PostgresEmbeddings:
    """Implements KeptEmbeddings. Raises UnavailableError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(
        self, embedder: str, digests: Mapping[str, Sequence[bytes]]
    ) -> dict[str, dict[bytes, Rows]]:
        found: dict[str, dict[bytes, Rows]] = {owner: {} for owner in digests}
        asked = [(owner, digest) for owner, some in digests.items() for digest in some]
        async with self._database.work() as work:
            for start in range(0, len(asked), _AT_ONCE):
                some = asked[start : start + _AT_ONCE]
                rows = await work.session.execute(
                    _FIND,
                    {
                        "embedder": embedder,
                        "owners": [owner for owner, _ in some],
                        "digests": [digest for _, digest in some],
                    },
                )
                for owner, digest, vector in rows:
                    found[owner][digest] = np.frombuffer(vector, "<f4").astype(np.float32)
        return found

    async def keep(self, embedder: str, vectors: Mapping[str, Mapping[bytes, Rows]]) -> None:
        given = [
            (owner, digest, np.asarray(vector, "<f4").tobytes())
            # In one order, so that two who keep the same wait for each other and do not lock up.
            for owner, theirs in sorted(vectors.items())
            for digest, vector in sorted(theirs.items(), key=lambda one: one[0])
        ]
        async with self._database.work() as work:
            for start in range(0, len(given), _AT_ONCE):
                some = given[start : start + _AT_ONCE]
                await work.session.execute(
                    _KEEP,
                    {
                        "embedder": embedder,
                        "owners": [owner for owner, _, _ in some],
                        "digests": [digest for _, digest, _ in some],
                        "vectors": [vector for _, _, vector in some],
                    },
                )

    async def forget(self, owner: str) -> int:
        leaving = delete(kept).where(kept.c.owner == owner).returning(kept.c.digest)
        async with self._database.work() as work:
            return len((await work.session.execute(leaving)).all())
