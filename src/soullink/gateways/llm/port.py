"""A language model, whoever serves it. Providers implement this; modules call it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from soullink.kernel.errors import SoulLinkError

Role: TypeAlias = Literal["system", "user", "assistant"]
FinishReason: TypeAlias = Literal["stop", "length", "refusal", "other"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One call.

    temperature: 0.0..2.0. timeout_seconds: for the whole call, retries included.
    json_schema: a JSON Schema that the answer is asked to follow, or None for free text.
    purpose: a label for usage records, e.g. "simulation.turn"; never sent to the provider.
    """

    messages: tuple[Message, ...]
    max_output_tokens: int = 400
    temperature: float = 0.8
    json_schema: Mapping[str, Any] | None = None
    seed: int | None = None
    timeout_seconds: float = 60.0
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. estimated: the provider did not count them, we guessed."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class ChatReply:
    """One answer.

    cost_nano_usd: integer nano-dollars (1e-9 USD), None when the price is not known.
    latency_seconds: wall time of the whole call, retries included. attempts: from 1.
    """

    text: str
    model: str
    provider: str
    finish_reason: FinishReason
    usage: Usage
    cost_nano_usd: int | None
    latency_seconds: float
    attempts: int


@dataclass(frozen=True, slots=True)
class ChatChunk:
    """A piece of a streamed answer; the last one carries `reply` and no text."""

    text: str
    reply: ChatReply | None = None


class LlmError(SoulLinkError):
    """A call failed. `retryable` says whether the same call may succeed later.

    attempts: requests sent before giving up, 0 when none was.
    retry_after_seconds: how long the provider asked us to wait, where it said so.
    """

    code = "llm"
    retryable = False
    attempts: int = 0
    retry_after_seconds: float | None = None


class LlmRateLimitedError(LlmError):
    """Too many requests (429)."""

    code = "llm_rate_limited"
    retryable = True


class LlmUnavailableError(LlmError):
    """The server failed (5xx), cut the connection or could not be reached."""

    code = "llm_unavailable"
    retryable = True


class LlmTimeoutError(LlmError):
    """No complete answer within the time allowed."""

    code = "llm_timeout"
    retryable = True


class LlmRefusedError(LlmError):
    """The provider's content filter declined."""

    code = "llm_refused"


class LlmRequestError(LlmError):
    """The provider does not accept this request (400, 404, 422)."""

    code = "llm_request"


class LlmAuthError(LlmError):
    """The key is missing, wrong or lacks the right (401, 403)."""

    code = "llm_auth"


class LlmOutputError(LlmError):
    """The answer arrived but cannot be read."""

    code = "llm_output"
    retryable = True


class LlmCassetteMissError(LlmError):
    """Replay was asked for a call that was not recorded; the message shows the difference."""

    code = "llm_cassette_miss"


class LanguageModel(Protocol):
    """One model of one provider, ready to be called.

    Every method raises a subclass of LlmError and nothing else for what a provider does.
    """

    @property
    def name(self) -> str:
        """Return "provider:model", e.g. "openai:gpt-5-mini"."""
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


@dataclass(frozen=True, slots=True)
class ModelAddress:
    """Where a model is. spec: "provider:model". base_url and api_key override the defaults."""

    spec: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
