"""Who keeps vectors and who makes them, as the environment says."""

from typing import Any

import pytest

from soullink.bootstrap import build_vectors
from soullink.gateways.postgres.database import Database
from soullink.gateways.vectors.pgvector import PgvectorIndexes
from soullink.gateways.vectors.usearch_index import UsearchIndexes
from soullink.kernel.errors import InvalidInputError
from soullink.settings import EmbeddingSettings, Settings, VectorSettings


def test_nothing_need_be_set() -> None:
    assert Settings.read({}).vectors == VectorSettings() == VectorSettings("pgvector")
    assert Settings.read({}).embeddings == EmbeddingSettings() == EmbeddingSettings("builtin")


def test_everything_can_be_set() -> None:
    read = Settings.read(
        {
            "SOULLINK_VECTORS": "qdrant",
            "SOULLINK_VECTORS_CANDIDATES": "300",
            "SOULLINK_VECTORS_SNAPSHOTS": "/graphs",
            "SOULLINK_QDRANT_URL": "https://q.example:6333",
            "SOULLINK_QDRANT_API_KEY": "secret",
            "SOULLINK_QDRANT_GRPC": "1",
            "SOULLINK_EMBEDDINGS": "openai:text-embedding-3-small",
            "SOULLINK_EMBEDDINGS_DIMENSIONS": "512",
            "SOULLINK_EMBEDDINGS_VERSION": "2",
        }
    )
    assert (read.vectors.kept_by, read.vectors.candidates) == ("qdrant", 300)
    assert (read.vectors.qdrant_url, read.vectors.qdrant_grpc) == ("https://q.example:6333", True)
    assert str(read.vectors.snapshots) == "/graphs"
    assert "secret" not in repr(read)
    assert read.embeddings == EmbeddingSettings("openai:text-embedding-3-small", 512, "2")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOULLINK_VECTORS", "redis"),
        ("SOULLINK_VECTORS_CANDIDATES", "0"),
        ("SOULLINK_VECTORS_CANDIDATES", "many"),
        ("SOULLINK_QDRANT_GRPC", "yes"),
        ("SOULLINK_EMBEDDINGS_DIMENSIONS", "99999"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{name} is .*{value}"):
        Settings.read({name: value})


@pytest.mark.parametrize(
    ("kept_by", "built"), [("pgvector", PgvectorIndexes), ("usearch", UsearchIndexes)]
)
@pytest.mark.anyio
async def test_settings_choose(database: Database, kept_by: str, built: type[Any]) -> None:
    indexes = build_vectors(VectorSettings(kept_by), database)
    assert isinstance(indexes, built)
    await indexes.close()
