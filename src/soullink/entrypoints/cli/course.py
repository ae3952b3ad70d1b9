"""Lives one course: simulate, resume, replay, fork."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.live_view import CourseView
from soullink.entrypoints.cli.opening import (
    check_folder,
    check_voice,
    find_run,
    opened,
    prepare_folder,
    short,
    writing,
)
from soullink.entrypoints.cli.output import cell, print_json, stderr, stdout
from soullink.entrypoints.cli.persons import find_person, known_people
from soullink.entrypoints.cli.scenes import named
from soullink.entrypoints.cli.summary import print_summary, short_document
from soullink.entrypoints.cli.text import counted
from soullink.entrypoints.library import Outcome, Session, course_digest, run_id_of
from soullink.kernel.errors import InvalidInputError
from soullink.kernel.ids import RunId, new_uuid7
from soullink.kernel.language import Language
from soullink.modules.simulation.api import Fork, Moment, Run, Settings


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a course is to be lived, and what is to be shown and written of it.

    language: of a new course, or of the report on an old one. out: None takes ./soullink-<run>.
    """

    episodes: int
    replicas: int
    seed: int
    language: Language | None
    voice: str
    scenarios: tuple[str, ...]
    out: Path | None
    quiet: bool
    as_json: bool

    @staticmethod
    def of_report(
        replicas: int, language: Language | None, out: Path | None, quiet: bool, as_json: bool
    ) -> "Wishes":
        """Return the wishes about a run whose settings are on record."""
        return Wishes(0, replicas, 0, language, "", (), out, quiet, as_json)

    def folder(self, run_id: RunId) -> Path:
        """Return where the files of a run go."""
        return self.out or Path(f"soullink-{short(run_id)}")


class Stage:
    """Where a course is shown: the consoles, the folder, and what to say when it is stopped."""

    def __init__(self, invocation: Invocation, wishes: Wishes) -> None:
        self._invocation = invocation
        self._wishes = wishes
        self._view: CourseView | None = None
        self.results = stdout(invocation)
        self.remarks = stderr(invocation)

    def began(self, run: Run) -> None:
        """Say which run this is, before anything happens, and how to go on with it."""
        folder = self._wishes.folder(run.id)
        command = f"{self._invocation.prefix()} resume {short(run.id)}"
        command += f" --out {shlex.quote(str(folder))}"
        if self._wishes.replicas != 200:
            command += f" --replicas {self._wishes.replicas}"
        self.remarks.print(
            Text(f"Run {run.id}; resume with: {command}", style="dim"), soft_wrap=True
        )

        def stopping() -> None:
            self.remarks.print(
                Text(f"Stopping. Nothing is lost; go on with: {command}"), soft_wrap=True
            )

        self._invocation.interruption.when_wanted = stopping
        prepare_folder(folder)
        if not (self._wishes.quiet or self._wishes.as_json):
            self._view = CourseView(self.results, run)

    def watch(self, moment: Moment) -> None:
        """Show a moment, unless nobody wants to see it."""
        if self._view is not None:
            self._view(moment)

    def finish(self, outcome: Outcome) -> None:
        """Write the files and say what came out."""
        folder = self._wishes.folder(outcome.run_id)
        with writing(folder):
            outcome.save(folder)
        self._say_fallbacks(outcome)
        if self._wishes.as_json:
            print_json(short_document(outcome, folder))
        else:
            print_summary(self.results, outcome, folder)

    def _say_fallbacks(self, outcome: Outcome) -> None:
        """Say it when the authored voice had to speak for a language model."""
        monitoring = outcome.report.monitoring
        spoken = monitoring.statuses.get("fallback", 0)
        if spoken:
            why = ", ".join(f"{name} {count}" for name, count in monitoring.faults.items())
            self.remarks.print(
                Text(
                    f"In {spoken} of {monitoring.turns} turns the built-in voice spoke instead of "
                    f"{outcome.report.voice} ({why})."
                ),
                soft_wrap=True,
            )


