"""A gateway in memory, whose models say what a test wants."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from soullink.gateways.llm.fake import FakeLanguageModel
from soullink.gateways.llm.gateway import ModelCard
from soullink.gateways.llm.ledger.port import Accounts, Budget
from soullink.gateways.llm.port import (
    ChatChunk,
    ChatReply,
    ChatRequest,
    EmbeddingModel,
    EmbeddingReply,
    EmbeddingRequest,
    LanguageModel,
    LlmError,
    LlmRequestError,
    ToolCall,
    ToolCallPiece,
    Usage,
)
from soullink.kernel.errors import UnavailableError

Answer = str | Mapping[str, object] | LlmError | Exception | Sequence[ToolCall]


class PlayedModel(FakeLanguageModel):
    """A FakeLanguageModel that also calls tools, breaks off half-way and hangs.

    A sequence of ToolCall is answered as calls. breaks_with: raised after two pieces of a stream.
    hangs: says one word (of a stream) and waits to be cancelled, which `ended` then says.
    """

    def __init__(
        self,
        answer: Callable[[ChatRequest], Answer],
        *,
        breaks_with: Exception | None = None,
        hangs: bool = False,
    ) -> None:
        self.calls: tuple[ToolCall, ...] = ()
        super().__init__(lambda request: self._text(answer(request)), name="fake:played")
        self.breaks_with = breaks_with
        self.hangs = hangs
        self.began = asyncio.Event()
        self.ended = asyncio.Event()

    def _text(self, answer: Answer) -> Any:
        self.calls = ()
        if isinstance(answer, Exception) and not isinstance(answer, LlmError):
            raise answer
        if isinstance(answer, str | Mapping | LlmError):
            return answer
        self.calls = tuple(answer)
        return "calls"

    async def complete(self, request: ChatRequest) -> ChatReply:
        if self.hangs:
            self.requests.append(request)
            await self._hang()
        reply = await super().complete(request)
        usage = Usage(120, 30, 20)
        reply = replace(reply, usage=usage, cost_nano_usd=1234)
        if not self.calls:
            return reply
        return replace(reply, text="", tool_calls=self.calls, finish_reason="tool_calls")

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        if self.hangs:
            self.requests.append(request)
            yield ChatChunk("Well")
            await self._hang()
        reply = await self.complete(request)
        for at, word in enumerate(reply.text.split(" ")):
            if at == 2 and self.breaks_with is not None:
                raise self.breaks_with
            yield ChatChunk(word if at == 0 else f" {word}")
        for at, call in enumerate(reply.tool_calls):
            yield ChatChunk("", tool_call=ToolCallPiece(at, call.id, call.name))
            half = len(call.arguments) // 2
            yield ChatChunk("", tool_call=ToolCallPiece(at, arguments=call.arguments[:half]))
            yield ChatChunk("", tool_call=ToolCallPiece(at, arguments=call.arguments[half:]))
        yield ChatChunk("", reply)

    async def _hang(self) -> None:
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


class LengthEmbedder:
    """Embeds a text as its length and a quarter."""

    name = "fake:lengths"

    def __init__(self) -> None:
        self.requests: list[EmbeddingRequest] = []

    def bound_nano_usd(self, request: EmbeddingRequest) -> int | None:  # noqa: ARG002
        return 0

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        self.requests.append(request)
        vectors = tuple((float(len(text)), 0.25) for text in request.texts)
        return EmbeddingReply(vectors, "lengths", "fake", Usage(7), 0, 0.0, 1)

    async def close(self) -> None:
        pass


class QuietAccounts:
    """Accounts of which only it matters here whether the database answers."""

    def __init__(self) -> None:
        self.works = True
        self.asked = 0

    async def list_budgets(self) -> list[Budget]:
        self.asked += 1
        if not self.works:
            raise UnavailableError("The database is away.")
        return []


class FakeGateway:
    """Two names, "played" to chat with and "lengths" to embed, and "open:ANY" directly."""

    def __init__(self, model: LanguageModel) -> None:
        self.chat_model = model
        self.embedding_model = LengthEmbedder()
        self.quiet = QuietAccounts()

    @property
    def accounts(self) -> Accounts:
        found: Any = self.quiet
        return found  # type: ignore[no-any-return]

    def model(self, name: str) -> LanguageModel:
        if name == "played" or name.startswith("open:"):
            return self.chat_model
        raise LlmRequestError(f"There is no model {name!r}.")

    def embedder(self, name: str) -> EmbeddingModel:
        if name == "lengths":
            return self.embedding_model
        raise LlmRequestError(f"There is no model {name!r}.")

    def models(self) -> list[ModelCard]:
        return [ModelCard("played", "chat"), ModelCard("lengths", "embedding")]

    def check(self) -> None:
        pass

    async def close(self) -> None:
        pass
