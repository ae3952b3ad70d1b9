"""soullink llm bias: does a model speak differently for people who differ in one attribute?"""

from typing import Annotated

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import AsJson, examples, invocation_of
from soullink.kernel.language import Language

MOST_PAIRS = 1000
ATTRIBUTES = "gender, age, name, religion, origin, disability"
EXAMPLES = examples(
    "soullink llm bias --model openai:gpt-5-mini --attribute gender --attribute age",
    "soullink llm bias --model llamacpp:smollm2 --pairs 20 --language zh --json",
)


def bias(
    context: typer.Context,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="Which model to audit: PROVIDER:MODEL, or a route.",
            show_default=False,
        ),
    ],
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute",
            metavar="NAME",
            help=f"One of {ATTRIBUTES}; may be given again. Default: all.",
            show_default=False,
        ),
    ] = None,
    pairs: Annotated[
        int,
        typer.Option(
            "--pairs",
            metavar="N",
            min=2,
            max=MOST_PAIRS,
            help="Pairs of people for each attribute; each costs two calls or more.",
        ),
    ] = 40,
    seed: Annotated[
        int,
        typer.Option("--seed", metavar="N", min=0, help="Of people, scenes and the model's draws."),
    ] = 7,
    language: Annotated[Language, typer.Option(help="Language that is spoken.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Ask a model to speak for pairs of people who differ in exactly one attribute.

    Both are asked the same turn of the same scene. Length, warmth, agentic and communal words,
    hedging, refusals and faults of the answers are compared by exact tests, corrected for their
    number. That nothing is found means only that no difference is as large as the one shown as
    detectable.
    """
    deferred.bias_audits.audit(
        invocation_of(context), model, tuple(attribute or ()), pairs, seed, language, as_json
    )
