"""soullink explain: what moved the outcome of a run."""

from enum import StrEnum
from typing import Annotated

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import (
    AsJson,
    ReportLanguage,
    RunName,
    examples,
    invocation_of,
)

MOST_SAMPLES = 100_000
FEWEST_SAMPLES = 100
MOST_MOMENTS = 16

EXAMPLES = examples(
    "soullink explain last",
    "soullink explain last --outcome satisfaction --moments 10",
    "soullink explain 5b1f0c2d --over profile --samples 20000",
    "soullink explain last --outcome conflict --json",
)


class Outcome(StrEnum):
    """What is explained."""

    TOGETHER = "together"
    SATISFACTION = "satisfaction"
    CONFLICT = "conflict"
    AGAIN = "again"
    TRUST = "trust"


class Over(StrEnum):
    """What shares of variance are over."""

    RANGE = "range"
    PROFILE = "profile"


def explain(
    context: typer.Context,
    run: RunName,
    outcome: Annotated[
        Outcome,
        typer.Option(
            "--outcome",
            help=(
                "What is explained: the share still together at the end, satisfaction or trust of "
                "both at the end, the highest open conflict, or whether both want to meet again."
            ),
        ),
    ] = Outcome.TOGETHER,
    samples: Annotated[
        int,
        typer.Option(
            "--samples",
            metavar="N",
            min=FEWEST_SAMPLES,
            max=MOST_SAMPLES,
            help="Courses lived for each table: more take longer and narrow the intervals.",
        ),
    ] = 3_000,
    moments: Annotated[
        int,
        typer.Option(
            "--moments",
            metavar="N",
            min=1,
            max=MOST_MOMENTS,
            help="How many of the strongest turns and life events share the difference.",
        ),
    ] = 6,
    over: Annotated[
        Over,
        typer.Option(
            "--over",
            help=(
                "Shares of variance where everything varies over its range, or where only traits "
                "do, as far as the profiles leave them open."
            ),
        ),
    ] = Over.RANGE,
    language: ReportLanguage = None,
    as_json: AsJson = False,
) -> None:
    """Say which traits, states and moments moved the outcome of a run.

    Three tables: what each thing does from one end of its range to the other; how much of the
    variance whole groups make, alone and together (Sobol indices); what single turns and life
    events of the course shown did (Shapley values). All of it is lived again without words, and
    the same run and options give the same numbers. It is said of the equations, not of people.
    """
    deferred.explaining.explain(
        invocation_of(context),
        run,
        deferred.explaining.Question(str(outcome), str(over), samples, moments, language, as_json),
    )
