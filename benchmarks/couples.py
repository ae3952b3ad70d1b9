"""Couples' satisfaction and affect: the same figures from simulated and from real couples."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks import estimates
from benchmarks.estimates import Effect, correlation
from benchmarks.population import Population, strangers
from soullink.modules.simulation.api import BoolArray, FloatArray, Stage
from soullink.modules.simulation.domain import course, dynamics
from soullink.modules.simulation.domain.layout import Person, Trait
from soullink.modules.simulation.scenarios import library

SEED: Final = 23
TALK_TURNS: Final = 60
"""A quarrel of ten minutes at ten seconds a turn, as couples have in the laboratory."""
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
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    first = {row["CoupleID"]: row for row in rows}

    def both(name: str) -> FloatArray:
        return np.array(
            [[float(row[f"{name}_A"]), float(row[f"{name}_P"])] for row in first.values()]
        )

    satisfaction, strained = both("Satisfaction"), both("Tension")
    return {
        **actor_partner(both("OtherPos"), strained, satisfaction),
        "satisfaction": between_partners(satisfaction),
        "tension": between_partners(strained),
    }


def mood_in_a_quarrel(seed: int, couples: int = 400) -> tuple[Effect, Effect]:
    """Return (inertia, partner influence) of mood over one turn in long talks about a crisis.

    m_own(t + 1) on m_own(t) and m_partner(t), each less its mean in the talk.
    """
    random = np.random.default_rng(seed)
    scenes = [s for s in library.shipped() if s.stage is Stage.CRISIS]
    targets, own, other, couple = [], [], [], []
    calm = course.Conditions()
    for number, scene in enumerate(scenes):
        long = replace(scene, turns=(TALK_TURNS, TALK_TURNS))
        batch = strangers(couples // len(scenes), random)
        record, situation = course.open_episode(batch, long, None, 1, calm)
        moods = np.full((batch.size, TALK_TURNS, 2), np.nan)
        turns = course.live_turns(batch, long, 1, situation, record, calm)
        for turn, taken in enumerate(turns):
            moods[taken.rows, turn] = taken.after[..., Person.MOOD]
        lasted = ~np.isnan(moods[:, TALK_TURNS // 2, 0])
        moods = moods[lasted]
        moods -= np.nanmean(moods, axis=1, keepdims=True)
        for person in (0, 1):
            there = ~np.isnan(moods[:, 1:, person])
            targets.append(moods[:, 1:, person][there])
            own.append(moods[:, :-1, person][there])
            other.append(moods[:, :-1, 1 - person][there])
            ids = number * couples + np.arange(moods.shape[0])
            couple.append(np.broadcast_to(ids[:, None], there.shape)[there])
    ids = np.unique(np.concatenate(couple), return_inverse=True)[1]
    y, x = np.concatenate(targets), [np.concatenate(own), np.concatenate(other)]
    inertia, influence = estimates.slopes(x, y, ids, np.zeros(ids.size, dtype=np.int64))
    return inertia, influence


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
