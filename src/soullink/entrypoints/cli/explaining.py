"""What moved the outcome of a run, as tables."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final, cast

import msgspec
from rich.console import Console
from rich.text import Text

from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.opening import find_run, opened, short
from soullink.entrypoints.cli.output import cell, print_json, stdout, table
from soullink.entrypoints.cli.words import say
from soullink.entrypoints.library import Session
from soullink.kernel.errors import InvalidInputError
from soullink.kernel.ids import RunId
from soullink.kernel.language import Language
from soullink.modules.analysis.api import Explanation, Moved, Shift
from soullink.modules.simulation.api import Course
from soullink.modules.simulation.sensitivity.api import MOST_COURSES, OutcomeName, Over

SHOWN: Final = 14
"""Factors in the table; --json has them all."""
COURSES_OF_SHARES: Final = 2
"""Shares of variance take so many times the courses of an effect for an interval of use."""
FUTURES: Final = (10, 400)
"""Fewest and most draws of what comes after the moments."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be explained, and how closely."""

    outcome: str
    over: str
    samples: int
    moments: int
    language: Language | None
    as_json: bool


@dataclass(frozen=True, slots=True)
class _Answer:
    course: Course
    explained: Explanation
    futures: int


def explain(invocation: Invocation, name: str, question: Question) -> None:
    """Print what moved the outcome of the run `name`."""

    async def work() -> _Answer:
        async with opened(invocation) as session:
            return await _answer(session, await find_run(session, name), question)

    answer = invocation.interruption.run(work())
    if question.as_json:
        print_json(_document(answer, question))
        return
    _print(stdout(invocation), answer, question)


async def _answer(session: Session, run_id: RunId, question: Question) -> _Answer:
    simulation, analysis = session.house.simulation, session.house.analysis
    sensitivity = session.house.sensitivity
    course = await simulation.course(run_id)
    if not course.episodes:
        raise InvalidInputError(
            f"Run {run_id} has no finished episode yet; `soullink resume {run_id}` first."
        )
    changes = analysis.interventions()
    fewest, most = FUTURES
    futures = min(max(question.samples // 80, fewest), most)
    lives = max(question.samples // 10, 50)
    effects, points, shares, (main, *changed) = await asyncio.gather(
        sensitivity.effects(run_id, question.samples),
        sensitivity.turning_points(run_id, question.moments, futures),
        sensitivity.shares(
            run_id,
            cast("OutcomeName", question.outcome),
            min(COURSES_OF_SHARES * question.samples, MOST_COURSES),
            cast("Over", question.over),
            changes,
        ),
        simulation.replicas(run_id, lives, changes),
    )
    alternatives = {change.id: lived for change, lived in zip(changes, changed, strict=True)}
    explained = analysis.explanation(
        course,
        main,
        alternatives,
        Moved(effects, question.samples, points),
        shares,
        question.language or course.run.settings.language,
    )
    return _Answer(course, explained, futures)


def _document(answer: _Answer, question: Question) -> dict[str, Any]:
    run = answer.course.run
    return {
        "run_id": str(run.id),
        "short_id": short(run.id),
        "people": [{"id": str(person.id), "name": person.name} for person in run.people],
        "seed": run.settings.seed,
        "versions": dict(run.versions),
        "samples": question.samples,
        "futures": answer.futures,
        **_rounded(msgspec.to_builtins(answer.explained)),
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4) + 0.0
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value


def _print(console: Console, answer: _Answer, question: Question) -> None:
    told = answer.explained
    language = question.language or answer.course.run.settings.language
    names = [person.name for person in answer.course.run.people]
    console.print(cell(say("explained", language, outcome=told.outcome_title), "bold"))
    console.print()
    shown = table(
        say("thing", language), say("person", language), ">" + say("effect", language),
        "=" + say("interval95", language), title=say("factors", language),
    )  # fmt: skip
    for one in told.factors[:SHOWN]:
        unsure = "" if one.change.low > 0 or one.change.high < 0 else "dim"
        who = say("both", language) if one.person is None else names[one.person]
        shown.add_row(
            cell(one.title, unsure), cell(who, unsure), _points(one.change), _ends(one.change)
        )
    console.print(shown)
    console.print()
    _print_groups(console, told, language)
    _print_moments(console, told, language)
    console.print(cell(told.caveat))


def _print_groups(console: Console, told: Explanation, language: Language) -> None:
    share = {
        "varied": round(told.varied.value * 100),
        "low": round(told.varied.low * 100),
        "high": round(told.varied.high * 100),
    }
    console.print(cell(say(f"varied_{told.over}", language, **share)))
    if not told.groups:
        console.print(cell(say("no_groups", language)))
        console.print()
        return
    shown = table(
        say("group", language), ">" + say("alone", language), "=" + say("interval95", language),
        ">" + say("in_all", language), "=" + say("interval95", language), "",
        title=say("groups", language),
    )  # fmt: skip
    for one in told.groups:
        shown.add_row(
            cell(one.title), _percent(one.first), _percents(one.first), _percent(one.total),
            _percents(one.total), say("interacts", language) if one.interacts else "",
        )  # fmt: skip
    console.print(shown)
    console.print()


def _print_moments(console: Console, told: Explanation, language: Language) -> None:
    shown = table(
        "=" + say("moment_place", language),
        say("moment", language),
        say("compared_with", language),
        ">" + say("effect", language), "=" + say("interval95", language),
        title=say("moments", language),
    )  # fmt: skip
    for one in told.moments:
        unsure = "" if one.change.low > 0 or one.change.high < 0 else "dim"
        shown.add_row(
            f"{one.episode}.{one.turn}" if one.turn else f"{one.episode}",
            cell(one.title, unsure), cell(one.instead, unsure),
            _points(one.change), _ends(one.change),
        )  # fmt: skip
    console.print(shown)
    console.print(
        Text(
            say(
                "moments_sum",
                language,
                with_all=f"{told.with_moments * 100:.0f}",
                without=f"{told.without_moments * 100:.0f}",
            )
        )
    )
    console.print()


def _points(shift: Shift) -> str:
    return f"{shift.value * 100:+.1f}"


def _ends(shift: Shift) -> str:
    return f"{shift.low * 100:+.1f} … {shift.high * 100:+.1f}"


def _percent(shift: Shift) -> str:
    return f"{shift.value * 100:.0f} %"


def _percents(shift: Shift) -> str:
    return f"{shift.low * 100:.0f} … {shift.high * 100:.0f}"
