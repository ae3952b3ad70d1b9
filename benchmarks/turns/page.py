"""Writes the measured figures into the page: `python -m benchmarks.turns.page`."""

import json
from typing import Any, Final

from benchmarks.pages import ROOT, with_block

RESULTS: Final = ROOT / "benchmarks" / "results" / "turns.json"
PAGE: Final = ROOT / "docs" / "explanation" / "turn-cost.md"
BLOCK: Final = "figures"
NAMES: Final = {
    "soullink": "**SoulLink**, everything on",
    "aiohttp": "aiohttp, a bare loop",
    "langgraph": "langgraph, saver in memory",
    "autogen": "autogen-agentchat",
    "sotopia": "sotopia",
    "concordia": "gdm-concordia",
}
WIDTHS: Final = (1, 100, 1000)
LATENCY_MS: Final = 200


def figures(document: dict[str, Any]) -> str:
    """Return the tables of one run."""
    rows = {
        (r["subject"], r["metric"], r["conversations"], r["latency_ms"]): r
        for r in document["rows"]
    }

    def shown(subject: str, metric: str, width: int, latency_ms: int = 0, digits: int = 0) -> str:
        row = rows.get((subject, metric, width, latency_ms))
        if row is None:
            return ""
        return f"{row['value']:,.{digits}f}" + (" *" if row.get("cut_off") else "")

    lines = [
        (
            f"{document['machine']}, Python {document['python']}, one run of `make bench-turns`: "
            f"median of {document['rounds']} rounds, of "
            f"{', '.join(NAMES[name].split(',')[0] for name in document['measured_once'])} one. "
            f"A star: cut off after {document['seconds']:g} s."
        ),
        "",
        (
            "| | turns/s at 1 | at 100 | at 1,000 | at 100, model takes 200 ms | CPU ms a turn "
            "at 100 | with 200 ms | calls a turn | KB sent a turn | peak MB at 100 |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    measured = {subject for subject, *_ in rows}
    for subject, name in NAMES.items():
        if subject not in measured:
            continue
        cells = [
            name,
            *(shown(subject, "turns", width) for width in WIDTHS),
            shown(subject, "turns", 100, LATENCY_MS),
            shown(subject, "CPU a turn", 100, 0, 2),
            shown(subject, "CPU a turn", 100, LATENCY_MS, 2),
            shown(subject, "model calls a turn", 100, 0, 2),
            shown(subject, "sent a turn", 100, 0, 1),
            shown(subject, "peak memory", 100),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    database = shown("soullink", "CPU a turn in PostgreSQL", 100, 0, 2)
    held = shown("soullink", "memory of live courses", 10_000)
    lines += [
        "",
        (
            f"PostgreSQL, which has SoulLink's journal and ledger, uses {database} ms more a turn "
            f"at 100. 10,000 live courses, each in the middle of a turn, take {held} MB."
        ),
    ]
    lines += [f"Not measured: {what} ({why})." for what, why in document["not_measured"].items()]
    lines += [f"Left out: {what} ({why})." for what, why in document["left_out"].items()]
    return "\n".join(lines)


def with_figures(page: str, document: dict[str, Any]) -> str:
    """Return the page with the figures of `document` in its block."""
    return with_block(page, BLOCK, figures(document))


if __name__ == "__main__":
    PAGE.write_text(with_figures(PAGE.read_text("utf-8"), json.loads(RESULTS.read_text())), "utf-8")
