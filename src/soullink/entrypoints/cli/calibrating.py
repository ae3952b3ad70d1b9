"""Calibrations: fit, show how far it is, print the table."""

import asyncio
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from soullink import bootstrap
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.opening import check_folder
from soullink.entrypoints.cli.output import cell, print_json, say_file, stderr, stdout, table
from soullink.modules.simulation.calibration.api import (
    CalibrationTable,
    Fit,
    FitProgress,
    FitSettings,
    Trade,
)

LINE_SECONDS: Final = 10.0
"""How often a line is printed where there is no terminal."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be fitted, and how."""

    data: Path | None
    out: Path
    parameters: Path | None
    generations: int
    members: int
    seed: int
    workers: int

    @property
    def settings(self) -> FitSettings:
        """Return the settings of the fit."""
        return FitSettings(self.generations, self.members, self.seed, self.workers)


def check(
    invocation: Invocation, data: Path | None, parameters: Path | None, as_json: bool
) -> None:
    """Print where the free numbers stand."""
    found = bootstrap.build_calibrations().check(_own(data), _own(parameters))
    if as_json:
        print_json(document(found))
    else:
        _print_table(invocation, found)


def fit(invocation: Invocation, wishes: Wishes, quiet: bool, as_json: bool) -> None:
    """Fit; print the table, or how to go on where somebody stopped it."""
    out = wishes.out.expanduser()
    check_folder(out.parent)
    calibrations = bootstrap.build_calibrations()
    interruption = invocation.interruption
    report = _Report(invocation, quiet)
    interruption.when_wanted = report.stopping

    async def work() -> Fit:
        with interruption.held():
            done = await asyncio.to_thread(
                calibrations.fit,
                wishes.settings,
                out,
                _own(wishes.data),
                _own(wishes.parameters),
                report.watch,
                lambda: interruption.wanted,
            )
            report.close()
            if not done.finished:
                stderr(invocation).print(
                    cell(
                        f"Stopped at a misfit of {done.best:.2f} (begun at {done.start:.2f}). The "
                        f"best so far is in {done.path}; the same command goes on from here."
                    ),
                    soft_wrap=True,
                )
        await asyncio.sleep(0)  # where a signal that waited comes through
        return done

    try:
        done = interruption.run(work())
    finally:
        report.close()
    if as_json:
        print_json(_fitted(done))
        return
    if done.table is not None:
        _print_table(invocation, done.table)
    console = stdout(invocation)
    for trade in done.trades:
        console.print(cell(_said(trade)), soft_wrap=True)
    console.print(
        f"Misfit {done.start:.2f} at the start, {done.best:.2f} now; {done.seconds:.0f} seconds."
    )
    say_file(console, "Numbers: ", done.path)


def _own(path: Path | None) -> Path | None:
    return None if path is None else path.expanduser()


class _Report:
    """Tells how far a fit is: a bar on a terminal, else a line now and then."""

    def __init__(self, invocation: Invocation, quiet: bool) -> None:
        self._console = stderr(invocation)
        self._quiet = quiet
        self._said = 0.0
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("misfit {task.fields[best]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
        )
        self._task = self._bar.add_task("Fitting", total=None, best="?")
        self._bar.start()

    def watch(self, progress: FitProgress) -> None:
        """Show how far it is."""
        done = (progress.generation - 1) * progress.members + progress.simulated
        total = progress.generations * progress.members
        self._bar.update(
            self._task,
            description=f"Generation {progress.generation} of {progress.generations}",
            completed=done,
            total=total,
            best=f"{progress.best:.2f}",
        )
        now = time.monotonic()
        if self._quiet or self._console.is_terminal or now - self._said < LINE_SECONDS:
            return
        self._said = now
        self._console.print(
            f"[{done}/{total}] generation {progress.generation} of {progress.generations}, "
            f"misfit {progress.best:.2f}, begun at {progress.start:.2f}",
            soft_wrap=True,
        )

    def stopping(self) -> None:
        """Say that it stops."""
        self.close()
        self._console.print("Stopping after the simulations under way.")

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()


def document(found: CalibrationTable) -> dict[str, Any]:
    """Return a table as JSON prints it."""
    return {**asdict(found), "inside": found.inside}


def _fitted(done: Fit) -> dict[str, Any]:
    return {
        "out": str(done.path.resolve()),
        "misfit": {"start": done.start, "best": done.best},
        "seconds": round(done.seconds, 1),
        "table": None if done.table is None else document(done.table),
        "trades": [asdict(trade) for trade in done.trades],
    }


def _print_table(invocation: Invocation, found: CalibrationTable) -> None:
    console = stdout(invocation)
    shown = table("QUANTITY", ">PUBLISHED", ">SIMULATED", "=INSIDE", "=ROLE", "SOURCE")
    for row in found.rows:
        mark = "~" if row.approximate else ""
        shown.add_row(
            cell(row.what),
            f"{mark}{_ranged(row.published, row.low, row.high)}",
            _ranged(row.simulated, row.simulated_low, row.simulated_high),
            cell("inside") if row.inside else cell("OUTSIDE", "bold red"),
            row.role.partition(",")[0],
            cell(row.source),
        )
    console.print(shown)
    console.print(
        cell(
            f"{found.inside} of {len(found.rows)} inside (numbers {found.parameters}, equations "
            f"{found.equations}; {found.couples} couples, {found.evenings} evenings, "
            f"{found.quarrels} quarrels; {found.figures}, split {found.split_seed}). "
            "~ approximate: a margin of ours."
        ),
        soft_wrap=True,
    )


def _ranged(value: float, low: float, high: float) -> str:
    return f"{value:+.2f} [{low:+.2f}, {high:+.2f}]"


def _said(trade: Trade) -> str:
    return (
        f"Trade: {trade.row} from {trade.before:+.2f} to {trade.after:+.2f} takes {trade.against} "
        f"from {trade.against_before:+.2f} to {trade.against_after:+.2f} "
        f"(misfit {trade.misfit_before:.2f} to {trade.misfit_after:.2f})."
    )
