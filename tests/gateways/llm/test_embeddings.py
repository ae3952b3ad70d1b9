"""Embeddings over a real socket, in both formats, and the fake that stands for them."""

import math
from typing import Any

import pytest

from soullink.gateways.llm.embedding import GeminiEmbeddings, HttpEmbeddingModel, OpenAiEmbeddings
from soullink.gateways.llm.fake import FakeEmbeddingModel
from soullink.gateways.llm.opening import open_embedder
from soullink.gateways.llm.port import (
    EmbeddingModel,
    EmbeddingRequest,
    LlmAuthError,
    LlmContextTooLongError,
    LlmOutputError,
    LlmRateLimitedError,
    LlmRequestError,
    LlmTimeoutError,
    LlmUnavailableError,
    ModelAddress,
    Usage,
)
from soullink.gateways.llm.retry import Retry
from soullink.gateways.llm.wire import Secret, Wire
from tests.gateways.llm.conftest import KEY, Sleeps
from tests.gateways.llm.embedding_servers import (
    GeminiEmbeddingServer,
    OpenAiEmbeddingServer,
    vector_of,
)
from tests.gateways.llm.server import Fail, Hang, Raw, Say

pytestmark = pytest.mark.anyio

TEXTS = ("kind", "stubborn and funny", "很好")
SERVERS: dict[str, tuple[Any, str]] = {
    "openai": (OpenAiEmbeddingServer, "openai:text-embedding-3-small"),
    "gemini": (GeminiEmbeddingServer, "gemini:gemini-embedding-001"),
}


def opened(server: Any, spec: str, sleeps: Sleeps | None = None) -> EmbeddingModel:
    address = ModelAddress(spec, base_url=server.base_url, api_key=KEY)
    return open_embedder(address, {}, retry=Retry(seed=1, sleep=sleeps or Sleeps()))


def asked(**changes: Any) -> EmbeddingRequest:
    return EmbeddingRequest(**{"texts": TEXTS, "timeout_seconds": 5.0, **changes})


@pytest.mark.parametrize("provider", sorted(SERVERS))
async def test_one_vector_a_text_in_their_order(provider: str) -> None:
    server_class, spec = SERVERS[provider]
    async with server_class(["any"], api_key=KEY) as server:
        model = opened(server, spec)
        reply = await model.embed(asked(dimensions=6, request_id="abc"))
        await model.close()
    assert reply.vectors == tuple(
        tuple(vector_of(text, place, 6)) for place, text in enumerate(TEXTS)
    )
    assert reply.usage == Usage(input_tokens=12)
    assert f"{reply.provider}:{reply.model}" == model.name == spec
    assert reply.attempts == 1
    assert server.requests[0].headers["X-Client-Request-Id"] == "abc"


async def test_official_openai_is_asked_for_base64_and_reads_it() -> None:
    async with OpenAiEmbeddingServer(["any"]) as server:
        wire = Wire(
            server.base_url,
            provider="openai",
            key=Secret(KEY),
            auth=("Authorization", "Bearer "),
            headers={},
            retry=Retry(),
        )
        model = HttpEmbeddingModel(OpenAiEmbeddings("m", official=True), wire, Retry())
        reply = await model.embed(asked())
        await model.close()
    assert server.requests[0].json["encoding_format"] == "base64"
    assert reply.vectors[1] == tuple(vector_of(TEXTS[1], 1, 4))


async def test_a_server_that_does_not_know_the_encoding_is_not_asked_for_it_again() -> None:
    complaint = "encoding_format: Extra inputs are not permitted"
    async with OpenAiEmbeddingServer(
        ["any", "any"], rejects={"encoding_format": complaint}
    ) as server:
        model = opened(server, "openai:m")
        assert (await model.embed(asked())).attempts == 2
        assert (await model.embed(asked())).attempts == 1
        await model.close()


@pytest.mark.parametrize("provider", sorted(SERVERS))
async def test_tokens_are_estimated_and_labelled_where_nobody_counts(provider: str) -> None:
    server_class, spec = SERVERS[provider]
    async with server_class([Say("any", usage=False)]) as server:
        model = opened(server, spec)
        reply = await model.embed(asked())
        await model.close()
    assert reply.usage == Usage(input_tokens=1 + 5 + 2, estimated=True)


