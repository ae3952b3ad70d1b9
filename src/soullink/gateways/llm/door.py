"""One model as its callers call it: filters, cache, shared calls and the queue around a route."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from soullink.gateways.llm.limits.port import Admission, Demand
from soullink.gateways.llm.port import (
    ChatChunk,
    ChatReply,
    ChatRequest,
    EmbeddingModel,
    EmbeddingReply,
    EmbeddingRequest,
    FixedSchema,
    LanguageModel,
    LlmError,
    LlmTimeoutError,
)
from soullink.gateways.llm.response.port import ContentFilter
from soullink.gateways.llm.response.streaming import held_back
from soullink.gateways.llm.reuse.cache import ExactCache, chunks_of
from soullink.gateways.llm.reuse.coalescing import Coalescer
from soullink.gateways.llm.reuse.key import is_deterministic, request_key
from soullink.gateways.llm.usage import estimate_messages, estimate_tokens

_NOTICED_SECONDS = 0.005
"""A wait shorter than this is not taken off the call's time."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What all doors of a gateway share.

    wait_seconds: how long a call waits to be let in, None as long as it has.
    """

    admission: Admission
    filters: Sequence[ContentFilter] = ()
    cache: ExactCache | None = None
    coalescer: Coalescer | None = None
    wait_seconds: float | None = None

    def wait_of(self, timeout_seconds: float) -> float:
        """Return how long a call that has `timeout_seconds` may wait to be let in."""
        patience = self.wait_seconds
        return timeout_seconds if patience is None else min(timeout_seconds, patience)

    async def close(self) -> None:
        """Let shared calls end."""
        if self.coalescer is not None:
            await self.coalescer.close()


class Door:
    """Implements LanguageModel around another one; closing it closes nothing that is shared."""

    __slots__ = ("_inner", "_name", "_passage")

    def __init__(self, inner: LanguageModel, passage: Passage) -> None:
        self._inner = inner
        self._name = inner.name
        self._passage = passage

    @property
    def name(self) -> str:
        return self._name

    def bound_nano_usd(self, request: ChatRequest) -> int | None:
        return self._inner.bound_nano_usd(request)

    async def complete(self, request: ChatRequest) -> ChatReply:
        passage = self._passage
        for hook in passage.filters:
            request = hook.before(request)
        shared = passage.coalescer is not None and not request.alone and is_deterministic(request)
        cached = passage.cache is not None and passage.cache.may_answer(request)
        if shared or cached:
            reply = await self._reused(request, passage.cache if cached else None, shared=shared)
        else:
            reply = await self._admitted(request)
        return self._filtered(request, reply) if passage.filters else reply

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        passage = self._passage
        for hook in passage.filters:
            request = hook.before(request)
        cache = passage.cache
        cached = cache if cache is not None and cache.may_answer(request) else None
        key = request_key(self._name, request) if cached is not None else b""
        if cached is not None:
            kept = cached.find(request.attribution.tenant, key)
            if kept is not None:
                for chunk in chunks_of(self._filtered(request, kept)):
                    yield chunk
                return
        async with contextlib.aclosing(self._admitted_stream(request)) as heard:
            chunks: AsyncIterator[ChatChunk] = heard
            if passage.filters:
                chunks = held_back(passage.filters, request, heard)
            async for chunk in chunks:
                if chunk.reply is not None and cached is not None:
                    cached.store(request.attribution.tenant, key, chunk.reply)
                yield chunk

    async def close(self) -> None:
        """Do nothing: the gateway closes what doors share."""

    def _filtered(self, request: ChatRequest, reply: ChatReply) -> ChatReply:
        for hook in self._passage.filters:
            reply = hook.after(request, reply)
        return reply

    async def _reused(
        self, request: ChatRequest, cache: ExactCache | None, *, shared: bool
    ) -> ChatReply:
        who = request.attribution
        tenant = who.tenant
        key = request_key(self._name, request)
        kept = None if cache is None else cache.find(tenant, key)
        if kept is not None:
            return kept
        coalescer = self._passage.coalescer
        if shared and coalescer is not None:
            reply = await coalescer.run(
                # A refusal for one account's budget or limit must not be told to another.
                (tenant, who.key, who.run, key),
                lambda: self._admitted(request),
                timeout_seconds=request.timeout_seconds,
            )
        else:
            reply = await self._admitted(request)
        if cache is not None:
            cache.store(tenant, key, reply)
        return reply

    async def _admitted(self, request: ChatRequest) -> ChatReply:
        async with self._passage.admission.enter(
            demand_of(self._name, request), self._passage.wait_of(request.timeout_seconds)
        ) as ticket:
            if ticket.waited_seconds > _NOTICED_SECONDS:
                request = less_time(request, ticket.waited_seconds)
            try:
                reply = await self._inner.complete(request)
            except LlmError as error:
                if not error.may_be_billed:
                    ticket.correct(0)
                raise
            ticket.correct(reply.usage.input_tokens + reply.usage.output_tokens)
            return reply

    async def _admitted_stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        async with self._passage.admission.enter(
            demand_of(self._name, request), self._passage.wait_of(request.timeout_seconds)
        ) as ticket:
            if ticket.waited_seconds > _NOTICED_SECONDS:
                request = less_time(request, ticket.waited_seconds)
            try:
                async with contextlib.aclosing(_generator(self._inner.stream(request))) as chunks:
                    async for chunk in chunks:
                        if chunk.reply is not None:
                            usage = chunk.reply.usage
                            ticket.correct(usage.input_tokens + usage.output_tokens)
                        yield chunk
            except LlmError as error:
                if not error.may_be_billed:
                    ticket.correct(0)
                raise


def _generator(chunks: AsyncIterator[ChatChunk]) -> AsyncGenerator[ChatChunk, None]:
    """Return `chunks`, which every model of ours yields from a generator, as what it is."""
    if not isinstance(chunks, AsyncGenerator):
        raise TypeError(f"a stream that cannot be closed: {type(chunks).__name__}")
    return chunks


class EmbeddingDoor:
    """Implements EmbeddingModel around another one; closing it closes nothing that is shared."""

    __slots__ = ("_inner", "_passage")

    def __init__(self, inner: EmbeddingModel, passage: Passage) -> None:
        self._inner = inner
        self._passage = passage

    @property
    def name(self) -> str:
        return self._inner.name

    def bound_nano_usd(self, request: EmbeddingRequest) -> int | None:
        return self._inner.bound_nano_usd(request)

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        who = request.attribution
        demand = Demand(who.tenant, who.key, self.name, sum(map(estimate_tokens, request.texts)))
        wait = self._passage.wait_of(request.timeout_seconds)
        async with self._passage.admission.enter(demand, wait) as ticket:
            if ticket.waited_seconds > _NOTICED_SECONDS:
                left = _left(request.timeout_seconds, ticket.waited_seconds)
                request = replace(request, timeout_seconds=left)
            try:
                reply = await self._inner.embed(request)
            except LlmError as error:
                if not error.may_be_billed:
                    ticket.correct(0)
                raise
            ticket.correct(reply.usage.input_tokens)
            return reply

    async def close(self) -> None:
        """Do nothing: the gateway closes what doors share."""


def demand_of(model: str, request: ChatRequest) -> Demand:
    """Return what a call wants: its input, and the most that it may be answered."""
    tokens = request.max_output_tokens + estimate_messages(request.messages)
    if request.tools or request.json_schema is not None:
        tokens += _beside_words(request)
    who = request.attribution
    return Demand(who.tenant, who.key, model, tokens)


_known: tuple[Any, int] = (None, 0)


def _beside_words(request: ChatRequest) -> int:
    """Return about how many tokens tools and schema have.

    A schema that nobody changes is counted once: call after call asks for the same.
    """
    global _known  # noqa: PLW0603 - one pair, replaced as a whole: threads may share it
    schema = request.json_schema
    if request.tools or not isinstance(schema, FixedSchema):
        return estimate_tokens(repr((request.tools, schema)))
    known = _known
    if known[0] is not schema:
        known = _known = (schema, estimate_tokens(repr(((), schema))))
    return known[1]


def less_time(request: ChatRequest, waited_seconds: float) -> ChatRequest:
    """Return the request with the time that the queue took off its allowance."""
    return replace(request, timeout_seconds=_left(request.timeout_seconds, waited_seconds))


def _left(timeout_seconds: float, waited_seconds: float) -> float:
    left = timeout_seconds - waited_seconds
    if left <= 0:
        error = LlmTimeoutError(f"The queue took all of the {timeout_seconds:g} seconds.")
        error.may_be_billed = False
        raise error
    return left
