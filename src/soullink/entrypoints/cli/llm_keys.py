"""Keys of the gateway's callers: create, list, revoke."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.llm_opening import find_key, gateway_opened, read_moment
from soullink.entrypoints.cli.money import dollars, nano_usd
from soullink.entrypoints.cli.output import cell, print_json, stdout, table
from soullink.gateways.llm.keys.port import REVOKED_WITHIN_SECONDS, ApiKey
from soullink.gateways.llm.ledger.port import Period
from soullink.gateways.llm.limits.port import RateLimit


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a new key is to be. budget: US dollars as text, per `period`."""

    tenant: str
    name: str
    models: Sequence[str]
    requests_per_minute: int | None
    tokens_per_minute: int | None
    expires: str | None
    budget: str | None
    period: Period


def create(invocation: Invocation, wishes: Wishes, as_json: bool) -> None:
    """Make a key and print its secret, this once."""
    limit = RateLimit(wishes.requests_per_minute, wishes.tokens_per_minute)
    expires_at = read_moment(wishes.expires, "--expires")
    amount = None if wishes.budget is None else nano_usd(wishes.budget)

    async def work() -> None:
        async with gateway_opened(invocation) as opened:
            made = await opened.keys.create(
                wishes.tenant,
                wishes.name,
                models=wishes.models,
                limit=limit,
                expires_at=expires_at,
            )
            if amount is not None:
                await opened.gateway.accounts.set_budget("key", made.key.id, wishes.period, amount)
        if as_json:
            budget = {
                "budget_nano_usd": amount,
                "period": None if amount is None else wishes.period,
            }
            print_json({**_document(made.key), "secret": made.secret, **budget})
            return
        console = stdout(invocation)
        console.print(made.secret, soft_wrap=True, style="bold")
        console.print(f"Key {made.key.id}: copy the secret now; it is not shown again.")
        if amount is not None:
            console.print(f"It may spend {_budget(amount, wishes.period)}.")

    invocation.interruption.run(work())


def list_keys(invocation: Invocation, tenant: str | None, as_json: bool) -> None:
    """Print keys, without their secrets."""

    async def work() -> list[ApiKey]:
        async with gateway_opened(invocation) as opened:
            return await opened.keys.list_keys(tenant)

    found = invocation.interruption.run(work())
    if as_json:
        print_json([_document(key) for key in found])
        return
    console = stdout(invocation)
    if not found:
        console.print("There is no key yet; make one with `soullink llm keys create`.")
        return
    shown = table("=ID", "TENANT", "NAME", "=PREFIX", "=STATE", "MODELS", ">RPM", ">TPM")
    for key in found:
        shown.add_row(
            key.id,
            cell(key.tenant),
            cell(key.name),
            key.prefix,
            _state(key),
            cell(", ".join(key.models) or "all"),
            _number(key.limit.requests_per_minute),
            _number(key.limit.tokens_per_minute),
        )
    console.print(shown)


def revoke(invocation: Invocation, name: str, as_json: bool) -> None:
    """Refuse a key from now on."""

    async def work() -> ApiKey:
        async with gateway_opened(invocation) as opened:
            key = await find_key(opened.keys, name)
            return await opened.keys.revoke(key.id)

    key = invocation.interruption.run(work())
    if as_json:
        print_json(_document(key))
        return
    stdout(invocation).print(
        f"Key {key.id} is revoked; services that run refuse it within "
        f"{REVOKED_WITHIN_SECONDS:g} seconds."
    )


def _document(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "tenant": key.tenant,
        "name": key.name,
        "prefix": key.prefix,
        "state": _state(key),
        "created_at": key.created_at.isoformat(),
        "revoked_at": None if key.revoked_at is None else key.revoked_at.isoformat(),
        "expires_at": None if key.expires_at is None else key.expires_at.isoformat(),
        "models": list(key.models),
        "requests_per_minute": key.limit.requests_per_minute,
        "tokens_per_minute": key.limit.tokens_per_minute,
    }


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "works" if key.works_at(datetime.now(UTC)) else "expired"


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def _budget(amount: int, period: Period) -> str:
    return f"{dollars(amount)} USD " + ("in total" if period == "total" else f"a {period}")
