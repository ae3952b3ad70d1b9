"""Budgets and the ledger: set aside what a call may cost before it, book what it did cost after."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

import msgspec

from soullink.gateways.llm.port import Attribution, Usage

Scope: TypeAlias = Literal["all", "tenant", "key", "run", "model"]
Period: TypeAlias = Literal["total", "day", "month"]

Outcome: TypeAlias = Literal[
    "answered", "refused", "unreadable", "failed", "unsent", "timeout", "cut", "cancelled", "lost"
]
"""How an attempt ended.

failed: an error status, nothing is charged. unsent: the provider was never reached. cut: the
connection broke half-way. lost: the process died before it heard the end.
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit in nano-dollars. subject: the tenant, key, run or model; empty for scope "all".

    spent_nano_usd and reserved_nano_usd count the current period, which began at `since`.
    spent + reserved never exceeds the limit.
    """

    scope: Scope
    subject: str
    period: Period
    limit_nano_usd: int
    spent_nano_usd: int = 0
    reserved_nano_usd: int = 0
    since: datetime | None = None


class Intent(msgspec.Struct, frozen=True, gc=False):
    """What is about to be asked of a provider: one HTTP request, i.e. one attempt of a call.

    attempt_id: UUIDv7 text, also the request id sent. call_id: shared by the attempts of a call.
    bound_nano_usd: the most that it can cost; None where the price is not known.
    """

    attempt_id: str
    call_id: str
    attribution: Attribution
    purpose: str
    provider: str
    model: str
    bound_nano_usd: int | None
    started_at: datetime


class Settlement(msgspec.Struct, frozen=True, gc=False):
    """How an attempt ended and what it cost.

    estimated: nobody told us the cost: it is a guess, or the whole bound where even the answer is
    unknown. cost_nano_usd: None where the price is not known.
    """

    attempt_id: str
    outcome: Outcome
    usage: Usage
    cost_nano_usd: int | None
    estimated: bool
    latency_seconds: float
    error_code: str = ""
    quality: Mapping[str, float] = {}


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line of the ledger: an intent, and its settlement once there is one."""

    intent: Intent
    settlement: Settlement | None


@dataclass(frozen=True, slots=True)
class UsageRow:
    """Usage of one group. group: values of the columns asked for, in their order.

    calls: logical calls; attempts: requests sent for them. unpriced: attempts without a price.
    quality: mean of each score over the attempts that have it.
    """

    group: tuple[str, ...]
    calls: int
    attempts: int
    failed: int
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    cost_nano_usd: int
    estimated_nano_usd: int
    unpriced: int
    mean_latency_seconds: float
    quality: Mapping[str, float] = field(default_factory=dict)


UsageColumn: TypeAlias = Literal["model", "prompt", "run", "tenant", "key", "purpose", "day"]


class Ledger(Protocol):
    """Keeps budgets and entries. What `reserve` returned from is durable; settlements soon are."""

    async def reserve(self, intent: Intent) -> None:
        """Set the bound aside in every budget that the attempt falls under.

        Raises LlmBudgetError naming the budget that does not allow it, or (with a budget in
        force) that no price is known; UnavailableError when nothing can be recorded.
        """
        ...

    def settle(self, settlement: Settlement) -> None:
        """Book the attempt once and free what is left of its bound; a second time is ignored.

        Returns at once; the entry becomes durable with the next commit. Never raises.
        """
        ...

    async def flush(self) -> None:
        """Wait until every settlement so far is durable. Raises UnavailableError."""
        ...

    async def close(self) -> None:
        """Flush and let go; calling it twice does no harm."""
        ...


class Accounts(Protocol):
    """Reads and changes what the ledger keeps."""

    async def set_budget(
        self, scope: Scope, subject: str, period: Period, limit_nano_usd: int
    ) -> Budget:
        """Create or change a budget. Raises InvalidInputError for a negative limit."""
        ...

    async def remove_budget(self, scope: Scope, subject: str, period: Period) -> None:
        """Raises NotFoundError."""
        ...

    async def list_budgets(self) -> list[Budget]:
        """Return every budget with what is spent and reserved in its current period."""
        ...

    async def usage(
        self,
        by: Sequence[UsageColumn],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        where: Mapping[UsageColumn, str] | None = None,
    ) -> list[UsageRow]:
        """Return usage grouped by `by`, largest cost first; since is inclusive, until is not."""
        ...

    def entries(self, *, run: str | None = None) -> AsyncIterator[Entry]:
        """Yield entries, oldest first."""
        ...
