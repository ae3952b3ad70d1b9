"""soullink ml fairness: are groups of people scored and shown alike?"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import AsJson, examples, invocation_of
from soullink.kernel.language import Language

EXAMPLES = examples(
    "soullink ml fairness speed-dating dates.csv --out fairness.html",
    "soullink ml fairness speed-dating unseen.csv --train dates.csv --json",
    "soullink ml fairness speed-dating dates.csv --out fairness.md --lang zh",
)
LEAST_DRAWS = 100
MOST_DRAWS = 10_000

fairness = typer.Typer(
    help="Compare how groups of people are scored and shown, before and after mitigation.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@fairness.callback()
def _audits() -> None:
    """Compare how groups of people are scored and shown, before and after mitigation."""


@fairness.command("speed-dating", epilog=EXAMPLES)
def speed_dating(
    context: typer.Context,
    dates: Annotated[
        Path,
        typer.Argument(metavar="CSV", help="Columbia speed dates to audit on.", show_default=False),
    ],
    train: Annotated[
        Path | None,
        typer.Option(
            "--train",
            metavar="CSV",
            help="Learn from this file. Default: from all evenings but the one that is scored.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Write the report here: a page (.html), Markdown (.md) or rows (.json).",
            show_default=False,
        ),
    ] = None,
    language: Annotated[
        Language, typer.Option("--lang", "--language", help="Language of the report.")
    ] = "en",
    draws: Annotated[
        int,
        typer.Option(
            "--draws", metavar="N", min=LEAST_DRAWS, max=MOST_DRAWS, help="Of the bootstrap."
        ),
    ] = 500,
    cluster: Annotated[
        Literal["people", "wave"],
        typer.Option(
            "--cluster",
            help="What is drawn anew: people on both sides, or whole evenings.",
        ),
    ] = "people",
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="Of the bootstrap's draws.")
    ] = 7,
    model: Annotated[
        Literal["ours", "logistic"],
        typer.Option(
            "--model", help="Whose scores: our interest model's, or a logistic regression's."
        ),
    ] = "ours",
    as_json: AsJson = False,
) -> None:
    """Audit scores and lists by gender, by race and by both, for who is shown and who is shown to.

    Attention, statistical parity, equalised odds, calibration and AUC, each with a 95 % interval,
    before and after mitigation, and what mitigation costs. Race is read for the audit only; no
    score knows it. Groups too small for an interval are named and not judged.
    """
    deferred.fairness_audits.audit(
        invocation_of(context), dates, train, out, language, draws, cluster, seed, model, as_json
    )
