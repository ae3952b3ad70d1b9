"""soullink calibrate: fit the equations' free numbers, and show where they stand."""

from pathlib import Path
from typing import Annotated

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import AsJson, Quiet, Seed, examples, invocation_of

MOST_GENERATIONS = 50
LEAST_MEMBERS, MOST_MEMBERS = 4, 1_000
MOST_WORKERS = 64
EXAMPLES = examples(
    "soullink calibrate --check-only",
    "soullink calibrate --check-only --parameters mine.json --json",
    "soullink calibrate --out mine.json",
    "soullink calibrate --data real-figures --out mine.json --generations 8 --seed 11",
)


def calibrate(
    context: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help=(
                "Count figures from this folder, which holds couples_acitelli and speed_dating. "
                "Default: the counted figures that ship with SoulLink."
            ),
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Where the numbers go, with where they come from."),
    ] = Path("calibration.json"),
    parameters: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Begin at, or check, the numbers of this file. Default: those in use.",
            show_default=False,
        ),
    ] = None,
    generations: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=MOST_GENERATIONS, help="How often the ensemble is moved."
        ),
    ] = 6,
    members: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=LEAST_MEMBERS,
            max=MOST_MEMBERS,
            help="Sets of numbers simulated in each generation.",
        ),
    ] = 48,
    seed: Seed = 4,
    workers: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=MOST_WORKERS,
            help="Processes that simulate; 0: one for each processor. The result is the same.",
        ),
    ] = 0,
    check_only: Annotated[
        bool, typer.Option("--check-only", help="Fit nothing; print the table.")
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Fit the equations' free numbers to published and real figures, and print how they stand.

    Half of the real couples and waves of dates is fitted, the other half checks. The table is of
    simulated people that no fit has seen. Ctrl-C keeps the best so far; the same command goes on.
    """
    work = deferred.calibrating
    if check_only:
        work.check(invocation_of(context), data, parameters, as_json)
        return
    wishes = work.Wishes(data, out, parameters, generations, members, seed, workers)
    work.fit(invocation_of(context), wishes, quiet, as_json)