@pytest.mark.parametrize("provider", sorted(SERVERS))
async def test_failures_are_the_ports(provider: str) -> None:
    server_class, spec = SERVERS[provider]
    sleeps = Sleeps()
    async with server_class(api_key=KEY) as server:
        model = opened(server, spec, sleeps)
        server.script = [Fail(429, retry_after="1"), Fail(503), "any"]
        assert (await model.embed(asked(timeout_seconds=60.0))).attempts == 3
        assert len(sleeps.seconds) == 2
        for behaviour, kind, billed in [
            (Fail(400, "This model's maximum context length is 8192 tokens"),
             LlmContextTooLongError, False),
            (Fail(429, retry_after="900"), LlmRateLimitedError, False),
            (Raw(b"{}"), LlmOutputError, True),
            (Raw(b"not json"), LlmOutputError, True),
            (Raw(b"<html><body>hello</body></html>", "text/html"), LlmUnavailableError, True),
            (Hang(5.0), LlmTimeoutError, True),
        ]:  # fmt: skip
            server.script = [behaviour] * 9
            with pytest.raises(kind) as caught:
                await model.embed(asked(timeout_seconds=0.3))
            assert caught.value.may_be_billed is billed
        server.api_key = "another"
        with pytest.raises(LlmAuthError):
            await model.embed(asked())
        await model.close()


async def test_vectors_that_do_not_fit_the_texts_are_an_output_error_with_its_usage() -> None:
    one = b'{"data":[{"index":0,"embedding":[1.0]}],"usage":{"prompt_tokens":3}}'
    uneven = (
        b'{"data":[{"index":0,"embedding":[1.0]},{"index":1,"embedding":[1.0,2.0]},'
        b'{"index":2,"embedding":[1.0]}]}'
    )
    gaps = b'{"data":[{"index":0,"embedding":[1.0]},{"index":7,"embedding":[1.0]}]}'
    torn = b'{"data":[{"index":0,"embedding":"AAA"}]}'
    async with OpenAiEmbeddingServer([Raw(one), Raw(uneven), Raw(gaps), Raw(torn)]) as server:
        model = opened(server, "openai:m")
        with pytest.raises(LlmOutputError, match="1 vectors for 3 texts") as caught:
            await model.embed(asked())
        assert caught.value.usage == Usage(input_tokens=3)
        for words in ("different lengths", "gaps", "format"):
            with pytest.raises(LlmOutputError, match=words):
                await model.embed(asked())
        await model.close()


async def test_a_server_that_ignores_the_dimensions_asked_for_is_found_out() -> None:
    async with OpenAiEmbeddingServer([Raw(b'{"data":[{"index":0,"embedding":[1.0]}]}')]) as server:
        model = opened(server, "openai:m")
        with pytest.raises(LlmOutputError, match="1 numbers instead of 8"):
            await model.embed(asked(texts=("a",), dimensions=8))
        await model.close()


async def test_no_text_is_refused_before_anything_is_sent() -> None:
    async with OpenAiEmbeddingServer() as server:
        model = opened(server, "openai:m")
        with pytest.raises(LlmRequestError, match="no text"):
            await model.embed(asked(texts=()))
        with pytest.raises(LlmRequestError, match="JSON"):
            await model.embed(asked(texts=("\ud83d",)))
        await model.close()
    assert server.requests == []


def test_anthropic_has_no_embedding_models_and_unknown_ones_are_named() -> None:
    with pytest.raises(LlmRequestError, match="anthropic has no embedding models"):
        open_embedder(ModelAddress("anthropic:claude-sonnet-4-5", api_key="k"), {})
    with pytest.raises(LlmRequestError, match="openai:MODEL"):
        open_embedder(ModelAddress("nobody:x"), {})
    with pytest.raises(LlmAuthError, match="OPENAI_API_KEY"):
        open_embedder(ModelAddress("openai:text-embedding-3-small"), {})


async def test_an_embedding_has_a_price_and_a_bound_above_it() -> None:
    official = OpenAiEmbeddings("text-embedding-3-small", official=True)
    async with OpenAiEmbeddingServer(["any"]) as server:
        wire = Wire(server.base_url, provider="openai", key=None, auth=("a", ""), headers={},
                    retry=Retry())  # fmt: skip
        model = HttpEmbeddingModel(official, wire, Retry())
        reply = await model.embed(asked())
        bound = model.bound_nano_usd(asked())
        await model.close()
    assert reply.cost_nano_usd == 12 * 20  # 0.02 $ a million tokens
    assert bound is not None
    assert bound > reply.cost_nano_usd
    assert GeminiEmbeddings("models/g").path == "/models/g:batchEmbedContents"


async def test_the_fake_puts_related_texts_near_and_equal_ones_together() -> None:
    fake = FakeEmbeddingModel(dimensions=256)
    walk, again, near, far = (
        await fake.embed(
            EmbeddingRequest(
                (
                    "a long walk by the river",
                    "a long walk by the river",
                    "a short walk by the sea",
                    "quantum tax law",
                )
            )
        )
    ).vectors

    def cosine(a: tuple[float, ...], b: tuple[float, ...]) -> float:
        return math.fsum(x * y for x, y in zip(a, b, strict=True))

    assert walk == again
    assert cosine(walk, walk) == pytest.approx(1.0)
    assert cosine(walk, near) > 0.4 > cosine(walk, far) + 0.2
    await fake.close()
    with pytest.raises(LlmUnavailableError):
        await fake.embed(EmbeddingRequest(("x",)))
