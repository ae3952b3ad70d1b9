"""Do traits, attachment and stress show in behaviour as the literature says?

`python -m benchmarks.behaviour` lives through 1,000 courses and as many on each other seed (about
five seconds each), prints the table, and writes benchmarks/results/behaviour.json and the table
in docs/explanation/behaviour.md.
"""

import json
import sys
from typing import Any, Final

from benchmarks import pages
from benchmarks.hypotheses import HYPOTHESES, Finding
from benchmarks.pages import ROOT, signed
from soullink.modules.simulation.calibration.population import ARCS, PAIRS, populate
from soullink.modules.simulation.domain.version import DYNAMICS_VERSION

SEED: Final = 20_260_401
OTHER_SEEDS: Final = (7, 99)
"""Further populations, both told of, whatever comes out; they share no course of scenarios."""
PAGE: Final = ROOT / "docs/explanation/behaviour.md"
RESULT: Final = ROOT / "benchmarks/results/behaviour.json"
BLOCK: Final = "directions"


def findings(seed: int = SEED) -> list[Finding]:
    """Return every hypothesis with its effect in one population of 1,000 courses."""
    people = populate(seed)
    return [Finding(hypothesis, hypothesis.measure(people)) for hypothesis in HYPOTHESES]


def table(rows: list[dict[str, Any]]) -> str:
    """Return the findings as a Markdown table."""
    head = (
        "| the literature says | how it shows here | expected | effect [95 % interval] "
        "| holds | source |"
    )
    lines = [head, "|---|---|---|---|---|---|"]
    lines += [
        f"| {row['statement']} | {row['how']} | {'+' if row['direction'] > 0 else '−'} "
        f"| {signed(row['value'])} [{signed(row['low'])}, {signed(row['high'])}] "
        f"| {'yes' if row['holds'] else '**no**'} | {row['source']} |"
        for row in rows
    ]
    return "\n".join(lines)


def document(found: list[Finding], others: dict[int, list[Finding]]) -> dict[str, Any]:
    """Return the findings as plain data. others: by seed; of these only what fails."""
    return {
        "dynamics": DYNAMICS_VERSION,
        "seed": SEED,
        "failing_on_other_seeds": {
            str(seed): [
                {
                    "statement": finding.hypothesis.statement,
                    "value": round(finding.effect.value, 4),
                    "low": round(finding.effect.low, 4),
                    "high": round(finding.effect.high, 4),
                }
                for finding in there
                if not finding.holds
            ]
            for seed, there in others.items()
        },
        "courses": ARCS * PAIRS,
        "findings": [
            {
                "id": finding.hypothesis.id,
                "statement": finding.hypothesis.statement,
                "how": finding.hypothesis.how,
                "direction": finding.hypothesis.direction,
                "source": finding.hypothesis.source,
                "value": round(finding.effect.value, 4),
                "low": round(finding.effect.low, 4),
                "high": round(finding.effect.high, 4),
                "units": finding.effect.courses,
                "holds": finding.holds,
            }
            for finding in found
        ],
    }


def page_block(result: dict[str, Any]) -> str:
    """Return what the page says between its markers."""
    held, count = sum(row["holds"] for row in result["findings"]), len(result["findings"])
    elsewhere = []
    for seed, failing in result["failing_on_other_seeds"].items():
        told = "; ".join(
            f"not: {row['statement']}, {signed(row['value'])} "
            f"[{signed(row['low'])}, {signed(row['high'])}]"
            for row in failing
        )
        elsewhere.append(f"{count - len(failing)} (seed {seed}{'; ' + told if told else ''})")
    return (
        f"{held} of {count} directions hold over {result['courses']:,} courses "
        f"(dynamics `{result['dynamics']}`, seed {result['seed']}). In other populations of the "
        f"same size: {', '.join(elsewhere)}.\n\n{table(result['findings'])}"
    )


def main() -> int:
    """Measure, print, and write the result and the page."""
    result = document(findings(), {seed: findings(seed) for seed in OTHER_SEEDS})
    print(page_block(result))
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    pages.write_blocks(PAGE, {BLOCK: page_block(result)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
