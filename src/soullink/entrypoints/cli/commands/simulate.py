"""soullink simulate: two people, or many pairs."""

from pathlib import Path
from typing import Annotated

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import (
    AsJson,
    NewRunId,
    Quiet,
    ReplicaCount,
    Seed,
    examples,
    invocation_of,
)
from soullink.kernel.errors import InvalidInputError
from soullink.kernel.language import Language

MOST_EPISODES = 40
MOST_AT_ONCE = 64

EXAMPLES = examples(
    "soullink simulate examples/people/ada.yaml examples/people/ben.yaml",
    "soullink simulate ada.yaml ben.yaml --episodes 3 --seed 7 --language zh --out out/",
    "soullink simulate ada.yaml ben.yaml --voice openai:gpt-5-mini",
    "soullink simulate ada.yaml ben.yaml --scenarios last-train-noodle-bar,house-viewing",
    "soullink simulate ada ben --people examples/people --json > result.json",
    "soullink simulate --pairs pairs.jsonl --people people/ --parallel 4 --out pairs/",
)


def simulate(
    context: typer.Context,
    first: Annotated[
        str | None,
        typer.Argument(metavar="A", help="Profile of one person, or an id with --people."),
    ] = None,
    second: Annotated[
        str | None,
        typer.Argument(metavar="B", help="Profile of the other person, or an id with --people."),
    ] = None,
    episodes: Annotated[
        int,
        typer.Option(metavar="N", min=1, max=MOST_EPISODES, help="Episodes of the course."),
    ] = 5,
    replicas: ReplicaCount = 200,
    seed: Seed = 0,
    language: Annotated[
        Language | None,
        typer.Option(
            help="Of words and report. Default: the first person's language.", show_default=False
        ),
    ] = None,
    voice: Annotated[
        str,
        typer.Option(
            metavar="VOICE",
            help="Who turns acts into words: built-in, or a language model: PROVIDER:MODEL or a "
            "route of SOULLINK_LLM_CONFIG.",
        ),
    ] = "built-in",
    scenarios: Annotated[
        str | None,
        typer.Option(
            metavar="ID,ID,...",
            help=(
                "Live through these, in this order, instead of --episodes chosen for the two; "
                "composed:STAGE has one made for them, a .yaml or .json file is one of yours."
            ),
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help=(
                "Folder for report.html, report.json and course.jsonl. "
                "Default: ./soullink-<run>, with --pairs ./soullink-pairs."
            ),
            show_default=False,
        ),
    ] = None,
    run_id: NewRunId = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=(
                "Live many pairs: JSONL, CSV or YAML, each entry two ids or two profile files; "
                "also SOTOPIA's relationship_profiles.jsonl."
            ),
            show_default=False,
        ),
    ] = None,
    parallel: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            max=MOST_AT_ONCE,
            help="With --pairs: runs at once, and processes for replicas.",
        ),
    ] = 1,
    people: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR|JSONL",
            help="Where ids are looked up: a folder of profiles or a JSONL file.",
            show_default=False,
        ),
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Let two people live through a course, and report on it.

    Every turn is recorded before the next begins: after Ctrl-C, a crash or a power cut
    `soullink resume` goes on where it stopped. With --pairs the same command again does.
    """
    invocation = invocation_of(context)
    wishes = deferred.course.Wishes(
        episodes, replicas, seed, language, voice, tuple(_names(scenarios)), out, quiet, as_json
    )
    if pairs is not None:
        if first is not None or run_id is not None:
            raise InvalidInputError("Give either two people or --pairs (which has no --run-id).")
        code = deferred.batch.simulate_pairs(invocation, pairs, people, parallel, wishes)
        if code:
            raise typer.Exit(code)
        return
    if first is None or second is None:
        raise InvalidInputError(
            "Give two profiles, e.g. `soullink simulate ada.yaml ben.yaml`, or --pairs FILE."
        )
    deferred.course.simulate(invocation, (first, second), people, run_id, wishes)


def _names(scenarios: str | None) -> list[str]:
    return [name.strip() for name in (scenarios or "").split(",") if name.strip()]
