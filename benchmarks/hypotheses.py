"""What the literature says of behaviour in couples, and how each shows in a population.

Directions are the literature's; a hypothesis names its source, and the page lists them in full.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks import estimates
from benchmarks.estimates import Effect
from benchmarks.population import Population
from soullink.modules.simulation.api import ACTS, STATE_VARIABLES, Act, FloatArray
from soullink.modules.simulation.domain import dynamics
from soullink.modules.simulation.domain.layout import Trait

BOOTSTRAP_SEED: Final = 17


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One direction from the literature. direction: +1 or -1. measure: how it shows here."""

    id: str
    statement: str
    direction: int
    source: str
    how: str
    measure: Callable[[Population], Effect]


@dataclass(frozen=True, slots=True)
class Finding:
    """A hypothesis and what came of it."""

    hypothesis: Hypothesis
    effect: Effect

    @property
    def holds(self) -> bool:
        """Return whether the whole interval lies on the expected side of zero."""
        return self.effect.points(self.hypothesis.direction)


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


def _per_turn(name: str) -> Callable[[Population], FloatArray]:
    def of(people: Population) -> FloatArray:
        heard = np.maximum(people.record.heard.sum(axis=1), 1)
        out: FloatArray = getattr(people.record, name).sum(axis=1) / heard
        return out

    return of


def _mood(people: Population) -> FloatArray:
    lived = people.record.lived[:, :, None]
    mood = people.record.closing[..., STATE_VARIABLES.index("mood")]
    out: FloatArray = (mood * lived).sum(axis=1) / lived.sum(axis=1)
    return out


def _closeness(people: Population) -> FloatArray:
    """Return closeness when the first two episodes ended, before survival selects, (R, 2)."""
    out: FloatArray = people.record.closing[:, 1, :, STATE_VARIABLES.index("closeness")]
    return out


def _commitment(people: Population) -> FloatArray:
    return people.record.commitment


def _satisfaction(people: Population) -> FloatArray:
    return people.record.satisfaction


def _talk(people: Population) -> FloatArray:
    counts = people.record.acts.sum(axis=(1, 3))
    out: FloatArray = counts / counts.sum(axis=1, keepdims=True)
    return out


def _first_word(people: Population) -> FloatArray:
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


_A, _T = Act, Trait
_DISTANT: Final = (_A.WITHDRAW, _A.STONEWALL, _A.SILENCE)
_HARSH: Final = (_A.INSIST, _A.CRITICISE, _A.BELITTLE)
_GIVING: Final = (_A.COMPROMISE, _A.CONCEDE, _A.VALIDATE)

