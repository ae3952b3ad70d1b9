"""soullink ml compare: what a new ranker would have got, from logs of an old one."""

from pathlib import Path
from typing import Annotated

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import AsJson, examples, invocation_of

EXAMPLES = examples(
    "soullink ml compare logs.jsonl",
    "soullink ml compare logs.jsonl --json",
)


def compare(
    context: typer.Context,
    logs: Annotated[
        Path,
        typer.Argument(
            metavar="LOGS.jsonl",
            help=(
                "One shown list a line: propensity, target, reward by rank; viewer, predicted and "
                "target_predicted may be added. - reads stdin."
            ),
            show_default=False,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Estimate a new ranker from logs in which the old one explored; nothing is shown to anybody.

    Inverse propensity scoring, its self-normalised form and, with a model's predictions, the doubly
    robust one, each with a 95 % interval. Where the logs hold too little of what the new ranker
    would show, it refuses and says so.
    """
    deferred.comparing.compare(invocation_of(context), logs, as_json)
