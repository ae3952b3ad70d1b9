"""What a simulated population is held against: published figures and counted ones.

Figures of first dates and of couples are counted from real data. Their halves, a fitting and a
checking one, are drawn by a seed (split.py); what the halves come to ships beside this file,
the data do not. Other figures are quoted; of these some are fitted, the others held out.
"""

# ruff: noqa: E501 - a table reads best one row a line
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final, Literal

COUNTED_FILE: Final = "counted.v1.json"

Role = Literal["fitted, other half checks", "fitted", "held out"]
SPLIT: Final[Role] = "fitted, other half checks"
FITTED: Final[Role] = "fitted"
HELD_OUT: Final[Role] = "held out"

_MALOUFF: Final = "Malouff et al. 2010, 19 samples; approximate, not checked at the source"
_QUARREL: Final = "80 couples, affect rated every 2 s through a quarrel"
_GOTTMAN: Final = "Gottman 1994; approximate: seconds of coded affect there, turns here"
_BIDS: Final = (
    "Gottman & Silver 1999, bids turned towards, newlyweds six years on; approximate: "
    "positive answers to repairs here"
)
DATES: Final = "Columbia speed dates (Fisman et al. 2006), by our own count"
COUPLES: Final = "married couples (Acitelli), by our own count"


@dataclass(frozen=True, slots=True)
class Range:
    """A figure with its interval, low <= value <= high."""

    value: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Return whether `value` lies within, as a table with two decimals shows it."""
        return round(self.low, 2) <= round(value, 2) <= round(self.high, 2)

    @property
    def scale(self) -> float:
        """Return the standard error behind a 95 % interval of this width."""
        return max((self.high - self.low) / 3.92, 1e-3)


@dataclass(frozen=True, slots=True)
class Target:
    """A figure to fit or to check. fit: None where held out. check: what the verdict is against.

    approximate: quoted from memory, or in other units; its range is a margin of ours.
    """

    id: str
    what: str
    source: str
    role: Role
    fit: Range | None
    check: Range
    approximate: bool = False


_COUNTED: Final[tuple[tuple[str, str, str], ...]] = (
    ("actor", "first dates: share of yes and no that is the chooser (actor)", DATES),
    ("partner", "first dates: share that is the chosen (partner)", DATES),
    ("pair", "first dates: share that is the pair and chance", DATES),
    ("reciprocity", "first dates: dyadic reciprocity, r of what is left of both", DATES),
    ("choosy_popular", "first dates: generalised reciprocity, r of wanted with wanting", DATES),
    ("within_pair", "first dates: r of the two decisions of a pair", DATES),
    ("yes_rate", "first dates: share of yes", DATES),
    ("perceived", "first dates: r of yes with perceived similarity", DATES),
    ("actual", "first dates: r of yes with actual similarity", DATES),
    ("satisfaction", "partners' satisfaction: r", COUPLES),
    ("tension", "partners' tension: r", COUPLES),
    ("own_view", "satisfaction on own view of the partner", COUPLES),
    ("partner_view", "satisfaction on the partner's view of oneself", COUPLES),
    ("own_tension", "satisfaction on own tension", COUPLES),
    ("partner_tension", "satisfaction on the partner's tension", COUPLES),
)


def _quoted() -> tuple[Target, ...]:
    def row(
        name: str,
        what: str,
        role: Role,
        numbers: tuple[float, float, float],
        source: str,
        *,
        approximate: bool = True,
    ) -> Target:
        span = Range(*numbers)
        fit = None if role == HELD_OUT else span
        return Target(name, what, source, role, fit, span, approximate)

    # A root of two figures that are fitted, so no new evidence: said on the page.
    two = f"{_QUARREL}; by the fifth root of the weights at 10 s"
    trait = "satisfaction on the partner's {}: r"
    return (
        row("partner_N", trait.format("neuroticism"), FITTED, (-0.22, -0.27, -0.17), _MALOUFF),
        row("partner_A", trait.format("agreeableness"), FITTED, (0.15, 0.10, 0.20), _MALOUFF),
        row("partner_C", trait.format("conscientiousness"), HELD_OUT, (0.12, 0.07, 0.17), _MALOUFF),
        row("partner_E", trait.format("extraversion"), HELD_OUT, (0.06, 0.01, 0.11), _MALOUFF),
        row("own_traits", "share of satisfaction that own traits explain, at most", HELD_OUT, (0.21, 0.0, 0.21), "Joel et al. 2020, 11,196 couples"),
        row("inertia", "mood in a quarrel: inertia at 10 s (one turn)", FITTED, (0.535, 0.51, 0.56), _QUARREL),
        row("influence", "mood in a quarrel: partner's influence at 10 s (one turn)", FITTED, (0.08, 0.05, 0.11), _QUARREL),
        row("inertia_2s", "mood in a quarrel: inertia at 2 s", HELD_OUT, (0.875, 0.86, 0.89), two),
        row("influence_2s", "mood in a quarrel: partner's influence at 2 s", HELD_OUT, (0.03, 0.01, 0.05), two),
        row("mood_agreement", "mood in a quarrel: r of both partners' mean", HELD_OUT, (0.35, 0.14, 0.53), f"{_QUARREL}; interval for n = 80", approximate=False),
        row("stable_ratio", "positive to negative in a crisis, couples who stay", FITTED, (5.0, 3.5, 6.5), _GOTTMAN),
        row("unstable_ratio", "positive to negative in a crisis, couples who part", FITTED, (0.8, 0.5, 1.1), _GOTTMAN),
        row("stable_repair", "share of repairs answered positively, couples who stay", HELD_OUT, (0.86, 0.76, 0.96), _BIDS),
        row("unstable_repair", "share of repairs answered positively, couples who part", HELD_OUT, (0.33, 0.23, 0.43), _BIDS),
        row("auc", "first dates: AUC of a match from both profiles, unseen evenings", HELD_OUT, (0.57, 0.53, 0.62), "gradient boosting on the Columbia speed dates"),
    )  # fmt: skip


QUOTED: Final[tuple[Target, ...]] = _quoted()


def of_counted(counted: Mapping[str, Any]) -> tuple[Target, ...]:
    """Return all targets, with counted figures as in `split.counted`."""
    rows = [
        Target(
            name,
            what,
            f"{source}; {counted['halves'][_unit(source)]['check']} for checking",
            SPLIT,
            Range(*counted["fit"][name]),
            Range(*counted["check"][name]),
        )
        for name, what, source in _COUNTED
    ]
    return (*rows, *QUOTED)


def _unit(source: str) -> str:
    return "waves" if source == DATES else "couples"


def shipped_counts() -> dict[str, Any]:
    """Return the counted figures that ship with the package."""
    folder = files("soullink.modules.simulation.calibration")
    found: dict[str, Any] = json.loads((folder / COUNTED_FILE).read_text(encoding="utf-8"))
    return found
