"""What an audit says: one row for one figure of one group."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final, Literal, TypeAlias

Role: TypeAlias = Literal["provider", "consumer", "market"]
"""provider: the one who is shown; consumer: the one who is shown to; market: everybody."""
Stage: TypeAlias = Literal["before", "after", "change"]
"""change: after less before, by the same draws of the bootstrap."""

MIN_PEOPLE: Final = 15
MIN_CASES: Final = 30
"""A group needs so many people, and so many dates with and without the outcome."""
TOO_SMALL: Final = "too_small"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    group_by: gender, race, "race x gender" or all. target: decision, match or recommendation.
    value, low, high: the figure and its 95 % interval; None where the group is too small for it.
    n: people in the group (for the market: waves). p: of comparisons only, two-sided, from
    the interval; p_adjusted: after Holm, for all comparisons of the same stage and method.
    """

    group_by: str
    group: str
    role: Role
    target: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    stage: Stage
    method: str
    p: float | None = None
    p_adjusted: float | None = None

    def as_json(self) -> dict[str, object]:
        """Return the row as an object, figures with five decimals."""
        return {
            key: round(value, 5) if isinstance(value, float) else value
            for key, value in asdict(self).items()
        }

    @property
    def found(self) -> bool:
        """Whether this is a comparison whose interval leaves out "no difference"."""
        even = even_value(self.metric, self.stage)
        if even is None:
            return False
        return self.low is not None and self.high is not None and not self.low <= even <= self.high


_Z95: Final = 1.959964
RATIOS: Final = frozenset({"exposure_ratio", "exposure_per_merit"})
GAPS: Final = frozenset(
    {
        "auc_gap",
        "calibration_gap",
        "recommended_gap",
        "tpr_gap",
        "fpr_gap",
        "matches_gap",
        *RATIOS,
    }
)
"""Figures that compare a group with all others (ratios: with the whole); even is 0 or 1."""


def even_value(metric: str, stage: Stage) -> float | None:
    """Return the value that says "no difference"; None for what is no comparison."""
    if stage == "change":
        return 0.0
    if metric in RATIOS:
        return 1.0
    return 0.0 if metric in GAPS else None


def two_sided(value: float, low: float, high: float, even: float) -> float | None:
    """Return the p-value that a 95 % interval implies (Altman & Bland 2011, BMJ 343), or None.

    Of an interval that is not even about its value, the side towards `even` counts: p is below
    .05 just where the interval leaves `even` out.
    """
    distance = abs(value - even)
    width = high - value if value < even else value - low
    if width <= 0:
        return 0.0 if distance > 0 else None
    return math.erfc(_Z95 * distance / width / math.sqrt(2))


def adjusted(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Return the rows with p-values after Holm (1979) inside each stage and method.

    A comparison that stands twice (women beside men and men beside women, a match from either
    side) counts once.
    """
    families: defaultdict[tuple[str, str], set[float]] = defaultdict(set)
    for row in rows:
        if row.p is not None:
            families[row.stage, row.method].add(round(row.p, 12))
    after: dict[tuple[str, str, float], float] = {}
    for (stage, method), found in families.items():
        least = 0.0
        for place, p in enumerate(sorted(found)):
            least = max(least, min(1.0, p * (len(found) - place)))
            after[stage, method, p] = least
    return tuple(
        row
        if row.p is None
        else replace(row, p_adjusted=after[row.stage, row.method, round(row.p, 12)])
        for row in rows
    )
