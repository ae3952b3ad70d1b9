"""A language model behind HTTP: retries, deadlines, usage and cost, in whichever wire format."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Protocol

import msgspec

from soullink.gateways.llm.bounds import most_input_tokens
from soullink.gateways.llm.hearing import Heard
from soullink.gateways.llm.port import (
    ChatChunk,
    ChatReply,
    ChatRequest,
    FinishReason,
    LlmContextTooLongError,
    LlmError,
    LlmOutputError,
    LlmRefusedError,
    LlmRequestError,
    LlmTimeoutError,
    LlmUnavailableError,
    Usage,
)
from soullink.gateways.llm.pricing import Price, PriceList
from soullink.gateways.llm.retry import Retry
from soullink.gateways.llm.sse import ServerEvent
from soullink.gateways.llm.usage import estimate_tokens, estimate_usage
from soullink.gateways.llm.wire import Listening, Wire

SHIPPED_PRICES = PriceList()
"""The shipped list, for models that are opened without one."""

_ENCODER = msgspec.json.Encoder()
_CHOICES = frozenset({"auto", "none", "required"})


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

    @property
    def reserve(self) -> int:
        """Return the output tokens that are asked for beyond the request's, for thoughts."""
        ...

    def path(self, *, streaming: bool) -> str: ...

    def body(self, request: ChatRequest, *, streaming: bool) -> dict[str, Any]:
        """Return the request as msgspec writes it in JSON.

        Raises LlmRequestError where the format has no room for it.
        """
        ...

    def read(self, payload: bytes, heard: Heard, wire: Wire) -> None:
        """Take a whole answer. Raises what msgspec raises when it is in no known form."""
        ...

    def hear(self, event: ServerEvent, heard: Heard, wire: Wire) -> str:
        """Take one event of a streamed answer and return its words, which `heard` lacks so far."""
        ...

    def adapt(self, complaint: str, sent: Mapping[str, Any]) -> bool:
        """Return whether to send again, now without an optional part that `complaint` names.

        Models differ in which parameters they still take, and names do not tell reliably.
        """
        ...


