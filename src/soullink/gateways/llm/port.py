"""A language model, whoever serves it. Providers implement this; modules call it.

What is made for every call is a msgspec.Struct: made twenty times as fast as a frozen dataclass,
and never looked at by the garbage collector (gc=False), because nothing in it can refer back.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from soullink.kernel.errors import SoulLinkError

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
FinishReason: TypeAlias = Literal["stop", "length", "refusal", "tool_calls", "other"]


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    """A call that the model asks for. arguments: JSON text, exactly as the model wrote it."""

    id: str
    name: str
    arguments: str


class Tool(msgspec.Struct, frozen=True, gc=False):
    """A function that the model may ask to be called. parameters: a JSON Schema of an object."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = {}


class Message(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One message of a conversation.

    tool_calls: what an assistant asked for. tool_call_id: which call a "tool" message answers.
    """

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


class Attribution(msgspec.Struct, frozen=True, gc=False):
    """On whose account a call is made; for limits, budgets and usage, never sent to a provider.

    tenant: whose share of the capacity it takes. key: id of the API key, empty in process.
    run: e.g. a course's id. prompt: reference of the prompt's version. Empty means unknown.
    """

    tenant: str = ""
    key: str = ""
    run: str = ""
    prompt: str = ""


class ChatRequest(msgspec.Struct, frozen=True, gc=False):
    """One call.

    temperature: 0.0..2.0. top_p: 0.0..1.0, None leaves it to the provider.
    timeout_seconds: for the whole call, retries included.
    json_schema: a JSON Schema that the answer is asked to follow, or None for free text.
    tool_choice: "auto", "none", "required", or the name of one of `tools`.
    purpose: a label for usage records, e.g. "simulation.turn"; never sent to the provider.
    request_id: sent as X-Client-Request-Id, so that both sides' accounts can be compared; it
    changes no words and is no part of what a cache or a recording looks at.
    lenient: an answer that does not follow json_schema is handed over as it came, with the score
    schema_valid 0.0, to a caller who says what was wrong with it and asks again itself.
    alone: nobody else asks the same at the same time, so that nobody is looked for to share it.
    """

    messages: tuple[Message, ...]
    max_output_tokens: int = 400
    temperature: float = 0.8
    json_schema: Mapping[str, Any] | None = None
    seed: int | None = None
    timeout_seconds: float = 60.0
    purpose: str = ""
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    attribution: Attribution = Attribution()
    request_id: str = ""
    lenient: bool = False
    alone: bool = False


class FixedSchema(dict[str, Any]):
    """A json_schema whose owner never changes it: what is made of it is made once."""


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one call. estimated: the provider did not count them, we guessed."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    estimated: bool = False


class ChatReply(msgspec.Struct, frozen=True, gc=False):
    """One answer.

    text: may be empty where there are tool_calls.
    cost_nano_usd: integer nano-dollars (1e-9 USD), None when the price is not known.
    latency_seconds: wall time of the whole call, retries included. attempts: from 1.
    quality: scores in 0.0..1.0 by name, empty where nobody judged.
    reused: "" where a provider was asked for this caller, else "cache" or "coalesced".
    """

    text: str
    model: str
    provider: str
    finish_reason: FinishReason
    usage: Usage
    cost_nano_usd: int | None
    latency_seconds: float
    attempts: int
    tool_calls: tuple[ToolCall, ...] = ()
    quality: Mapping[str, float] = {}
    reused: Literal["", "cache", "coalesced"] = ""


class ToolCallPiece(msgspec.Struct, frozen=True, gc=False):
    """A piece of a streamed tool call: id and name come once, arguments in pieces."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


class ChatChunk(msgspec.Struct, frozen=True, gc=False):
    """A piece of a streamed answer; the last one carries `reply` and no text."""

    text: str
    reply: ChatReply | None = None
    tool_call: ToolCallPiece | None = None


class EmbeddingRequest(msgspec.Struct, frozen=True, gc=False):
    """Texts to be embedded. dimensions: None leaves it to the model."""

    texts: tuple[str, ...]
    dimensions: int | None = None
    timeout_seconds: float = 60.0
    purpose: str = ""
    attribution: Attribution = Attribution()
    request_id: str = ""


class EmbeddingReply(msgspec.Struct, frozen=True, gc=False):
    """One vector a text, in the order of the texts, all of one length."""

    vectors: tuple[tuple[float, ...], ...]
    model: str
    provider: str
    usage: Usage
    cost_nano_usd: int | None
    latency_seconds: float
    attempts: int


class LlmError(SoulLinkError):
    """A call failed. `retryable` says whether the same call may succeed later.

    elsewhere: whether another model or provider may answer what this one did not.
    attempts: requests sent before giving up, 0 when none was.
    retry_after_seconds: how long the provider asked us to wait, where it said so.
    may_be_billed: False where the provider surely charges nothing: never reached, or it answered
    with an error status. usage: what the provider counted before it failed, where it said so, and
    cost_nano_usd what that costs, None where the price is not known.
    """

    code = "llm"
    retryable = False
    elsewhere = False
    attempts: int = 0
    retry_after_seconds: float | None = None
    may_be_billed: bool = True
    usage: Usage | None = None
    cost_nano_usd: int | None = None


class LlmRateLimitedError(LlmError):
    """Too many requests (429)."""

    code = "llm_rate_limited"
    elsewhere = True
    retryable = True


class LlmUnavailableError(LlmError):
    """The server failed (5xx), cut the connection or could not be reached."""

    code = "llm_unavailable"
    elsewhere = True
    retryable = True


class LlmTimeoutError(LlmError):
    """No complete answer within the time allowed."""

    code = "llm_timeout"
    elsewhere = True
    retryable = True


class LlmRefusedError(LlmError):
    """The provider's content filter declined."""

    code = "llm_refused"
    elsewhere = True


class LlmRequestError(LlmError):
    """The provider does not accept this request (400, 404, 422)."""

    code = "llm_request"


class LlmContextTooLongError(LlmRequestError):
    """The request has more tokens than the model takes."""

    code = "llm_context_too_long"
    elsewhere = True


class LlmBudgetError(LlmError):
    """A budget does not allow the call; nothing was sent."""

    code = "llm_budget"
    may_be_billed = False


class LlmAuthError(LlmError):
    """The key is missing, wrong or lacks the right (401, 403)."""

    code = "llm_auth"
    elsewhere = True


class LlmOutputError(LlmError):
    """The answer arrived but cannot be read."""

    code = "llm_output"
    elsewhere = True
    retryable = True


class LlmCassetteMissError(LlmError):
    """Replay was asked for a call that was not recorded; the message shows the difference."""

    code = "llm_cassette_miss"


class LanguageModel(Protocol):
    """One model of one provider, ready to be called.

    Every method raises a subclass of LlmError and nothing else for what a provider does, and
    whoever calls it needs no clock: what takes longer than request.timeout_seconds is ended.
    """

    @property
    def name(self) -> str:
        """Return "provider:model", e.g. "openai:gpt-5-mini"."""
        ...

    def bound_nano_usd(self, request: ChatRequest) -> int | None:
        """Return the most that one attempt can cost; None where the price is not known."""
        ...

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Return the whole answer."""
        ...

    def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        """Yield the answer as it comes; the last chunk carries the reply."""
        ...

    async def close(self) -> None:
        """Let go of connections; calling it twice does no harm."""
        ...


class EmbeddingModel(Protocol):
    """One embedding model of one provider. Raises LlmError as LanguageModel does."""

    @property
    def name(self) -> str:
        """Return "provider:model", e.g. "openai:text-embedding-3-small"."""
        ...

    def bound_nano_usd(self, request: EmbeddingRequest) -> int | None:
        """Return the most that one attempt can cost; None where the price is not known."""
        ...

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        """Return one vector a text."""
        ...

    async def close(self) -> None:
        """Let go of connections; calling it twice does no harm."""
        ...


@dataclass(frozen=True, slots=True)
class ModelAddress:
    """Where a model is. spec: "provider:model". base_url and api_key override the defaults."""

    spec: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
