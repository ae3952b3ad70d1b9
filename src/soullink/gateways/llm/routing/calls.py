"""A route as a language model: attempts until one is good, whole or streamed."""

from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping
from typing import Any

from msgspec.structs import replace

from soullink.gateways.llm.port import (
    ChatChunk,
    ChatReply,
    ChatRequest,
    LanguageModel,
    LlmError,
    LlmUnavailableError,
)
from soullink.gateways.llm.routing.attempt import Attempt
from soullink.gateways.llm.routing.hedging import hedge
from soullink.gateways.llm.routing.journey import Journey
from soullink.gateways.llm.routing.means import Means
from soullink.gateways.llm.routing.pool import Pool
from soullink.gateways.llm.routing.upstream import Upstream

_UNTOLD_SECONDS = 0.001
"""A reply is not written anew for less waiting than this."""


class RoutedModel:
    """Implements LanguageModel by the deployments of a route and its fallbacks."""

    __slots__ = ("_means", "_pool", "_pools", "name")

    def __init__(
        self,
        pool: Pool[LanguageModel],
        pools: Mapping[str, Pool[LanguageModel]],
        means: Means,
    ) -> None:
        self.name = pool.name
        self._pool = pool
        self._pools = pools
        self._means = means

    def bound_nano_usd(self, request: ChatRequest) -> int | None:
        """Return the most that one attempt in this route can cost; None where one is unpriced."""
        bounds = [upstream.model.bound_nano_usd(request) for upstream in self._pool.upstreams]
        known = [bound for bound in bounds if bound is not None]
        return max(known) if len(known) == len(bounds) else None

    async def complete(self, request: ChatRequest) -> ChatReply:
        journey = Journey(self._means, self._pool, self._pools, request)
        upstream = await journey.first()
        while True:
            try:
                after_seconds = journey.pool.hedge_after_seconds
                if after_seconds is None:
                    return await self._ask(journey, upstream, probe=journey.probe)
                return await self._ask_two(journey, upstream, after_seconds)
            except LlmError as error:
                failed = error
            upstream = await journey.after(failed, upstream)

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        journey = Journey(self._means, self._pool, self._pools, request)
        upstream = await journey.first()
        while True:
            spoken = False
            chunks = self._listen(journey, upstream, probe=journey.probe)
            try:
                async for chunk in chunks:
                    spoken = True
                    yield chunk
            except LlmError as error:
                if spoken:
                    # Part of an answer is out; a second attempt would say it twice.
                    error.attempts = journey.attempts
                    raise
                failed = error
            else:
                return
            finally:
                await chunks.aclose()
            upstream = await journey.after(failed, upstream)

    async def close(self) -> None:
        """Do nothing: the connections are the router's."""

    async def _ask(
        self,
        journey: Journey[LanguageModel, ChatRequest],
        upstream: Upstream[LanguageModel],
        *,
        probe: bool,
    ) -> ChatReply:
        means = self._means
        request = journey.request
        attempt = Attempt(means, journey, upstream, probe=probe)
        await attempt.reserve()
        reply: ChatReply | None = None
        try:
            reply = await upstream.model.complete(_sent(request, attempt, journey.deadline))
            judged, scores = self._judge(request, reply)
        except LlmError as error:
            attempt.failed(error, reply)
            raise
        except BaseException as error:
            attempt.broken(error, reply)
            raise
        attempt.answered(reply, scores)
        return _told(judged, journey, means, scores)

    async def _ask_two(
        self,
        journey: Journey[LanguageModel, ChatRequest],
        upstream: Upstream[LanguageModel],
        after_seconds: float,
    ) -> ChatReply:
        def second() -> Coroutine[Any, Any, ChatReply] | None:
            journey.pass_by(upstream)
            other = journey.another()
            if other is None:
                return None
            journey.pass_by(other)
            return self._ask(journey, other, probe=journey.probe)

        first = self._ask(journey, upstream, probe=journey.probe)
        return await hedge(first, second, after_seconds, self._means.sleep)

    async def _listen(
        self,
        journey: Journey[LanguageModel, ChatRequest],
        upstream: Upstream[LanguageModel],
        *,
        probe: bool,
    ) -> AsyncGenerator[ChatChunk, None]:
        means = self._means
        request = journey.request
        attempt = Attempt(means, journey, upstream, probe=probe)
        await attempt.reserve()
        source = upstream.model.stream(_sent(request, attempt, journey.deadline))
        reply: ChatReply | None = None
        try:
            async for chunk in source:
                if chunk.reply is not None:
                    reply = chunk.reply
                    break
                before = means.monotonic()
                yield chunk
                # Time that the consumer takes is not the deployment's.
                attempt.began += means.monotonic() - before
            reply = _whole(reply, upstream)
            judged, scores = self._judge(request, reply)
            attempt.answered(reply, scores)
        except LlmError as error:
            attempt.failed(error, reply)
            raise
        except BaseException as error:
            attempt.broken(error, reply)
            raise
        finally:
            if isinstance(source, AsyncGenerator):
                await source.aclose()
        yield ChatChunk("", _told(judged, journey, means, scores))

    def _judge(
        self, request: ChatRequest, reply: ChatReply
    ) -> tuple[ChatReply, Mapping[str, float]]:
        check = self._means.check
        if check is None:
            return reply, reply.quality
        judged = check.check(request, reply)
        return judged.reply, judged.scores


def _whole(reply: ChatReply | None, upstream: Upstream[LanguageModel]) -> ChatReply:
    if reply is None:
        raise LlmUnavailableError(f"{upstream.model.name} cut its answer off.")
    return reply


def _sent(
    request: ChatRequest, attempt: Attempt[LanguageModel, ChatRequest], deadline: float
) -> ChatRequest:
    left = deadline - attempt.began
    return replace(request, timeout_seconds=left, request_id=attempt.id)


def _told(
    reply: ChatReply,
    journey: Journey[LanguageModel, ChatRequest],
    means: Means,
    scores: Mapping[str, float],
) -> ChatReply:
    """Return the reply with what the whole call took."""
    seconds = means.monotonic() - journey.started
    if (
        journey.attempts == 1
        and seconds - reply.latency_seconds < _UNTOLD_SECONDS
        and (scores is reply.quality or scores == reply.quality)
    ):
        return reply
    # A provider may have sent again itself, without a parameter that was not taken.
    attempts = journey.attempts + reply.attempts - 1
    return replace(reply, latency_seconds=seconds, attempts=attempts, quality=scores)
