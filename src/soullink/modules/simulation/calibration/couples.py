"""Couples' satisfaction and affect: the same figures from simulated and from real couples."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from soullink.modules.simulation.api import BoolArray, FloatArray, IntArray
from soullink.modules.simulation.calibration import estimates, reading
from soullink.modules.simulation.calibration.estimates import Effect, correlation
from soullink.modules.simulation.calibration.population import Population, Record
from soullink.modules.simulation.domain import dynamics
from soullink.modules.simulation.domain.layout import Trait

LEAST_COUPLES: Final = 20
PARTNER_TRAITS: Final = {
    "N": Trait.NEUROTICISM,
    "A": Trait.AGREEABLENESS,
    "C": Trait.CONSCIENTIOUSNESS,
    "E": Trait.EXTRAVERSION,
}
SEED: Final = 23
APIM: Final = ("own view", "partner's view", "own tension", "partner's tension")


def together(people: Population) -> BoolArray:
    """Return which couples are still a couple at the end: studies of couples see only those."""
    out: BoolArray = people.record.ended == 0
    return out


def partners_agree(people: Population) -> Effect:
    """Return the correlation of the two partners' satisfaction."""
    both = people.record.satisfaction[together(people)]
    return between_partners(both)


def between_partners(both: FloatArray) -> Effect:
    """Return the correlation of something between partners, (n, 2), with its interval."""

    def statistic(rows: np.ndarray) -> float:
        picked = both[rows]  # which of the two comes first means nothing: count both orders
        return correlation(
            np.concatenate([picked[:, 0], picked[:, 1]]),
            np.concatenate([picked[:, 1], picked[:, 0]]),
        )

    return estimates.resampled(statistic, both.shape[0], SEED)


def on_trait(people: Population, trait: Trait, *, partner: bool) -> Effect:
    """Return the correlation of satisfaction with one's own or the partner's trait."""
    here = together(people)
    traits = people.traits[here][:, ::-1] if partner else people.traits[here]
    satisfaction = people.record.satisfaction[here]
    couple = np.repeat(np.arange(satisfaction.shape[0]), 2)
    none = np.zeros(couple.size, dtype=np.int64)
    return estimates.slopes([traits[..., trait].ravel()], satisfaction.ravel(), couple, none)[0]


def explained_by_own_traits(people: Population) -> Effect:
    """Return the adjusted share of variance of satisfaction that one's own attributes explain."""
    here = together(people)
    x, y = people.traits[here], people.record.satisfaction[here]

    def statistic(rows: np.ndarray) -> float:
        columns = x[rows].reshape(-1, x.shape[2])
        return adjusted_share(columns, y[rows].ravel())

    return estimates.resampled(statistic, int(here.sum()), SEED, 200)


def adjusted_share(x: FloatArray, y: FloatArray) -> float:
    """Return the adjusted R squared of a regression of y, (n,), on x, (n, k)."""
    x = np.concatenate([np.ones((x.shape[0], 1)), x], axis=1)
    rest = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    n, k = x.shape
    return float(1.0 - (rest @ rest / (n - k)) / y.var(ddof=1))


def actor_partner(
    view: FloatArray, tension: FloatArray, satisfaction: FloatArray
) -> dict[str, Effect]:
    """Return standardised weights of satisfaction on both partners' view and tension.

    All arguments (n, 2); weights named as in APIM.
    """
    couple = np.repeat(np.arange(view.shape[0]), 2)
    none = np.zeros(couple.size, dtype=np.int64)
    x = [view.ravel(), view[:, ::-1].ravel(), tension.ravel(), tension[:, ::-1].ravel()]
    effects = estimates.slopes(x, satisfaction.ravel(), couple, none)
    return dict(zip(APIM, effects, strict=True))


def simulated_actor_partner(people: Population) -> dict[str, Effect]:
    """Return the same of simulated couples; view are beliefs about the partner."""
    here = together(people)
    record = people.record
    return actor_partner(record.view[here], tension(people), record.satisfaction[here])


def tension(people: Population) -> FloatArray:
    """Return felt tension of those still together, (n, 2): stress, threat and hurt of late."""
    out: FloatArray = people.record.tension[together(people)][:, -2:].mean(axis=1)
    return out


def tension_agrees(people: Population) -> Effect:
    """Return the correlation of the two partners' tension."""
    return between_partners(tension(people))


def acitelli(path: Path) -> dict[str, Effect]:
    """Return the weights of 148 real couples, and how far their satisfaction and tension agree."""
    _, said = read_acitelli(path)
    return {
        **actor_partner(said.view, said.tension, said.satisfaction),
        "satisfaction": between_partners(said.satisfaction),
        "tension": between_partners(said.tension),
    }


