"""Intents, settlements and a clock that is set by hand."""

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from soullink.gateways.llm.ledger.port import (
    Accounts,
    Entry,
    Intent,
    Ledger,
    Outcome,
    Settlement,
)
from soullink.gateways.llm.port import Attribution, Usage

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


_numbers = itertools.count(0x019D_0000_0000_7000_8000_0000_0000_0000)


def new_id() -> str:
    """Return a UUIDv7 that comes after all before it, within one millisecond as well."""
    return str(UUID(int=next(_numbers)))


class Book(Ledger, Accounts, Protocol):
    """Both faces of one ledger."""


class HandClock:
    def __init__(self) -> None:
        self.moment = NOON

    def now(self) -> datetime:
        return self.moment


def intent(
    bound: int | None = 100,
    *,
    tenant: str = "ada",
    key: str = "",
    run: str = "",
    prompt: str = "",
    model: str = "m1",
    purpose: str = "test",
    call: str = "",
    attempt: str = "",
    at: datetime = NOON,
) -> Intent:
    attempt_id = attempt or new_id()
    return Intent(
        attempt_id=attempt_id,
        call_id=call or attempt_id,
        attribution=Attribution(tenant, key, run, prompt),
        purpose=purpose,
        provider="openai",
        model=model,
        bound_nano_usd=bound,
        started_at=at,
    )


def ended(
    begun: Intent,
    cost: int | None = 60,
    *,
    outcome: Outcome = "answered",
    usage: Usage | None = None,
    estimated: bool = False,
    seconds: float = 0.5,
    error: str = "",
    quality: Mapping[str, float] | None = None,
) -> Settlement:
    return Settlement(
        attempt_id=begun.attempt_id,
        outcome=outcome,
        usage=usage or Usage(10, 5, 2),
        cost_nano_usd=cost,
        estimated=estimated,
        latency_seconds=seconds,
        error_code=error,
        quality=quality or {},
    )


async def all_entries(book: Accounts, run: str | None = None) -> list[Entry]:
    return [entry async for entry in book.entries(run=run)]


async def counted(book: Accounts) -> dict[str, tuple[int, int]]:
    """Return what is spent and reserved, by scope and subject."""
    return {
        f"{budget.scope} {budget.subject} {budget.period}": (
            budget.spent_nano_usd,
            budget.reserved_nano_usd,
        )
        for budget in await book.list_budgets()
    }
