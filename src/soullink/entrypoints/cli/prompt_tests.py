"""A/B tests of prompts: start, record, run, look, conclude."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from rich.text import Text

from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.opening import check_voice, opened
from soullink.entrypoints.cli.output import cell, print_json, stderr, stdout, table
from soullink.entrypoints.cli.persons import find_person, known_people
from soullink.entrypoints.cli.prompt_versions import whoever
from soullink.entrypoints.cli.text import counted
from soullink.entrypoints.library import Session
from soullink.kernel.errors import ConflictError, InvalidInputError, UnavailableError
from soullink.kernel.language import LANGUAGES, Language
from soullink.modules.profiles.api import Profile
from soullink.modules.prompts.api import Experiment, Experiments, ExperimentStatus, Mode, Scale
from soullink.modules.simulation.api import METRICS, PairedTurn, Settings

T = TypeVar("T")

PATIENCE = 5
"""Turns in a row that the provider does not answer before a run gives up."""


def _work(invocation: Invocation, use: Callable[[Experiments], Awaitable[T]]) -> T:
    async def work() -> T:
        async with opened(invocation) as session:
            return await use(session.house.experiments)

    return invocation.interruption.run(work())


def start(
    invocation: Invocation,
    what: tuple[str, str, Language],
    arms: tuple[int, int],
    measured: tuple[str, Scale | None],
    mode: Mode,
    alpha: float,
    as_json: bool,
) -> None:
    """Start a test."""
    metric, scale = measured
    experiment = _work(
        invocation,
        lambda experiments: experiments.start_experiment(
            *what,
            arms,
            metric,
            scale=scale or METRICS.get(metric, "binary"),
            mode=mode,
            alpha=alpha,
            by=whoever(None),
        ),
    )
    if as_json:
        print_json(msgspec.to_builtins(experiment))
        return
    stdout(invocation).print(cell(f"Started {_title(experiment)}."), soft_wrap=True)


def record(
    invocation: Invocation, test: str, unit: str, outcomes: Sequence[float], as_json: bool
) -> None:
    """Record outcomes of one unit."""
    if len(outcomes) not in {1, 2}:
        raise InvalidInputError("Give the outcomes of A and B, or one alone in a live test.")

    async def use(experiments: Experiments) -> bool:
        if len(outcomes) == 1:
            return await experiments.record(test, unit, outcomes[0])
        return await experiments.record_pair(test, unit, outcomes[0], outcomes[1])

    new = _work(invocation, use)
    if as_json:
        print_json({"test": test, "unit": unit, "new": new})
        return
    said = "Recorded." if new else "The same was recorded before."
    stdout(invocation).print(said)


def status(invocation: Invocation, test: str, as_json: bool) -> None:
    """Print where a test stands."""
    _show(invocation, _work(invocation, lambda experiments: experiments.status(test)), as_json)


def conclude(invocation: Invocation, test: str, as_json: bool) -> None:
    """End a test and print what came out."""
    by = whoever(None)
    ended = _work(invocation, lambda experiments: experiments.conclude(test, by=by))
    _show(invocation, ended, as_json)


def list_tests(invocation: Invocation, as_json: bool) -> None:
    """Print all tests."""
    found = _work(invocation, lambda experiments: experiments.list_experiments())
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    if not found:
        stdout(invocation).print("No tests yet; start one with `soullink prompts ab start`.")
        return
    shown = table("=TEST", "=PROMPT", "=LANGUAGE", ">A", ">B", "METRIC", "=MODE", "=STATUS")
    for experiment in found:
        won = "" if experiment.winner is None else f", {experiment.winner} won"
        shown.add_row(
            experiment.name,
            experiment.prompt,
            experiment.language,
            str(experiment.arms[0]),
            str(experiment.arms[1]),
            cell(experiment.metric),
            experiment.mode,
            experiment.status + won,
        )
    stdout(invocation).print(shown)


def run(
    invocation: Invocation,
    test: str,
    names: tuple[str, str],
    people: Path | None,
    voice: str,
    extent: tuple[int, int, int],
    as_json: bool,
) -> None:
    """Record pairs that a model speaks, until it is decided. extent: pairs, episodes, seed."""
    known = known_people(people)
    pair = (find_person(names[0], known), find_person(names[1], known))

    async def work() -> ExperimentStatus:
        await check_voice(voice)
        async with opened(invocation) as session:
            return await _run(invocation, session, test, pair, voice, extent)

    _show(invocation, invocation.interruption.run(work()), as_json)


async def _run(
    invocation: Invocation,
    session: Session,
    test: str,
    pair: tuple[Profile, Profile],
    voice: str,
    extent: tuple[int, int, int],
) -> ExperimentStatus:
    house = session.house
    most, episodes, first_seed = extent
    now = await house.experiments.status(test)
    experiment = now.experiment
    metric, language = _runnable(experiment)
    kept = await house.prompt_store.snapshot()
    references = [
        kept.get(experiment.prompt, experiment.language, version).reference
        for version in experiment.arms
    ]
    arms = (kept.pinned(references[:1]), kept.pinned(references[1:]))
    units = set(await house.experiments.units(test))
    missed = new = 0
    for seed in count(first_seed):
        settings = Settings(seed, episodes, language, voice)
        turns = house.rehearsals.compare(pair, settings, arms, lambda unit: unit not in units)
        told = asked = 0
        async with aclosing(turns):
            async for turn in turns:
                asked += 1
                missed = 0 if turn.reached else missed + 1
                if missed == PATIENCE:
                    raise UnavailableError(
                        f"{voice} did not answer {PATIENCE} turns in a row; what was recorded is "
                        "kept, go on with the same command later."
                    )
                if not turn.reached or not _tells(turn, references):
                    continue
                told += 1
                await house.experiments.record_pair(test, turn.unit, *turn.outcomes[metric])
                units.add(turn.unit)
                new += 1
                now = await house.experiments.status(test)
                if new % 25 == 0:
                    stderr(invocation).print(Text(_line(now), style="dim"), soft_wrap=True)
                if now.winner is not None or new == most:
                    return now
        if asked and not told:
            raise InvalidInputError(
                f"No turn of a whole course was told by {experiment.prompt}; `ab run` compares "
                "prompts that a turn's voice is asked by."
            )
    raise AssertionError  # seeds do not end


def _runnable(experiment: Experiment) -> tuple[str, Language]:
    """Return metric and language of a test that courses can be recorded in."""
    if experiment.status == "concluded":
        raise ConflictError(f"The test {experiment.name} is concluded; start another one.")
    if experiment.mode != "paired":
        raise ConflictError(f"The test {experiment.name} is live; only paired ones can be run.")
    if METRICS.get(experiment.metric) != experiment.scale:
        raise InvalidInputError(
            f"`ab run` cannot measure {experiment.metric} ({experiment.scale}); it measures "
            f"{', '.join(METRICS)}."
        )
    language = next(known for known in LANGUAGES if known == experiment.language)
    return experiment.metric, language


def _tells(turn: PairedTurn, references: Sequence[str]) -> bool:
    """Tell whether either arm was asked by its own version at all."""
    return any(
        reference in asked.split("+")
        for reference, asked in zip(references, turn.prompts, strict=True)
    )


def _show(invocation: Invocation, status: ExperimentStatus, as_json: bool) -> None:
    if as_json:
        print_json(status_document(status))
        return
    console = stdout(invocation)
    console.print(cell(_title(status.experiment)), soft_wrap=True)
    console.print(cell(_line(status)), soft_wrap=True)
    low, high = status.interval
    what = "B's share of them" if status.experiment.scale == "binary" else "Mean of B minus A"
    console.print(cell(f"{what}: {low:.3f} to {high:.3f}, however often one looks."))
    console.print(cell(_verdict(status)), soft_wrap=True)


def status_document(status: ExperimentStatus) -> dict[str, Any]:
    """Return a status as plain data."""
    document: dict[str, Any] = msgspec.to_builtins(status)
    return document


def _title(experiment: Experiment) -> str:
    return (
        f"{experiment.name}: {experiment.prompt} ({experiment.language}), A is version "
        f"{experiment.arms[0]}, B is version {experiment.arms[1]}, by {experiment.metric}"
    )


def _line(status: ExperimentStatus) -> str:
    return (
        f"{counted(status.pairs, 'pair')}, {status.discordant} differ (A {status.wins[0]}, B "
        f"{status.wins[1]}); means A {status.means[0]:.3f}, B {status.means[1]:.3f}; e-value "
        f"{status.e_value:.3g} of {1 / status.experiment.alpha:.3g}"
    )


def _verdict(status: ExperimentStatus) -> str:
    if status.winner is None:
        return "Not decided."
    return f"{status.winner} is better, decided after {counted(status.decided_after or 0, 'pair')}."
