"""The rules of budgets: which ones a call falls under, when they begin anew, what they allow."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias, cast, get_args

from soullink.gateways.llm.ledger.port import (
    Budget,
    Intent,
    Outcome,
    Period,
    Scope,
    Settlement,
    UsageColumn,
)
from soullink.gateways.llm.port import LlmBudgetError, Usage
from soullink.kernel.errors import InvalidInputError, NotFoundError

Subject: TypeAlias = tuple[Scope, str]

MOST_NANO_USD: Final = 2**62
"""Over four billion dollars; more is a mistake, and the database's integers end soon after."""

MOST_COUNTED: Final = 2**63 - 1
"""What a budget's columns hold at most."""

_FREE: Final[frozenset[Outcome]] = frozenset({"failed", "unsent"})
_NAMES: Final = {
    "total": "",
    "day": " a day (UTC)",
    "month": " a month (UTC)",
}


class BudgetLine:
    """A budget while it is being counted. The fields are those of `Budget`."""

    __slots__ = ("limit", "period", "reserved", "scope", "since", "spent", "subject")

    def __init__(
        self,
        scope: Scope,
        subject: str,
        period: Period,
        limit: int,
        spent: int,
        reserved: int,
        since: datetime,
    ) -> None:
        self.scope = scope
        self.subject = subject
        self.period = period
        self.limit = limit
        self.spent = spent
        self.reserved = reserved
        self.since = since

    def turn(self, now: datetime) -> None:
        """Begin the period that `now` is in, unless it has begun; what is reserved stays so."""
        start = period_start(self.period, now)
        if start is not None and start > self.since:
            self.since = start
            self.spent = 0

    def allows(self, bound: int) -> bool:
        return self.spent + self.reserved + bound <= self.limit

    def book(self, bound: int, cost: int) -> None:
        """Free what was reserved and count what was spent."""
        self.reserved -= bound
        self.spend(cost)

    def spend(self, cost: int) -> None:
        """Count what was spent, less where `cost` is negative, as far as the database counts."""
        self.spent = min(self.spent + cost, MOST_COUNTED)

    def budget(self) -> Budget:
        """Return the contract's form."""
        return Budget(
            self.scope,
            self.subject,
            self.period,
            self.limit,
            self.spent,
            self.reserved,
            self.since,
        )


def period_start(period: Period, now: datetime) -> datetime | None:
    """Return when the period that holds `now` began, in UTC; None for "total"."""
    if period == "total":
        return None
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day if period == "day" else day.replace(day=1)


def subjects_of(tenant: str, key: str, run: str, provider: str, model: str) -> tuple[Subject, ...]:
    """Return what a call's budgets may be set on. An unknown tenant, key or run has none."""
    subjects: list[Subject] = [("all", "")]
    if tenant:
        subjects.append(("tenant", tenant))
    if key:
        subjects.append(("key", key))
    if run:
        subjects.append(("run", run))
    subjects.append(("model", f"{provider}:{model}"))
    return tuple(subjects)


def check_budget(scope: str, subject: str, period: str, limit_nano_usd: int) -> None:
    """Raise InvalidInputError for a budget that cannot be."""
    if scope not in get_args(Scope):
        raise InvalidInputError(f"There is no scope {scope!r}; take {_either(get_args(Scope))}.")
    if period not in get_args(Period):
        raise InvalidInputError(f"There is no period {period!r}; take {_either(get_args(Period))}.")
    if (scope == "all") != (subject == ""):
        raise InvalidInputError(
            'A budget for "all" has no subject.'
            if scope == "all"
            else f"A budget for a {scope} needs the name of the {scope}."
        )
    if "\x00" in subject:
        raise InvalidInputError("A budget's subject cannot have a NUL in it.")
    if not 0 <= limit_nano_usd <= MOST_NANO_USD:
        raise InvalidInputError(
            f"A budget's limit lies between 0 and {usd(MOST_NANO_USD)} USD;"
            f" {usd(limit_nano_usd)} USD does not."
        )


def no_budget(scope: str, subject: str, period: str) -> NotFoundError:
    """Return what to raise where there is no such budget."""
    whose = "all calls" if scope == "all" else f"{scope} {subject}"
    return NotFoundError(f"There is no budget ({period}) of {whose}.")


