"""What the gateway's calls used and cost, in groups."""

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.llm_opening import find_key, gateway_opened, read_moment
from soullink.entrypoints.cli.money import dollars
from soullink.entrypoints.cli.output import cell, csv_cell, print_json, stdout, table
from soullink.entrypoints.cli.text import shortened
from soullink.gateways.llm.ledger.port import UsageColumn, UsageRow
from soullink.kernel.errors import InvalidInputError

COLUMNS: tuple[UsageColumn, ...] = get_args(UsageColumn)
Form: TypeAlias = Literal["table", "json", "csv"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the ledger. where: column and value, as typed."""

    by: str
    since: str | None
    until: str | None
    where: Mapping[UsageColumn, str | None]

    def columns(self) -> tuple[UsageColumn, ...]:
        """Return the columns to group by. Raises InvalidInputError."""
        names = [name.strip() for name in self.by.split(",") if name.strip()]
        found = tuple(column for name in names for column in COLUMNS if column == name)
        if len(found) != len(names) or len(set(found)) != len(found) or not found:
            raise InvalidInputError(
                f"--by is one or more of {', '.join(COLUMNS)}, not {shortened(self.by)!r}."
            )
        return found


def show(invocation: Invocation, question: Question, form: Form) -> None:
    """Print usage, largest cost first."""
    by = question.columns()
    since = read_moment(question.since, "--since")
    until = read_moment(question.until, "--until")

    async def work() -> list[UsageRow]:
        async with gateway_opened(invocation) as opened:
            where = {column: text for column, text in question.where.items() if text is not None}
            if "key" in where:
                where["key"] = (await find_key(opened.keys, where["key"])).id
            return await opened.gateway.accounts.usage(by, since=since, until=until, where=where)

    rows = invocation.interruption.run(work())
    if form == "json":
        print_json([_document(by, row) for row in rows])
    elif form == "csv":
        _print_csv(by, rows)
    else:
        _print_table(invocation, by, rows)


_FIGURES = (
    "calls", "attempts", "failed", "input_tokens", "cached_input_tokens", "output_tokens",
    "cost_nano_usd", "estimated_nano_usd", "unpriced", "mean_latency_seconds",
)  # fmt: skip


def _document(by: Sequence[UsageColumn], row: UsageRow) -> dict[str, Any]:
    return {
        **dict(zip(by, row.group, strict=True)),
        **{name: getattr(row, name) for name in _FIGURES},
        "cost_usd": dollars(row.cost_nano_usd),
        "estimated_share": _share(row.estimated_nano_usd, row.cost_nano_usd),
        "quality": dict(row.quality),
    }


def _print_csv(by: Sequence[UsageColumn], rows: Sequence[UsageRow]) -> None:
    written = csv.writer(sys.stdout, lineterminator="\n")
    written.writerow([*by, *_FIGURES, "cost_usd"])
    for row in rows:
        figures = [getattr(row, name) for name in _FIGURES]
        written.writerow([*map(csv_cell, row.group), *figures, dollars(row.cost_nano_usd)])


def _print_table(
    invocation: Invocation, by: Sequence[UsageColumn], rows: Sequence[UsageRow]
) -> None:
    console = stdout(invocation)
    if not rows:
        console.print("No call is on record for this.")
        return
    figures = (">CALLS", ">ATTEMPTS", ">FAILED", ">IN", ">CACHED", ">OUT", ">USD", ">ESTIMATED")
    shown = table(*(column.upper() for column in by), *figures, ">SECONDS")
    for row in rows:
        shown.add_row(
            *(cell(value or "-") for value in row.group),
            *(str(n) for n in (row.calls, row.attempts, row.failed)),
            *(f"{n:,}" for n in (row.input_tokens, row.cached_input_tokens, row.output_tokens)),
            dollars(row.cost_nano_usd),
            f"{100 * _share(row.estimated_nano_usd, row.cost_nano_usd):.0f} %",
            f"{row.mean_latency_seconds:.2f}",
        )
    console.print(shown)
    cost = sum(row.cost_nano_usd for row in rows)
    estimated = sum(row.estimated_nano_usd for row in rows)
    console.print(
        f"{sum(row.calls for row in rows)} calls for {dollars(cost)} USD, "
        f"{100 * _share(estimated, cost):.0f} % of that estimated."
    )
    unpriced = sum(row.unpriced for row in rows)
    if unpriced:
        console.print(f"{unpriced} attempts have no known price and count as nothing here.")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
