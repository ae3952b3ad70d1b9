"""Writes the measured figures into the page: `python -m benchmarks.match.page`."""

import json
from collections.abc import Mapping
from typing import Any, Final

from benchmarks.pages import ROOT, write_blocks

RESULTS: Final = ROOT / "benchmarks/results/match.json"
PAGE: Final = ROOT / "docs/explanation/matching.md"
OWN: Final = "candidates"

_ROWS: Final = (
    ("latency p50, all", "top 20, median", 1, "ms"),
    ("latency p99, all", "top 20, 99th percentile", 1, "ms"),
    ("CPU p99, all", "the same in CPU time", 1, "ms"),
    ("latency p99, within a distance", "99th percentile, those with a limit of distance", 1, "ms"),
    ("latency p99, anywhere", "99th percentile, those without", 1, "ms"),
    ("recall@20", "recall@20 against the exhaustive search", 3, ""),
    ("filters agree", "same candidates as the exhaustive search", 3, ""),
    ("passed", "people who pass every filter both ways, median", 0, ""),
    ("scored in full", "of them scored in full, median", 0, ""),
    ("build", "build the pool from columns", 2, "s"),
    ("pool", "the pool's columns and buckets", 0, "MiB"),
    ("grown by building", "memory of the process for it, ids included", 0, "MiB"),
    ("change p99", "one change, 99th percentile", 0, "µs"),
    ("addition p99", "one addition, 99th percentile", 0, "µs"),
    ("removal p99", "one removal, 99th percentile", 0, "µs"),
    ("changes a CPU second", "changes a CPU second", 0, ""),
)


def blocks(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the generated parts of the page, by name."""
    return {
        "candidates": candidates_table(document),
        "equilibrium": other_table(document, of_equilibrium=True),
        "vectors": other_table(document, of_equilibrium=False),
    }


def candidates_table(document: Mapping[str, Any]) -> str:
    """Return how the best twenty are found, a column a size."""
    rows = [row for row in document["rows"] if row["subject"] == OWN]
    sizes = sorted({row["size"] for row in rows})
    values = {(row["metric"], row["size"]): row["value"] for row in rows}
    lines = [
        (
            f"{document['machine']}, Python {document['python']}, one run of `make bench-match` "
            f"(load before it {document['load_before']:g}); one thread."
        ),
        "",
        "| | " + " | ".join(f"{size:,} people" for size in sizes) + " |",
        "|---" * (len(sizes) + 1) + "|",
    ]
    for metric, name, digits, unit in _ROWS:
        cells = [
            "" if (metric, size) not in values
            else f"{values[metric, size]:,.{digits}f} {unit}".strip()
            for size in sizes
        ]  # fmt: skip
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def other_table(document: Mapping[str, Any], *, of_equilibrium: bool) -> str:
    """Return the rows of another part as they stand, a line each subject and metric."""
    rows = [
        row
        for row in document["rows"]
        if row["subject"] != OWN and row["subject"].startswith("equilibrium") == of_equilibrium
    ]
    if not rows:
        return "Not measured in this run."
    sizes = sorted({row["size"] for row in rows})
    values = {(row["subject"], row["metric"], row["size"]): row for row in rows}
    lines = [
        "| part | figure | " + " | ".join(f"{size:,}" for size in sizes) + " |",
        "|---" * (len(sizes) + 2) + "|",
    ]
    for subject, metric in dict.fromkeys((row["subject"], row["metric"]) for row in rows):
        cells = []
        for size in sizes:
            row = values.get((subject, metric, size))
            cells.append("" if row is None else f"{row['value']:,.4g} {row['unit']}".strip())
        lines.append(f"| {subject} | {metric} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write(document: Mapping[str, Any]) -> None:
    """Renew the tables of the page."""
    write_blocks(PAGE, blocks(document))


if __name__ == "__main__":
    write(json.loads(RESULTS.read_text(encoding="utf-8")))