def simulate(
    invocation: Invocation,
    names: tuple[str, str],
    people: Path | None,
    run_id: str | None,
    wishes: Wishes,
) -> None:
    """Live a new course of two people."""
    known = known_people(people)
    pair = (find_person(names[0], known), find_person(names[1], known))
    language = wishes.language or pair[0].language
    ids, own = named(wishes.scenarios)
    settings = Settings(wishes.seed, wishes.episodes, language, wishes.voice, ids)
    chosen = RunId(new_uuid7()) if run_id is None else run_id_of(run_id)
    check_folder(wishes.folder(chosen))
    stage = Stage(invocation, wishes)

    async def work() -> Outcome:
        await check_voice(wishes.voice)
        async with opened(invocation) as session:
            return await session.simulate(
                pair,
                settings,
                replicas=wishes.replicas,
                run_id=chosen,
                watch=stage.watch,
                started=stage.began,
                own=own,
            )

    stage.finish(invocation.interruption.run(work()))


def resume(invocation: Invocation, name: str, wishes: Wishes) -> None:
    """Live a run from where it stands to its end."""
    stage = Stage(invocation, wishes)

    async def work() -> Outcome:
        async with opened(invocation) as session:
            run_id = await find_run(session, name)
            stage.began((await session.house.simulation.course(run_id)).run)
            return await session.resume(
                run_id, replicas=wishes.replicas, language=wishes.language, watch=stage.watch
            )

    stage.finish(invocation.interruption.run(work()))


def fork(
    invocation: Invocation,
    name: str,
    place: tuple[int, int],
    changes: Sequence[str],
    run_id: str | None,
    wishes: Wishes,
) -> None:
    """Branch a run at `place` (episode, turn) and live the branch."""
    changed = _changes(changes)
    chosen = RunId(new_uuid7()) if run_id is None else run_id_of(run_id)
    stage = Stage(invocation, wishes)

    async def work() -> Outcome:
        async with opened(invocation) as session:
            parent = await find_run(session, name)
            return await session.fork(
                Fork(parent, *place, changed),
                replicas=wishes.replicas,
                language=wishes.language,
                run_id=chosen,
                watch=stage.watch,
                started=stage.began,
            )

    stage.finish(invocation.interruption.run(work()))


def _changes(given: Sequence[str]) -> dict[str, str]:
    changed: dict[str, str] = {}
    for change in given:
        key, equals, value = change.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise InvalidInputError(
                f"--set takes KEY=VALUE, e.g. --set ada.mood=0.5, not {change!r}."
            )
        if key.strip() in changed:
            raise InvalidInputError(f"--set names {key.strip()!r} twice; keep one.")
        changed[key.strip()] = value.strip()
    return changed


def replay(invocation: Invocation, name: str, show: bool, as_json: bool) -> None:
    """Live a recorded run again and compare; raises ReplayMismatchError at a difference."""
    console = stdout(invocation)

    async def work() -> tuple[Run, int, str]:
        async with opened(invocation) as session:
            run_id = await find_run(session, name)
            course = await session.house.simulation.course(run_id)
            visible = show and not as_json
            view = CourseView(console, course.run, show_replayed=True) if visible else None
            turns = await _compare(session, run_id, view)
            return course.run, turns, course_digest(course)

    run, turns, digest = invocation.interruption.run(work())
    if as_json:
        print_json(
            {
                "run_id": str(run.id),
                "status": run.status,
                "identical": True,
                "turns": turns,
                "course_digest": digest,
            }
        )
        return
    _say_identical(console, run, turns, digest)


async def _compare(session: Session, run_id: RunId, watch: Callable[[Moment], None] | None) -> int:
    turns = 0
    async for moment in session.house.simulation.replay(run_id):
        turns += hasattr(moment, "turn")
        if watch is not None:
            watch(moment)
    return turns


def _say_identical(console: Console, run: Run, turns: int, digest: str) -> None:
    names = " and ".join(person.name for person in run.people)
    rest = "" if run.status == "finished" else "; the run is not finished yet"
    console.print(cell(f"Identical: {counted(turns, 'turn')} of {names}{rest}."), soft_wrap=True)
    console.print(Text(f"Course digest {digest}"), soft_wrap=True)
