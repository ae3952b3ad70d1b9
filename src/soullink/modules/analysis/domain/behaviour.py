"""How the two behave together, measured in the course shown and over the replicas."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from soullink.kernel.language import Language
from soullink.modules.analysis.api import Behaviour
from soullink.modules.analysis.domain import act_groups, evidence
from soullink.modules.analysis.domain.counts import Counts
from soullink.modules.analysis.domain.intervals import eighty
from soullink.modules.analysis.domain.wording import behaviour as wording
from soullink.modules.simulation.api import FloatArray, IntArray, Turn


@dataclass(frozen=True, slots=True)
class _Kind:
    """A measure. of: hits and cases of each person, both (R, 2). pooled: of the pair is hits over
    cases of both; else the sum of counts, or what `pair` says."""

    unit: str
    of: Callable[[Counts], tuple[NDArray[np.int64], NDArray[np.int64]]]


def _turns(c: Counts) -> IntArray:
    out: IntArray = c.acts.sum(axis=2)
    return out


def _none(c: Counts) -> IntArray:
    return np.ones_like(c.positive)


def _swapped(values: IntArray) -> IntArray:
    return values[:, ::-1]


def _talk(c: Counts) -> tuple[IntArray, IntArray]:
    turns = _turns(c)
    return turns, np.broadcast_to(turns.sum(axis=1)[:, None], turns.shape)


_KINDS: Final[Mapping[str, _Kind]] = {
    "positivity": _Kind("ratio", lambda c: (c.positive, c.negative)),
    "pursue_withdraw": _Kind("count", lambda c: (c.pursue_withdraw, _none(c))),
    "repair_success": _Kind("share", lambda c: (c.repairs_accepted, c.repairs)),
    "reciprocity": _Kind("share", lambda c: (c.matched, c.positive)),
    "responsiveness": _Kind("share", lambda c: (c.answered, c.disclosures)),
    "talk_share": _Kind("share", _talk),
    "misreadings": _Kind("share", lambda c: (c.misreads, _swapped(_turns(c)))),
    "demands": _Kind("share", lambda c: (c.of(act_groups.DEMANDING), _turns(c))),
}


def quotient(hits: IntArray, cases: IntArray, unit: str) -> FloatArray:
    """Return hits over cases, NaN where there are no cases; counts as they are.

    unit "ratio": without a single case (no negative turn) one is assumed, so that the ratio is a
    lower bound; NaN only where there are no hits either.
    """
    if unit == "count":
        return hits.astype(np.float64)
    floor = 1 if unit == "ratio" else 0
    safe = np.maximum(cases, 1)
    known = (cases > 0) | ((hits > 0) & (floor == 1))
    return np.where(known, hits / safe, np.nan)


def measured(name: str, counts: Counts) -> tuple[FloatArray, FloatArray]:
    """Return a measure of each person, (R, 2), and of the pair, (R,); NaN without cases."""
    kind = _KINDS[name]
    hits, cases = kind.of(counts)
    each = quotient(hits, cases, kind.unit)
    if name == "talk_share":
        return each, each[:, 0]
    return each, quotient(hits.sum(axis=1), cases.sum(axis=1), kind.unit)


def _only_here(name: str, turns: Sequence[Turn]) -> tuple[float | None, float | None]:
    """Return measures that replicas do not count, of each person in the course shown."""
    seen = list(evidence.places(turns))
    if name == "interruptions":
        first, second = (
            float(sum(p.turn.interrupted for p in seen if p.turn.speaker == who)) for who in (0, 1)
        )
        return first, second
    ratios = []
    for who in (0, 1):
        acts = [p.turn.act for p in seen if p.turn.speaker == who and evidence.in_conflict(p)]
        good = sum(act in act_groups.POSITIVE for act in acts)
        bad = sum(act in act_groups.NEGATIVE for act in acts)
        ratios.append(good / max(bad, 1) if good + bad else None)
    return ratios[0], ratios[1]


ONLY_HERE: Final[Mapping[str, str]] = {"conflict_positivity": "ratio", "interruptions": "count"}

ORDER: Final = (
    "positivity",
    "conflict_positivity",
    "pursue_withdraw",
    "repair_success",
    "reciprocity",
    "responsiveness",
    "demands",
    "talk_share",
    "misreadings",
    "interruptions",
)


def behaviours(
    here: Counts,
    replicas: Counts,
    turns: Sequence[Turn],
    names: tuple[str, str],
    language: Language,
) -> tuple[Behaviour, ...]:
    """Return all measures; here: the course shown as counts. talk_share: of the first person."""
    found = []
    for name in ORDER:
        weigh = evidence.BEHAVIOUR.get(name)
        quotes = evidence.chosen(turns, weigh, names, language) if weigh else ()
        if name in ONLY_HERE:
            each, spread, unit = _only_here(name, turns), None, ONLY_HERE[name]
        else:
            own, _ = measured(name, here)
            each, unit = (_known(own[0, 0]), _known(own[0, 1])), _KINDS[name].unit
            spread = eighty(measured(name, replicas)[1])
        low, median, high = spread or (None, None, None)
        found.append(
            Behaviour(
                name=name,
                title=wording.TITLES[name][language],
                here=each,
                median=median,
                low=low,
                high=high,
                unit=unit,
                note=wording.NOTES[name][language],
                evidence=quotes,
            )
        )
    return tuple(found)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
