"""A route as an embedding model: attempts in the order of priority until one is good."""

from collections.abc import Mapping

from soullink.gateways.llm.port import (
    EmbeddingModel,
    EmbeddingReply,
    EmbeddingRequest,
    LlmError,
)
from soullink.gateways.llm.routing.attempt import Attempt
from soullink.gateways.llm.routing.journey import Journey
from soullink.gateways.llm.routing.means import Means
from soullink.gateways.llm.routing.pool import Pool
from soullink.gateways.llm.routing.upstream import Upstream


class RoutedEmbedder:
    """Implements EmbeddingModel by the deployments of one route."""

    __slots__ = ("_means", "_pool", "_pools", "name")

    def __init__(self, pool: Pool[EmbeddingModel], means: Means) -> None:
        self.name = pool.name
        self._pool = pool
        self._pools: Mapping[str, Pool[EmbeddingModel]] = {pool.name: pool}
        self._means = means

    def bound_nano_usd(self, request: EmbeddingRequest) -> int | None:
        """Return the most that one attempt can cost; None where one is unpriced."""
        bounds = [upstream.model.bound_nano_usd(request) for upstream in self._pool.upstreams]
        known = [bound for bound in bounds if bound is not None]
        return max(known) if len(known) == len(bounds) else None

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        journey = Journey(self._means, self._pool, self._pools, request)
        upstream = await journey.first()
        while True:
            try:
                reply = await self._ask(journey, upstream, probe=journey.probe)
            except LlmError as error:
                failed = error
            else:
                return EmbeddingReply(
                    reply.vectors,
                    reply.model,
                    reply.provider,
                    reply.usage,
                    reply.cost_nano_usd,
                    self._means.monotonic() - journey.started,
                    journey.attempts,
                )
            upstream = await journey.after(failed, upstream)

    async def close(self) -> None:
        """Do nothing: the connections are the router's."""

    async def _ask(
        self,
        journey: Journey[EmbeddingModel, EmbeddingRequest],
        upstream: Upstream[EmbeddingModel],
        *,
        probe: bool,
    ) -> EmbeddingReply:
        request = journey.request
        attempt = Attempt(self._means, journey, upstream, probe=probe)
        await attempt.reserve()
        sent = EmbeddingRequest(
            request.texts,
            request.dimensions,
            journey.deadline - attempt.began,
            request.purpose,
            request.attribution,
            attempt.id,
        )
        try:
            reply = await upstream.model.embed(sent)
        except LlmError as error:
            attempt.failed(error)
            raise
        except BaseException as error:
            attempt.broken(error, None)
            raise
        attempt.answered(reply)
        return reply
