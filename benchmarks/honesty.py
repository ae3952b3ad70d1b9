"""Does a simulated population look like real ones? The second honesty gate.

`python -m benchmarks.honesty` (about three minutes) prints published beside simulated figures and
writes benchmarks/results/honesty.json and the tables in docs/explanation/honesty.md. The sizes in
the equations were set against these same figures, so the table shows a fit; other seeds
show how much of it is the luck of one population.
"""

# ruff: noqa: E501 - a table reads best one row a line
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from benchmarks import pages
from benchmarks.pages import ROOT, signed
from soullink.modules.simulation.calibration import couples, dating, estimates, talk
from soullink.modules.simulation.calibration.estimates import Effect
from soullink.modules.simulation.calibration.population import populate
from soullink.modules.simulation.domain.layout import Trait
from soullink.modules.simulation.domain.version import DYNAMICS_VERSION

SEED: Final = 20_260_402
OTHER_SEEDS: Final = (7, 99, 1_000, 2_000)
"""Further populations, all shown, whatever comes out. They lie further apart than ARCS, since
the scenarios of a course follow from the seed plus its number."""
ARCS, PAIRS = 50, 60
PAGE: Final = ROOT / "docs/explanation/honesty.md"
RESULT: Final = ROOT / "benchmarks/results/honesty.json"
BLOCK: Final = "gate"

DATES: Final = (
    "5,490 speed dates in 14 waves at Columbia (Fisman et al. 2006), by our own count; "
    "interval over waves"
)
COUPLES: Final = "148 married couples (Acitelli), by our own count"
MALOUFF: Final = "Malouff et al. 2010, 19 samples; figure not checked at the source"
QUARRELS: Final = "80 couples, affect rated through a quarrel, lag of 10 s"


@dataclass(frozen=True, slots=True)
class Published:
    """A published figure and the range within which a simulated one counts as inside.

    value: as published, None where only a range is. sure: the range is a 95 % interval of data;
    else it is a margin that we allow because none was published.
    """

    id: str
    what: str
    value: float | None
    low: float
    high: float
    source: str
    sure: bool = True


PUBLISHED: Final[tuple[Published, ...]] = (
    Published("actor", "first dates: share of yes and no that is the chooser", 0.19, 0.16, 0.23, DATES),
    Published("partner", "first dates: share that is the chosen", 0.16, 0.14, 0.19, DATES),
    Published("pair", "first dates: share that is the pair and chance", 0.65, 0.60, 0.68, DATES),
    Published("reciprocity", "first dates: dyadic reciprocity (r of what is left of both decisions)", 0.12, 0.08, 0.16, DATES),
    Published("within_pair", "first dates: r of the two decisions of a pair", -0.06, -0.10, -0.01, DATES),
    Published("choosy_popular", "first dates: r of being wanted with wanting others", -0.21, -0.32, -0.09, DATES),
    Published("yes_rate", "first dates: share of yes", 0.42, 0.40, 0.44, DATES),
    Published("perceived", "first dates: r of yes with perceived likeness", 0.41, 0.37, 0.44, DATES),
    Published("actual", "first dates: r of yes with actual likeness", 0.01, -0.03, 0.04, DATES),
    Published("auc", "first dates: AUC of a match from both profiles alone, unseen evenings", 0.57, 0.53, 0.62, "gradient boosting on the Columbia speed dates", sure=False),
    Published("satisfaction", "partners' satisfaction: r", 0.62, 0.48, 0.70, COUPLES),
    Published("tension", "partners' tension: r", 0.32, 0.15, 0.48, COUPLES),
    Published("own_view", "satisfaction on own view of the partner", 0.24, 0.15, 0.32, COUPLES),
    Published("partner_view", "satisfaction on the partner's view of oneself", 0.16, 0.07, 0.25, COUPLES),
    Published("own_tension", "satisfaction on own tension", -0.42, -0.52, -0.31, COUPLES),
    Published("partner_tension", "satisfaction on the partner's tension", -0.16, -0.25, -0.06, COUPLES),
    Published("partner_N", "satisfaction on the partner's neuroticism: r", -0.22, -0.27, -0.17, MALOUFF, sure=False),
    Published("partner_A", "satisfaction on the partner's agreeableness: r", 0.15, 0.10, 0.20, MALOUFF, sure=False),
    Published("partner_C", "satisfaction on the partner's conscientiousness: r", 0.12, 0.07, 0.17, MALOUFF, sure=False),
    Published("partner_E", "satisfaction on the partner's extraversion: r", 0.06, 0.01, 0.11, MALOUFF, sure=False),
    Published("own_traits", "share of satisfaction that own traits explain, at most", 0.21, 0.0, 0.21, "Joel et al. 2020, 11,196 couples", sure=False),
    Published("inertia", "mood in a quarrel: own mood one turn on", 0.54, 0.51, 0.56, QUARRELS, sure=False),
    Published("influence", "mood in a quarrel: partner's mood one turn on", 0.08, 0.05, 0.11, QUARRELS, sure=False),
    Published("stable_ratio", "positive to negative in a crisis, couples who stay", 5.0, 3.5, 6.5, "Gottman 1994", sure=False),
    Published("unstable_ratio", "positive to negative in a crisis, couples who part", 0.8, 0.5, 1.1, "Gottman 1994", sure=False),
)  # fmt: skip


