"""The archive: plan, run, restore, reports."""

from dataclasses import asdict
from uuid import UUID

import msgspec

from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.opening import environment, opened
from soullink.entrypoints.cli.output import cell, print_json, stderr, stdout, table
from soullink.kernel.errors import InvalidInputError
from soullink.modules.relationships.api import ArchiveReport, Relationship, RelationshipId

_DONE = {
    "expired": "proposals expire",
    "archived": "closed relationships go to the archive",
    "texts_erased": "check-ins lose their words",
    "erased": "archived relationships are erased for good",
}


def run(invocation: Invocation, apply: bool, batch: int, as_json: bool) -> None:
    """Plan, or apply the rules."""
    rules = environment().retention
    progress = stderr(invocation)

    def tell(report: ArchiveReport) -> None:
        counts = asdict(report)
        progress.print(", ".join(f"{counts[step]} {step}" for step in _DONE), soft_wrap=True)

    async def work() -> ArchiveReport:
        async with opened(invocation) as session:
            archive = session.house.archive
            if not apply:
                return await archive.plan(rules)
            return await archive.run(rules, batch=batch, progress=tell)

    report = invocation.interruption.run(work())
    if as_json:
        print_json({"applied": apply, **msgspec.to_builtins(report)})
        return
    counts = asdict(report)
    shown = table(">", "")
    for step, said in _DONE.items():
        shown.add_row(str(counts[step]), said)
    console = stdout(invocation)
    console.print(shown)
    if not apply:
        console.print("Nothing was done; do it with `soullink archive run --apply`.")


def restore(invocation: Invocation, relationship: str, as_json: bool) -> None:
    """Take a relationship out of the archive."""
    try:
        wanted = RelationshipId(UUID(relationship))
    except ValueError:
        raise InvalidInputError(f"{relationship!r} is no id of a relationship.") from None

    async def work() -> Relationship:
        async with opened(invocation) as session:
            return await session.house.archive.restore(wanted)

    found = invocation.interruption.run(work())
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    people = " and ".join(who or "somebody who has left" for who in found.people)
    stdout(invocation).print(cell(f"{people} ({found.state}) are back."), soft_wrap=True)


def reports(invocation: Invocation, limit: int, as_json: bool) -> None:
    """Print what runs did."""

    async def work() -> list[ArchiveReport]:
        async with opened(invocation) as session:
            return await session.house.archive.reports(limit)

    found = invocation.interruption.run(work())
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    if not found:
        stdout(invocation).print("No runs yet; begin with `soullink archive run`.")
        return
    shown = table(
        "=BEGAN (UTC)", "=ENDED (UTC)", ">EXPIRED", ">ARCHIVED", ">TEXTS ERASED", ">ERASED"
    )
    for one in found:
        ended = "broken off" if one.finished_at is None else str(one.finished_at)[:16]
        counts = (one.expired, one.archived, one.texts_erased, one.erased)
        shown.add_row(str(one.started_at)[:16], ended, *map(str, counts))
    stdout(invocation).print(shown)
