"""soullink ml evaluate market: ways of making lists, on a market with a published table."""

from typing import Annotated

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import AsJson, examples, invocation_of

LARGEST_SEED = 2**32 - 1
EXAMPLES = examples(
    "soullink ml evaluate market",
    "soullink ml evaluate market --seed 1 --json",
)


def market(
    context: typer.Context,
    seed: Annotated[
        int,
        typer.Option(
            "--seed",
            metavar="N",
            min=0,
            max=LARGEST_SEED,
            help="Of the market's draws; figures are published for 0.",
        ),
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Expected matches, envy and inequality of every method on the synthetic market of 30 x 20.

    The market and the published figures are those of Tomita & Yokoyama 2024, Fair Reciprocal
    Recommendation in Matching Markets.
    """
    deferred.comparing.market(invocation_of(context), seed, as_json)
