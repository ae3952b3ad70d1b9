"""A language model behind HTTP: retries, deadlines, usage and cost, in whichever wire format."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from soullink.gateways.llm.complaints import THINKING_TOKENS
from soullink.gateways.llm.port import (
    ChatChunk,
    ChatReply,
    ChatRequest,
    FinishReason,
    LlmError,
    LlmOutputError,
    LlmRequestError,
    LlmTimeoutError,
    LlmUnavailableError,
    Usage,
)
from soullink.gateways.llm.pricing import cost_nano_usd
from soullink.gateways.llm.retry import Retry
from soullink.gateways.llm.sse import ServerEvent
from soullink.gateways.llm.usage import estimate_usage
from soullink.gateways.llm.wire import Wire


@dataclass(slots=True)
class Heard:
    """What has arrived of one answer so far. finish: None until the provider says it ended."""

    text: str = ""
    model: str = ""
    finish: FinishReason | None = None
    usage: Usage | None = None
    cache_write_tokens: int = 0


class Dialect(Protocol):
    """One wire format: how a request is written and an answer read."""

    @property
    def provider(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def seller(self) -> str | None:
        """Return who sells the tokens, for prices; None: look at the URL."""
        ...

    def path(self, *, streaming: bool) -> str: ...

    def body(self, request: ChatRequest, *, streaming: bool) -> dict[str, Any]: ...

    def read(self, payload: bytes) -> Heard:
        """Return a whole answer. Raises LlmError, msgspec.MsgspecError."""
        ...

    def hear(self, event: ServerEvent, heard: Heard, wire: Wire) -> str:
        """Take one event of a stream into `heard`; return the text that it adds."""
        ...

    def adapt(self, complaint: str, sent: Mapping[str, Any]) -> bool:
        """Return whether to send again, now without an optional part that `complaint` names.

        Models differ in which parameters they still take, and names do not tell reliably.
        """
        ...


class HttpLanguageModel:
    """Implements LanguageModel over a wire and a dialect."""

    def __init__(self, dialect: Dialect, wire: Wire, retry: Retry) -> None:
        self._dialect = dialect
        self._wire = wire
        self._retry = retry

    @property
    def name(self) -> str:
        return f"{self._dialect.provider}:{self._dialect.model}"

    def bound_nano_usd(self, request: ChatRequest) -> int | None:
        # A token is at least one byte of the body; output is dearer than input, so both ends hold.
        body = msgspec.json.encode(self._dialect.body(request, streaming=False))
        usage = Usage(
            input_tokens=len(body), output_tokens=request.max_output_tokens + THINKING_TOKENS
        )
        return cost_nano_usd(
            usage,
            self._dialect.model,
            seller=self._dialect.seller,
            api_url=str(self._wire.base_url),
            moment=self._retry.clock.now(),
        )

    async def complete(self, request: ChatRequest) -> ChatReply:
        call = _Call(self._retry, request.timeout_seconds)
        try:
            async with asyncio.timeout(request.timeout_seconds):
                while True:
                    try:
                        heard = await self._ask(request, call)
                        return self._reply(request, heard, call)
                    except LlmError as error:
                        await self._after(error, call)
        except TimeoutError as error:
            raise call.late(self.name, request) from error
        except LlmError as error:
            error.attempts = call.attempts
            raise

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        call = _Call(self._retry, request.timeout_seconds)
        spoken = False
        try:
            while True:
                try:
                    heard = Heard()
                    async with contextlib.aclosing(self._listen(request, heard, call)) as texts:
                        async for text in texts:
                            spoken = True
                            yield ChatChunk(text)
                    yield ChatChunk("", self._reply(request, heard, call))
                except LlmError as error:
                    if spoken:
                        # Half an answer is out; a second attempt would say it twice.
                        raise
                    await self._after(error, call)
                else:
                    return
        except TimeoutError as error:
            raise call.late(self.name, request) from error
        except LlmError as error:
            error.attempts = call.attempts
            raise

    async def close(self) -> None:
        await self._wire.close()

    async def _ask(self, request: ChatRequest, call: "_Call") -> Heard:
        body = self._encode(request, call, streaming=False)
        payload = await self._wire.post(self._dialect.path(streaming=False), body)
        with _readable(self.name):
            return self._dialect.read(payload)

    async def _listen(
        self, request: ChatRequest, heard: Heard, call: "_Call"
    ) -> AsyncGenerator[str, None]:
        body = self._encode(request, call, streaming=True)
        path = self._dialect.path(streaming=True)
        async with contextlib.aclosing(self._wire.events(path, body, call.loop_deadline)) as events:
            async for event in events:
                with _readable(self.name):
                    text = self._dialect.hear(event, heard, self._wire)
                if text:
                    heard.text += text
                    yield text
        if heard.finish is None:
            raise LlmUnavailableError(f"{self.name} cut its answer off.")

    def _encode(self, request: ChatRequest, call: "_Call", *, streaming: bool) -> bytes:
        call.attempts += 1
        call.sent = self._dialect.body(request, streaming=streaming)
        try:
            return msgspec.json.encode(call.sent)
        except (UnicodeEncodeError, TypeError) as error:
            raise LlmRequestError(f"The request cannot be written as JSON: {error}.") from error

    async def _after(self, error: LlmError, call: "_Call") -> None:
        if isinstance(error, LlmRequestError) and self._dialect.adapt(str(error), call.sent):
            return
        call.failures += 1
        await self._retry.pause(error, call.failures, call.deadline)

    def _reply(self, request: ChatRequest, heard: Heard, call: "_Call") -> ChatReply:
        # A database cannot keep NUL, and no answer means it.
        text = heard.text.replace("\x00", "")
        if not text.strip():
            why = "used up its tokens before a word" if heard.finish == "length" else "said nothing"
            raise LlmOutputError(f"{self.name} {why}; ask again or raise max_output_tokens.")
        usage = heard.usage or estimate_usage(request, text)
        model = heard.model or self._dialect.model
        return ChatReply(
            text=text,
            model=model,
            provider=self._dialect.provider,
            finish_reason=heard.finish or "other",
            usage=usage,
            cost_nano_usd=cost_nano_usd(
                usage,
                model,
                seller=self._dialect.seller,
                api_url=str(self._wire.base_url),
                cache_write_tokens=heard.cache_write_tokens,
                moment=self._retry.clock.now(),
            ),
            latency_seconds=call.elapsed_seconds,
            attempts=call.attempts,
        )


class _Call:
    """The state of one call: attempts made, time left, the body last sent."""

    def __init__(self, retry: Retry, timeout_seconds: float) -> None:
        self._monotonic = retry.monotonic
        self._started = retry.monotonic()
        self.deadline = self._started + timeout_seconds
        self.loop_deadline = asyncio.get_running_loop().time() + timeout_seconds
        self.attempts = 0
        self.failures = 0
        self.sent: dict[str, Any] = {}

    @property
    def elapsed_seconds(self) -> float:
        return self._monotonic() - self._started

    def late(self, name: str, request: ChatRequest) -> LlmTimeoutError:
        error = LlmTimeoutError(
            f"{name} did not answer within {request.timeout_seconds:g} seconds."
        )
        error.attempts = self.attempts
        return error


@contextlib.contextmanager
def _readable(name: str) -> Iterator[None]:
    """Turn what cannot be decoded into LlmOutputError."""
    try:
        yield
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LlmOutputError(
            f"{name} answered something that is not in its format: {error}."
        ) from error
