"""Embeddings that are kept in PostgreSQL. The only file here that speaks SQL."""

from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import Column, LargeBinary, Table, Text, delete, select
from sqlalchemy.dialects.postgresql import insert

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


class PostgresEmbeddings:
    """Implements KeptEmbeddings. Raises UnavailableError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(
        self, owner: str, embedder: str, digests: Sequence[bytes]
    ) -> Mapping[bytes, Rows]:
        wanted = select(kept.c.digest, kept.c.vector).where(
            kept.c.owner == owner, kept.c.embedder == embedder, kept.c.digest.in_(digests)
        )
        async with self._database.work() as work:
            rows = (await work.session.execute(wanted)).all()
        return {row.digest: np.frombuffer(row.vector, "<f4").astype(np.float32) for row in rows}

    async def keep(self, owner: str, embedder: str, vectors: Mapping[bytes, Rows]) -> None:
        if not vectors:
            return
        putting = insert(kept).values(
            [
                {
                    "owner": owner,
                    "embedder": embedder,
                    "digest": digest,
                    "vector": np.asarray(vector, "<f4").tobytes(),
                }
                for digest, vector in vectors.items()
            ]
        )
        replacing = putting.on_conflict_do_update(
            index_elements=["owner", "embedder", "digest"],
            set_={"vector": putting.excluded.vector},
        )
        async with self._database.work() as work:
            await work.session.execute(replacing)

    async def forget(self, owner: str) -> int:
        leaving = delete(kept).where(kept.c.owner == owner).returning(kept.c.digest)
        async with self._database.work() as work:
            return len((await work.session.execute(leaving)).all())
