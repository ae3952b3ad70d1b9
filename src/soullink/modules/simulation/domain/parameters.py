"""The free numbers of the equations: what a calibration may move, and nothing else.

A number is free where the literature gives its sign and no size. All others stand in the
equations themselves. Values come from a versioned file beside this one, which also says what
they were fitted to (`soullink calibrate` makes it); structure is here, values are there.

The vector of `Parameters.as_array` follows NAMES; code that runs apart from the equations, such as
a compiled copy of them, reads it by `INDEX`.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib.resources import files
from typing import Any, Final

import numpy as np

from soullink.kernel.errors import InvalidInputError
from soullink.modules.simulation.api import FloatArray, IntArray

FORMAT: Final = 1
FILE: Final = "calibration.v1.json"
"""The file in use, beside this one."""


class UnusableCalibrationError(InvalidInputError):
    """A calibration file is not what the equations need."""

    code = "unusable_calibration"


def _free(unit: str, low: float, high: float, meaning: str, source: str) -> Any:
    facts = {"unit": unit, "low": low, "high": high, "meaning": meaning, "source": source}
    return field(metadata=facts)


_MURRAY = "Gottman et al. 2002, discrete equations of marriage; 80 couples rated in a quarrel"
_BAD = "Baumeister et al. 2001: bad is stronger than good"
_DATES = "Columbia speed dates (Fisman et al. 2006), two-way shares (Kenny & La Voie 1984)"
_TRAITS = "Malouff et al. 2010: traits and the partner's satisfaction"
_ACITELLI = "148 married couples (Acitelli): satisfaction, tension and views of both"


@dataclass(frozen=True, slots=True)
class Parameters:
    """The free numbers. Each field's metadata: unit, low, high, meaning, source.

    Courses of one batch may be lived by different numbers (`together`): then every field is an
    array, (R, 1), and `at` picks those of some courses.
    """

    mood_inertia: float = _free("per turn heard", 0.1, 0.7, "how far a mood carries over", _MURRAY)
    mood_influence: float = _free("per turn heard", 0.0, 0.25, "pull of the other's mood", _MURRAY)
    mood_gain_negative: float = _free(
        "mood per affect", 0.1, 0.7, "mood's answer to what hurts", _BAD
    )
    mood_gain_positive: float = _free(
        "mood per affect", 0.08, 0.5, "mood's answer to what pleases", _BAD
    )
    mood_noise_hearing: float = _free("sd of mood", 0.02, 0.25, "chance while hearing", _MURRAY)
    mood_noise_speaking: float = _free("sd of mood", 0.02, 0.25, "chance while speaking", _MURRAY)
    trust_loss: float = _free("per affect and turn", 0.02, 0.2, "trust lost to what hurts", _BAD)
    trust_growth: float = _free("per affect and turn", 0.008, 0.08, "trust won by warmth", _BAD)
    closeness_growth: float = _free(
        "factor", 0.5, 4.0, "closeness that warmth and being met bring", "Reis & Shaver 1988"
    )
    stress_of_load: float = _free(
        "stress per load", 0.2, 1.6, "stress that life's own load makes", "Neff & Karney 2009"
    )
    stress_threat: float = _free(
        "stress per threat and turn", 0.01, 0.16, "stress from felt threat", "Neff & Karney 2009"
    )
    stress_relief: float = _free(
        "stress per affect and turn", 0.01, 0.1, "stress that warmth takes", "Neff & Karney 2009"
    )
    hurt_gain: float = _free("hurt per affect", 0.1, 0.8, "hurt from what is felt as hostile", _BAD)
    sensitivity_sd: float = _free(
        "sd of a factor", 0.0, 0.8, "how far people differ in what threatens and hurts", _ACITELLI
    )
    conflict_heating: float = _free(
        "conflict per heat", 0.1, 0.9, "how fast open conflict heats", "Gottman 1994"
    )
    weight_neuroticism: float = _free(
        "factor", 0.2, 2.5, "all weights of neuroticism on acts", _TRAITS
    )
    weight_agreeableness: float = _free(
        "factor", 0.2, 2.5, "all weights of agreeableness on acts", _TRAITS
    )
    weight_conscientiousness: float = _free(
        "factor", 0.2, 2.5, "all weights of conscientiousness on acts", _TRAITS
    )
    weight_extraversion: float = _free(
        "factor", 0.2, 2.5, "all weights of extraversion on acts", _TRAITS
    )
    weight_strain: float = _free(
        "factor", 0.3, 3.0, "all weights of stress, threat and hurt on acts", _ACITELLI
    )
    weight_conflict: float = _free(
        "factor", 0.3, 2.5, "all weights of open conflict on acts", "Gottman 1994"
    )
    negativity: float = _free(
        "log-odds", -1.0, 1.0, "added to demanding, hostile and distant acts", "Gottman 1994"
    )
    satisfaction_felt: float = _free(
        "per affect", 0.2, 2.0, "satisfaction from how an episode felt", _ACITELLI
    )
    satisfaction_closeness: float = _free(
        "per closeness", 0.0, 1.0, "satisfaction from closeness", _ACITELLI
    )
    satisfaction_stress: float = _free(
        "per stress", 0.0, 1.6, "satisfaction lost to stress", _ACITELLI
    )
    satisfaction_hurt: float = _free("per hurt", 0.0, 2.0, "satisfaction lost to hurt", _ACITELLI)
    satisfaction_of_other: float = _free(
        "per stress and hurt", 0.0, 0.8, "satisfaction lost to the other's strain", _ACITELLI
    )
    satisfaction_success: float = _free(
        "per success", 0.0, 0.4, "satisfaction from how the episode came out for both", _ACITELLI
    )
    comparison_sd: float = _free(
        "sd of satisfaction", 0.03, 0.4, "how far people differ in what satisfies them", _ACITELLI
    )
    stay_satisfaction: float = _free(
        "log-odds per satisfaction", 3.0, 16.0, "dissatisfaction that ends it", "Rusbult 1980"
    )
    actor_share: float = _free("share of variance", 0.05, 0.45, "who chooses, latent", _DATES)
    partner_share: float = _free("share of variance", 0.05, 0.45, "who is chosen, latent", _DATES)
    reciprocity: float = _free("share of variance", 0.0, 0.6, "of the pair's part, mutual", _DATES)
    choosiness: float = _free("weight", 0.0, 0.9, "how much the wanted want less", _DATES)
    experience_share: float = _free(
        "share of variance", 0.05, 0.9, "of the pair's part, decided by the meeting", _DATES
    )
    yes_threshold: float = _free("standard normal", -0.6, 0.9, "how hard a yes is to win", _DATES)
    similarity_liking: float = _free(
        "likeness per sd",
        0.0,
        0.25,
        "how far liking makes people seem alike",
        "Montoya et al. 2008",
    )

    @property
    def pair_share(self) -> float:
        """Return the share of attraction that is the pair's own."""
        return 1.0 - self.actor_share - self.partner_share

    @property
    def differ(self) -> bool:
        """Return whether each course of a batch has its own numbers."""
        return isinstance(self.mood_inertia, np.ndarray)

    def at(self, rows: IntArray) -> "Parameters":
        """Return the numbers of the courses `rows`: this, or with arrays of shape (n,)."""
        if not self.differ:
            return self
        arrays: dict[str, Any] = {name: getattr(self, name)[rows, 0] for name in NAMES}
        return Parameters(**arrays)

    def as_array(self) -> FloatArray:
        """Return all values in the order of NAMES, shape (len(NAMES),), float64."""
        return np.array([getattr(self, name) for name in NAMES], dtype=np.float64)

    def digest(self) -> str:
        """Return eight hexadecimal digits that differ where any value does."""
        return hashlib.sha256(self.as_array().tobytes()).hexdigest()[:8]

    def as_dict(self) -> dict[str, float]:
        """Return values by name."""
        return asdict(self)

    @staticmethod
    def of(values: Sequence[float] | FloatArray) -> "Parameters":
        """Return parameters from values in the order of NAMES."""
        return Parameters(**{n: float(v) for n, v in zip(NAMES, values, strict=True)})


