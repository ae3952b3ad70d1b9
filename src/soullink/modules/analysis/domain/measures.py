"""The raw measures behind the dimensions and behind what is said to each person.

Every measure is a plain quotient or mean of counts and states, one number per course, oriented
so that more is better. Quotients with few cases are drawn to what is usual by `eased`.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from soullink.modules.analysis.domain import act_groups
from soullink.modules.analysis.domain.counts import RESOLUTIONS, Counts
from soullink.modules.simulation.api import STATE_VARIABLES, Act, FloatArray

Measure: TypeAlias = Callable[[Counts], FloatArray]

FIRST_EVENING: Final = 1
"""Row of Counts.states that holds the state after the first episode."""


def eased(
    hits: NDArray[np.int64], cases: NDArray[np.int64], usual: float, weight: float
) -> FloatArray:
    """Return hits / cases drawn to `usual` as if `weight` cases more had gone the usual way."""
    out: FloatArray = (hits + usual * weight) / (cases + weight)
    return out


def _turns(c: Counts) -> NDArray[np.int64]:
    out: NDArray[np.int64] = np.maximum(c.acts.sum(axis=(1, 2)), 1)
    return out


def _pooled(c: Counts, group: frozenset[Act]) -> FloatArray:
    out: FloatArray = c.of(group).sum(axis=1) / _turns(c)
    return out


def _positivity(c: Counts) -> FloatArray:
    out: FloatArray = np.log((c.positive.sum(axis=1) + 2.0) / (c.negative.sum(axis=1) + 2.0))
    return out


def _met(c: Counts) -> FloatArray:
    return eased(c.answered.sum(axis=1), c.disclosures.sum(axis=1), 0.6, 4.0)


def _peak(c: Counts) -> FloatArray:
    out: FloatArray = (c.conflict_peak * c.lived).sum(axis=1) / c.lengths
    return out


def _mended(c: Counts) -> FloatArray:
    out: FloatArray = np.log(
        (c.repairs_accepted.sum(axis=1) + 1.0) / (c.negative.sum(axis=1) + 3.0)
    )
    return out


def _agreed(c: Counts) -> FloatArray:
    decided = (c.resolutions > 0) & c.lived
    consensus = (c.resolutions == RESOLUTIONS.index("consensus")) & c.lived
    return eased(consensus.sum(axis=1), decided.sum(axis=1), 0.5, 1.0)


def _balance(c: Counts) -> FloatArray:
    spoken = c.acts.sum(axis=2)
    out: FloatArray = -np.abs(spoken[:, 0] - spoken[:, 1]) / _turns(c)
    return out


def _chase(c: Counts) -> FloatArray:
    out: FloatArray = -c.pursue_withdraw.sum(axis=1) / _turns(c)
    return out


def _pull(c: Counts) -> FloatArray:
    out: FloatArray = c.states[:, 0, :, STATE_VARIABLES.index("commitment")].mean(axis=1)
    return out


def _evening(c: Counts) -> FloatArray:
    columns = [STATE_VARIABLES.index(name) for name in ("closeness", "commitment")]
    out: FloatArray = c.states[:, FIRST_EVENING][:, :, columns].mean(axis=(1, 2))
    return out


COMPONENTS: Final[Mapping[str, Mapping[str, Measure]]] = {
    "warmth": {
        "care": lambda c: _pooled(c, act_groups.CARING),
        "positivity": _positivity,
        "gentleness": lambda c: -_pooled(c, act_groups.HARSH),
    },
    "understanding": {
        "met": _met,
        "read": lambda c: -eased(c.misreads.sum(axis=1), _turns(c), 0.045, 20.0),
        "interest": lambda c: _pooled(c, act_groups.ATTENTIVE),
    },
    "trust": {
        "both": lambda c: c.at_end("trust").mean(axis=1),
        "lower": lambda c: c.at_end("trust").min(axis=1),
    },
    "conflict": {
        "calm": lambda c: -_peak(c),
        "mended": _mended,
        "gentleness": lambda c: -_pooled(c, act_groups.HARSH),
    },
    "fun": {
        "play": lambda c: _pooled(c, act_groups.PLAYFUL),
        "mutual": lambda c: c.share(act_groups.PLAYFUL).min(axis=1),
        "lightness": lambda c: c.after_lived("mood").mean(axis=1),
    },
    "values": {
        "agreed": _agreed,
        "not_firm": lambda c: -_pooled(c, act_groups.FIRM),
    },
    "rhythm": {
        "balance": _balance,
        "no_chase": _chase,
        "presence": lambda c: -_pooled(c, act_groups.DISTANT),
        "ease": lambda c: -c.after_lived("stress").mean(axis=1),
    },
    "spark": {"pull": _pull, "evening": _evening},
}
"""By dimension, what its value is made of.

