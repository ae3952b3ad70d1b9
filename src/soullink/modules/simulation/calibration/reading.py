"""Reading tables that a user names, with one clear sentence for whatever is wrong with them."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from soullink.kernel.errors import InvalidInputError

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of a file at most; the largest known one has four million."""


class UnusableDataError(InvalidInputError):
    """A file of real figures is missing or not what it should be."""

    code = "unusable_data"


def table(path: Path, columns: Sequence[str], encoding: str = "utf-8") -> list[dict[str, str]]:
    """Return the rows of a CSV file that has at least `columns`. Raises UnusableDataError."""
    try:
        if path.stat().st_size > LARGEST:
            raise UnusableDataError(f"{path} is larger than {LARGEST >> 20} MB.")
        with path.open(encoding=encoding, newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise UnusableDataError(f"{path} has no column {missing[0]!r}.")
            rows = list(reader)
    except OSError as error:
        raise UnusableDataError(
            f"{path} cannot be read: {error.strerror or error}; --data names the folder that holds "
            "couples_acitelli and speed_dating."
        ) from None
    except UnicodeDecodeError:
        raise UnusableDataError(f"{path} is not text in {encoding}.") from None
    except csv.Error as error:
        raise UnusableDataError(f"{path} is not a table: {error}.") from None
    if not rows:
        raise UnusableDataError(f"{path} has no rows.")
    for line, row in enumerate(rows, start=2):
        if any(row[name] is None for name in columns):
            raise UnusableDataError(f"{path}, line {line}: there are too few columns.")
    return rows


def number(row: Mapping[str, str], name: str, path: Path, *, blank: bool = False) -> float:
    """Return a finite number of a row; with `blank`, NaN where the cell is empty."""
    text = row[name].strip().replace(",", "")
    if blank and not text:
        return float("nan")
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        raise UnusableDataError(f"{path}: {row[name]!r} in column {name} is no number.")
    return value
