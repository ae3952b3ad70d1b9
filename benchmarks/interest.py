"""Makes the tables of docs/explanation/interest.md: python -m benchmarks.interest DATES.csv.

Runs `soullink ml evaluate speed-dating` and writes its result to benchmarks/results/interest.json.
With --page only the page is made anew from what is recorded.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from benchmarks.pages import ROOT, write_blocks
from soullink.entrypoints.cli.main import main as soullink

PAGE: Final = ROOT / "docs/explanation/interest.md"
RESULT: Final = ROOT / "benchmarks/results/interest.json"
SHIPPED: Final = ROOT / "src/soullink/modules/matching/domain/interest/prior.json"
GOALS: Final = {
    ("decision", "profiles"): 0.62,
    ("match", "profiles"): 0.59,
    ("decision", "profiles+earlier"): 0.78,
    ("match", "profiles+earlier"): 0.73,
}
CALIBRATION_GOAL: Final = 0.03


def recorded() -> dict[str, Any]:
    """Return the recorded evaluation."""
    found: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8"))
    return found


def models(result: dict[str, Any]) -> str:
    """Return the table of models."""
    lines = [
        "| target | features | model | AUC | 95 % | log loss | base rate's | calibration error |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['target']} | {row['features']} | {row['model']} | {row['auc']:.3f} "
        f"| {row['auc_low']:.3f} to {row['auc_high']:.3f} | {row['log_loss']:.4f} "
        f"| {row['base_log_loss']:.4f} | {row['calibration_error']:.3f} |"
        for row in result["rows"]
    ]
    return "\n".join(lines)


def goals(result: dict[str, Any]) -> str:
    """Return our rows beside the goals that were set beforehand."""
    lines = [
        "| target | features | goal | measured | log loss below base rate's | calibration <= .03 |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        if row["model"] != "ours":
            continue
        goal = GOALS[row["target"], row["features"]]
        met = "" if row["auc"] >= goal else ", missed"
        below = "yes" if row["log_loss"] < row["base_log_loss"] else "no"
        calibrated = "yes" if row["calibration_error"] <= CALIBRATION_GOAL else "no"
        lines.append(
            f"| {row['target']} | {row['features']} | {goal:.2f} | {row['auc']:.3f}{met} "
            f"| {below} | {calibrated} |"
        )
    return "\n".join(lines)


def shipped() -> str:
    """Return how the shipped model foretells, from its artifact."""
    document = json.loads(SHIPPED.read_text(encoding="utf-8"))
    lines = [
        f"Version `{document['version']}`, from {document['provenance']['decisions']:,} decisions.",
        "",
        "| target | knowing | AUC | log loss | base rate's | calibration error |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['target']} | {row['features']} | {row['auc']:.3f} | {row['log_loss']:.4f} "
        f"| {row['base_log_loss']:.4f} | {row['calibration_error']:.3f} |"
        for row in document["metrics"]
    ]
    return "\n".join(lines)


def blocks(result: dict[str, Any]) -> dict[str, str]:
    """Return the generated parts of the page by name."""
    return {"goals": goals(result), "models": models(result), "shipped": shipped()}


def main(arguments: list[str]) -> int:
    """Evaluate on a file of dates, record, and write the page."""
    if arguments != ["--page"]:
        code = soullink(
            ["ml", "evaluate", "speed-dating", str(Path(arguments[0])), "--out", str(RESULT)]
        )
        if code:
            return code
    write_blocks(PAGE, blocks(recorded()))
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
