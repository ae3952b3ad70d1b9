"""Options and arguments that several commands share."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.invocation import Invocation
from soullink.kernel.language import Language

MOST_REPLICAS = 100_000
LARGEST_SEED = 2**63 - 1

AsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON, and nothing else, on stdout.")
]
RunName: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run: its id, the beginning or end of the id (4 characters or more), or last.",
        show_default=False,
    ),
]
ReplicaCount: TypeAlias = Annotated[
    int,
    typer.Option(
        "--replicas",
        metavar="N",
        min=1,
        max=MOST_REPLICAS,
        help="How often the course is lived again without words, for the intervals.",
    ),
]
Seed: TypeAlias = Annotated[
    int,
    typer.Option(
        "--seed",
        metavar="N",
        min=0,
        max=LARGEST_SEED,
        help="Of all random draws: the same seed gives the same course, another one another.",
    ),
]
ReportLanguage: TypeAlias = Annotated[
    Language | None,
    typer.Option(
        "--language",
        help="Language of the report; that of the course when left out.",
        show_default=False,
    ),
]
OutFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Folder for report.html, report.json and course.jsonl. Default: ./soullink-<run>.",
        show_default=False,
    ),
]
Quiet: TypeAlias = Annotated[
    bool, typer.Option("--quiet", "-q", help="Do not show the course turn by turn.")
]
NewRunId: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--run-id",
        metavar="UUID",
        help="Id of the new run, where something else chooses it.",
        show_default=False,
    ),
]


def examples(*lines: str) -> str:
    """Return the epilog of a command's help, one example a line."""
    return "\n".join(["Examples:", "", "\b", *(f"  {line}" for line in lines)])


def invocation_of(context: typer.Context) -> Invocation:
    """Return the invocation that a command belongs to, its log events taken care of."""
    found = context.find_object(Invocation)
    if found is None:  # main() always sets it
        raise AssertionError
    deferred.logs.keep(found)
    return found
