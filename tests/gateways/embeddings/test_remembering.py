"""What is kept is not embedded again, and leaves with its owner."""

from collections.abc import Sequence

import numpy as np
import psycopg
import pytest

from soullink.bootstrap import build_remembering, open_embedder
from soullink.gateways.embeddings.builtin import BuiltinEmbedder
from soullink.gateways.embeddings.fake import MemoryEmbeddings
from soullink.gateways.embeddings.port import KeptEmbeddings, Rows
from soullink.gateways.embeddings.remembering import RememberingEmbedder
from soullink.gateways.embeddings.store import PostgresEmbeddings
from soullink.gateways.postgres.database import Database
from soullink.settings import EmbeddingSettings

pytestmark = pytest.mark.anyio


class Counting(BuiltinEmbedder):
    """Remembers what it was asked."""

    def __init__(self, version: str = "1") -> None:
        self.version = version  # type: ignore[misc]
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str]) -> Rows:
        self.asked += texts
        return await super().embed(texts)


@pytest.fixture(params=["memory", "postgres"])
def kept(request: pytest.FixtureRequest, database: Database) -> KeptEmbeddings:
    return MemoryEmbeddings() if request.param == "memory" else PostgresEmbeddings(database)


async def test_a_text_is_embedded_once(kept: KeptEmbeddings) -> None:
    counting = Counting()
    remembering = RememberingEmbedder(counting, kept)
    first = await remembering.embed("ada", ["cats", "tea", "cats", "猫 🦊 \x00"])
    again = await remembering.embed("ada", ["tea", "cats", "dogs"])
    assert counting.asked == ["cats", "tea", "猫 🦊 \x00", "dogs"]
    assert (first[0] == first[2]).all()
    assert (again[0] == first[1]).all()
    assert (again[:2] == await BuiltinEmbedder().embed(["tea", "cats"])).all()
    assert (await remembering.embed("ada", [])).shape == (0, 256)


async def test_many_owners_are_embedded_in_one_go(kept: KeptEmbeddings) -> None:
    counting = Counting()
    remembering = RememberingEmbedder(counting, kept)
    rows = await remembering.embed_all({"ada": ["cats"], "ben": ["cats", "tea"], "eve": []})
    assert {owner: len(some) for owner, some in rows.items()} == {"ada": 1, "ben": 2, "eve": 0}
    assert counting.asked == ["cats", "cats", "tea"]
    await remembering.embed_all({"ada": ["cats"], "ben": ["tea"]})
    assert len(counting.asked) == 3


async def test_who_is_forgotten_leaves_nothing_and_takes_nothing(kept: KeptEmbeddings) -> None:
    counting = Counting()
    remembering = RememberingEmbedder(counting, kept)
    await remembering.embed("ada", ["cats", "tea"])
    await remembering.embed("ben", ["cats"])
    await RememberingEmbedder(Counting("2"), kept).embed("ada", ["cats"])
    assert await remembering.forget("ada") == 3
    assert await remembering.forget("ada") == 0
    asked = len(counting.asked)
    await remembering.embed("ben", ["cats"])
    assert len(counting.asked) == asked
    await remembering.embed("ada", ["cats"])
    assert len(counting.asked) == asked + 1


async def test_another_version_embeds_anew(kept: KeptEmbeddings) -> None:
    await RememberingEmbedder(Counting("1"), kept).embed("ada", ["cats"])
    newer = Counting("2")
    await RememberingEmbedder(newer, kept).embed("ada", ["cats"])
    assert newer.asked == ["cats"]


async def test_neither_text_nor_vector_stays_in_the_database(
    database: Database, database_url: str
) -> None:
    embedder = await open_embedder(EmbeddingSettings(), pytest.fail)
    remembering = build_remembering(embedder, database)
    rows = await remembering.embed("canary-owner", ["canary text"])
    with psycopg.connect(database_url) as connection:
        query = "SELECT count(*) FROM kept_embedding WHERE owner = 'canary-owner' AND vector = %s"
        vector = np.asarray(rows[0], "<f4").tobytes()
        assert connection.execute(query, [vector]).fetchone() == (1,)
        # Texts are not kept at all.
        text = "SELECT kept_embedding::text FROM kept_embedding"
        assert "canary text" not in str(connection.execute(text).fetchall())
    await remembering.forget("canary-owner")
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept_embedding").fetchone() == (0,)
    await remembering.close()
