"""soullink prompts ab: which of two versions is better."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import AsJson, Seed, examples, invocation_of
from soullink.kernel.language import Language

ab = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Compare two versions of a prompt; look and stop whenever you like.",
)

MOST_PAIRS = 100_000
Test: TypeAlias = Annotated[
    str, typer.Argument(metavar="TEST", help="Name of the test.", show_default=False)
]


class Scale(StrEnum):
    """How outcomes are measured."""

    BINARY = "binary"
    SCORE = "score"


class Mode(StrEnum):
    """How units are served."""

    PAIRED = "paired"
    LIVE = "live"


@ab.command(
    "start",
    epilog=examples(
        "soullink prompts ab start warmer simulation.turn 2 1001",
        "soullink prompts ab start kinder simulation.turn 1001 1002 --metric quality",
        "soullink prompts ab start rated simulation.turn 2 1001 --mode live --metric liked",
    ),
)
def start(
    context: typer.Context,
    test: Test,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of a prompt.", show_default=False)
    ],
    first: Annotated[
        int, typer.Argument(metavar="A", min=1, help="Version of arm A.", show_default=False)
    ],
    second: Annotated[
        int, typer.Argument(metavar="B", min=1, help="Version of arm B.", show_default=False)
    ],
    language: Annotated[Language, typer.Option(help="Which language.")] = "en",
    metric: Annotated[
        str,
        typer.Option(
            metavar="WORD",
            help=(
                "What is compared, larger is better. `ab run` measures accepted, spoken, readable "
                "and quality; record others yourself."
            ),
        ),
    ] = "accepted",
    scale: Annotated[
        Scale | None,
        typer.Option(help="0 or 1, or any number from 0 to 1.", show_default=False),
    ] = None,
    mode: Annotated[
        Mode,
        typer.Option(
            help="Both arms on every unit, or one arm for good, drawn by the unit's name."
        ),
    ] = Mode.PAIRED,
    alpha: Annotated[
        float,
        typer.Option(help="How often equal versions may end with a winner, at all looks together."),
    ] = 0.05,
    as_json: AsJson = False,
) -> None:
    """Start a test of two versions."""
    deferred.prompt_tests.start(
        invocation_of(context),
        (test, name, language),
        (first, second),
        (metric, None if scale is None else scale.value),
        mode.value,
        alpha,
        as_json,
    )


@ab.command(
    "record",
    epilog=examples(
        "soullink prompts ab record warmer 'pair 17' 0 1",
        "soullink prompts ab record rated run-5b1f0c2d 1",
    ),
)
def record(
    context: typer.Context,
    test: Test,
    unit: Annotated[
        str,
        typer.Argument(
            metavar="UNIT", help="What was tried; no personal data.", show_default=False
        ),
    ],
    outcomes: Annotated[
        list[float],
        typer.Argument(
            metavar="OUTCOME...",
            help="Of A and of B; one alone in a live test, of the unit's own arm.",
            show_default=False,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Record what the arms did on one unit; again does no harm."""
    deferred.prompt_tests.record(invocation_of(context), test, unit, outcomes, as_json)


@ab.command(
    "run",
    epilog=examples(
        "soullink prompts ab run warmer ada.yaml ben.yaml --voice openai:gpt-5-mini",
        "soullink prompts ab run warmer ada ben --people people/ --voice openai:any --pairs 200",
    ),
)
def run(
    context: typer.Context,
    test: Test,
    first: Annotated[str, typer.Argument(metavar="A", help="A profile.", show_default=False)],
    second: Annotated[
        str, typer.Argument(metavar="B", help="Another profile.", show_default=False)
    ],
    voice: Annotated[
        str, typer.Option(metavar="MODEL", help="Whom to ask: PROVIDER:MODEL, or a route.")
    ],
    people: Annotated[
        Path | None,
        typer.Option(metavar="PLACE", help="Where A and B are ids.", show_default=False),
    ] = None,
    pairs: Annotated[
        int, typer.Option(metavar="N", min=1, max=MOST_PAIRS, help="New pairs at most.")
    ] = 500,
    episodes: Annotated[
        int, typer.Option(metavar="N", min=1, max=40, help="Episodes of each course.")
    ] = 5,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Let a model speak turns of courses by both versions until the test is decided.

    The courses are lived by the built-in voice with the seeds from --seed on, and not kept. Each
    turn is asked of the model twice, once by each version, with the same people, scene, history
    and seed. The same command again goes on where it was interrupted.
    """
    deferred.prompt_tests.run(
        invocation_of(context),
        test,
        (first, second),
        people,
        voice,
        (pairs, episodes, seed),
        as_json,
    )


@ab.command("status", epilog=examples("soullink prompts ab status warmer"))
def status(context: typer.Context, test: Test, as_json: AsJson = False) -> None:
    """Show where a test stands. Looking does no harm."""
    deferred.prompt_tests.status(invocation_of(context), test, as_json)


@ab.command("conclude", epilog=examples("soullink prompts ab conclude warmer"))
def conclude(context: typer.Context, test: Test, as_json: AsJson = False) -> None:
    """End a test; where it is decided, production points to the winner from now on.

    `soullink prompts rollback` takes that back.
    """
    deferred.prompt_tests.conclude(invocation_of(context), test, as_json)


@ab.command("list", epilog=examples("soullink prompts ab list"))
def list_tests(context: typer.Context, as_json: AsJson = False) -> None:
    """List all tests, newest first."""
    deferred.prompt_tests.list_tests(invocation_of(context), as_json)