warmth: caring acts, positive to negative turns (logarithm), few harsh acts.
understanding: disclosures that were met, few misreadings, questions and validation.
trust: trust of both at the end, and of the less trusting one.
conflict: low peaks of open conflict, accepted repairs per negative turn (log), few harsh acts.
fun: playful turns of both together, of the less playful one, and mood after episodes.
values: decisions settled between them, little insisting, refusing and complaining.
rhythm: balance of talk, few pursue-withdraw exchanges, little going silent, little stress.
spark: the pull before a word is said (it shows in what commitment there is by then), and the
closeness and commitment after the first episode. The pull is drawn anew in every replica, since
nothing that people tell of themselves predicts it (Joel, Eastwick & Finkel 2017).
"""

WEIGHTS: Final[Mapping[str, float]] = {"spark.pull": 2.0}
"""Weight of a component's standard score in its dimension; 1 where not named."""

PERSONAL: Final[Mapping[str, Measure]] = {
    "care": lambda c: c.share(act_groups.CARING),
    "interest": lambda c: c.share(act_groups.ATTENTIVE),
    "openness": lambda c: c.share(act_groups.DISCLOSING),
    "play": lambda c: c.share(act_groups.PLAYFUL),
    "meeting": lambda c: eased(c.answered[:, ::-1], c.disclosures[:, ::-1], 0.6, 4.0),
    "mending": lambda c: (c.repairs + 1.0) / (c.negative.sum(axis=1)[:, None] + 6.0),
    "yielding": lambda c: c.share(act_groups.YIELDING),
    "pressing": lambda c: c.share(act_groups.DEMANDING),
    "harshness": lambda c: c.share(act_groups.HOSTILE),
    "distance": lambda c: c.share(act_groups.DISTANT),
    "misreading": lambda c: c.misreads / np.maximum(c.acts.sum(axis=2)[:, ::-1], 1),
    "talk": lambda c: c.acts.sum(axis=2) / _turns(c)[:, None],
    "stress": lambda c: c.after_lived("stress"),
    "chasing": lambda c: c.pursue_withdraw / _turns(c)[:, None],
}
"""What each person does, (R, 2); here more is more, not better.

meeting: the other's disclosures that this person met. misreading: of the turns heard.
chasing: this person pressed and the other stepped back, per turn of both.
"""


NOTICEABLE: Final[Mapping[str, float]] = {
    "care": 0.025, "interest": 0.025, "openness": 0.03, "play": 0.02, "meeting": 0.05,
    "mending": 0.05, "yielding": 0.015, "pressing": 0.025, "harshness": 0.012, "distance": 0.012,
    "misreading": 0.012, "talk": 0.05, "stress": 0.04, "chasing": 0.004,
}  # fmt: skip
"""Differences from the usual that nobody would notice are not spoken of, however rare they are:
for shares of turns one to three turns of a hundred."""

Reach: TypeAlias = Literal["mean", "sum", "first"]


def reach(name: str) -> Reach:
    """Return how the scenarios of a course add up in a measure ("warmth.care", "person.talk").

    mean: rates, every episode counts its share. sum: what is left at the end, every episode adds.
    first: only the first episode.
    """
    dimension = name.partition(".")[0]
    return {"trust": "sum", "spark": "first"}.get(dimension, "mean")  # type: ignore[return-value]


def names() -> list[str]:
    """Return the names of all measures: "dimension.component" and "person.measure"."""
    named = [f"{dimension}.{part}" for dimension, parts in COMPONENTS.items() for part in parts]
    return [*named, *(f"person.{name}" for name in PERSONAL)]


def measured(name: str, counts: Counts) -> FloatArray:
    """Return a measure by its full name, (R,), or (R, 2) for those of a person."""
    group, _, part = name.partition(".")
    return PERSONAL[part](counts) if group == "person" else COMPONENTS[group][part](counts)