def measured(seed: int = SEED) -> dict[str, Effect]:
    """Return every figure of PUBLISHED in one simulated population."""
    evenings = dating.simulated(seed)
    out = {
        name: Effect(*figures, len(evenings))
        for name, figures in dating.with_intervals(evenings, seed).items()
    }
    out["auc"] = _auc(seed)
    people = populate(seed, ARCS, PAIRS)
    out["satisfaction"] = couples.partners_agree(people)
    out["tension"] = couples.tension_agrees(people)
    names = ("own_view", "partner_view", "own_tension", "partner_tension")
    weights = couples.simulated_actor_partner(people)
    out |= dict(zip(names, weights.values(), strict=True))
    for letter, trait in (
        ("N", Trait.NEUROTICISM),
        ("A", Trait.AGREEABLENESS),
        ("C", Trait.CONSCIENTIOUSNESS),
        ("E", Trait.EXTRAVERSION),
    ):
        out[f"partner_{letter}"] = couples.on_trait(people, trait, partner=True)
    out["own_traits"] = couples.explained_by_own_traits(people)
    out["inertia"], out["influence"] = talk.mood_in_a_quarrel(seed)
    out["stable_ratio"], out["unstable_ratio"] = couples.positivity_in_crisis(people)
    return out


def _auc(seed: int, rounds: int = 3) -> Effect:
    """Return the AUC over several sets of evenings; the interval from their spread."""
    values = np.array([dating.match_auc(dating.simulated(seed + k)) for k in range(rounds)])
    half = estimates.Z * float(values.std(ddof=1)) / float(np.sqrt(rounds))
    value = float(values.mean())
    return Effect(value, value - half, value + half, rounds * dating.BLOCKS)


def is_inside(row: Published, value: float) -> bool:
    """Return whether a simulated figure, as the table shows it, lies in the published range."""
    return row.low <= round(value, 2) <= row.high


def document(
    figures: Mapping[str, Effect], others: Mapping[int, Mapping[str, Effect]]
) -> dict[str, Any]:
    """Return published beside simulated figures as plain data. others: by seed."""
    rows = []
    for row in PUBLISHED:
        effect = figures[row.id]
        rows.append(
            {
                "id": row.id,
                "what": row.what,
                "published": row.value,
                "range": [row.low, row.high],
                "margin_is_ours": not row.sure,
                "source": row.source,
                "value": round(effect.value, 4),
                "low": round(effect.low, 4),
                "high": round(effect.high, 4),
                "inside": is_inside(row, effect.value),
                "others": [round(other[row.id].value, 4) for other in others.values()],
                "others_inside": [is_inside(row, other[row.id].value) for other in others.values()],
            }
        )
    return {
        "dynamics": DYNAMICS_VERSION,
        "seed": SEED,
        "other_seeds": list(others),
        "figures": rows,
    }


def page_block(result: dict[str, Any]) -> str:
    """Return what the page says between its markers."""
    rows = result["figures"]
    inside = sum(row["inside"] for row in rows)
    seeds = result["other_seeds"]
    elsewhere = ", ".join(
        f"{sum(row['others_inside'][k] for row in rows)} (seed {seed})"
        for k, seed in enumerate(seeds)
    )
    summary = (
        f"{inside} of {len(rows)} figures are inside (dynamics `{result['dynamics']}`, seed "
        f"{result['seed']}). In other populations of the same size: {elsewhere}.\n\n"
        "A range with * is a margin of ours, as no interval was published. *Other seeds*: lowest "
        f"and highest value in {len(seeds)} other populations, and in how many it is inside."
    )
    lines = [
        summary,
        "",
        "| figure | published [range] | simulated [95 % interval] | inside | other seeds | source |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        low, high = row["range"]
        star = "\\*" if row["margin_is_ours"] else ""
        lines.append(
            f"| {row['what']} | {signed(row['published'])} [{signed(low)}, {signed(high)}]{star} "
            f"| {signed(row['value'])} [{signed(row['low'])}, {signed(row['high'])}] "
            f"| {'inside' if row['inside'] else '**outside**'} | {signed(min(row['others']))} to "
            f"{signed(max(row['others']))} ({sum(row['others_inside'])} of {len(seeds)}) "
            f"| {row['source']} |"
        )
    outside = [row["what"] for row in rows if not row["inside"]]
    unsteady = [
        f"{row['what']} (in {sum(row['others_inside'])} of {len(seeds)} other populations)"
        for row in rows
        if row["inside"] and not all(row["others_inside"])
    ]
    for title, found in (
        ("Outside, and so not to be relied on:", outside),
        (
            "Inside here but not in every other population, and so not to be relied on either:",
            unsteady,
        ),
    ):
        lines += ["", title, ""]
        lines += [f"- {what}" for what in found] or ["- nothing at present"]
    return "\n".join(lines)


def main() -> int:
    """Measure, print, and write the result and the page."""
    result = document(measured(), {seed: measured(seed) for seed in OTHER_SEEDS})
    print(page_block(result))
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    pages.write_blocks(PAGE, {BLOCK: page_block(result)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
