"""Recordings of tools, embeddings and of earlier versions; see also test_cassette."""

import json
from pathlib import Path

import pytest

from soullink.gateways.llm.cassette import CassetteEmbedder, CassetteModel
from soullink.gateways.llm.fake import FakeLanguageModel
from soullink.gateways.llm.port import (
    Attribution,
    ChatChunk,
    ChatReply,
    ChatRequest,
    EmbeddingReply,
    EmbeddingRequest,
    LlmBudgetError,
    LlmCassetteMissError,
    LlmRequestError,
    LlmUnavailableError,
    Tool,
    ToolCall,
    Usage,
)
from soullink.gateways.llm.reuse.cache import chunks_of
from tests.gateways.llm.conftest import request
from tests.gateways.llm.reuse.replies import reply

pytestmark = pytest.mark.anyio

WEATHER = Tool("weather", "Tells the weather.", {"type": "object", "properties": {}})
CALLED = reply(
    "",
    finish_reason="tool_calls",
    tool_calls=(ToolCall("c1", "weather", '{"city": "成都"}'),),
    quality={"schema_valid": 1.0},
)


class Caller(FakeLanguageModel):
    """Answers every request with one tool call."""

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.requests.append(request)
        return CALLED

    async def stream(self, request: ChatRequest):  # type: ignore[no-untyped-def]
        for chunk in chunks_of(await self.complete(request)):
            yield chunk


class Embedder:
    """Embeds a text as its length; fails for an empty one."""

    name = "openai:small"
    calls = 0
    closed = False

    def bound_nano_usd(self, request: EmbeddingRequest) -> int | None:
        return 7 * len(request.texts)

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        self.calls += 1
        if "" in request.texts:
            raise LlmUnavailableError("no empty texts")
        vectors = tuple((float(len(text)), 0.1) for text in request.texts)
        return EmbeddingReply(vectors, "small", "openai", Usage(3), 5, 0.1, 1)

    async def close(self) -> None:
        self.closed = True


async def test_tool_calls_are_replayed_whole_and_streamed(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    asked = request(tools=(WEATHER,), stop=("\n",), top_p=0.5)
    recorder = CassetteModel.recording(Caller(lambda _: ""), path)
    await recorder.complete(asked)
    heard = [chunk async for chunk in recorder.stream(asked)]
    player = CassetteModel.replaying(path)
    assert await player.complete(asked) == CALLED
    assert [chunk async for chunk in player.stream(asked)] == heard


async def test_account_id_and_time_are_no_part_of_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    account = Attribution(tenant="t-secret", key="k-secret", run="r-secret")
    recorder = CassetteModel.recording(FakeLanguageModel(lambda _: "fine"), path)
    await recorder.complete(request(attribution=account, request_id="id-secret"))
    assert "secret" not in path.read_text()
    assert (await CassetteModel.replaying(path).complete(request(timeout_seconds=1))).text == "fine"


async def test_a_miss_shows_what_differs_in_the_tools(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    await CassetteModel.recording(Caller(lambda _: ""), path).complete(request(tools=(WEATHER,)))
    other = Tool("weather", "Tells the weather of tomorrow.", {"type": "object"})
    with pytest.raises(LlmCassetteMissError, match="of tomorrow") as missed:
        await CassetteModel.replaying(path).complete(request(tools=(other,), stop=("END",)))
    assert '+stop: ["END"]' in str(missed.value)


async def test_a_recording_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    line = {
        "key": "9b3f8080af9fd939d46e084f880359521cb3b7f42be9475ff4b14e8ce963ee84",
        "model": "openai:gpt-5-mini",
        "request": {
            "json_schema": None,
            "max_output_tokens": 400,
            "messages": [
                {"content": "You are Ada.", "role": "system"},
                {"content": "one", "role": "user"},
            ],
            "purpose": "",
            "seed": 4,
            "temperature": 0.8,
        },
        "chunks": ["old ", "answer"],
        "reply": {
            "attempts": 1,
            "cost_nano_usd": None,
            "finish_reason": "stop",
            "latency_seconds": 0.0,
            "model": "gpt-5-mini",
            "provider": "openai",
            "text": "old answer",
            "usage": {
                "cached_input_tokens": 0,
                "estimated": True,
                "input_tokens": 4,
                "output_tokens": 4,
            },
        },
    }
    path.write_text(json.dumps(line) + "\n")
    player = CassetteModel.replaying(path)
    chunks: list[ChatChunk] = [chunk async for chunk in player.stream(request("one", seed=4))]
    assert [chunk.text for chunk in chunks] == ["old ", "answer", ""]


async def test_a_budget_that_failed_fails_again(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    poor = FakeLanguageModel(lambda _: LlmBudgetError("The budget of tenant t is spent."))
    with pytest.raises(LlmBudgetError):
        await CassetteModel.recording(poor, path).complete(request())
    with pytest.raises(LlmBudgetError, match="tenant t"):
        await CassetteModel.replaying(path).complete(request())


async def test_embeddings_are_recorded_and_replayed_beside_conversations(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    await CassetteModel.recording(FakeLanguageModel(lambda _: "hi"), path).complete(request())
    inner = Embedder()
    recorder = CassetteEmbedder.recording(inner, path)
    asked = EmbeddingRequest(("three", "字"), request_id="x")
    recorded = await recorder.embed(asked)
    with pytest.raises(LlmUnavailableError):
        await recorder.embed(EmbeddingRequest(("",)))
    assert recorder.bound_nano_usd(asked) == 14
    await recorder.close()
    assert inner.closed
    player = CassetteEmbedder.replaying(path)
    assert player.name == "openai:small"
    assert player.bound_nano_usd(asked) == 0
    assert await player.embed(EmbeddingRequest(("three", "字"))) == recorded
    with pytest.raises(LlmUnavailableError, match="no empty texts"):
        await player.embed(EmbeddingRequest(("",)))
    with pytest.raises(LlmCassetteMissError, match="once more"):
        await player.embed(asked)
    with pytest.raises(LlmCassetteMissError, match=r'\+texts: "four"'):
        await player.embed(EmbeddingRequest(("four", "字")))
    assert inner.calls == 2
    assert (await CassetteModel.replaying(path).complete(request())).text == "hi"
    await player.close()


async def test_a_file_without_embeddings_says_so(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    await CassetteModel.recording(FakeLanguageModel(lambda _: "hi"), path).complete(request())
    with pytest.raises(LlmRequestError, match="No embeddings are recorded"):
        CassetteEmbedder.replaying(path)
