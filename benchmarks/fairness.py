"""The fairness report on record: `python -m benchmarks.fairness` renews the page from it.

soullink ml fairness speed-dating dates.csv --out benchmarks/results/fairness.json
python -m benchmarks.fairness --intervals   # audits of simulated evenings; minutes
"""

import json
import sys
from typing import Any, Final

import numpy as np

from benchmarks.pages import ROOT, write_blocks
from soullink_ml.fairness import documents, tables, trials
from soullink_ml.fairness.resampling import Cluster
from soullink_ml.fairness.simulated import World

RESULT: Final = ROOT / "benchmarks" / "results" / "fairness.json"
INTERVALS: Final = ROOT / "benchmarks" / "results" / "fairness_intervals.json"
PAGE: Final = ROOT / "docs" / "explanation" / "fairness.md"
AUDITS: Final = 120
PLANTED: Final = 0.4
LARGE, SMALL = 0.25, 0.07
"""Shares of the group: about 91 and about 25 of 364 people."""
CLUSTERS: Final[tuple[Cluster, ...]] = ("people", "wave")


def simulate() -> dict[str, Any]:
    """Audit made-up evenings, fair and unfair, and return how often each comparison finds."""
    runs = []
    for share in (LARGE, SMALL):
        for planted in (0.0, PLANTED):
            for cluster in CLUSTERS:
                world = World(share=share, planted=planted)
                rates = {
                    name: round(float(np.mean(one)), 4)
                    for name, one in trials.found(world, range(AUDITS), cluster).items()
                }
                runs.append(
                    {"share": share, "planted": planted, "cluster": cluster, "found": rates}
                )
    return {"audits": AUDITS, "draws": trials.DRAWS, "runs": runs}


def blocks(document: dict[str, Any], simulated: dict[str, Any]) -> dict[str, str]:
    """Return the generated parts of the page."""
    audit = documents.of_json(document)
    made = {
        table.name: "\n".join(tables.markdown_table(table)) for table in tables.tables(audit, "en")
    }
    small = tables.small_groups(audit, "en") or ""
    return {
        **made,
        "summary": "\n\n".join([*tables.summary(audit, "en"), small]),
        "intervals": _intervals(simulated),
    }


def _intervals(simulated: dict[str, Any]) -> str:
    runs = {
        (run["share"], run["planted"], run["cluster"]): run["found"] for run in simulated["runs"]
    }
    cases = [(share, planted) for planted in (0.0, PLANTED) for share in (LARGE, SMALL)]
    lines = [
        "| comparison | "
        + " | ".join(
            f"{'fair' if not planted else f'lowered by {planted}'}, {share:.0%} of people"
            for share, planted in cases
        )
        + " |",
        "|---|" + "---:|" * len(cases),
    ]
    for name in runs[LARGE, 0.0, "people"]:
        role, target, metric = name.split(" ")
        shown = [
            " / ".join(_rate(runs[share, planted, cluster].get(name)) for cluster in CLUSTERS)
            for share, planted in cases
        ]
        who = "shown" if role == "provider" else "viewer"
        plural = "matches" if target == "match" else f"{target}s"
        words = f"{metric.replace('_', ' ')} of {plural}, {who}"
        lines.append(f"| {words} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def _rate(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}".removeprefix("0")


def main(arguments: list[str]) -> None:
    """Renew what is on record where asked to, and the page."""
    if "--intervals" in arguments:
        INTERVALS.write_text(json.dumps(simulate(), indent=1) + "\n", encoding="utf-8")
    document, simulated = (json.loads(path.read_text("utf-8")) for path in (RESULT, INTERVALS))
    write_blocks(PAGE, blocks(document, simulated))


if __name__ == "__main__":
    main(sys.argv[1:])
