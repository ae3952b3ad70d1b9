"""soullink events: what is still to be passed on between parts of SoulLink."""

from typing import Annotated

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import AsJson, examples, invocation_of

events = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What is still to be passed on."
)


@events.command(
    "list", epilog=examples("soullink events list", "soullink events list --set-aside --json")
)
def list_events(
    context: typer.Context,
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Only those that nobody tries any more.")
    ] = False,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="How many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List events that are not delivered yet, oldest first.

    With the reason of the last failure. Every command delivers what is due when it ends. A
    delivered event is deleted.
    """
    deferred.delivering.list_events(invocation_of(context), set_aside, limit, as_json)


@events.command(
    "retry", epilog=examples("soullink events retry", "soullink events retry 17 --json")
)
def retry(
    context: typer.Context,
    event: Annotated[
        int | None,
        typer.Argument(
            metavar="[ID]",
            min=1,
            help="Which event. Default: every one that was set aside.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try events again, now, that were set aside or wait for their next try."""
    deferred.delivering.retry(invocation_of(context), event, as_json)
