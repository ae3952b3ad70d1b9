"""What an audit says: one row for one figure of one group."""

from dataclasses import asdict, dataclass
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
    n: people in the group (for the market: waves).
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

    def as_json(self) -> dict[str, object]:
        """Return the row as an object, figures with five decimals."""
        return {
            key: round(value, 5) if isinstance(value, float) else value
            for key, value in asdict(self).items()
        }

    @property
    def found(self) -> bool:
        """Whether this is a comparison whose interval leaves out "no difference"."""
        if self.stage != "change" and self.metric not in GAPS:
            return False
        even = 1.0 if self.metric in RATIOS and self.stage != "change" else 0.0
        return self.low is not None and self.high is not None and not self.low <= even <= self.high


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
