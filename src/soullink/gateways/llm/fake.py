"""A language model in memory, for tests: it counts, streams, cuts off and fails like a real one."""

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping

from soullink.gateways.llm.port import (
    ChatChunk,
    ChatReply,
    ChatRequest,
    FinishReason,
    LlmError,
    LlmOutputError,
    LlmUnavailableError,
)
from soullink.gateways.llm.usage import estimate_tokens, estimate_usage

Answer = str | Mapping[str, object] | LlmError


class FakeLanguageModel:
    """Answers what `answer` returns for each request; an LlmError returned is raised.

    A mapping is answered as JSON. requests: every request so far, in order.
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
            usage=estimate_usage(request, spoken),
            cost_nano_usd=None,
            latency_seconds=0.0,
            attempts=1,
        )

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        reply = await self.complete(request)
        for piece in re.findall(r"\s*\S+\s*$|\s*\S+", reply.text):
            yield ChatChunk(piece)
        yield ChatChunk("", reply)

    async def close(self) -> None:
        self._closed = True


def _within(text: str, tokens: int) -> tuple[str, FinishReason]:
    if estimate_tokens(text) <= tokens:
        return text, "stop"
    end = len(text)
    while end > 1 and estimate_tokens(text[:end]) > tokens:
        end -= 1
    return text[:end], "length"
