"""Calls and tokens a minute, counted to the instant: a bucket that refills evenly."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal, TypeAlias

from soullink.gateways.llm.limits.port import RateLimit

Scope: TypeAlias = Literal["key", "tenant", "model"]

EPSILON_SECONDS: Final = 1e-6
"""A bucket counts as refilled this much early: floats must not make anyone wait for nothing."""


class Limiter:
    """The limits of one key, tenant or model.

    Each of the two buckets is one number: the moment at which it will be full again. That is the
    generic cell rate algorithm in its virtual scheduling form (ITU-T I.371, annex A), equal to a
    bucket of `burst_seconds` worth of the rate that refills without steps. In any window of w
    seconds at most burst + rate * w are taken, less what is given back. A call larger than the
    bucket is let in when the bucket is full, and leaves it in debt.

    Times are seconds of the caller's monotonic clock. claims: see `turns`, which owns it.
    """

    __slots__ = (
        "burst_tokens",
        "call_seconds",
        "call_slack",
        "calls_full_at",
        "calls_out",
        "claims",
        "limit",
        "name",
        "queued",
        "scope",
        "shared",
        "timer",
        "token_seconds",
        "tokens_full_at",
        "tokens_out",
    )

    def __init__(self, scope: Scope, name: str, limit: RateLimit, burst_seconds: float) -> None:
        self.scope = scope
        self.name = name
        self.limit = limit
        self.shared = scope == "model"
        calls, tokens = limit.requests_per_minute, limit.tokens_per_minute
        # What is not limited costs no time: the same arithmetic, without a branch.
        self.call_seconds = 60.0 / calls if calls else 0.0
        self.call_slack = max(0.0, burst_seconds - self.call_seconds) if calls else 0.0
        self.token_seconds = 60.0 / tokens if tokens else 0.0
        self.burst_tokens = max(1.0, tokens * burst_seconds / 60.0) if tokens else 0.0
        self.calls_full_at = self.tokens_full_at = float("-inf")
        self.calls_out = 0
        self.tokens_out = 0
        self.queued = 0
        self.claims: list[tuple[float, int, int, Any]] = []
        self.timer: asyncio.TimerHandle | None = None

    def ready_at(self, tokens: int) -> float:
        """Return when a call of `tokens` may go, should nobody else take anything."""
        calls = self.calls_full_at - self.call_slack
        room = self.burst_tokens - tokens
        if room < 0.0:  # noqa: PLR1730 - see `take`
            room = 0.0
        waits = self.tokens_full_at - room * self.token_seconds
        return waits if waits > calls else calls  # noqa: FURB136 - see `take`

    def earliest_at(self, tokens: int, ahead: int) -> float:
        """Return a time before which a call behind `ahead` others surely cannot go.

        Tokens of calls in flight may still be given back, and are taken as given back.
        """
        calls = self.calls_full_at - self.call_slack + ahead * self.call_seconds
        room = max(0.0, self.burst_tokens - tokens) + self.tokens_out
        return max(calls, self.tokens_full_at - room * self.token_seconds)

    def take(self, tokens: int, now: float) -> None:
        """Charge one call of `tokens`."""
        calls = self.calls_full_at
        # Six calls of max() a call would cost as much as all the rest: every call comes here.
        if calls < now:  # noqa: PLR1730
            calls = now
        full = self.tokens_full_at
        if full < now:  # noqa: PLR1730
            full = now
        self.calls_full_at = calls + self.call_seconds
        self.tokens_full_at = full + tokens * self.token_seconds
        self.calls_out += 1
        self.tokens_out += tokens

    def charge(self, tokens: int, now: float) -> None:
        """Charge more tokens, or give some back where `tokens` is negative."""
        self.tokens_full_at = max(now, self.tokens_full_at) + tokens * self.token_seconds

    def give_back_call(self) -> None:
        """Take back one call's charge; its tokens are given back by `charge`."""
        self.calls_full_at -= self.call_seconds

    def idle(self, now: float) -> bool:
        """Return whether forgetting it would change nothing."""
        return (
            self.calls_full_at <= now
            and self.tokens_full_at <= now
            and not (self.calls_out or self.queued or self.claims)
        )

    def __str__(self) -> str:
        parts = []
        if self.limit.requests_per_minute:
            parts.append(f"{self.limit.requests_per_minute} calls a minute")
        if self.limit.tokens_per_minute:
            parts.append(f"{self.limit.tokens_per_minute} tokens a minute")
        return f"{self.scope} {self.name!r} is limited to {' and '.join(parts)}"


class PassingLimiters:
    """Limiters made when their name first comes up, and forgotten when that changes nothing."""

    __slots__ = ("_burst_seconds", "_kept", "_limiters", "_scope")

    def __init__(self, scope: Scope, burst_seconds: float) -> None:
        self._scope: Scope = scope
        self._burst_seconds = burst_seconds
        self._limiters: dict[str, Limiter] = {}
        self._kept = 64

    def __len__(self) -> int:
        return len(self._limiters)

    def __iter__(self) -> Iterator[Limiter]:
        return iter(self._limiters.values())

    def get(
        self, name: str, limit: RateLimit | None, monotonic: Callable[[], float]
    ) -> Limiter | None:
        """Return the limiter of `name`; where `limit` is None, the one that was made before.

        Where `limit` has changed it is a new one with full buckets, None where nothing is limited.
        """
        limiter = self._limiters.get(name)
        if limit is None or (limiter and (limiter.limit is limit or limiter.limit == limit)):
            return limiter
        if limit.requests_per_minute is None and limit.tokens_per_minute is None:
            self._limiters.pop(name, None)
            return None
        if len(self._limiters) >= self._kept:
            now = monotonic()
            self._limiters = {one.name: one for one in self if not one.idle(now)}
            self._kept = 64 + 2 * len(self._limiters)
        limiter = self._limiters[name] = Limiter(self._scope, name, limit, self._burst_seconds)
        return limiter
