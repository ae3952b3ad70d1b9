"""The Parquet file of a screening: written in row groups of one size, read back for the top.

Row groups have the same size whatever parts they come from, so that the bytes of the file depend
on the result alone.
"""

import hashlib
import heapq
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from soullink.kernel.canonical import canonical_json
from soullink.modules.simulation.domain.screening import NUMBERS, NumberArray, PairGrid
from soullink.modules.simulation.screening.api import (
    COLUMNS,
    MissingExtraError,
    ScreenedPair,
    UnusableScreeningError,
)

ROW_GROUP: Final = 65_536
KEY: Final = b"soullink"
"""Key in the file's metadata; its value is canonical JSON."""


def pyarrow() -> tuple[Any, Any]:
    """Return pyarrow and pyarrow.parquet. Raises MissingExtraError."""
    try:
        # An extra, and slow to import: only screening needs it.
        import pyarrow as pa  # noqa: PLC0415
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(
            "Screening writes Parquet with pyarrow, which is not installed; install it with: "
            "pip install 'soullink[fast]'"
        ) from error
    return pa, parquet


def write(
    path: Path, grid: PairGrid, parts: Iterable[NumberArray], metadata: Mapping[str, Any]
) -> None:
    """Write the rows of all pairs in order to `path`, flushed to the disk.

    parts: rows of NUMBERS that together are those of all pairs.
    """
    arrow, parquet = pyarrow()
    schema = arrow.schema(
        [
            arrow.field(
                column.name,
                arrow.string() if column.kind == "text" else arrow.float32(),
                nullable=False,
                metadata={"description": column.meaning},
            )
            for column in COLUMNS
        ],
        metadata={KEY: canonical_json(metadata)},
    )
    unknown = grid.people.unknown().astype(np.float32)
    start = 0
    with (
        path.open("wb") as file,
        parquet.ParquetWriter(
            file, schema, compression="zstd", use_dictionary=["first", "second"]
        ) as writer,
    ):
        for rows in _regrouped(parts):
            table = _table(arrow, schema, grid, unknown, start, rows)
            writer.write_table(table, row_group_size=ROW_GROUP)
            start += rows.size
    with path.open("rb") as written:
        os.fsync(written.fileno())


def _regrouped(parts: Iterable[NumberArray]) -> Iterator[NumberArray]:
    """Yield the same rows, ROW_GROUP at a time."""
    waiting: list[NumberArray] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += part.size
        while size >= ROW_GROUP:
            rows = np.concatenate(waiting)
            yield rows[:ROW_GROUP]
            waiting, size = [rows[ROW_GROUP:]], size - ROW_GROUP
    if size:
        yield np.concatenate(waiting)


def _table(
    arrow: ModuleType,
    schema: Any,
    grid: PairGrid,
    unknown: NDArray[np.float32],
    start: int,
    rows: NumberArray,
) -> Any:
    pairs = grid.rows(start, start + rows.size)
    arrays = []
    for who in pairs:
        # Only the ids that occur: a dictionary of all people would be written with each group.
        used, place = np.unique(who, return_inverse=True)
        names = arrow.array([grid.people.ids[row] for row in used], type=arrow.string())
        arrays.append(names.take(arrow.array(place)))
    arrays += [arrow.array(np.ascontiguousarray(rows[name])) for name in NUMBERS.names or ()]
    arrays += [arrow.array(unknown[who]) for who in pairs]
    return arrow.Table.from_arrays(arrays, schema=schema)


def metadata_of(path: Path) -> dict[str, Any] | None:
    """Return what the file says of how it was made; None where it is no screening."""
    arrow, parquet = pyarrow()
    try:
        found = parquet.read_schema(path).metadata or {}
        document = json.loads(found[KEY])
    except (OSError, KeyError, ValueError, arrow.ArrowException):
        return None
    return document if isinstance(document, dict) else None


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def likeliest(path: Path, count: int) -> list[ScreenedPair]:
    """Return the rows with the highest P(together), then satisfaction, ties in file order."""
    _, parquet = pyarrow()
    if metadata_of(path) is None:
        raise UnusableScreeningError(
            f"{path} is no screening; `soullink screen` writes one with --out."
        )
    best: list[tuple[float, float, int, int, int]] = []
    with parquet.ParquetFile(path) as file:
        before = 0
        for group in range(file.num_row_groups):
            columns = ["together", "satisfaction_first_mean", "satisfaction_second_mean"]
            table = file.read_row_group(group, columns=columns)
            together, one, other = (column.to_numpy() for column in table.columns)
            satisfied = one.astype(np.float64) + other
            order = np.lexsort((-satisfied, -together))[:count]
            best = heapq.nsmallest(
                count,
                [
                    *best,
                    *(
                        (-float(together[n]), -float(satisfied[n]), before + int(n), group, int(n))
                        for n in order
                    ),
                ],
            )
            before += table.num_rows
        rows = {}
        for group in {found[3] for found in best}:
            table = file.read_row_group(group)
            for found in best:
                if found[3] == group:
                    rows[found[2]] = table.slice(found[4], 1).to_pylist()[0]
    chosen = [rows[found[2]] for found in best]
    return [ScreenedPair(row.pop("first"), row.pop("second"), row) for row in chosen]
