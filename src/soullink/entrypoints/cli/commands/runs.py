"""soullink resume, replay, fork and runs: what has been lived."""

from pathlib import Path
from typing import Annotated

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import (
    AsJson,
    NewRunId,
    OutFolder,
    Quiet,
    ReplicaCount,
    ReportLanguage,
    RunName,
    examples,
    invocation_of,
)

RESUME_EXAMPLES = examples(
    "soullink resume last",
    "soullink resume 5b1f0c2d --out out/",
)
REPLAY_EXAMPLES = examples("soullink replay last", "soullink replay 5b1f0c2d --show --json")
FORK_EXAMPLES = examples(
    "soullink fork last --episode 2 --turn 5 --set ada.mood=0.8",
    "soullink fork last --episode 1 --turn 3 --set ben.act=apologise --set ada.trust=0.7",
)


def resume(
    context: typer.Context,
    run: RunName,
    replicas: ReplicaCount = 200,
    language: ReportLanguage = None,
    out: OutFolder = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Live an interrupted run to its end, from where it stopped.

    The result is that of an unbroken run, byte for byte. A finished run is reported on again.
    """
    wishes = deferred.course.Wishes.of_report(replicas, language, out, quiet, as_json)
    deferred.course.resume(invocation_of(context), run, wishes)


def replay(
    context: typer.Context,
    run: RunName,
    show: Annotated[bool, typer.Option("--show", help="Show the turns.")] = False,
    as_json: AsJson = False,
) -> None:
    """Live a recorded run again, and compare every turn.

    No language model is called. Says that they are identical, with the course digest, or what
    differs first (exit code 4). The course digest is over every turn, and leaves out what depends
    on the hour and the machine; a report has another one, the report digest.
    """
    deferred.course.replay(invocation_of(context), run, show, as_json)


def fork(
    context: typer.Context,
    run: RunName,
    episode: Annotated[int, typer.Option(metavar="N", min=1, help="Episode, from 1.")],
    turn: Annotated[int, typer.Option(metavar="N", min=1, help="Turn in the episode, from 1.")],
    changes: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help=(
                "What is different from then on, more than once if you like: PERSON.mood (-1 to "
                "1), PERSON.arousal, stress, trust, closeness, commitment (0 to 1), or PERSON.act "
                "for that one turn. PERSON is the id in the profile."
            ),
        ),
    ],
    replicas: ReplicaCount = 200,
    language: ReportLanguage = None,
    out: OutFolder = None,
    run_id: NewRunId = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Branch a run at one turn, and compare both.

    The past is shared, the rest is lived anew; the report shows both side by side.
    """
    wishes = deferred.course.Wishes.of_report(replicas, language, out, quiet, as_json)
    deferred.course.fork(invocation_of(context), run, (episode, turn), changes, run_id, wishes)


runs = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="List, show, export and delete runs."
)


@runs.command("list", epilog=examples("soullink runs list", "soullink runs list --limit 5 --json"))
def list_runs(
    context: typer.Context,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="At most N.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    deferred.recorded.list_runs(invocation_of(context), limit, as_json)


@runs.command(
    "show", epilog=examples("soullink runs show last", "soullink runs show 5b1f --episode 2")
)
def show(
    context: typer.Context,
    run: RunName,
    episode: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Only this episode.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the episodes and turns of a run."""
    deferred.recorded.show(invocation_of(context), run, episode, as_json)


@runs.command(
    "export",
    epilog=examples(
        "soullink runs export last --out out/",
        "soullink runs export last --out - | head -n 3",
    ),
)
def export(
    context: typer.Context,
    run: RunName,
    out: Annotated[
        str,
        typer.Option(
            metavar="DIR|-", help="Folder for all three files; - for course.jsonl on stdout."
        ),
    ],
    replicas: ReplicaCount = 200,
    language: ReportLanguage = None,
    as_json: AsJson = False,
) -> None:
    """Write report.html, report.json and course.jsonl of a run again."""
    wishes = deferred.course.Wishes.of_report(
        replicas, language, None if out == "-" else Path(out), quiet=True, as_json=as_json
    )
    deferred.recorded.export(invocation_of(context), run, wishes)


@runs.command("delete", epilog=examples("soullink runs delete 5b1f0c2d --yes"))
def delete(
    context: typer.Context,
    run: RunName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a run and all that was recorded about it; forks of it stay."""
    deferred.recorded.delete(invocation_of(context), run, yes, as_json)
