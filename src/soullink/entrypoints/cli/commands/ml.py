"""soullink ml: offline learning from real dates."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands import ml_compare, ml_fairness, ml_market
from soullink.entrypoints.cli.commands.options import AsJson, Seed, examples, invocation_of

ml = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Offline learning: train, evaluate and audit the models of matching on real data.",
)
evaluate = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="How well models foretell dates that they were not trained on.",
)
ml.add_typer(evaluate, name="evaluate")
ml.add_typer(ml_fairness.fairness, name="fairness")
ml.command("compare", epilog=ml_compare.EXAMPLES)(ml_compare.compare)
evaluate.command("market", epilog=ml_market.EXAMPLES)(ml_market.market)

Folder: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="FOLDER", help="Where `ml train` keeps its artifacts.", show_default=False
    ),
]
SPEED_DATING_EXAMPLES = examples(
    "soullink ml evaluate speed-dating dates.csv",
    "soullink ml evaluate speed-dating unseen.csv --train dates.csv --json",
    "soullink ml evaluate speed-dating dates.csv --out interest.json --seed 1",
)
TRAIN_EXAMPLES = examples(
    "soullink ml train dates.csv --out models",
    "soullink ml train dates.csv --out models --activate",
    "soullink ml train dates.csv --out models --mlflow sqlite:///mlflow.db",
)
ROLLBACK_EXAMPLES = examples(
    "soullink ml rollback models",
    "soullink ml rollback models --to 1-3f2a91bc04d7",
)
REPORT_EXAMPLES = examples("soullink ml report models", "soullink ml report models --out card.md")


@evaluate.callback()
def _of() -> None:
    """How well models foretell dates that they were not trained on."""


@evaluate.command("speed-dating", epilog=SPEED_DATING_EXAMPLES)
def speed_dating(
    context: typer.Context,
    dates: Annotated[
        Path,
        typer.Argument(
            metavar="CSV",
            help="Speed dates in the columns of the Columbia experiment; these are foretold.",
            show_default=False,
        ),
    ],
    train: Annotated[
        Path | None,
        typer.Option(
            "--train",
            metavar="CSV",
            help="Train on this file. Default: each wave is foretold by all others.",
            show_default=False,
        ),
    ] = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE.json",
            help="Also write the result here, as --json prints it.",
            show_default=False,
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: AsJson = False,
) -> None:
    """Foretell decisions and matches of evenings that no model has seen.

    From profiles alone and with what the evening has shown so far: ours beside logistic
    regression, gradient boosting and popularity alone. AUC with a 95 % bootstrap interval over
    people, log loss beside the best constant's, calibration error over ten bins; then the matches
    to be expected of an evening by way of making lists. Needs the extra soullink[ml].
    """
    deferred.learning.evaluate(invocation_of(context), dates, train, seed, out, quiet, as_json)


@ml.command("train", epilog=TRAIN_EXAMPLES)
def train(
    context: typer.Context,
    dates: Annotated[
        Path,
        typer.Argument(metavar="CSV", help="Speed dates to learn from.", show_default=False),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="FOLDER", help="Where the artifact goes.", show_default=False
        ),
    ],
    activate: Annotated[
        bool, typer.Option("--activate", help="Make it the one in use. Default: only keep it.")
    ] = False,
    seed: Seed = 0,
    mlflow: Annotated[
        str | None,
        typer.Option(
            "--mlflow",
            metavar="URI",
            help="Also log the run to this MLflow store; needs the extra soullink[mlflow].",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Learn the interest model that matching scores with, and keep it as a versioned artifact.

    The artifact holds numbers, no rows: coefficients, how sure they are, where they come from,
    and how well they foretold the waves left out. Training twice gives the same version.
    """
    deferred.learning.train(invocation_of(context), dates, out, activate, seed, mlflow, as_json)


@ml.command("rollback", epilog=ROLLBACK_EXAMPLES)
def rollback(
    context: typer.Context,
    folder: Folder,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="VERSION",
            help="This version. Default: the one that was in use before.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Go back to an earlier artifact; nothing is deleted."""
    deferred.learning.rollback(invocation_of(context), folder, to, as_json)


@ml.command("report", epilog=REPORT_EXAMPLES)
def report(
    context: typer.Context,
    folder: Folder,
    version: Annotated[
        str | None,
        typer.Option(
            "--version", metavar="VERSION", help="Default: the one in use.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE.md",
            help="Where the card goes. Default: stdout.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the model card of an artifact: what it is, rests on, reads, can and cannot."""
    deferred.learning.report(invocation_of(context), folder, version, out, as_json)