def check_columns(columns: Iterable[str]) -> None:
    """Raise InvalidInputError for a column that usage cannot be grouped by."""
    for column in columns:
        if column not in get_args(UsageColumn):
            raise InvalidInputError(
                f"Usage has no column {column!r}; take {_either(get_args(UsageColumn))}."
            )


def check_intent(intent: Intent) -> None:
    """Raise InvalidInputError for a bound that cannot be."""
    bound = intent.bound_nano_usd
    if bound is not None and not 0 <= bound <= MOST_NANO_USD:
        raise InvalidInputError(f"A call cannot cost {usd(bound)} USD; correct its price.")


def refusal(intent: Intent, lines: Sequence[BudgetLine]) -> LlmBudgetError | None:
    """Return why `lines` do not allow the attempt, or None and it is reserved in all of them."""
    if not lines:
        return None
    bound = intent.bound_nano_usd
    if bound is None:
        return LlmBudgetError(
            f"{budget_name(lines[0])} is in force and the price of {intent.provider}:"
            f"{intent.model} is not known: add it under `prices` in the gateway's configuration."
        )
    for line in lines:
        if not line.allows(bound):
            return LlmBudgetError(
                f"{budget_name(line)} has"
                f" {usd(max(0, line.limit - line.spent - line.reserved))} USD of"
                f" {usd(line.limit)} USD{_NAMES[line.period]} left, and this call may cost"
                f" {usd(bound)} USD: raise the budget"
                + (
                    "."
                    if line.period == "total"
                    else f", or wait until the next {line.period} begins."
                )
            )
    for line in lines:
        line.reserved += bound
    return None


def booked_cost(settlement: Settlement, bound: int | None) -> tuple[int | None, bool]:
    """Return the cost to book and whether it is estimated.

    A cost that nobody knows is nothing where nothing is charged (failed, unsent), else the whole
    bound. A cost below nought is none. None only where the bound is not known either.
    """
    cost = settlement.cost_nano_usd
    if cost is not None:
        return min(max(cost, 0), MOST_NANO_USD), settlement.estimated
    if settlement.outcome in _FREE:
        return 0, settlement.estimated
    if bound is None:
        return None, settlement.estimated
    return bound, True


def lost(intent: Intent, now: datetime) -> Settlement:
    """Return how an attempt is booked whose process died: the whole bound, estimated."""
    return Settlement(
        attempt_id=intent.attempt_id,
        outcome="lost",
        usage=Usage(estimated=True),
        cost_nano_usd=intent.bound_nano_usd,
        estimated=True,
        latency_seconds=max(0.0, (now - intent.started_at).total_seconds()),
        error_code="llm_lost",
    )


def unsent(intent: Intent) -> Settlement:
    """Return how an attempt is booked whose caller went away before it was sent."""
    return Settlement(
        attempt_id=intent.attempt_id,
        outcome="unsent",
        usage=Usage(),
        cost_nano_usd=0,
        estimated=False,
        latency_seconds=0.0,
        error_code="llm_cancelled",
    )


def budget_name(line: BudgetLine | Budget) -> str:
    """Return e.g. "The budget of tenant ada"."""
    return (
        "The budget of all calls"
        if line.scope == "all"
        else (f"The budget of {line.scope} {line.subject}")
    )


def usd(nano: int) -> str:
    """Return nano-dollars as dollars in decimal text, e.g. 1500000 as "0.0015"."""
    whole, rest = divmod(abs(nano), 1_000_000_000)
    decimals = f"{rest:09d}".rstrip("0")
    sign = "-" if nano < 0 else ""
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def line_of(row: Sequence[object]) -> BudgetLine:
    """Return the line for a row of scope, subject, period, limit, spent, reserved, since."""
    return BudgetLine(*cast(tuple[Scope, str, Period, int, int, int, datetime], tuple(row)))


def line_in_text(row: Sequence[str | bytes | None]) -> BudgetLine:
    """Return the line for a row of LOCK_BUDGETS, whose values are text."""
    texts = [(part.decode() if isinstance(part, bytes) else part) or "" for part in row]
    scope, subject, period, limit, spent, reserved, since = texts
    numbers = (int(limit), int(spent), int(reserved))
    return line_of((scope, subject, period, *numbers, datetime.fromisoformat(since)))


def _either(choices: Iterable[str]) -> str:
    return ", ".join(repr(choice) for choice in choices)
