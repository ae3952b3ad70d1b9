"""Lives many pairs: a few at once, continued where an earlier attempt stopped."""

import asyncio
import csv
import io
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from soullink.entrypoints.cli.course import Wishes
from soullink.entrypoints.cli.exits import ExitCode
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.manifest import Manifest, open_manifest, settings_of
from soullink.entrypoints.cli.opening import check_folder, check_voice, opened, writing
from soullink.entrypoints.cli.output import (
    cell,
    csv_cell,
    print_json,
    say_file,
    stderr,
    stdout,
    table,
)
from soullink.entrypoints.cli.pairs import Pair, count_repeated, read_pairs
from soullink.entrypoints.cli.persons import known_people
from soullink.entrypoints.cli.scenes import named
from soullink.entrypoints.cli.text import counted, printable, with_short_words
from soullink.entrypoints.collector import rarely_collected
from soullink.entrypoints.library import Outcome, Session
from soullink.kernel.errors import NotFoundError, SoulLinkError
from soullink.kernel.ids import RunId
from soullink.modules.analysis.api import DIMENSIONS
from soullink.modules.simulation.api import Settings

DEFAULT_FOLDER = Path("soullink-pairs")


def simulate_pairs(
    invocation: Invocation, file: Path, people: Path | None, parallel: int, wishes: Wishes
) -> ExitCode:
    """Live every pair in `file`; returns FAILED when some could not be lived."""
    began = time.monotonic()
    pairs = read_pairs(file.expanduser(), known_people(people))
    repeated = count_repeated(pairs)
    folder = wishes.out or DEFAULT_FOLDER
    check_folder(folder)
    settings = settings_of(
        pairs,
        {
            "episodes": wishes.episodes,
            "replicas": wishes.replicas,
            "seed": wishes.seed,
            "language": wishes.language,
            "voice": wishes.voice,
            "scenarios": list(wishes.scenarios),
        },
    )
    with open_manifest(folder, settings) as manifest:
        report = Progressing(invocation, len(pairs), wishes.quiet)
        invocation.interruption.when_wanted = report.stopping
        report.repeated(repeated)

        async def work() -> None:
            await check_voice(wishes.voice)
            async with opened(invocation, parallel) as session:
                with rarely_collected():
                    await _live_all(session, pairs, parallel, wishes, manifest, report)

        with report:
            invocation.interruption.run(work())
        rows = [manifest.rows[pair.number] for pair in pairs]
    summary = _summary(rows, repeated, wishes, time.monotonic() - began)
    _write_summary(folder, summary)
    if wishes.as_json:
        print_json(summary)
    else:
        _print_summary(invocation, folder, summary)
    return ExitCode.FAILED if summary["failed"] else ExitCode.OK


class Progressing:
    """Tells how far the pairs are: a bar on a terminal, else a line a pair."""

    def __init__(self, invocation: Invocation, total: int, quiet: bool) -> None:
        self.total, self.quiet = total, quiet
        self.done = self.lived = 0
        self.began = time.monotonic()
        self.console = stderr(invocation)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=self.console,
            disable=quiet or not self.console.is_terminal,
        )
        self.task = self.progress.add_task("Living pairs", total=total)

    def __enter__(self) -> "Progressing":
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def repeated(self, count: int) -> None:
        """Say that entries name two people whom an earlier entry names too."""
        if count and not self.quiet:
            entries = counted(count, "entry repeats", "entries repeat")
            self.console.print(
                f"{entries} a pair of the list, in the same order or the other; each is lived."
            )

    def skipped(self, count: int) -> None:
        """Say that pairs were finished before."""
        self.done += count
        self.progress.update(self.task, completed=self.done)
        if count and not self.quiet:
            self.console.print(f"{counted(count, 'pair is', 'pairs are')} finished already.")

    def finished(self, row: dict[str, Any]) -> None:
        """Say what came of one pair."""
        self.done += 1
        self.lived += 1
        self.progress.update(self.task, completed=self.done)
        if self.quiet:
            return
        who = f"[{self.done}/{self.total}] {row['first']} + {row['second']}: "
        if row["status"] == "failed":
            self.console.print(cell(who + row["error"], "red"), soft_wrap=True)
        elif not self.console.is_terminal:
            seconds = (time.monotonic() - self.began) / self.lived * (self.total - self.done)
            together = round(100 * row["together"])
            self.console.print(
                cell(f"{who}together {together} %, {_duration(seconds)} left"), soft_wrap=True
            )

    def stopping(self) -> None:
        """Say that nothing is lost."""
        self.progress.stop()
        self.console.print("Stopping. Nothing is lost; the same command goes on from here.")


async def _live_all(
    session: Session,
    pairs: Sequence[Pair],
    parallel: int,
    wishes: Wishes,
    manifest: Manifest,
    report: Progressing,
) -> None:
    """Live all pairs that are not finished, `parallel` at once."""
    waiting = iter([pair for pair in pairs if not manifest.is_finished(pair)])
    report.skipped(sum(manifest.is_finished(pair) for pair in pairs))

    async def worker() -> None:
        for pair in waiting:
            row = await _live_one(session, pair, wishes, manifest)
            manifest.record(pair, row)
            report.finished(row)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(parallel):
                group.create_task(worker())
    except ExceptionGroup as failures:
        for error in failures.exceptions:  # a full disk stops all workers, each with its error
            if isinstance(error, SoulLinkError):
                raise error from failures
        raise


