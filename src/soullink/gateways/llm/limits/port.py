"""Who may call now: rates a minute, and a fair share of the capacity for every tenant."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

import msgspec


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Calls and tokens a minute; None does not limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


class Demand(msgspec.Struct, frozen=True, gc=False):
    """What one call wants. tokens: input and the most output, as far as known beforehand."""

    tenant: str
    key: str
    model: str
    tokens: int


class Ticket(Protocol):
    """Leave to call."""

    @property
    def waited_seconds(self) -> float:
        """Return how long the queue took."""
        ...

    def correct(self, tokens: int) -> None:
        """Say how many tokens the call really took; the difference is given back or charged."""
        ...


class Admission(Protocol):
    """Lets calls in: first by rate, then by fair turn."""

    def enter(self, demand: Demand, timeout_seconds: float) -> AbstractAsyncContextManager[Ticket]:
        """Wait for leave; hold one place of the capacity inside.

        Raises LlmRateLimitedError with retry_after_seconds when the wait would pass
        `timeout_seconds` or the tenant's queue is full. Cancelling leaves the queue.
        """
        ...
