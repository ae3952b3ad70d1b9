"""How behaviour in a population is measured: shares of acts, states, and what follows what."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from soullink.modules.simulation.api import ACTS, STATE_VARIABLES, Act, FloatArray
from soullink.modules.simulation.calibration import estimates
from soullink.modules.simulation.calibration.estimates import Effect
from soullink.modules.simulation.calibration.population import Population
from soullink.modules.simulation.domain import dynamics
from soullink.modules.simulation.domain.layout import Trait

BOOTSTRAP_SEED: Final = 17


def shares(people: Population, acts: Sequence[Act]) -> FloatArray:
    """Return the share of each person's turns that are one of `acts`, (R, 2)."""
    counts = people.record.acts.sum(axis=1)
    wanted = counts[..., [ACTS.index(act) for act in acts]].sum(axis=2)
    out: FloatArray = wanted / np.maximum(counts.sum(axis=2), 1)
    return out


def _ids(people: Population) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat(np.arange(people.size), 2), np.repeat(people.group, 2)


def on_trait(
    trait: Trait, of: Callable[[Population], FloatArray], *, partner: bool = False
) -> Callable[[Population], Effect]:
    """Return the standardised slope of a person's behaviour on own (or the partner's) trait.

    All eleven own attributes are in the regression, so each slope is the trait's own.
    """

    def measure(people: Population) -> Effect:
        couple, group = _ids(people)
        traits = people.traits[:, ::-1] if partner else people.traits
        x = [traits[..., column].ravel() for column in range(traits.shape[2])]
        return estimates.slopes(x, of(people).ravel(), couple, group)[trait]

    return measure


def act_share(*acts: Act) -> Callable[[Population], FloatArray]:
    return lambda people: shares(people, acts)


def per_turn(name: str) -> Callable[[Population], FloatArray]:
    def of(people: Population) -> FloatArray:
        heard = np.maximum(people.record.heard.sum(axis=1), 1)
        out: FloatArray = getattr(people.record, name).sum(axis=1) / heard
        return out

    return of


def mean_mood(people: Population) -> FloatArray:
    lived = people.record.lived[:, :, None]
    mood = people.record.closing[..., STATE_VARIABLES.index("mood")]
    out: FloatArray = (mood * lived).sum(axis=1) / lived.sum(axis=1)
    return out


def early_closeness(people: Population) -> FloatArray:
    """Return closeness when the first two episodes ended, before survival selects, (R, 2)."""
    out: FloatArray = people.record.closing[:, 1, :, STATE_VARIABLES.index("closeness")]
    return out


def commitment(people: Population) -> FloatArray:
    return people.record.commitment


def satisfaction(people: Population) -> FloatArray:
    return people.record.satisfaction


def talk_share(people: Population) -> FloatArray:
    counts = people.record.acts.sum(axis=(1, 3))
    out: FloatArray = counts / counts.sum(axis=1, keepdims=True)
    return out


def first_word(people: Population) -> FloatArray:
    first, lived = people.record.first, people.record.lived
    spoke = np.stack([((first == person) & lived).sum(axis=1) for person in (0, 1)], axis=1)
    out: FloatArray = spoke / lived.sum(axis=1, keepdims=True)
    return out


def on_state(
    state: str, acts: Sequence[Act], control: Sequence[str] = ()
) -> Callable[[Population], Effect]:
    """Return the slope of what people do in an episode on their state as it opens.

    One entry per person and episode; scenario and episode number are held constant, and so are
    the person's own traits and the states in `control`.
    """

    def measure(people: Population) -> Effect:
        record = people.record
        size, episodes = record.lived.shape
        counts = record.acts
        share = counts[..., [ACTS.index(a) for a in acts]].sum(axis=3)
        share = share / np.maximum(counts.sum(axis=3), 1)
        where = np.broadcast_to(record.lived[:, :, None], share.shape)
        couple = np.broadcast_to(np.arange(size)[:, None, None], share.shape)
        group = people.group[:, None] * episodes + np.arange(episodes)
        group = np.broadcast_to(group[:, :, None], share.shape)
        x = [record.opening[..., STATE_VARIABLES.index(name)][where] for name in (state, *control)]
        x += [
            np.broadcast_to(people.traits[:, None, :, trait], share.shape)[where]
            for trait in range(people.traits.shape[2])
        ]
        return estimates.slopes(x, share[where], couple[where], group[where])[0]

    return measure


