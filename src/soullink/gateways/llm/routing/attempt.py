"""One HTTP request and its account: reserved before it is sent, settled once however it ends."""

from collections.abc import Mapping
from typing import Generic

from soullink.gateways.llm.http.faults import HttpError
from soullink.gateways.llm.ledger.port import Intent, Outcome, Settlement
from soullink.gateways.llm.port import (
    ChatReply,
    EmbeddingReply,
    LlmError,
    LlmOutputError,
    LlmRefusedError,
    LlmTimeoutError,
    LlmUnavailableError,
    Usage,
)
from soullink.gateways.llm.routing.journey import Journey
from soullink.gateways.llm.routing.means import Means
from soullink.gateways.llm.routing.pool import RequestT
from soullink.gateways.llm.routing.upstream import ModelT, Upstream
from soullink.kernel.ids import new_uuid7_text

NOTHING = Usage()
UNKNOWN = Usage(estimated=True)
_NO_SCORES: Mapping[str, float] = {}


class Attempt(Generic[ModelT, RequestT]):
    """Holds a place at an upstream from the start; every path ends with exactly one settlement.

    began: point on the monotonic clock when it was sent.
    """

    __slots__ = ("_bound", "_journey", "_means", "_probe", "_reserved", "began", "id", "upstream")

    def __init__(
        self,
        means: Means,
        journey: Journey[ModelT, RequestT],
        upstream: Upstream[ModelT],
        *,
        probe: bool,
    ) -> None:
        self._means = means
        self._journey = journey
        self._probe = probe
        self._bound: int | None = None
        self._reserved = False
        self.upstream = upstream
        self.began = 0.0
        self.id = ""

    async def reserve(self) -> None:
        """Set the most that it can cost aside. Raises what Ledger.reserve does; the place is left.

        Nothing is sent then.
        """
        means = self._means
        journey = self._journey
        upstream = self.upstream
        request = journey.request
        self.id = attempt_id = new_uuid7_text()
        if not journey.call_id:
            journey.call_id = attempt_id
        self.began = means.monotonic()
        try:
            self._bound = bound = (
                journey.bound(upstream)
                if journey.pool.learns
                else upstream.model.bound_nano_usd(request)  # type: ignore[arg-type]
            )
            intent = Intent(
                attempt_id,
                journey.call_id,
                request.attribution,
                request.purpose,
                upstream.provider,
                upstream.model_name,
                bound,
                means.clock.now(),
            )
            seconds = journey.deadline - self.began
            await means.time_limits.finish(means.ledger.reserve(intent), seconds)
        except TimeoutError as error:
            upstream.abandoned(means.monotonic(), probe=self._probe)
            raise _late() from error
        except BaseException:
            # What could not be reserved, for whatever reason, is not in the ledger.
            upstream.abandoned(means.monotonic(), probe=self._probe)
            raise
        self._reserved = True
        self.began = means.monotonic()
        if self.began >= journey.deadline:
            self._unsent()
            raise _late()
        journey.attempts += 1
        upstream.requests += 1

    def answered(
        self, reply: ChatReply | EmbeddingReply, scores: Mapping[str, float] = _NO_SCORES
    ) -> None:
        """Book what the reply says it did cost."""
        self._finish("answered", reply, "", scores)

    def failed(self, error: LlmError, reply: ChatReply | None = None) -> None:
        """Book what `error` says may have been charged.

        reply: what came whole, where only we cannot use it: then the deployment itself works.
        """
        if reply is not None:
            self._finish("unreadable", reply, error.code)
            return
        now = self._means.monotonic()
        seconds = now - self.began
        usage = error.usage or UNKNOWN
        cost, estimated = self._bound, True
        if not error.may_be_billed:
            usage, cost, estimated = error.usage or NOTHING, 0, False
        elif error.usage is not None and error.cost_nano_usd is not None:
            cost, estimated = error.cost_nano_usd, usage.estimated
        outcome = _outcome(error)
        self._settle(outcome, usage, cost, seconds, estimated, error.code)
        if isinstance(error, LlmTimeoutError):
            self.upstream.observe(seconds, now)
        self.upstream.failed(error, now, probe=self._probe)

    def broken(self, error: BaseException, reply: ChatReply | EmbeddingReply | None) -> None:
        """Book an attempt that a cancellation, a consumer that left or a bug ended.

        A provider may charge all of what was sent: the whole bound. After the settlement this
        does nothing.
        """
        if not self._reserved:
            return
        if reply is not None:
            self._finish("answered", reply, "")
            return
        outcome: Outcome = "lost" if isinstance(error, Exception) else "cancelled"
        now = self._means.monotonic()
        seconds = now - self.began
        self._settle(outcome, UNKNOWN, self._bound, seconds, True)
        known = self.upstream.peak_seconds(now)
        if known is not None and seconds > known:
            # It would have taken at least so long.
            self.upstream.observe(seconds, now)
        self.upstream.abandoned(now, probe=self._probe)

    def _unsent(self) -> None:
        now = self._means.monotonic()
        self._settle("unsent", NOTHING, 0, now - self.began, False)
        self.upstream.abandoned(now, probe=self._probe)

    def _finish(
        self,
        outcome: Outcome,
        reply: ChatReply | EmbeddingReply,
        code: str,
        scores: Mapping[str, float] = _NO_SCORES,
    ) -> None:
        now = self._means.monotonic()
        seconds = now - self.began
        usage = reply.usage
        cost = reply.cost_nano_usd
        estimated = usage.estimated
        if cost is None and self._bound is not None:
            # The answer names a model without a price; what was set aside is the most it can be.
            cost, estimated = self._bound, True
        self._settle(outcome, usage, cost, seconds, estimated, code, scores)
        journey = self._journey
        upstream = self.upstream
        if journey.pool.learns and cost is not None:
            journey.pool.learn(journey, upstream, cost, now)
        if upstream.rate is not None:
            upstream.rate.correct(usage.input_tokens + usage.output_tokens - journey.tokens(), now)
        upstream.answered(seconds, now, probe=self._probe)

    def _settle(
        self,
        outcome: Outcome,
        usage: Usage,
        cost: int | None,
        seconds: float,
        estimated: bool,
        code: str = "",
        scores: Mapping[str, float] = _NO_SCORES,
    ) -> None:
        self._reserved = False
        self._means.ledger.settle(
            Settlement(self.id, outcome, usage, cost, estimated, seconds, code, scores)
        )


def _late() -> LlmTimeoutError:
    error = LlmTimeoutError("The ledger took all the time that the call had.")
    error.may_be_billed = False
    return error


def _outcome(error: LlmError) -> Outcome:
    if not error.may_be_billed:
        cause = error.__cause__
        unreached = isinstance(cause, HttpError) and not cause.sent
        return "unsent" if unreached or error.attempts == 0 else "failed"
    if isinstance(error, LlmTimeoutError):
        return "timeout"
    if isinstance(error, LlmRefusedError):
        return "refused"
    if isinstance(error, LlmOutputError):
        return "unreadable"
    return "cut" if isinstance(error, LlmUnavailableError) else "failed"
