"""When a call is tried again, and how long it waits before that."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from soullink.gateways.llm.port import LlmError, LlmRateLimitedError, LlmUnavailableError
from soullink.kernel.clock import Clock, SystemClock

RETRIED = (LlmRateLimitedError, LlmUnavailableError)
"""What is tried again here. A timeout has used up its time; unreadable words are the caller's."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently. max_attempts counts the first one."""

    max_attempts: int = 5
    first_seconds: float = 0.5
    longest_seconds: float = 8.0


class Retry:
    """Waits between attempts: exponential backoff with full jitter.

    The delay before attempt n+1 is uniform in 0..min(longest, first * 2^(n-1)), which spreads
    clients best (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). Where
    the server names a time (Retry-After, RFC 9110 section 10.2.3) we wait that long and a little.

    seed: None takes one from the system, because clients that share a seed would collide.
    """

    def __init__(
        self,
        policy: RetryPolicy | None = None,
        *,
        seed: int | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Clock | None = None,
    ) -> None:
        self.policy = policy or RetryPolicy()
        self.clock = clock or SystemClock()
        self.monotonic = monotonic
        self._sleep = sleep
        self._random = random.Random(seed)  # noqa: S311 - jitter is no secret

    def delay_seconds(self, failures: int, retry_after_seconds: float | None) -> float:
        """Return how long to wait after `failures` failed attempts (from 1)."""
        if retry_after_seconds is not None:
            return retry_after_seconds + self._random.uniform(0.0, self.policy.first_seconds)
        ceiling = min(
            self.policy.longest_seconds, self.policy.first_seconds * 2 ** min(failures - 1, 32)
        )
        return self._random.uniform(0.0, ceiling)

    async def pause(self, error: LlmError, failures: int, deadline: float) -> None:
        """Wait before the next attempt, or raise `error` when there should be none.

        deadline: a point on `monotonic`; a wait that would pass it is not begun.
        """
        if not isinstance(error, RETRIED) or failures >= self.policy.max_attempts:
            raise error
        delay = self.delay_seconds(failures, error.retry_after_seconds)
        if self.monotonic() + delay >= deadline:
            raise error
        await self._sleep(delay)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, or None when it is not readable.

    Both forms of RFC 9110 section 10.2.3: seconds, or an HTTP date.
    """
    if value is None:
        return None
    text = value.strip()
    if text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
