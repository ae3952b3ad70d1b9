"""Ways of making lists for two sides, beside each other.

`python -m benchmarks.reciprocal` runs every method on the synthetic market of the literature and
on twenty like it, and writes results/reciprocal.json and the tables of
docs/explanation/reciprocal.md. `--dates CSV` (speed dates) also foretells every evening by our
interest model trained on the others and counts the matches that lists made from that would have
come to, which takes two minutes; `--large` measures the equilibrium of large markets. What is not
measured anew stays as recorded.
"""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import pages
from benchmarks.match import equilibrium
from soullink.modules.matching.domain.reciprocal.measures import (
    envious_pairs,
    expected_matches,
    exposure,
    gini,
)
from soullink.modules.matching.domain.reciprocal.recommend import METHODS, recommend
from soullink_ml.markets.synthetic import synthetic_market, table

RESULT: Final = pages.ROOT / "benchmarks" / "results" / "reciprocal.json"
PAGE: Final = pages.ROOT / "docs" / "explanation" / "reciprocal.md"
MARKETS: Final = 20
PEER: Final = {
    "random": 1.85,
    "one-sided": 2.08,
    "product": 2.38,
    "transferable utility": 3.58,
}
"""Matches a wave from plain gradient-boosted profile scores, on 17 waves of the same experiment."""


def many_markets() -> list[dict[str, Any]]:
    """Return each method's means over MARKETS synthetic markets of 30 x 20."""
    rows = []
    markets = [synthetic_market(seed=seed) for seed in range(MARKETS)]
    for method in METHODS:
        begun = time.process_time()
        shown = [recommend(market, method, seed) for seed, market in enumerate(markets)]
        seconds = (time.process_time() - begun) / MARKETS
        both = list(zip(markets, shown, strict=True))
        rows.append(
            {
                "method": method,
                "matches": float(np.mean([expected_matches(*each) for each in both])),
                "envious": float(np.mean([sum(envious_pairs(*each)) for each in both])),
                "gini": float(np.mean([gini(side) for each in both for side in exposure(*each)])),
                "milliseconds": 1000.0 * seconds,
            }
        )
    return rows


def evenings(path: Path) -> list[dict[str, Any]]:
    """Return matches an evening by method, as `soullink ml evaluate speed-dating` counts them."""
    # The interest models are loaded only where they are asked for.
    from soullink_ml.datasets import speed_dates
    from soullink_ml.evaluation import speed_dating

    found = speed_dating.evaluate(speed_dates.read(path), None, models=(speed_dating.OURS,))
    return [asdict(row) for row in found.matches]


def blocks(recorded: dict[str, Any]) -> dict[str, str]:
    """Return the tables of the page by name."""
    synthetic = [
        f"| {row['method']} | {row['expected_matches']:.2f} "
        f"| {_or_blank(row['published_matches'], '.2f')} "
        f"| {row['envious_left'] + row['envious_right']} "
        f"| {_or_blank(row['published_envious'], 'd')} |"
        for row in recorded["synthetic"]
    ]
    many = [
        f"| {row['method']} | {row['matches']:.2f} | {row['envious']:.1f} | {row['gini']:.2f} "
        f"| {row['milliseconds']:.1f} |"
        for row in recorded["many"]
    ]
    evening = [
        f"| {row['method']} | {row['knows']} | {row['matches_per_wave']:.2f} "
        f"| {row['low']:.2f} to {row['high']:.2f} | {_or_blank(PEER.get(row['method']), '.2f')} |"
        for row in recorded["evenings"]
    ]
    return {
        "synthetic": _table(
            "method | matches | published | envious pairs | published", "lrrrr", synthetic
        ),
        "many": _table(
            "method | matches | envious pairs | Gini of exposure | CPU ms", "lrrrr", many
        ),
        "evenings": _table(
            "lists | rest on | matches a wave | 95 % | a plain model's, 17 waves", "llrrr", evening
        ),
        "large": _table(
            "form | people a side | seconds | CPU seconds | passes | peak MB",
            "lrrrrr",
            _large(recorded["large"]),
        ),
    }


def _or_blank(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _large(rows: list[dict[str, Any]]) -> list[str]:
    found: dict[tuple[str, int], dict[str, float]] = {}
    for row in rows:
        found.setdefault((row["subject"], row["size"]), {})[row["metric"]] = row["value"]
    return [
        f"| {subject.partition(', ')[2]} | {size:,} | {one['solve']:.2f} | {one['solve, CPU']:.2f} "
        f"| {one['passes']:.0f} | {one['peak memory']:,.0f} |"
        for (subject, size), one in found.items()
    ]


def _table(head: str, sides: str, lines: list[str]) -> str:
    rule = "|".join("---:" if side == "r" else "---" for side in sides)
    return "\n".join([f"| {head} |", f"|{rule}|", *lines])


def main() -> None:
    """Measure what is asked for, and write the results and the page."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--dates", type=Path, metavar="CSV")
    reader.add_argument("--large", action="store_true")
    asked = reader.parse_args()
    recorded = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    recorded["synthetic"] = [asdict(row) for row in table()]
    recorded["many"] = many_markets()
    if asked.dates:
        recorded["evenings"] = evenings(asked.dates)
    if asked.large:
        measured: list[equilibrium.Row] = []
        equilibrium.main(measured)
        recorded["large"] = measured
    RESULT.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")
    pages.write_blocks(PAGE, blocks(recorded))
    print(f"written: {RESULT}, {PAGE}")


if __name__ == "__main__":
    main()
