"""llama.cpp in this process, with real weights (make test-llamacpp)."""

import asyncio
import importlib.util
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from soullink.gateways.llm import llamacpp
from soullink.gateways.llm.opening import open_embedder, open_model
from soullink.gateways.llm.port import (
    EmbeddingRequest,
    LanguageModel,
    LlmContextTooLongError,
    LlmRequestError,
    LlmTimeoutError,
    LlmUnavailableError,
    ModelAddress,
)
from tests.gateways.llm.conftest import SCHEMA, request

pytestmark = pytest.mark.anyio

INSTALLED = importlib.util.find_spec("xllamacpp") is not None


def test_what_is_missing_is_said_with_how_to_get_it() -> None:
    wanted = "no model file" if INSTALLED else r"soullink\[llamacpp\]"
    with pytest.raises(LlmRequestError, match=wanted):
        open_model(ModelAddress("llamacpp:/nowhere/model.gguf"), {})


class Loaded:
    """A server that nobody serves."""

    listening_address = "http://127.0.0.1:9"


async def test_loading_takes_no_more_than_the_time_of_a_call_and_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loads: list[str] = []

    def slowly(_: object, key: str) -> Loaded:
        loads.append(key)
        time.sleep(0.4)
        return Loaded()

    monkeypatch.setattr(llamacpp, "find_weights", Path)
    monkeypatch.setattr(llamacpp._Engine, "_serve", slowly)
    opened = open_model(ModelAddress("llamacpp:slow.gguf"), {})
    began = time.monotonic()
    with pytest.raises(LlmTimeoutError, match="not loaded within"):
        await opened.complete(request(timeout_seconds=0.05))
    assert time.monotonic() - began < 0.3
    with pytest.raises(LlmUnavailableError):  # it is loaded by then, and nobody is there
        await opened.complete(request(timeout_seconds=2.0))
    assert len(loads) == 1
    await opened.close()


@pytest.fixture
async def model() -> AsyncIterator[LanguageModel]:
    opened = open_model(ModelAddress("llamacpp:smollm2"), {})
    yield opened
    await opened.close()


@pytest.mark.llamacpp
async def test_a_schema_holds_and_a_seed_repeats(model: LanguageModel) -> None:
    asked = request(json_schema=SCHEMA, seed=7, max_output_tokens=160, timeout_seconds=120.0)
    first = await model.complete(asked)
    second = await model.complete(asked)
    answer = json.loads(first.text)
    assert set(answer) == {"words", "act"}
    assert answer["act"] in {"ask", "joke"}
    assert first.text == second.text
    assert (first.provider, first.model) == ("llamacpp", "smollm2")
    assert model.name == "llamacpp:smollm2"
    assert not first.usage.estimated
    assert first.usage.output_tokens > 5


@pytest.mark.llamacpp
async def test_the_event_loop_stays_free_while_the_model_speaks(model: LanguageModel) -> None:
    await model.complete(request(max_output_tokens=1, timeout_seconds=120.0))
    gaps: list[float] = []

    async def tick() -> None:
        while True:
            started = time.monotonic()
            await asyncio.sleep(0.01)
            gaps.append(time.monotonic() - started)

    ticking = asyncio.create_task(tick())
    pieces = [
        chunk async for chunk in model.stream(request(max_output_tokens=60, timeout_seconds=120.0))
    ]
    ticking.cancel()
    assert len(pieces) > 10
    assert len(gaps) > 10
    assert sorted(gaps)[len(gaps) // 2] < 0.1


@pytest.mark.llamacpp
async def test_a_deadline_stops_it_and_the_next_call_works(model: LanguageModel) -> None:
    await model.complete(request(max_output_tokens=1, timeout_seconds=120.0))
    with pytest.raises(LlmTimeoutError):
        await model.complete(request(max_output_tokens=4000, timeout_seconds=0.3))
    reply = await model.complete(request("Again?", max_output_tokens=5, timeout_seconds=60.0))
    assert reply.finish_reason in {"length", "stop"}


@pytest.mark.llamacpp
async def test_too_long_a_prompt_and_a_broken_file_are_request_errors(
    model: LanguageModel, tmp_path: Path
) -> None:
    with pytest.raises(LlmContextTooLongError, match="context"):
        await model.complete(request("word " * 9000, timeout_seconds=60.0))
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF nothing else")
    other = open_model(ModelAddress(f"llamacpp:{broken}"), {})
    with pytest.raises(LlmRequestError, match="whole GGUF"):
        await other.complete(request())
    await other.close()
    await model.close()
    with pytest.raises(LlmUnavailableError, match="closed"):
        await model.complete(request())


@pytest.mark.llamacpp
async def test_related_texts_are_embedded_nearer_than_unrelated_ones() -> None:
    embedder = open_embedder(ModelAddress("llamacpp:smollm2"), {})
    texts = ("a walk by the river", "a stroll by the water", "quantum tax law")
    reply = await embedder.embed(EmbeddingRequest(texts, timeout_seconds=120.0))
    await embedder.close()
    river, water, law = reply.vectors
    assert cosine(river, water) > cosine(river, law) + 0.1
    assert (reply.usage.input_tokens, reply.usage.estimated) == (14, False)
    assert reply.cost_nano_usd == 0


def cosine(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