async def _live_one(
    session: Session, pair: Pair, wishes: Wishes, manifest: Manifest
) -> dict[str, Any]:
    """Live one pair and write its files; whatever goes wrong stays with this pair."""
    if pair.people is None:
        return _failed(pair, None, pair.error or "")
    run_id = manifest.run_id(pair)
    try:
        outcome = await _outcome(session, pair, run_id, wishes)
        folder = manifest.folder / pair.folder
        with writing(folder):
            outcome.save(folder)
    except SoulLinkError as error:
        return _failed(pair, run_id, str(error))
    except Exception as error:  # noqa: BLE001  (a bug with one pair must not stop the others)
        what = f"{type(error).__name__}: {error}"[:200]
        return _failed(pair, run_id, f"This is a bug in SoulLink ({what}); please report it.")
    return _lived(pair, outcome)


async def _outcome(session: Session, pair: Pair, run_id: RunId, wishes: Wishes) -> Outcome:
    """Go on with the pair's run, or begin it."""
    people = pair.people
    if people is None:  # the caller has looked
        raise AssertionError
    language = wishes.language or people[0].language
    try:
        return await session.resume(run_id, replicas=wishes.replicas)
    except NotFoundError:
        ids, own = named(wishes.scenarios)
    settings = Settings(wishes.seed, wishes.episodes, language, wishes.voice, ids)
    return await session.simulate(
        people, settings, replicas=wishes.replicas, run_id=run_id, own=own
    )


def _row(pair: Pair, run_id: RunId | None, status: str) -> dict[str, Any]:
    ids = pair.names if pair.people is None else tuple(str(p.id) for p in pair.people)
    names = pair.names if pair.people is None else tuple(p.name for p in pair.people)
    return {
        "number": pair.number,
        "first": printable(ids[0]),
        "second": printable(ids[1]),
        "names": [printable(name) for name in names],
        "relationship": pair.relationship,
        "status": status,
        "run_id": None if run_id is None else str(run_id),
        "folder": pair.folder,
        "error": None,
    }


def _failed(pair: Pair, run_id: RunId | None, error: str) -> dict[str, Any]:
    return {**_row(pair, run_id, "failed"), "error": with_short_words(printable(error))}


def _lived(pair: Pair, outcome: Outcome) -> dict[str, Any]:
    document = outcome.document
    together = document["prediction"]["together"]
    return {
        **_row(pair, outcome.run_id, "finished"),
        "episodes": len(document["episodes"]),
        "turns": sum(len(episode["turns"]) for episode in document["episodes"]),
        "last_outcome": document["episodes"][-1]["outcome"],
        "together": together["probability"],
        "together_low": together["low"],
        "together_high": together["high"],
        "dimensions": {
            dimension["name"]: [dimension["value"], dimension["low"], dimension["high"]]
            for dimension in document["dimensions"]
        },
        "report_digest": document["digest"],
    }


def _summary(
    rows: list[dict[str, Any]], repeated: int, wishes: Wishes, seconds: float
) -> dict[str, Any]:
    return {
        "pairs": len(rows),
        "finished": sum(row["status"] == "finished" for row in rows),
        "failed": sum(row["status"] == "failed" for row in rows),
        "repeated": repeated,
        "seconds": round(seconds, 1),
        "settings": {
            "episodes": wishes.episodes,
            "replicas": wishes.replicas,
            "seed": wishes.seed,
            "voice": wishes.voice,
        },
        "rows": rows,
    }


_COLUMNS = (
    "number", "first", "second", "relationship", "status", "episodes", "turns", "last_outcome",
    "together", "together_low", "together_high",
)  # fmt: skip


def _write_summary(folder: Path, summary: dict[str, Any]) -> None:
    """Write summary.json and summary.csv, whose texts no spreadsheet takes for a formula."""
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow([*_COLUMNS, *DIMENSIONS, "run_id", "folder", "error"])
    for row in summary["rows"]:
        dimensions = row.get("dimensions", {})
        lines.writerow(
            [
                *(csv_cell(row.get(name, "")) for name in _COLUMNS),
                *(dimensions[name][0] if name in dimensions else "" for name in DIMENSIONS),
                row["run_id"] or "",
                csv_cell(row["folder"]),
                csv_cell(row["error"] or ""),
            ]
        )
    text = json.dumps(summary, ensure_ascii=False, indent=2) + "\n"
    with writing(folder):
        (folder / "summary.json").write_text(text, "utf-8")
        (folder / "summary.csv").write_text(written.getvalue(), "utf-8")


def _print_summary(invocation: Invocation, folder: Path, summary: dict[str, Any]) -> None:
    shown = table(
        ">NO", "PAIR", ">EPISODES", "=LAST OUTCOME", ">TOGETHER", "=STRONGEST", "=WEAKEST"
    )
    for row in summary["rows"]:
        who = cell(" + ".join(row["names"]))
        if row["status"] == "failed":
            shown.add_row(str(row["number"]), who, "", cell("failed", "red"), "", "", "")
            continue
        ordered = sorted(row["dimensions"].items(), key=lambda found: found[1][0])
        together = (100 * row[key] for key in ("together", "together_low", "together_high"))
        shown.add_row(
            str(row["number"]),
            who,
            str(row["episodes"]),
            row["last_outcome"],
            "{:.0f} % ({:.0f}–{:.0f})".format(*together),
            _named(ordered[-1]),
            _named(ordered[0]),
        )
    console = stdout(invocation)
    console.print(shown)
    for row in summary["rows"]:
        if row["status"] == "failed":
            console.print(cell(f"{row['number']}: {row['error']}", "red"), soft_wrap=True)
    finished, failed = summary["finished"], summary["failed"]
    console.print(
        f"{counted(finished, 'pair')} lived, {failed} failed, in {_duration(summary['seconds'])}."
    )
    say_file(console, "Summary: ", folder / "summary.json")


def _named(dimension: tuple[str, list[float]]) -> str:
    return f"{dimension[0]} {dimension[1][0]:.0f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"