HYPOTHESES: Final[tuple[Hypothesis, ...]] = (
    Hypothesis(
        "anxiety-reassurance",
        "The anxious ask for reassurance",
        1,
        "Shaver, Schachner & Mikulincer 2005",
        "share of turns: seek_reassurance",
        on_trait(_T.ANXIETY, act_share(_A.SEEK_REASSURANCE)),
    ),
    Hypothesis(
        "anxiety-protest",
        "The anxious protest",
        1,
        "Campbell et al. 2005; Simpson, Rholes & Phillips 1996",
        "share of turns: complain",
        on_trait(_T.ANXIETY, act_share(_A.COMPLAIN)),
    ),
    Hypothesis(
        "anxiety-threat",
        "The anxious feel more threatened by the same partner",
        1,
        "Campbell et al. 2005; Collins 1996",
        "felt threat per turn heard",
        on_trait(_T.ANXIETY, _per_turn("threat")),
    ),
    Hypothesis(
        "anxiety-misread",
        "The anxious take turns for worse than they were",
        1,
        "Collins 1996",
        "misread for the worse per turn heard",
        on_trait(_T.ANXIETY, _per_turn("misread_worse")),
    ),
    Hypothesis(
        "avoidance-distance",
        "The avoidant withdraw",
        1,
        "Simpson, Rholes & Phillips 1996",
        "share of turns: withdraw, stonewall, silence",
        on_trait(_T.AVOIDANCE, act_share(*_DISTANT)),
    ),
    Hypothesis(
        "avoidance-disclosure",
        "The avoidant disclose less",
        -1,
        "Mikulincer & Nachshon 1991",
        "share of turns: disclose, confide",
        on_trait(_T.AVOIDANCE, act_share(_A.DISCLOSE, _A.CONFIDE)),
    ),
    Hypothesis(
        "avoidance-support",
        "The avoidant give less support",
        -1,
        "Collins & Feeney 2000",
        "share of turns: support",
        on_trait(_T.AVOIDANCE, act_share(_A.SUPPORT)),
    ),
    Hypothesis(
        "avoidance-affection",
        "The avoidant show less tenderness",
        -1,
        "Collins & Feeney 2000",
        "share of turns: affection",
        on_trait(_T.AVOIDANCE, act_share(_A.AFFECTION)),
    ),
    Hypothesis(
        "avoidance-closeness",
        "The avoidant feel less close",
        -1,
        "Li & Chan 2012",
        "closeness after two episodes",
        on_trait(_T.AVOIDANCE, _closeness),
    ),
    Hypothesis(
        "avoidance-commitment",
        "The avoidant commit less",
        -1,
        "Simpson 1990",
        "commitment at the end",
        on_trait(_T.AVOIDANCE, _commitment),
    ),
    Hypothesis(
        "anxiety-own",
        "The anxious are less satisfied",
        -1,
        "Li & Chan 2012",
        "own satisfaction at the end",
        on_trait(_T.ANXIETY, _satisfaction),
    ),
    Hypothesis(
        "avoidance-own",
        "The avoidant are less satisfied",
        -1,
        "Li & Chan 2012",
        "own satisfaction at the end",
        on_trait(_T.AVOIDANCE, _satisfaction),
    ),
    Hypothesis(
        "neuroticism-negativity",
        "The neurotic are more negative",
        1,
        "Donnellan, Conger & Bryant 2004; Caughlin, Huston & Houts 2000",
        "share of turns: complain, criticise, defend",
        on_trait(_T.NEUROTICISM, act_share(_A.COMPLAIN, _A.CRITICISE, _A.DEFEND)),
    ),
    Hypothesis(
        "neuroticism-mood",
        "The neurotic are in lower mood",
        -1,
        "Costa & McCrae 1980",
        "mean mood when episodes end",
        on_trait(_T.NEUROTICISM, _mood),
    ),
    Hypothesis(
        "neuroticism-own",
        "The neurotic are less satisfied",
        -1,
        "Karney & Bradbury 1995; Renshaw, Blais & Smith 2010",
        "own satisfaction at the end",
        on_trait(_T.NEUROTICISM, _satisfaction),
    ),
    Hypothesis(
        "neuroticism-partner",
        "Partners of the neurotic are less satisfied",
        -1,
        "Malouff et al. 2010",
        "partner's satisfaction at the end",
        on_trait(_T.NEUROTICISM, _satisfaction, partner=True),
    ),
    Hypothesis(
        "agreeableness-harshness",
        "The agreeable are less harsh",
        -1,
        "Graziano, Jensen-Campbell & Hair 1996",
        "share of turns: insist, criticise, belittle",
        on_trait(_T.AGREEABLENESS, act_share(*_HARSH)),
    ),
    Hypothesis(
        "agreeableness-giving",
        "The agreeable give way and show understanding",
        1,
        "Graziano, Jensen-Campbell & Hair 1996",
        "share of turns: compromise, concede, validate",
        on_trait(_T.AGREEABLENESS, act_share(*_GIVING)),
    ),
    Hypothesis(
        "agreeableness-partner",
        "Partners of the agreeable are more satisfied",
        1,
        "Malouff et al. 2010",
        "partner's satisfaction at the end",
        on_trait(_T.AGREEABLENESS, _satisfaction, partner=True),
    ),
    Hypothesis(
        "agreeableness-accommodation",
        "The agreeable return hostility less",
        -1,
        "Rusbult et al. 1991; Graziano, Jensen-Campbell & Hair 1996",
        "negative act after hostility heard",
        hostility_returned,
    ),
    Hypothesis(
        "extraversion-talk",
        "Extraverts talk more",
        1,
        "Mehl, Gosling & Pennebaker 2006",
        "share of the couple's turns",
        on_trait(_T.EXTRAVERSION, _talk),
    ),
    Hypothesis(
        "extraversion-play",
        "Extraverts joke more",
        1,
        "McCrae & Costa 1987",
        "share of turns: joke, tease",
        on_trait(_T.EXTRAVERSION, act_share(_A.JOKE, _A.TEASE)),
    ),
    Hypothesis(
        "extraversion-first",
        "Extraverts speak first",
        1,
        "Mehl, Gosling & Pennebaker 2006 (more talk; speaking first is our reading)",
        "share of episodes opened",
        on_trait(_T.EXTRAVERSION, _first_word),
    ),
    Hypothesis(
        "conscientiousness-plans",
        "The conscientious plan and promise",
        1,
        "Jensen-Campbell & Malcolm 2007",
        "share of turns: plan, promise",
        on_trait(_T.CONSCIENTIOUSNESS, act_share(_A.PLAN, _A.PROMISE)),
    ),
    Hypothesis(
        "conscientiousness-partner",
        "Partners of the conscientious are more satisfied",
        1,
        "Malouff et al. 2010",
        "partner's satisfaction at the end",
        on_trait(_T.CONSCIENTIOUSNESS, _satisfaction, partner=True),
    ),
    Hypothesis(
        "openness-asks",
        "The open ask more",
        1,
        "McCrae & Sutin 2009",
        "share of turns: ask",
        on_trait(_T.OPENNESS, act_share(_A.ASK)),
    ),
    Hypothesis(
        "stress-complaints",
        "Stress spills over into complaints",
        1,
        "Timmons, Arbel & Margolin 2017; Randall & Bodenmann 2009",
        "complain in an episode, on stress as it opens",
        on_state("stress", (_A.COMPLAIN,)),
    ),
    Hypothesis(
        "stress-support",
        "The stressed give less support and understanding",
        -1,
        "Randall & Bodenmann 2009",
        "support, validate in an episode, on stress as it opens",
        on_state("stress", (_A.SUPPORT, _A.VALIDATE)),
    ),
    Hypothesis(
        "trust-disclosure",
        "Trust opens people up",
        1,
        "Larzelere & Huston 1980",
        "confide in an episode, on trust as it opens",
        on_state("trust", (_A.CONFIDE,)),
    ),
    Hypothesis(
        "demand-withdraw",
        "The anxious pursue and their avoidant partners withdraw",
        1,
        "Christensen & Heavey 1990; Millwood & Waltz 2008",
        "pursuit met by distance, pairs of anxious and avoidant against others",
        demand_withdraw,
    ),
    Hypothesis(
        "ratio-stability",
        "Couples who stay are more positive than negative",
        1,
        "Gottman & Levenson 1992; Gottman 1994",
        "log of positive to negative turns, staying against parting",
        ratio_of_stable,
    ),
    Hypothesis(
        "commitment-stability",
        "The committed stay",
        1,
        "Le & Agnew 2003",
        "commitment before the third episode, staying against parting",
        commitment_keeps,
    ),
    Hypothesis(
        "disclosure-closeness",
        "Closeness grows when disclosures are met",
        1,
        "Reis & Shaver 1988; Laurenceau, Feldman Barrett & Pietromonaco 1998",
        "growth in an episode, on the share of own disclosures met",
        disclosure_met,
    ),
    Hypothesis(
        "negative-reciprocity",
        "Negativity is returned",
        1,
        "Levenson & Gottman 1985",
        "negative act after a negative against after a positive one, difference of shares",
        negative_reciprocity,
    ),
    Hypothesis(
        "trust-repair",
        "Repairs land where there is trust",
        1,
        "Gottman, Driver & Tabares 2015",
        "affect felt at a repair, on trust before it",
        repair_lands,
    ),
    Hypothesis(
        "bad-stronger",
        "Bad is stronger than good",
        1,
        "Baumeister et al. 2001",
        "trust lost over trust won per unit of affect, log ratio",
        bad_is_stronger,
    ),
)
