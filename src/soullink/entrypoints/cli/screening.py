"""Screens every pair of two populations: reads them, shows how far it is, tells what came of it."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from soullink import bootstrap
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.opening import check_folder
from soullink.entrypoints.cli.output import cell, print_json, say_file, stderr, stdout, table
from soullink.entrypoints.cli.scenes import named
from soullink.entrypoints.cli.text import counted
from soullink.entrypoints.library import read_population
from soullink.kernel.errors import InvalidInputError
from soullink.modules.simulation.screening.api import (
    EngineName,
    Screened,
    ScreenedPair,
    ScreeningProgress,
    ScreeningSettings,
)

LINE_SECONDS: Final = 10.0
"""How often a line is printed where there is no terminal."""
_RAY: Final = "ray"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be screened and how. engine: a name of ENGINES, or "ray"."""

    replicas: int
    episodes: int
    scenarios: tuple[str, ...]
    seed: int
    engine: str
    ray_address: str | None
    threads: int
    top: int
    quiet: bool
    as_json: bool

    def settings(self, ids: tuple[str, ...]) -> ScreeningSettings:
        """Return the settings. ids: of the scenarios. Raises InvalidInputError."""
        on_ray = self.engine == _RAY
        if self.ray_address is not None and not on_ray:
            raise InvalidInputError("--ray-address needs --engine ray.")
        engines: dict[str, EngineName] = {"numpy": "numpy", "numba": "numba"}
        return ScreeningSettings(
            seed=self.seed,
            episodes=self.episodes,
            scenarios=ids,
            replicas=self.replicas,
            engine=engines.get(self.engine, "auto"),
            threads=self.threads,
            ray=(self.ray_address or "") if on_ray else None,
        )


def screen(invocation: Invocation, places: tuple[Path, Path], out: Path, wishes: Wishes) -> None:
    """Screen the people in the first of `places` against those in the second."""
    ids, own = named(wishes.scenarios)
    settings = wishes.settings(ids)
    out = out.expanduser()
    check_folder(out.parent)
    people, against = (read_population(place.expanduser()) for place in places)
    screening = bootstrap.build_screening()
    report = _Report(invocation, wishes.quiet)
    invocation.interruption.when_wanted = report.stopping

    async def work() -> Screened:
        return await screening.screen(people, against, settings, out, own, report.watch)

    with report:
        done = invocation.interruption.run(work())
    report.finished(done)
    top = screening.likeliest(done.path, wishes.top) if wishes.top else []
    if wishes.as_json:
        print_json(_document(done, top))
    else:
        _print(invocation, done, top)


class _Rate(ProgressColumn):
    """Dyad-turns a second: one turn of one replica of one pair."""

    def render(self, task: Task) -> Text:
        return Text(f"{_short(task.fields['rate'])} dyad-turns/s")


class _Report:
    """Tells how far it is: a bar on a terminal, else a line now and then."""

    def __init__(self, invocation: Invocation, quiet: bool) -> None:
        self._console = stderr(invocation)
        self._quiet = quiet
        self._said = 0.0
        self._resumed = False
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
        )
        self._task = self._bar.add_task("Screening pairs", total=None, rate=0.0)

    def __enter__(self) -> "_Report":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def watch(self, progress: ScreeningProgress) -> None:
        """Show how far it is."""
        rate = _rate(progress)
        if progress.resumed and not self._resumed and not self._quiet:
            self._resumed = True
            self._console.print(
                f"{counted(progress.resumed, 'pair is', 'pairs are')} there already; going on."
            )
        self._bar.update(self._task, total=progress.pairs, completed=progress.done, rate=rate)
        if self._quiet or self._console.is_terminal:
            return
        now = time.monotonic()
        if now - self._said < LINE_SECONDS and progress.done < progress.pairs:
            return
        self._said = now
        self._console.print(
            f"[{progress.done}/{progress.pairs}] {_short(rate)} dyad-turns/s, "
            f"{_left(progress)} left",
            soft_wrap=True,
        )

    def finished(self, done: Screened) -> None:
        """Say it where there was nothing to do."""
        if done.progress.resumed == done.pairs and not self._quiet and not self._resumed:
            self._console.print(cell(f"{done.path} is finished already."), soft_wrap=True)

    def stopping(self) -> None:
        """Say that nothing is lost."""
        self._bar.stop()
        self._console.print("Stopping. Nothing is lost; the same command goes on from here.")


def _rate(progress: ScreeningProgress) -> float:
    return progress.turns / progress.seconds if progress.turns else 0.0


def _left(progress: ScreeningProgress) -> str:
    lived = progress.done - progress.resumed
    if not lived:
        return "unknown time"
    seconds = round(progress.seconds / lived * (progress.pairs - progress.done))
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d} h"
    return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"


def _short(number: float) -> str:
    for size, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= size:
            return f"{number / size:.3g}{name}"
    return f"{number:.0f}"


def _document(done: Screened, top: list[ScreenedPair]) -> dict[str, Any]:
    return {
        "out": str(done.path.resolve()),
        "pairs": done.pairs,
        "people": list(done.people),
        "scenarios": list(done.scenarios),
        "engine": done.engine,
        "digest": done.digest,
        "metadata": dict(done.metadata),
        "resumed": done.progress.resumed,
        "turns": done.progress.turns,
        "seconds": round(done.progress.seconds, 3),
        "turns_per_second": round(_rate(done.progress)),
        "top": [
            {
                "first": pair.first,
                "second": pair.second,
                **{name: round(value, 4) for name, value in pair.values.items()},
            }
            for pair in top
        ],
    }


def _print(invocation: Invocation, done: Screened, top: list[ScreenedPair]) -> None:
    console = stdout(invocation)
    if top:
        shown = table("PAIR", ">TOGETHER", ">SATISFIED", ">AGAIN", ">CONFLICT", ">UNKNOWN")
        for pair in top:
            v = pair.values
            shown.add_row(
                cell(f"{pair.first} + {pair.second}"),
                f"{100 * v['together']:.0f} % "
                f"({100 * v['together_low']:.0f}–{100 * v['together_high']:.0f})",
                _both(v["satisfaction_first_mean"], v["satisfaction_second_mean"]),
                _both(v["again_first"], v["again_second"]),
                f"{100 * v['conflict_peak_mean']:.0f}",
                _both(v["unknown_first"], v["unknown_second"]),
            )
        console.print(shown)
    console.print(
        f"{counted(done.pairs, 'pair')} screened by {done.engine} through "
        f"{counted(len(done.scenarios), 'scenario')}: {', '.join(done.scenarios)}.",
        soft_wrap=True,
    )
    say_file(console, "Rows: ", done.path)


def _both(first: float, second: float) -> str:
    return f"{100 * first:.0f} | {100 * second:.0f}"