def together(many: Sequence[Parameters], each: int) -> Parameters:
    """Return numbers for a batch of len(many) * each courses, `each` in a row by the same."""
    table = np.repeat(np.array([p.as_array() for p in many]), each, axis=0)
    arrays: dict[str, Any] = {name: table[:, place, None] for place, name in enumerate(NAMES)}
    return Parameters(**arrays)


NAMES: Final[tuple[str, ...]] = tuple(part.name for part in fields(Parameters))
INDEX: Final[dict[str, int]] = {name: place for place, name in enumerate(NAMES)}
FACTS: Final[dict[str, Mapping[str, Any]]] = {p.name: p.metadata for p in fields(Parameters)}
BOUNDS: Final[FloatArray] = np.array([[FACTS[n]["low"], FACTS[n]["high"]] for n in NAMES])
"""Lowest and highest value of each, shape (len(NAMES), 2)."""


def from_text(text: str, where: str) -> Parameters:
    """Return the parameters of a calibration file's text; `where` names it in errors.

    Raises UnusableCalibrationError unless it is of FORMAT and gives every number within BOUNDS.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnusableCalibrationError(f"{where} is not JSON (line {error.lineno}).") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise UnusableCalibrationError(
            f"{where} is no calibration of format {FORMAT}; make one with `soullink calibrate`."
        )
    values = document.get("parameters")
    if not isinstance(values, dict) or set(values) != set(NAMES):
        given = set(values) if isinstance(values, dict) else set()
        wrong = sorted(set(NAMES) ^ given)
        raise UnusableCalibrationError(
            f"{where} must give exactly the numbers of these equations; look at {wrong[0]}."
        )
    for name, (low, high) in zip(NAMES, BOUNDS, strict=True):
        value = values[name]
        real = isinstance(value, int | float) and not isinstance(value, bool)
        if not (real and math.isfinite(value) and low <= value <= high):
            raise UnusableCalibrationError(
                f"{where}: {name} must be a number from {low:g} to {high:g}."
            )
    return Parameters(**{name: float(values[name]) for name in NAMES})


def shipped_text() -> str:
    """Return the text of the calibration file that ships with the equations."""
    return (files("soullink.modules.simulation.domain") / FILE).read_text(encoding="utf-8")


CURRENT: Final = from_text(shipped_text(), FILE)
"""The numbers that the equations use unless a batch carries others."""
