"""Runs on record: list, show, export, delete."""

import sys
from typing import Any

import msgspec
import typer
from rich.text import Text

from soullink.entrypoints.cli.course import Wishes
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.opening import (
    all_runs,
    find_run,
    opened,
    prepare_folder,
    short,
    writing,
)
from soullink.entrypoints.cli.output import (
    PEOPLE_STYLES,
    cell,
    print_json,
    say_file,
    stderr,
    stdout,
    table,
)
from soullink.entrypoints.cli.summary import short_document
from soullink.entrypoints.cli.text import counted, printable
from soullink.entrypoints.cli.words import act_label, say
from soullink.entrypoints.library import Outcome, course_digest, course_lines
from soullink.kernel.errors import InvalidInputError
from soullink.kernel.ids import RunId
from soullink.modules.simulation.api import Course, Run

_STATUS_STYLES = {"finished": "green", "running": "yellow"}


def list_runs(invocation: Invocation, limit: int, as_json: bool) -> None:
    """Print runs, newest first."""

    async def work() -> list[Run]:
        found: list[Run] = []
        async with opened(invocation) as session:
            async for run in all_runs(session):
                found.append(run)
                if len(found) == limit:
                    break
        return found

    runs = invocation.interruption.run(work())
    if as_json:
        print_json([run_document(run) for run in runs])
        return
    if not runs:
        stdout(invocation).print("No runs yet; begin one with `soullink simulate`.")
        return
    shown = table("=RUN", "=BEGAN (UTC)", "=STATUS", "PEOPLE", ">EPISODES", ">SEED", "VOICE")
    for run in runs:
        settings = run.settings
        forked = "" if run.fork is None else f" (fork of {short(run.fork.parent)})"
        shown.add_row(
            short(run.id),
            run.created_at[:16].replace("T", " "),
            Text(_status(run), style=_STATUS_STYLES[run.status]),
            cell(" + ".join(person.name for person in run.people) + forked),
            str(len(settings.scenarios) or settings.episodes),
            str(settings.seed),
            cell(settings.voice),
        )
    stdout(invocation).print(shown)


def _status(run: Run) -> str:
    return "unfinished" if run.status == "running" else run.status


def run_document(run: Run) -> dict[str, Any]:
    """Return a run as plain data, of its people only who they are."""
    return {
        "run_id": str(run.id),
        "short_id": short(run.id),
        "status": run.status,
        "people": [{"id": str(person.id), "name": person.name} for person in run.people],
        "settings": msgspec.to_builtins(run.settings),
        "versions": dict(run.versions),
        "fork": None if run.fork is None else msgspec.to_builtins(run.fork),
        "created_at": run.created_at,
        "finished_at": run.finished_at,
    }


def show(invocation: Invocation, name: str, episode: int | None, as_json: bool) -> None:
    """Print the episodes and turns of a run."""
    course = _course(invocation, name)
    if as_json:
        print_json(_course_document(course, episode))
        return
    console = stdout(invocation)
    run = course.run
    console.print(
        cell(f"Run {run.id}: {' and '.join(person.name for person in run.people)}", "bold")
    )
    console.print(
        cell(
            f"{_status(run)}, seed {run.settings.seed}, voice {run.settings.voice}, "
            f"language {run.settings.language}, course digest {course_digest(course)[:16]}"
        )
    )
    _print_episodes(invocation, course)
    _print_turns(invocation, course, episode)


def _course(invocation: Invocation, name: str) -> Course:
    async def work() -> Course:
        async with opened(invocation) as session:
            return await session.house.simulation.course(await find_run(session, name))

    return invocation.interruption.run(work())


def _course_document(course: Course, only: int | None) -> dict[str, Any]:
    """Return the course as plain data; `only` names an episode."""
    episodes = []
    for episode in course.episodes:
        plain = msgspec.to_builtins(episode)
        plain["scenario"] = episode.scenario.id
        episodes.append(plain)
    return {
        "run": run_document(course.run),
        "course_digest": course_digest(course),
        "episodes": [e for e in episodes if only in {None, e["number"]}],
        "turns": [
            {**msgspec.to_builtins(turn), "wall": msgspec.to_builtins(wall)}
            for turn, wall in zip(course.turns, course.walls, strict=True)
            if only in {None, turn.episode}
        ],
    }


