"""How results reach people and programs: tables and bars for those, JSON for these."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.text import printable

_PIPED_WIDTH = 120
PEOPLE_STYLES = ("bold cyan", "bold magenta")


def stdout(invocation: Invocation) -> Console:
    """Return the console for results."""
    return _console(invocation, sys.stdout)


def stderr(invocation: Invocation) -> Console:
    """Return the console for progress and remarks."""
    return _console(invocation, sys.stderr)


def _console(invocation: Invocation, stream: TextIO) -> Console:
    terminal = stream.isatty()
    colour = terminal and invocation.colour and not os.environ.get("NO_COLOR")
    return Console(
        file=stream,
        force_terminal=terminal,
        color_system="auto" if colour else None,
        width=None if terminal else int(os.environ.get("COLUMNS") or _PIPED_WIDTH),
        highlight=False,
        markup=False,
        emoji=False,
    )


def print_json(value: Any) -> None:
    """Print `value` as the only thing on stdout."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    sys.stdout.write(text.encode("utf-8", "replace").decode() + "\n")


def table(*columns: str, title: str | None = None) -> Table:
    """Return an empty table; a column that begins with > is a number, with = never wraps."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="dim")
    for column in columns:
        kind, name = (column[0], column[1:]) if column[:1] in {">", "="} else ("", column)
        made.add_column(
            name, justify="right" if kind == ">" else "left", no_wrap=kind != "", overflow="fold"
        )
    return made


def fitting(console: Console, tables: Sequence[Table]) -> Table:
    """Return the first of `tables`, wide ones first, that fits; else the last."""
    boundless = console.options.update(max_width=1000)
    for found in tables:
        if Measurement.get(console, boundless, found).maximum <= console.width:
            return found
    return tables[-1]


def cell(text: str, style: str = "") -> Text:
    """Return text that somebody else wrote as a cell or line: no markup, no control codes."""
    return Text(printable(text), style=style)


def csv_cell(value: object) -> object:
    """Return a text without control characters, with an apostrophe before what begins a formula.

    OWASP, "CSV Injection": spreadsheets work out cells that begin with = + - or @.
    """
    if not isinstance(value, str):
        return value
    text = printable(value).strip()
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def bar(value: float, width: int = 10) -> str:
    """Return `value`, 0..1, as a bar of `width` characters."""
    filled = round(min(1.0, max(0.0, value)) * width)
    return "█" * filled + "░" * (width - filled)


def interval(low: float, middle: float, high: float, width: int = 21) -> str:
    """Return an interval on 0..100 as a line with its middle marked."""
    places = [round(min(100.0, max(0.0, value)) / 100.0 * (width - 1)) for value in (low, high)]
    line = ["━" if places[0] <= place <= places[1] else "·" for place in range(width)]
    line[round(min(100.0, max(0.0, middle)) / 100.0 * (width - 1))] = "●"
    return "".join(line)


def say_file(console: Console, label: str, path: Path) -> None:
    """Print where a file is, as a plain path; on a terminal also as a link to click.

    label: ends in the colon and space of its language.
    """
    console.print(Text.assemble((label, "bold"), str(path)), soft_wrap=True)
    if console.is_terminal:
        console.print(Text(path.resolve().as_uri(), style="dim"), soft_wrap=True)