def demand_withdraw(people: Population) -> Effect:
    """Return how much more the anxious pursue and their avoidant partners withdraw."""
    record = people.record
    rate = record.pursued / np.maximum(record.acts.sum(axis=(1, 3)), 1)
    anxious, avoidant = people.traits[..., Trait.ANXIETY], people.traits[..., Trait.AVOIDANCE]
    directed = (anxious > 0.5) & (avoidant[:, ::-1] > 0.5)
    centred = estimates.centred(rate.max(axis=1), people.group)
    return estimates.difference(centred, directed[:, 0] | directed[:, 1])


def ratio_of_stable(people: Population) -> Effect:
    counts = people.record.acts.sum(axis=(1, 2))
    positive = counts @ dynamics.POSITIVE_ACTS.astype(np.float64)
    negative = counts @ dynamics.NEGATIVE_ACTS.astype(np.float64)
    ratio = np.log((positive + 0.5) / (negative + 0.5))
    return estimates.difference(estimates.centred(ratio, people.group), people.record.ended == 0)


def disclosure_met(people: Population) -> Effect:
    """Return the slope of an episode's growth of closeness on the share of disclosures met."""
    record = people.record
    size, episodes = record.lived.shape
    column = STATE_VARIABLES.index("closeness")
    growth = record.closing[..., column] - record.opening[..., column]
    met = record.answered / np.maximum(record.disclosed, 1)
    where = (record.disclosed >= 2) & record.lived[:, :, None]
    couple = np.broadcast_to(np.arange(size)[:, None, None], growth.shape)[where]
    group = people.group[:, None] * episodes + np.arange(episodes)
    group = np.broadcast_to(group[:, :, None], growth.shape)[where]
    x = [met[where], record.disclosed[where].astype(float), record.opening[..., column][where]]
    return estimates.slopes(x, growth[where], couple, group)[0]


def negative_reciprocity(people: Population) -> Effect:
    """Return how much likelier a negative act is after a negative than after a positive one."""
    replies = people.record.replies.sum(axis=1)
    bad = [dynamics.DEMAND, dynamics.HOSTILE, dynamics.DISTANT, dynamics.BOUNDARY]
    good = [dynamics.WARM, dynamics.OPEN, dynamics.PLAYFUL]

    def statistic(rows: np.ndarray) -> float:
        of = replies[rows].sum(axis=0)
        after_bad, after_good = of[bad].sum(axis=0), of[good].sum(axis=0)
        return float(after_bad[0] / after_bad[2] - after_good[0] / after_good[2])

    return estimates.resampled(statistic, people.size, BOOTSTRAP_SEED)


def hostility_returned(people: Population) -> Effect:
    """Return the slope of answering hostility with a negative act on own agreeableness."""
    replies = people.record.replies[:, :, dynamics.HOSTILE]
    where = replies[..., 2] >= 3
    rate = replies[..., 0] / np.maximum(replies[..., 2], 1)
    couple, group = (ids.reshape(-1, 2)[where] for ids in _ids(people))
    x = [people.traits[..., column][where] for column in range(people.traits.shape[2])]
    return estimates.slopes(x, rate[where], couple, group)[Trait.AGREEABLENESS]


def repair_lands(people: Population) -> Effect:
    """Return the slope of how well a repair is taken on the listener's trust before it."""
    rows = np.concatenate(people.record.repairs)
    none = np.zeros(len(rows), dtype=np.int64)
    return estimates.slopes([rows[:, 0]], rows[:, 1], np.arange(len(rows)), none)[0]


def bad_is_stronger(people: Population) -> Effect:
    """Return the log of trust lost per unit of bad affect over trust won per unit of good."""
    harm, good = people.record.harm.sum(axis=1), people.record.good.sum(axis=1)

    def statistic(rows: np.ndarray) -> float:
        lost, won = harm[rows].sum(axis=0), good[rows].sum(axis=0)
        return float(np.log((lost[0] / lost[1]) / (won[0] / won[1])))

    return estimates.resampled(statistic, people.size, BOOTSTRAP_SEED)


def commitment_keeps(people: Population) -> Effect:
    """Return how much more committed those were, before their last chance to part, who stayed."""
    column = STATE_VARIABLES.index("commitment")
    at_third = people.record.opening[:, 2, :, column].mean(axis=1)
    here = people.record.lived[:, 2]
    stayed = people.record.ended[here] == 0
    return estimates.difference(estimates.centred(at_third[here], people.group[here]), stayed)
