"""Feedback: what one would say after meeting, exports for training, and what to call back."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import msgspec

from soullink.entrypoints.cli.following import find
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.opening import opened, prepare_folder, writing
from soullink.entrypoints.cli.output import cell, print_json, say_file, stdout, table
from soullink.entrypoints.cli.text import counted
from soullink.kernel.canonical import canonical_json
from soullink.kernel.ids import PersonId
from soullink.modules.relationships.api import Erasure, FeedbackExport, FeedbackRow, Outcome

_COLUMNS: Final = {
    "rater": "name of whoever answered, in this export alone",
    "partner": "name of the other, where they agree to training too; else null",
    "pair": "name of the relationship, in this export alone",
    "kind": "said_yes, would_meet_again (0 or 1), satisfaction, tension (0 to 10)",
    "value": "the answer",
    "answered_on": "UTC day of the answer",
    "met_on": "UTC day of the meeting, null where there was none",
    "phase": "before_meeting or after_meeting",
    "target_only": "true after the meeting: never something to predict from",
}


def tell(invocation: Invocation, person: str, other: str, again: bool, as_json: bool) -> None:
    """Keep what one would do after meeting."""

    async def work() -> Outcome:
        async with opened(invocation) as session:
            found = await find(session, person, other)
            relationships = session.house.relationships
            return await relationships.tell_outcome(found, PersonId(person), again)

    outcome = invocation.interruption.run(work())
    if as_json:
        print_json(msgspec.to_builtins(outcome))
        return
    stdout(invocation).print("Kept, for whoever said it alone.")


def export(invocation: Invocation, out: Path, as_json: bool) -> None:
    """Write an export."""
    prepare_folder(out)

    digest = hashlib.sha256()
    beside = out / f".rows.jsonl.{os.getpid()}"

    async def work() -> FeedbackExport:
        async with opened(invocation) as session:
            # Who took consent back a moment ago belongs on this manifest already.
            await session.house.relay.drain()
            with beside.open("wb") as file:

                def write(rows: Sequence[FeedbackRow]) -> None:
                    for row in rows:
                        line = canonical_json(msgspec.to_builtins(row)) + b"\n"
                        digest.update(line)
                        file.write(line)

                return await session.house.feedback.export(write)

    try:
        with writing(beside):
            found = invocation.interruption.run(work())
            beside.replace(out / "rows.jsonl")
    finally:
        beside.unlink(missing_ok=True)
    manifest = {
        "export": str(found.id),
        "created_at": found.created_at.isoformat(),
        "rows": found.rows,
        "people": found.people,
        "rows_sha256": digest.hexdigest(),
        "columns": _COLUMNS,
        "delete": msgspec.to_builtins(list(found.delete)),
    }
    _write(out / "manifest.json", msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
    if as_json:
        print_json(manifest)
        return
    console = stdout(invocation)
    said = f"{counted(found.rows, 'answer')} of {counted(found.people, 'person', 'people')}"
    console.print(f"{said}; {len(found.delete)} to be deleted from earlier exports.")
    say_file(console, "Manifest: ", out / "manifest.json")


def _write(path: Path, content: bytes) -> None:
    with writing(path):
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        beside.write_bytes(content)
        beside.replace(path)


def erasures(invocation: Invocation, as_json: bool) -> None:
    """Print who must be deleted from earlier exports."""

    async def work() -> list[Erasure]:
        async with opened(invocation) as session:
            await session.house.relay.drain()
            return await session.house.feedback.erasures()

    found = invocation.interruption.run(work())
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    if not found:
        stdout(invocation).print("Nobody is to be deleted.")
        return
    shown = table("=EXPORT", "=NAME", "=REASON", "=SINCE (UTC)")
    for one in found:
        plain: dict[str, Any] = asdict(one)
        shown.add_row(
            *(cell(str(plain[key])[:36]) for key in ("export", "name", "reason")),
            cell(str(one.since)[:16]),
        )
    stdout(invocation).print(shown)