def _print_episodes(invocation: Invocation, course: Course) -> None:
    language = course.run.settings.language
    shown = table(">EPISODE", ">DAY", "SCENARIO", ">TURNS", "OUTCOME", ">SUCCESS", "=ENDED BY")
    for episode in course.episodes:
        title = next(
            o.title[language] for o in episode.scenario.outcomes if o.id == episode.outcome
        )
        shown.add_row(
            str(episode.number),
            f"{episode.day:.0f}",
            cell(episode.scenario.title[language]),
            str(episode.turns),
            cell(title),
            f"{episode.success:+.2f}",
            episode.ended_by,
        )
    console = stdout(invocation)
    console.print()
    console.print(shown)


def _print_turns(invocation: Invocation, course: Course, only: int | None) -> None:
    language = course.run.settings.language
    turns = [turn for turn in course.turns if only in {None, turn.episode}]
    if only is not None and not turns:
        raise InvalidInputError(f"This run has no episode {only}.")
    names = [printable(person.name) for person in course.run.people]
    shown = table("=TURN", "=WHO", "=ACT", "WORDS", ">CONFLICT")
    for turn in turns:
        shown.add_row(
            f"{turn.episode}.{turn.sequence}",
            Text(names[turn.speaker][:16], style=PEOPLE_STYLES[turn.speaker]),
            Text(act_label(turn.act, language), style="dim"),
            cell(("— " if turn.interrupted else "") + turn.speech.words),
            f"{turn.conflict:.2f}",
        )
    console = stdout(invocation)
    console.print()
    console.print(shown)


def export(invocation: Invocation, name: str, wishes: Wishes) -> None:
    """Write a run's files again; without a folder, its course to stdout."""
    folder = wishes.out
    if folder is None:
        if wishes.as_json:
            raise InvalidInputError("--out - prints JSON lines already; leave --json out.")
        course = _course(invocation, name)
        for line in course_lines(course):
            sys.stdout.write(line.decode() + "\n")
        return
    prepare_folder(folder)

    async def work() -> Outcome:
        async with opened(invocation) as session:
            run_id = await find_run(session, name)
            return await session.report(run_id, replicas=wishes.replicas, language=wishes.language)

    outcome = invocation.interruption.run(work())
    with writing(folder):
        outcome.save(folder)
    if wishes.as_json:
        print_json(short_document(outcome, folder))
    else:
        label = say("report", outcome.report.language) + say("colon", outcome.report.language)
        say_file(stdout(invocation), label, folder / "report.html")


def delete(invocation: Invocation, name: str, yes: bool, as_json: bool) -> None:
    """Erase a run, after asking."""
    if as_json and not yes:
        raise InvalidInputError("With --json nobody can be asked; add --yes.")

    async def found() -> Course:
        async with opened(invocation) as session:
            return await session.house.simulation.course(await find_run(session, name))

    async def erase(run_id: RunId) -> None:
        async with opened(invocation) as session:
            await session.house.simulation.delete(run_id)

    course = invocation.interruption.run(found())
    run = course.run
    what = f"run {run.id} of {' and '.join(person.name for person in run.people)}"
    if not yes and not _asked(f"Erase {printable(what)}, {counted(len(course.turns), 'turn')}?"):
        stderr(invocation).print("Nothing was erased.")
        return
    invocation.interruption.run(erase(run.id))
    if as_json:
        print_json({"run_id": str(run.id), "deleted": True, "turns": len(course.turns)})
    else:
        stdout(invocation).print(cell(f"Erased {what}."), soft_wrap=True)


def _asked(question: str) -> bool:
    if not sys.stdin.isatty():
        raise InvalidInputError("Nobody is there to be asked; add --yes.")
    return typer.confirm(question, err=True)
