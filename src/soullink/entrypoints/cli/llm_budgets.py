"""Budgets of the gateway: set, list, remove."""

from dataclasses import dataclass
from typing import Any

from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.llm_opening import find_key, gateway_opened
from soullink.entrypoints.cli.money import dollars, nano_usd
from soullink.entrypoints.cli.output import cell, print_json, stdout, table
from soullink.gateways.llm.keys.port import Keys
from soullink.gateways.llm.ledger.port import Budget, Period, Scope
from soullink.kernel.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Whose:
    """Which calls a budget is over; exactly one of them is given."""

    tenant: str | None = None
    key: str | None = None
    run: str | None = None
    model: str | None = None
    everything: bool = False

    async def subject(self, keys: Keys) -> tuple[Scope, str]:
        """Return the scope and its subject. Raises InvalidInputError, NotFoundError."""
        named: list[tuple[Scope, str | None]] = [
            ("tenant", self.tenant),
            ("key", self.key),
            ("run", self.run),
            ("model", self.model),
            ("all", "" if self.everything else None),
        ]
        given = [(scope, subject) for scope, subject in named if subject is not None]
        if len(given) != 1:
            raise InvalidInputError(
                "Give one of --tenant, --key, --run, --model and --all: what the budget is over."
            )
        scope, subject = given[0]
        if scope == "key":
            return scope, (await find_key(keys, subject)).id
        return scope, subject


def set_budget(
    invocation: Invocation, amount: str, whose: Whose, period: Period, as_json: bool
) -> None:
    """Create or change a budget."""
    limit = nano_usd(amount)

    async def work() -> Budget:
        async with gateway_opened(invocation) as opened:
            scope, subject = await whose.subject(opened.keys)
            return await opened.gateway.accounts.set_budget(scope, subject, period, limit)

    _show(invocation, [invocation.interruption.run(work())], as_json, alone=True)


def list_budgets(invocation: Invocation, as_json: bool) -> None:
    """Print every budget with what is spent of it."""

    async def work() -> list[Budget]:
        async with gateway_opened(invocation) as opened:
            return await opened.gateway.accounts.list_budgets()

    _show(invocation, invocation.interruption.run(work()), as_json, alone=False)


def remove(invocation: Invocation, whose: Whose, period: Period, as_json: bool) -> None:
    """Remove a budget; what was spent stays in the ledger."""

    async def work() -> tuple[Scope, str]:
        async with gateway_opened(invocation) as opened:
            scope, subject = await whose.subject(opened.keys)
            await opened.gateway.accounts.remove_budget(scope, subject, period)
            return scope, subject

    scope, subject = invocation.interruption.run(work())
    if as_json:
        print_json({"removed": {"scope": scope, "subject": subject, "period": period}})
        return
    over = "all calls" if scope == "all" else f"{scope} {subject}"
    stdout(invocation).print(cell(f"The budget ({period}) over {over} is removed."))


def _show(invocation: Invocation, budgets: list[Budget], as_json: bool, *, alone: bool) -> None:
    if as_json:
        documents = [_document(budget) for budget in budgets]
        print_json(documents[0] if alone else documents)
        return
    console = stdout(invocation)
    if not budgets:
        console.print("There is no budget: calls are limited by rates only.")
        return
    shown = table(
        "=SCOPE", "SUBJECT", "=PERIOD", ">LIMIT USD", ">SPENT", ">RESERVED", ">LEFT", ">USED"
    )
    for budget in budgets:
        shown.add_row(
            budget.scope,
            cell(budget.subject),
            budget.period,
            dollars(budget.limit_nano_usd),
            dollars(budget.spent_nano_usd),
            dollars(budget.reserved_nano_usd),
            dollars(_left(budget)),
            _used(budget),
        )
    console.print(shown)


def _left(budget: Budget) -> int:
    return budget.limit_nano_usd - budget.spent_nano_usd - budget.reserved_nano_usd


def _used(budget: Budget) -> str:
    if budget.limit_nano_usd == 0:
        return "-"
    return f"{100 * budget.spent_nano_usd / budget.limit_nano_usd:.1f} %"


def _document(budget: Budget) -> dict[str, Any]:
    return {
        "scope": budget.scope,
        "subject": budget.subject,
        "period": budget.period,
        "since": None if budget.since is None else budget.since.isoformat(),
        "limit_nano_usd": budget.limit_nano_usd,
        "spent_nano_usd": budget.spent_nano_usd,
        "reserved_nano_usd": budget.reserved_nano_usd,
        "left_nano_usd": _left(budget),
        "limit_usd": dollars(budget.limit_nano_usd),
        "spent_usd": dollars(budget.spent_nano_usd),
    }
