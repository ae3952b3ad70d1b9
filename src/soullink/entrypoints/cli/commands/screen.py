"""soullink screen: every pair of two populations, without words."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import (
    MOST_REPLICAS,
    AsJson,
    Seed,
    examples,
    invocation_of,
)

MOST_EPISODES = 40
MOST_THREADS = 256
MOST_SHOWN = 10_000

EXAMPLES = examples(
    "soullink screen examples/people --against examples/people --out pairs.parquet",
    "soullink screen women.jsonl --against men.jsonl --replicas 200 --seed 7 --out dates.parquet",
    "soullink screen ada.yaml --against people/ --scenarios last-train-noodle-bar,house-viewing "
    "--out ada.parquet",
    "soullink screen profiles.csv --against profiles.csv --engine ray --out all.parquet",
    "soullink screen people/ --against people/ --out pairs.parquet --top 20 --json",
)


class Engine(StrEnum):
    """What lives the pairs."""

    AUTO = "auto"
    NUMPY = "numpy"
    NUMBA = "numba"
    RAY = "ray"


def screen(
    context: typer.Context,
    people: Annotated[
        Path,
        typer.Argument(
            metavar="PEOPLE",
            help=(
                "A folder of profiles, one profile, a JSONL file, or a file that `people import` "
                "reads: SOTOPIA's JSONL, OkCupid's CSV."
            ),
            show_default=False,
        ),
    ],
    against: Annotated[
        Path,
        typer.Option(
            metavar="PEOPLE",
            help="The other population; the same one for every pair within it.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(metavar="FILE.parquet", help="Where the rows go.", show_default=False),
    ],
    replicas: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=MOST_REPLICAS, help="How often each pair lives its course."
        ),
    ] = 64,
    episodes: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            max=MOST_EPISODES,
            help="Episodes of the course; the seed chooses the scenarios, the same for all pairs.",
        ),
    ] = 5,
    scenarios: Annotated[
        str | None,
        typer.Option(
            metavar="ID,ID,...",
            help="Live through these instead; a .yaml or .json file is one of yours.",
            show_default=False,
        ),
    ] = None,
    seed: Seed = 0,
    engine: Annotated[
        Engine,
        typer.Option(
            help=(
                "auto takes numba where it is installed and numpy elsewhere; ray does the same on "
                "a Ray cluster."
            )
        ),
    ] = Engine.AUTO,
    ray_address: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help=(
                "With --engine ray: a cluster that runs already; auto finds one on this machine. "
                "Default: one is started here."
            ),
            show_default=False,
        ),
    ] = None,
    threads: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, max=MOST_THREADS, help="Threads or Ray workers here; 0: all cores."
        ),
    ] = 0,
    top: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, max=MOST_SHOWN, help="Show so many pairs that stay likeliest."
        ),
    ] = 10,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: AsJson = False,
) -> None:
    """Screen every pair of two populations, and write one row a pair as Parquet.

    Nobody is paired with themself, and two people make one pair. All pairs live through the same
    scenarios. What is lived is kept: after Ctrl-C, a crash or a power cut the same command goes
    on. The result does not depend on threads, on interruptions or on Ray.
    """
    names = tuple(name.strip() for name in (scenarios or "").split(",") if name.strip())
    deferred.screening.screen(
        invocation_of(context),
        (people, against),
        out,
        deferred.screening.Wishes(
            replicas, episodes, names, seed, engine.value, ray_address, threads, top, quiet, as_json
        ),
    )
