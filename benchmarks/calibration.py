"""Writes docs/explanation/calibration.md from what the command prints.

`python -m benchmarks.calibration` (about a minute) runs `soullink calibrate --check-only --json`,
keeps its output in benchmarks/results/calibration.json, and renews the tables of the page. With
`--count DIR` it first counts the shipped figures anew from real data. With `--adopt FILE` it
first takes the numbers of a fit into use; count EQUATIONS up then, and renew the other pages.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from benchmarks.pages import ROOT, signed, write_blocks
from soullink.modules.simulation.calibration import split, targets
from soullink.modules.simulation.domain import parameters

PAGE: Final = ROOT / "docs/explanation/calibration.md"
RESULT: Final = ROOT / "benchmarks/results/calibration.json"
IN_USE: Final = ROOT / "src/soullink/modules/simulation/domain" / parameters.FILE
COUNTED: Final = ROOT / "src/soullink/modules/simulation/calibration" / targets.COUNTED_FILE


def _ranged(value: float, low: float, high: float) -> str:
    return f"{signed(value)} [{signed(low)}, {signed(high)}]"


def table(result: dict[str, Any]) -> str:
    """Return published beside simulated figures, and how many are inside."""
    rows = result["rows"]
    seen = (
        f"{result['couples']:,} couples, {result['evenings']} evenings and {result['quarrels']} "
        "quarrels that no fit has seen"
    )
    numbers = f"numbers `{result['parameters']}`, equations {result['equations']}"
    first = f"**{result['inside']} of {len(rows)}** figures are inside their interval "
    lines = [f"{first}({numbers}; {seen}).", ""]
    roles = [
        ("counted from real people, half fitted and half checked", targets.SPLIT),
        ("quoted and fitted", targets.FITTED),
        ("quoted and held out", targets.HELD_OUT),
    ]
    for name, role in roles:
        own = [row for row in rows if row["role"] == role]
        lines.append(f"- {name}: {sum(row['inside'] for row in own)} of {len(own)}")
    lines += [
        "",
        "| quantity | published [95 %] | simulated [95 %] | inside | role | fitted to | source |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        star = "\\*" if row["approximate"] else ""
        fitted = "" if row["fitted_to"] is None else signed(row["fitted_to"])
        lines.append(
            f"| {row['what']} | {_ranged(row['published'], row['low'], row['high'])}{star} "
            f"| {_ranged(row['simulated'], row['simulated_low'], row['simulated_high'])} "
            f"| {'inside' if row['inside'] else '**outside**'} | {row['role']} | {fitted} "
            f"| {row['source']} |"
        )
    outside = [row["what"] for row in rows if not row["inside"]]
    lines += ["", "Outside:", "", *([f"- {what}" for what in outside] or ["- nothing"])]
    return "\n".join(lines)


def numbers(document: dict[str, Any]) -> str:
    """Return the fitted numbers with the range that the figures leave them."""
    lines = ["| number | value | 90 % of the ensemble | bounds |", "|---|---|---|---|"]
    for name, value in document["parameters"].items():
        low, high = document["interval_90"][name]
        facts = parameters.FACTS[name]
        lines.append(
            f"| `{name}` | {value:.3g} | {low:.3g} to {high:.3g} "
            f"| {facts['low']:g} to {facts['high']:g} |"
        )
    return "\n".join(lines)


def provenance(document: dict[str, Any]) -> str:
    """Return how the numbers were made."""
    made = document["provenance"]
    misfit = made["misfit"]
    by = ", ".join(f"{value:.2f}" for value in misfit["by_generation"])
    misfits = f"{misfit['start']:.2f} at the start; after each generation {by}"
    lines = (
        (
            f"Made by `{made['made_by']}` {made['code']} on {made['date']} in {made['seconds']} "
            f"seconds, with seed {made['seed']}."
        ),
        (
            f"Method: {made['method']}; {made['generations'][0]} generations of "
            f"{made['members']} sets of numbers."
        ),
        f"Objective: {made['objective']}. It was {misfits}; {misfit['best']:.2f} in the end.",
        (
            f"Figures: {made['figures']} (digest `{made['figures_digest']}`), halves drawn with "
            f"seed {made['split_seed']}."
        ),
        f"Fitted: {', '.join(f'`{name}`' for name in made['fitted'])}.",
        f"Held out: {', '.join(f'`{name}`' for name in made['held_out'])}.",
    )
    return "\n".join(f"- {line}" for line in lines)


def trades(document: dict[str, Any]) -> str:
    """Return what it costs to bring a row inside."""
    lines = [
        "| to bring | from → to | costs most | from → to | misfit from → to |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{trade['row']}` | {signed(trade['before'])} → {signed(trade['after'])} "
        f"| `{trade['against']}` "
        f"| {signed(trade['against_before'])} → {signed(trade['against_after'])} "
        f"| {trade['misfit_before']:.2f} → {trade['misfit_after']:.2f} |"
        for trade in document["trades"]
    ]
    return "\n".join(lines) if document["trades"] else "Nothing is outside."


def blocks(result: dict[str, Any], document: dict[str, Any]) -> dict[str, str]:
    """Return the generated parts of the page. document: the calibration file in use."""
    return {
        "calibration": table(result),
        "provenance": provenance(document),
        "trades": trades(document),
        "fitted numbers": numbers(document),
    }


def in_use() -> dict[str, Any]:
    """Return the calibration file in use."""
    found: dict[str, Any] = json.loads(IN_USE.read_text(encoding="utf-8"))
    return found


def main(arguments: list[str] | None = None) -> int:
    """Count, adopt, run the command, write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=Path)
    parser.add_argument("--adopt", type=Path)
    asked = parser.parse_args(arguments)
    if asked.count is not None:
        text = json.dumps(split.counted(asked.count), indent=1) + "\n"
        COUNTED.write_text(text, encoding="utf-8")
    if asked.adopt is not None:
        text = asked.adopt.read_text(encoding="utf-8")
        parameters.from_text(text, str(asked.adopt))
        IN_USE.write_text(text, encoding="utf-8")
    program = "from soullink.entrypoints.cli.main import run; run()"
    command = [sys.executable, "-c", program, "calibrate", "--check-only", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True)
    RESULT.write_text(ended.stdout, encoding="utf-8")
    write_blocks(PAGE, blocks(json.loads(ended.stdout), in_use()))
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
