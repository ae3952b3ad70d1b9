"""Fairness audits: read the dates, audit, and show or write what was found."""

from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from soullink.entrypoints.cli.exits import FULL_DISK
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.output import cell, print_json, say_file, stderr, stdout, table
from soullink.kernel.errors import InvalidInputError
from soullink.kernel.language import Language
from soullink_ml.fairness import audit as audits
from soullink_ml.fairness import documents, page, speed_dates, tables
from soullink_ml.fairness.predictions import Model
from soullink_ml.fairness.resampling import Cluster
from soullink_ml.fairness.words import said

PAGES: Final = frozenset({".html", ".htm"})
MARKDOWN: Final = frozenset({".md", ".markdown"})
DATA: Final = frozenset({".json"})


def audit(
    invocation: Invocation,
    dates: Path,
    train: Path | None,
    out: Path | None,
    language: Language,
    draws: int,
    cluster: Cluster,
    seed: int,
    model: Model,
    as_json: bool,
) -> None:
    """Audit one file of speed dates."""
    if out is not None and out.suffix.lower() not in PAGES | MARKDOWN | DATA:
        raise InvalidInputError(
            f"{out.name} must end in .html, .md or .json, which says what it will be."
        )
    progress = stderr(invocation)
    audited = speed_dates.read(dates)
    learned = None if train is None else speed_dates.read(train)
    plan = audits.Plan(
        draws=draws,
        seed=seed,
        cluster=cluster,
        model=model,
        say=lambda what: progress.print(cell(f"auditing: {what}", "dim")),
    )
    found = audits.audit(audited, plan, learned)
    if out is not None:
        _write(out, _written(found, out.suffix.lower(), language))
    if as_json:
        print_json(documents.as_json(found))
        return
    console = stdout(invocation)
    _show(console, found, language)
    if out is not None:
        say_file(console, "report: " if language == "en" else "报告：", out)


def _written(found: audits.Audit, suffix: str, language: Language) -> str:
    if suffix in DATA:
        return documents.compact(found)
    return page.page(found, language) if suffix in PAGES else tables.markdown(found, language)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        if error.errno in FULL_DISK:
            raise
        raise InvalidInputError(f"{path} cannot be written: {error.strerror}.") from error


def _show(console: Console, found: audits.Audit, language: Language) -> None:
    """Print the tables; each figure is a line of its value and its interval."""
    for sentence in tables.summary(found, language):
        console.print(cell(sentence))
    for one in tables.tables(found, language):
        console.print()
        console.print(cell(said(one.name, language), "bold"))
        marked = [("=" if at < one.texts else ">") + name for at, name in enumerate(one.columns)]
        shown = table(*marked)
        for column in shown.columns[one.texts :]:
            column.no_wrap = False  # headings may; figures hold no plain space
        for cells in one.cells:
            shown.add_row(*(_lines(text) for text in cells))
        console.print(shown)
        console.print(cell(said(f"{one.name}_note", language), "dim"))
    small = tables.small_groups(found, language)
    if small is not None:
        console.print()
        console.print(cell(small))


def _lines(text: str) -> Text:
    """Return a figure with its interval in the line below."""
    value, interval = tables.split(text)
    above = cell(value.replace(" *", "\N{NO-BREAK SPACE}*"), "bold" if text.endswith("*") else "")
    if not interval:
        return above
    between = interval.replace(", ", "…")
    return Text("\n").join([above, cell(between, "dim")])
