"""What a report says in short: on a screen, and as a few lines of JSON."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from soullink.entrypoints.cli.opening import short
from soullink.entrypoints.cli.output import cell, fitting, interval, say_file, table
from soullink.entrypoints.cli.words import say
from soullink.entrypoints.library import Outcome
from soullink.modules.analysis.api import Report

FILES = ("report.html", "report.json", "course.jsonl")


def print_summary(console: Console, outcome: Outcome, folder: Path) -> None:
    """Print the dimensions with their intervals, the prediction and where the report is."""
    report = outcome.report
    language = report.language
    console.print()
    console.print(fitting(console, [_dimensions(report, dropped) for dropped in _DROPPED]))
    together, anyone = report.prediction.together, report.prediction.anyone
    console.print()
    line = say(
        "together",
        language,
        again=round(report.prediction.again.probability * 100),
        share=round(together.probability * 100),
        count=report.replicas,
        low=round(together.low * 100),
        high=round(together.high * 100),
    )
    if anyone is not None:
        line += say("anyone", language, share=round(anyone.probability * 100))
    console.print(Text(line, style="bold"))
    if report.summary:
        console.print(cell(report.summary), soft_wrap=not console.is_terminal)
    _print_comparison(console, outcome)
    console.print()
    say_file(console, say("report", language) + say("colon", language), folder / "report.html")


_DROPPED: tuple[frozenset[str], ...] = (
    frozenset(),
    frozenset({"range"}),
    frozenset({"range", "here"}),
)
"""The columns that a terminal goes without, from a wide one to a narrow one."""


def _dimensions(report: Report, dropped: frozenset[str]) -> Table:
    """Return the dimensions as a table without the columns `dropped`."""
    language = report.language
    columns = {
        "dimension": "", "value": ">", "level": "", "interval": "=", "range": "=", "here": ">",
    }  # fmt: skip
    kept = [name for name in columns if name not in dropped]
    shown = table(*(columns[name] + say(name, language) for name in kept))
    for dimension in report.dimensions:
        low, value, high = dimension.low, dimension.value, dimension.high
        cells: dict[str, RenderableType] = {
            "dimension": cell(dimension.title, "bold"),
            "value": f"{value:.0f}",
            "level": say(dimension.level, language),
            "interval": f"{low:.0f} – {high:.0f}",
            "range": interval(low, value, high),
            "here": f"{dimension.here:.0f}",
        }
        shown.add_row(*(cells[name] for name in kept))
    return shown


def _print_comparison(console: Console, outcome: Outcome) -> None:
    comparison, language = outcome.report.comparison, outcome.report.language
    if comparison is None:
        return
    compared = table(
        say("measure", language),
        f">{say('before', language)}",
        f">{say('now', language)}",
        title=say("compared", language),
    )
    for _, title, before, now in comparison.rows:
        compared.add_row(cell(title), f"{before:.2f}", f"{now:.2f}")
    console.print()
    console.print(compared)


def short_document(outcome: Outcome, folder: Path) -> dict[str, Any]:
    """Return what --json prints: the report's main figures and where its files are."""
    document: Mapping[str, Any] = outcome.document
    prediction = document["prediction"]
    return {
        "run_id": str(outcome.run_id),
        "short_id": short(outcome.run_id),
        "status": "finished",
        "seed": document["seed"],
        "voice": document["voice"],
        "language": document["language"],
        "versions": document["versions"],
        "people": [{"id": p["id"], "name": p["name"]} for p in document["people"]],
        "episodes": [
            {name: episode[name] for name in ("number", "scenario", "title", "outcome", "success")}
            | {"turns": len(episode["turns"])}
            for episode in document["episodes"]
        ],
        "replicas": document["replicas"],
        "dimensions": [
            {name: dimension[name] for name in ("name", "value", "low", "high", "here", "level")}
            for dimension in document["dimensions"]
        ],
        "together": {name: prediction["together"][name] for name in ("probability", "low", "high")},
        "comparison": document["comparison"],
        "report_digest": document["digest"],
        "files": {name: str((folder / name).resolve()) for name in FILES},
    }
