"""The turns that moved the two most, and how the replicas spread."""

import dataclasses
from collections.abc import Mapping
from typing import Final

import numpy as np

from soullink.kernel.language import Language, Text
from soullink.modules.analysis.api import Evidence, Histogram, Moment
from soullink.modules.analysis.domain.behaviour import measured
from soullink.modules.analysis.domain.counts import Counts
from soullink.modules.analysis.domain.evidence import change, quoted
from soullink.modules.analysis.domain.wording.phrases import joined, say, text
from soullink.modules.analysis.domain.wording.reasons import WITH_EVENT
from soullink.modules.simulation.api import Course, FloatArray, Scenario, Turn

MOST: Final = 6
EACH_WAY: Final = 2
"""At least this many moments of either direction, where there are so many."""
BINS: Final = 12
RATIO_TOP: Final = 15.0
"""Positive turns per negative one beyond this share the last bin."""

_TITLES: Final[Mapping[str, Text]] = {
    "closeness": text("Closeness of both at the end", "结束时两人的亲密"),
    "trust": text("Trust of both at the end", "结束时两人的信任"),
    "positivity": text(
        "Positive turns for each negative one (15 or more: last bar)",
        "正面话语与负面话语之比（15及以上并入最后一格）",
    ),
    "conflict": text("Highest open conflict", "公开冲突的最高点"),
}


def moments(course: Course, names: tuple[str, str], language: Language) -> tuple[Moment, ...]:
    """Return the turns with the largest changes of trust and closeness, largest first.

    change: signed sum over both people and both variables. Harm is larger than good in single
    turns (Baumeister et al. 2001), so both directions get their place. What the situation threw
    in at that turn moved them, too, and is named with it.
    """
    scenarios = {e.number: e.scenario for e in course.episodes}
    moved = [
        (change(turn, "trust", "closeness"), turn)
        for turn in course.turns
        if turn.episode in scenarios
    ]
    moved = [one for one in moved if one[0] != 0.0]
    moved.sort(key=lambda one: (-abs(one[0]), one[1].episode, one[1].sequence))
    kept: list[tuple[float, Turn]] = []
    for ways in ([one for one in moved if one[0] > 0], [one for one in moved if one[0] < 0]):
        kept += ways[:EACH_WAY]
    kept += [one for one in moved if one not in kept][: max(0, MOST - len(kept))]
    kept.sort(key=lambda one: (-abs(one[0]), one[1].episode, one[1].sequence))
    return tuple(
        Moment(
            _with_events(
                quoted(turn, "closer" if size > 0 else "apart", names, language),
                turn,
                scenarios[turn.episode],
                language,
            ),
            size,
            scenarios[turn.episode].title[language],
        )
        for size, turn in kept
    )


def _with_events(seen: Evidence, turn: Turn, scenario: Scenario, language: Language) -> Evidence:
    """Return `seen` with what happened at its turn named in `why`."""
    texts = [scenario.event_text(event, language) for event in turn.events]
    if not any(texts):
        return seen
    named = say(WITH_EVENT, language, event=joined(texts, language))
    return dataclasses.replace(seen, why=joined((seen.why, named), language))


def histograms(here: Counts, replicas: Counts, language: Language) -> tuple[Histogram, ...]:
    """Return how the replicas spread, with the value of the course shown."""
    drawn = []
    for name, title in _TITLES.items():
        top = RATIO_TOP if name == "positivity" else 1.0
        edges = np.linspace(0.0, top, BINS + 1)
        values = np.clip(_values(name, replicas), 0.0, top)
        counts, _ = np.histogram(values, edges)
        drawn.append(
            Histogram(
                name=name,
                title=title[language],
                edges=tuple(float(edge) for edge in edges),
                counts=tuple(int(count) for count in counts),
                here=float(_values(name, here)[0]),
            )
        )
    return tuple(drawn)


def _values(name: str, counts: Counts) -> FloatArray:
    if name == "positivity":
        return np.nan_to_num(measured("positivity", counts)[1])
    if name == "conflict":
        peak: FloatArray = counts.conflict_peak.max(axis=1)
        return peak
    mean: FloatArray = counts.at_end(name).mean(axis=1)
    return mean