class HttpLanguageModel:
    """Implements LanguageModel over a wire and a dialect. prices: None takes the shipped list."""

    def __init__(
        self, dialect: Dialect, wire: Wire, retry: Retry, prices: PriceList | None = None
    ) -> None:
        self._dialect = dialect
        self._wire = wire
        self._retry = retry
        self._prices = prices or SHIPPED_PRICES
        self._api_url = str(wire.base_url)
        self._name = f"{dialect.provider}:{dialect.model}"
        self._fixed_price: Price | None = None
        self._paths = (dialect.path(streaming=False), dialect.path(streaming=True))

    @property
    def name(self) -> str:
        return self._name

    def bound_nano_usd(self, request: ChatRequest) -> int | None:
        price = self._price(self._dialect.model)
        if price is None:
            return None
        return price.bound(
            most_input_tokens(request), request.max_output_tokens + self._dialect.reserve
        )

    async def complete(self, request: ChatRequest) -> ChatReply:
        call = _Call(self._retry, request.timeout_seconds)
        while True:
            heard = Heard()
            try:
                body = self._encode(request, call, streaming=False)
                payload = await self._wire.post(
                    self._paths[0], body, call.loop_deadline, request.request_id
                )
                try:
                    self._dialect.read(payload, heard, self._wire)
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                    raise self._wire.unreadable(payload, str(error)) from error
                return self._reply(request, heard, call)
            except LlmError as error:
                await self._after(self._told(error, heard, call, request), call)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        call = _Call(self._retry, request.timeout_seconds)
        while True:
            heard = Heard()
            spoken = False
            listening: Listening | None = None
            try:
                body = self._encode(request, call, streaming=True)
                listening = await self._wire.listen(
                    self._paths[1], body, call.loop_deadline, request.request_id
                )
                while (events := await listening.events()) is not None:
                    for event in events:
                        text = self._hear(event, heard)
                        if text:
                            heard.words.append(text)
                            spoken = True
                            yield ChatChunk(text)
                        if heard.pieces:
                            spoken = True
                            for piece in heard.pieces:
                                yield ChatChunk("", tool_call=piece)
                            heard.pieces.clear()
                if heard.finish is None and not heard.declined:
                    raise LlmUnavailableError(f"{self._name} cut its answer off.")
                reply = self._reply(request, heard, call)
            except LlmError as error:
                told = self._told(error, heard, call, request)
                if spoken:
                    # Half an answer is out; a second attempt would say it twice.
                    raise told from error.__cause__
                await self._after(told, call)
            else:
                yield ChatChunk("", reply)
                return
            finally:
                if listening is not None:
                    listening.close()

    async def close(self) -> None:
        await self._wire.close()

    def _hear(self, event: ServerEvent, heard: Heard) -> str:
        try:
            return self._dialect.hear(event, heard, self._wire)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise LlmOutputError(
                f"{self._name} answered something that is not in its format: {error}."
            ) from error

    def _encode(self, request: ChatRequest, call: "_Call", *, streaming: bool) -> bytes:
        if request.tool_choice != "auto":
            check_tool_choice(request)
        try:
            call.sent = self._dialect.body(request, streaming=streaming)
            body = _ENCODER.encode(call.sent)
        except (UnicodeEncodeError, TypeError, RecursionError) as error:
            raise unsent(f"The request cannot be written as JSON: {error}.") from error
        call.attempts += 1
        return body

    def _told(self, error: LlmError, heard: Heard, call: "_Call", request: ChatRequest) -> LlmError:
        """Return `error` with all that is known about the call."""
        if isinstance(error, LlmTimeoutError) and call.is_late:
            late = LlmTimeoutError(
                f"{self._name} did not answer within {request.timeout_seconds:g} seconds."
            )
            late.may_be_billed = error.may_be_billed
            late.__cause__ = error.__cause__
            error = late
        error.attempts = call.attempts
        if error.usage is None and (usage := heard.final_usage) is not None:
            error.usage = usage
            price = self._price(heard.model)
            if price is not None:
                error.cost_nano_usd = price.cost(usage, heard.cache_write_tokens)
        return error

    async def _after(self, error: LlmError, call: "_Call") -> None:
        """Wait before the next attempt, or raise `error` when there should be none."""
        if (
            isinstance(error, LlmRequestError)
            and not isinstance(error, LlmContextTooLongError)
            and self._dialect.adapt(str(error), call.sent)
        ):
            return
        call.failures += 1
        await self._retry.pause(error, call.failures, call.deadline)

    def _price(self, answered_by: str) -> Price | None:
        """Return the price of the model that was asked for, else of the one that answered."""
        if self._fixed_price is not None:
            return self._fixed_price
        asked = self._dialect.model
        found = self._find_price(asked)
        if found is None:
            return self._find_price(answered_by) if answered_by not in {"", asked} else None
        dialect = self._dialect
        self._fixed_price = self._prices.fixed(
            provider=dialect.provider, model=asked, seller=dialect.seller, api_url=self._api_url
        )
        return found

    def _find_price(self, model: str) -> Price | None:
        dialect = self._dialect
        return self._prices.find(
            provider=dialect.provider,
            model=model,
            seller=dialect.seller,
            api_url=self._api_url,
            moment=self._retry.clock.now(),
        )

    def _reply(self, request: ChatRequest, heard: Heard, call: "_Call") -> ChatReply:
        if heard.declined:
            raise LlmRefusedError(heard.declined)
        words = heard.words
        text = words[0] if len(words) == 1 else "".join(words)
        if "\x00" in text:
            # A database cannot keep NUL, and no answer means it.
            text = text.replace("\x00", "")
        calls = heard.tool_calls() if heard.drafts else ()
        finish: FinishReason = heard.finish or "other"
        if calls:
            if finish in {"stop", "other"}:
                finish = "tool_calls"
        elif not text or text.isspace():
            why = "used up its tokens before a word" if finish == "length" else "said nothing"
            raise LlmOutputError(f"{self._name} {why}; ask again or raise max_output_tokens.")
        usage = heard.usage
        if usage is None or usage.estimated:
            usage = _guessed(request, text + "".join(c.name + c.arguments for c in calls), usage)
        model = heard.model or self._dialect.model
        price = self._price(model)
        return ChatReply(
            text=text,
            model=model,
            provider=self._dialect.provider,
            finish_reason=finish,
            usage=usage,
            cost_nano_usd=None if price is None else price.cost(usage, heard.cache_write_tokens),
            latency_seconds=call.elapsed_seconds,
            attempts=call.attempts,
            tool_calls=calls,
        )


class _Call:
    """The state of one call: attempts made, time left, the body last sent."""

    __slots__ = (
        "_loop_time",
        "_monotonic",
        "_started",
        "attempts",
        "deadline",
        "failures",
        "loop_deadline",
        "sent",
    )

    def __init__(self, retry: Retry, timeout_seconds: float) -> None:
        self._monotonic = retry.monotonic
        self._started = retry.monotonic()
        self._loop_time = asyncio.get_running_loop().time
        self.deadline = self._started + timeout_seconds
        self.loop_deadline = self._loop_time() + timeout_seconds
        self.attempts = 0
        self.failures = 0
        self.sent: dict[str, Any] = {}

    @property
    def elapsed_seconds(self) -> float:
        return self._monotonic() - self._started

    @property
    def is_late(self) -> bool:
        # The event loop rounds its timers to milliseconds.
        return self._loop_time() >= self.loop_deadline - 0.002


def check_tool_choice(request: ChatRequest) -> None:
    """Raise LlmRequestError unless `tool_choice` is possible with the request's tools."""
    choice = request.tool_choice
    names = [tool.name for tool in request.tools]
    if choice in _CHOICES:
        if choice != "required" or names:
            return
        raise unsent("tool_choice asks for a tool, but the request has none.")
    if choice not in names:
        raise unsent(f"tool_choice names {choice!r}, which is none of the request's tools.")


def unsent(sentence: str) -> LlmRequestError:
    """Return the error for a request that is refused before anything is sent."""
    error = LlmRequestError(sentence)
    error.may_be_billed = False
    return error


def _guessed(request: ChatRequest, answer: str, counted: Usage | None) -> Usage:
    """Return an estimate that is no less than what was counted before the counting ended."""
    if counted is None:
        return estimate_usage(request, answer)
    return Usage(
        input_tokens=counted.input_tokens,
        output_tokens=max(counted.output_tokens, estimate_tokens(answer)),
        cached_input_tokens=counted.cached_input_tokens,
        estimated=True,
    )
