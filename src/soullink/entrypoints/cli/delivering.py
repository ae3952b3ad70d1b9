"""Events that are not delivered yet: list, retry."""

from dataclasses import asdict
from typing import Any

import msgspec

from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.opening import opened
from soullink.entrypoints.cli.output import cell, print_json, stdout, table
from soullink.entrypoints.cli.text import counted
from soullink.gateways.postgres.outbox import Drained, StoredEvent


def list_events(invocation: Invocation, set_aside: bool, limit: int, as_json: bool) -> None:
    """Print events that wait."""

    async def work() -> list[StoredEvent]:
        async with opened(invocation) as session:
            relay = session.house.relay
            return await relay.waiting(set_aside=True if set_aside else None, most=limit)

    found = invocation.interruption.run(work())
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    if not found:
        stdout(invocation).print("Nothing waits.")
        return
    shown = table(">ID", "=EVENT", "=PUBLISHED (UTC)", ">TRIES", "=NEXT TRY (UTC)", "REASON")
    for event in found:
        waits = "set aside" if event.set_aside_at else _when(event.next_try_at) or "now"
        shown.add_row(
            str(event.id),
            cell(event.name),
            _when(event.published_at),
            str(event.tries),
            waits,
            cell(event.reason),
        )
    stdout(invocation).print(shown)


def _when(moment: Any) -> str:
    return "" if moment is None else moment.isoformat()[:19].replace("T", " ")


def retry(invocation: Invocation, event: int | None, as_json: bool) -> None:
    """Let events be tried again, and try."""

    async def work() -> tuple[int, Drained]:
        async with opened(invocation) as session:
            found = await session.house.relay.retry(event)
            return found, await session.house.relay.drain()

    retried, drained = invocation.interruption.run(work())
    if as_json:
        print_json({"retried": retried, **asdict(drained)})
        return
    stdout(invocation).print(
        f"{counted(retried, 'event')} tried again: {drained.delivered} delivered, "
        f"{drained.failed} failed.",
        soft_wrap=True,
    )
