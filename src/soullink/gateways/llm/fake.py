"""Models in memory, for tests: they count, stream, cut off and fail like real ones."""

import json
import math
import re
from collections.abc import AsyncIterator, Callable, Mapping
from hashlib import blake2b

from soullink.gateways.llm.port import (
    ChatChunk,
    ChatReply,
    ChatRequest,
    EmbeddingReply,
    EmbeddingRequest,
    FinishReason,
    LlmError,
    LlmOutputError,
    LlmRequestError,
    LlmUnavailableError,
    ToolCall,
    ToolCallPiece,
    Usage,
)
from soullink.gateways.llm.usage import estimate_tokens, estimate_usage

Answer = str | Mapping[str, object] | tuple[ToolCall, ...] | LlmError


class FakeLanguageModel:
    """Answers what `answer` returns for each request; an LlmError returned is raised.

    A mapping is answered as JSON, a tuple of tool calls as those calls. requests: every request
    so far, in order.
    """

    def __init__(self, answer: Callable[[ChatRequest], Answer], *, name: str = "fake:fake") -> None:
        self._answer = answer
        self._name = name
        self._closed = False
        self.requests: list[ChatRequest] = []

    @property
    def name(self) -> str:
        return self._name

    def bound_nano_usd(self, request: ChatRequest) -> int | None:  # noqa: ARG002 - it is free
        return 0

    async def complete(self, request: ChatRequest) -> ChatReply:
        if self._closed:
            raise LlmUnavailableError(f"{self._name} is closed.")
        self.requests.append(request)
        answer = self._answer(request)
        if isinstance(answer, LlmError):
            answer.attempts = 1
            raise answer
        calls = answer if isinstance(answer, tuple) else ()
        spoken = ""
        finish: FinishReason = "tool_calls"
        if not isinstance(answer, tuple):
            text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
            if not text.strip():
                raise LlmOutputError(f"{self._name} said nothing.")
            spoken, finish = _within(text, request.max_output_tokens)
        provider, _, model = self._name.partition(":")
        return ChatReply(
            text=spoken,
            model=model,
            provider=provider,
            finish_reason=finish,
            usage=estimate_usage(request, spoken + "".join(c.name + c.arguments for c in calls)),
            cost_nano_usd=None,
            latency_seconds=0.0,
            attempts=1,
            tool_calls=calls,
        )

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        reply = await self.complete(request)
        for piece in re.findall(r"\s*\S+\s*$|\s*\S+", reply.text):
            yield ChatChunk(piece)
        for place, call in enumerate(reply.tool_calls):
            yield ChatChunk("", tool_call=ToolCallPiece(place, call.id, call.name))
            yield ChatChunk("", tool_call=ToolCallPiece(place, arguments=call.arguments))
        yield ChatChunk("", reply)

    async def close(self) -> None:
        self._closed = True


class FakeEmbeddingModel:
    """Embeds texts by the words they share: equal texts are equal, related ones are near.

    Each word falls into a place by its digest (feature hashing, Weinberger et al., 2009); vectors
    have length 1. requests: every request so far, in order.
    """

    def __init__(self, *, dimensions: int = 64, name: str = "fake:words") -> None:
        self._dimensions = dimensions
        self._name = name
        self._closed = False
        self.requests: list[EmbeddingRequest] = []

    @property
    def name(self) -> str:
        return self._name

    def bound_nano_usd(self, request: EmbeddingRequest) -> int | None:  # noqa: ARG002 - it is free
        return 0

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        if self._closed:
            raise LlmUnavailableError(f"{self._name} is closed.")
        if not request.texts:
            raise LlmRequestError("There is no text to embed.")
        self.requests.append(request)
        size = request.dimensions or self._dimensions
        provider, _, model = self._name.partition(":")
        tokens = sum(estimate_tokens(text) for text in request.texts)
        return EmbeddingReply(
            vectors=tuple(_by_words(text, size) for text in request.texts),
            model=model,
            provider=provider,
            usage=Usage(tokens, 0, estimated=True),
            cost_nano_usd=None,
            latency_seconds=0.0,
            attempts=1,
        )

    async def close(self) -> None:
        self._closed = True


def _by_words(text: str, size: int) -> tuple[float, ...]:
    vector = [0.0] * size
    # One Chinese character is a word here; there are no spaces to tell.
    for word in re.findall(r"[a-z0-9']+|[^\x00-\x7f]", text.lower()) or [text]:
        place = int.from_bytes(blake2b(word.encode(errors="replace"), digest_size=8).digest())
        vector[place % size] += 1.0 if place >> 63 else -1.0
    length = math.sqrt(sum(number * number for number in vector))
    # Two words may cancel each other out in one place.
    return tuple(number / length for number in vector) if length else (1.0, *vector[1:])


def _within(text: str, tokens: int) -> tuple[str, FinishReason]:
    if estimate_tokens(text) <= tokens:
        return text, "stop"
    end = len(text)
    while end > 1 and estimate_tokens(text[:end]) > tokens:
        end -= 1
    return text[:end], "length"