def positivity_in_crisis(people: Population) -> tuple[Effect, Effect]:
    """Return positive to negative turns in crises, of (those who stay, those who part)."""
    record = people.record
    counts = (record.acts.sum(axis=2) * record.crisis[:, :, None]).sum(axis=1)
    positive = counts @ dynamics.POSITIVE_ACTS.astype(np.float64)
    negative = counts @ dynamics.NEGATIVE_ACTS.astype(np.float64)
    here = positive + negative > 0
    out = []
    for group in (here & (record.ended == 0), here & (record.ended > 0)):
        p, n = positive[group], negative[group]

        def statistic(rows: np.ndarray, p: FloatArray = p, n: FloatArray = n) -> float:
            return float(p[rows].sum() / n[rows].sum())

        out.append(estimates.resampled(statistic, int(group.sum()), SEED))
    return out[0], out[1]


@dataclass(frozen=True, slots=True)
class Couples:
    """What couples said of themselves, all (n, 2): satisfaction, tension, view of the partner."""

    satisfaction: FloatArray
    tension: FloatArray
    view: FloatArray

    @property
    def size(self) -> int:
        """Return n."""
        return int(self.satisfaction.shape[0])

    def of(self, rows: IntArray) -> "Couples":
        """Return the couples `rows`."""
        return Couples(self.satisfaction[rows], self.tension[rows], self.view[rows])


def figures(couples: Couples) -> dict[str, float]:
    """Return how far partners agree, and the weights of satisfaction on views and tension."""
    x = [couples.view, couples.view[:, ::-1], couples.tension, couples.tension[:, ::-1]]
    columns = np.stack([estimates.standard(part.ravel()) for part in x], axis=1)
    y = estimates.standard(couples.satisfaction.ravel())
    weights = np.linalg.lstsq(columns, y, rcond=None)[0]
    names = ("own_view", "partner_view", "own_tension", "partner_tension")
    return {
        "satisfaction": _agreement(couples.satisfaction),
        "tension": _agreement(couples.tension),
        **{name: float(weight) for name, weight in zip(names, weights, strict=True)},
    }


def _agreement(both: FloatArray) -> float:
    return correlation(
        np.concatenate([both[:, 0], both[:, 1]]), np.concatenate([both[:, 1], both[:, 0]])
    )


def simulated_figures(people: Population, rows: IntArray) -> dict[str, float]:
    """Return all figures of simulated couples `rows` (indexes, repeats allowed)."""
    record = people.record
    stays = record.ended[rows] == 0
    here = rows[stays]
    both = Couples(record.satisfaction[here], _tension(record, here), record.view[here])
    satisfaction = both.satisfaction.ravel()
    traits = people.traits[here]
    out = figures(both)
    for letter, trait in PARTNER_TRAITS.items():
        out[f"partner_{letter}"] = correlation(traits[:, ::-1, trait].ravel(), satisfaction)
    out["own_traits"] = adjusted_share(traits.reshape(-1, traits.shape[2]), satisfaction)
    counts = (record.acts[rows].sum(axis=2) * record.crisis[rows][:, :, None]).sum(axis=1)
    positive = counts @ dynamics.POSITIVE_ACTS.astype(np.float64)
    negative = counts @ dynamics.NEGATIVE_ACTS.astype(np.float64)
    replies = record.replies[rows][:, :, dynamics.REPAIR].sum(axis=1)
    for name, group in (("stable", stays), ("unstable", ~stays)):
        out[f"{name}_ratio"] = float(positive[group].sum() / max(negative[group].sum(), 1.0))
        out[f"{name}_repair"] = float(replies[group, 1].sum() / max(replies[group, 2].sum(), 1))
    return out


def _tension(record: Record, rows: IntArray) -> FloatArray:
    out: FloatArray = record.tension[rows][:, -2:].mean(axis=1)
    return out


def read_acitelli(path: Path) -> tuple[list[str], Couples]:
    """Return the ids of the couples of a file and what they said.

    Raises UnusableDataError where the file is not there or not what it should be.
    """
    names = (
        "CoupleID",
        *(f"{n}_{w}" for n in ("Satisfaction", "Tension", "OtherPos") for w in "AP"),
    )
    rows = reading.table(path, names)
    first = {row["CoupleID"]: row for row in rows}
    if len(first) < LEAST_COUPLES:
        raise reading.UnusableDataError(f"{path} has fewer than {LEAST_COUPLES} couples.")

    def both(name: str) -> FloatArray:
        return np.array(
            [
                [reading.number(row, f"{name}_{who}", path) for who in ("A", "P")]
                for row in first.values()
            ]
        )

    said = Couples(both("Satisfaction"), both("Tension"), both("OtherPos"))
    for name, values in (("Satisfaction", said.satisfaction), ("Tension", said.tension)):
        if values.std() == 0.0:
            raise reading.UnusableDataError(f"{path}: {name} is the same for everybody.")
    return list(first), said
