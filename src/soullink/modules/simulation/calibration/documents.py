"""Calibration files and their unfinished companions: writing and reading them."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from soullink.kernel.errors import InvalidInputError
from soullink.modules.simulation.calibration.api import CalibrationTable, Trade
from soullink.modules.simulation.calibration.fitting import Progress
from soullink.modules.simulation.domain.parameters import FORMAT, Parameters

DIGITS: Final = 6


class UnwritableFileError(InvalidInputError):
    """A file cannot be written where it was wanted."""

    code = "unwritable_file"


def rounded(values: dict[str, float]) -> dict[str, float]:
    """Return values as files hold them: the equations run with exactly these."""
    return {name: round(value, DIGITS) for name, value in values.items()}


def write(path: Path, document: dict[str, Any]) -> None:
    """Write a document at once or not at all. Raises UnwritableFileError."""
    text = json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    beside = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise UnwritableFileError(
            f"{path} cannot be written: {error.strerror or error}; choose another --out."
        ) from None


def part_of(path: Path) -> Path:
    """Return where the unfinished fit of `path` is kept."""
    return path.with_name(path.name + ".part")


def unfinished(path: Path, key: str) -> Progress | None:
    """Return the unfinished fit of `path` if it has this key, None if there is no such fit."""
    try:
        document = json.loads(part_of(path).read_text(encoding="utf-8"))
        progress = Progress.of(document["progress"]) if document["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # nothing of this fit to go on with; `fit` says so where a file is in the way
    return progress


def keep(path: Path, key: str, progress: Progress) -> None:
    """Keep an unfinished fit beside `path`."""
    write(part_of(path), {"key": key, "progress": progress.document()})


def calibration(
    p: Parameters, provenance: dict[str, Any], spread: dict[str, list[float]]
) -> dict[str, Any]:
    """Return a calibration file: what the equations read, and where it comes from."""
    return {
        "format": FORMAT,
        "parameters": rounded(p.as_dict()),
        "provenance": provenance,
        "interval_90": spread,
    }


def shown(table: CalibrationTable) -> dict[str, Any]:
    """Return a table as plain data, numbers with four decimals."""
    found = asdict(table)
    for row in found["rows"]:
        for name, value in row.items():
            if isinstance(value, float):
                row[name] = round(value, 4)
    return {**found, "rows": list(found["rows"]), "inside": table.inside}


def traded(trades: tuple[Trade, ...]) -> list[dict[str, Any]]:
    """Return trades as plain data, numbers with four decimals."""
    return [
        {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(trade).items()}
        for trade in trades
    ]
