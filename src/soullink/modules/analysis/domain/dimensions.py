"""Compatibility in eight respects, each with an interval and the turns that are its evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from soullink.kernel.language import Language
from soullink.modules.analysis.api import DIMENSIONS, Dimension
from soullink.modules.analysis.domain import evidence, standing
from soullink.modules.analysis.domain.counts import Counts
from soullink.modules.analysis.domain.intervals import eighty
from soullink.modules.analysis.domain.wording import dimensions as wording
from soullink.modules.analysis.domain.wording.codes import DIMENSIONS as TITLES
from soullink.modules.analysis.domain.wording.phrases import listed, say
from soullink.modules.simulation.api import Turn

LOW, HIGH = 40.0, 60.0
TOO_WIDE: Final = 50.0
"""An interval wider than this says too little to name a level."""
ENOUGH: Final = 50
"""With fewer replicas the ends of an 80 % interval rest on a handful of courses: no level."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the two told of themselves. stated, possible: traits that are not unknown, of how many.

    shared: interests that both named.
    """

    stated: int
    possible: int
    shared: tuple[str, ...]


def level(value: float, low: float, high: float) -> str:
    """Return low, mixed or high by `value`, or unclear where the interval is too wide."""
    if high - low > TOO_WIDE:
        return "unclear"
    return "low" if value < LOW else "high" if value > HIGH else "mixed"


def dimensions(
    here: tuple[Counts, Sequence[str]],
    replicas: tuple[Counts, Sequence[str]],
    turns: Sequence[Turn],
    names: tuple[str, str],
    known: Known,
    language: Language,
) -> tuple[Dimension, ...]:
    """Return the eight dimensions.

    here, replicas: counts with the ids of their scenarios, of the course shown and of all others.
    """
    found = []
    for name in DIMENSIONS:
        low, value, high = eighty(standing.scores(name, *replicas)) or (0.0, 50.0, 100.0)
        named = level(value, low, high) if replicas[0].size >= ENOUGH else "unclear"
        found.append(
            Dimension(
                name=name,
                title=TITLES[name][language],
                value=value,
                low=low,
                high=high,
                here=float(standing.scores(name, *here)[0]),
                level=named,
                rests_on=_rests_on(name, replicas[0].size, known, language),
                summary=_summary(
                    name, named, (low, value, high), replicas[0].size, known, language
                ),
                evidence=evidence.chosen(turns, evidence.DIMENSIONS[name], names, language),
            )
        )
    return tuple(found)


def _summary(
    name: str,
    named: str,
    interval: tuple[float, float, float],
    replicas: int,
    known: Known,
    language: Language,
) -> str:
    low, value, high = interval
    if replicas < ENOUGH:
        sentence = say(wording.TOO_FEW, language, replicas=replicas)
    elif named == "unclear":
        words = wording.UNCLEAR_SPARK if name == "spark" else wording.UNCLEAR
        sentence = say(words, language, low=round(low), high=round(high))
        sentence += "" if name == "spark" else wording.LEANING[level(value, 0.0, 0.0)][language]
    else:
        sentence = wording.SUMMARIES[name][named][language]
    if name == "fun" and known.shared:
        sentence += say(
            wording.SHARED_INTERESTS, language, interests=listed(known.shared[:3], language)
        )
    return sentence


def _rests_on(name: str, replicas: int, known: Known, language: Language) -> str:
    kind = "spark" if name == "spark" else "known" if known.stated else "none"
    return say(
        wording.RESTS_ON[kind],
        language,
        replicas=replicas,
        stated=known.stated,
        all=known.possible,
    )
