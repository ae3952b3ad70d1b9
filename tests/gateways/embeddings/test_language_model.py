"""An embedding model of the gateway as a TextEmbedder."""

import numpy as np
import pytest

from soullink.bootstrap import open_embedder
from soullink.gateways.embeddings.language_model import LanguageModelEmbedder
from soullink.gateways.embeddings.port import EmbedderUnavailableError
from soullink.gateways.llm.port import EmbeddingReply, EmbeddingRequest, Usage
from soullink.settings import EmbeddingSettings

pytestmark = pytest.mark.anyio


class Model:
    """Answers with vectors of the lengths of the texts; not of length 1."""

    name = "openai:test-embedding"

    def __init__(self, dimensions: int = 4, scale: float = 3.0) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.dimensions = dimensions
        self.scale = scale
        self.closed = False

    def bound_nano_usd(self, request: EmbeddingRequest) -> int | None:
        return None if request.texts else 0

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        self.asked.append(request.texts)
        vectors = tuple(
            (self.scale * len(text), *([self.scale] * (self.dimensions - 1)))
            for text in request.texts
        )
        return EmbeddingReply(vectors, "test-embedding", "openai", Usage(1), None, 0.0, 1)

    async def close(self) -> None:
        self.closed = True


async def test_rows_are_of_length_one_and_in_order() -> None:
    model = Model()
    embedder = await LanguageModelEmbedder.probe(model)
    assert (embedder.name, embedder.dimensions) == ("openai:test-embedding", 4)
    texts = ["x" * n for n in range(1, 151)]
    rows = await embedder.embed(texts)
    assert rows.shape == (150, 4)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(150), abs=1e-6)
    assert (rows[:, 0] / rows[:, 1]).tolist() == pytest.approx(list(range(1, 151)), rel=1e-5)
    assert [len(texts) for texts in model.asked] == [1, 64, 64, 22]
    await embedder.close()
    assert model.closed


async def test_an_empty_text_is_sent_as_something() -> None:
    model = Model()
    rows = await LanguageModelEmbedder(model, 4).embed(["", "  ", "ab"])
    assert model.asked == [("-", "-", "ab")]
    assert (rows[0] == rows[1]).all()
    assert (await LanguageModelEmbedder(model, 4).embed([])).shape == (0, 4)


async def test_vectors_that_changed_or_have_no_direction_are_refused() -> None:
    with pytest.raises(EmbedderUnavailableError, match="vectors of 4 numbers now, not of 8"):
        await LanguageModelEmbedder(Model(), 8).embed(["a"])
    for scale in (0.0, float("nan")):
        with pytest.raises(EmbedderUnavailableError, match="without a direction"):
            await LanguageModelEmbedder(Model(scale=scale), 4).embed(["a"])


async def test_settings_name_the_model() -> None:
    opened: list[str] = []

    def models(name: str) -> Model:
        opened.append(name)
        return Model()

    asked = EmbeddingSettings("openai:test-embedding", version="2026-11")
    embedder = await open_embedder(asked, models)
    assert (opened, embedder.dimensions, embedder.version) == ([asked.embedder], 4, "2026-11")
    told = await open_embedder(EmbeddingSettings("openai:test-embedding", 4), models)
    assert (await told.embed(["a"])).shape == (1, 4)
