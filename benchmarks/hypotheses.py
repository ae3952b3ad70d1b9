"""What the literature says of behaviour in couples, and how each shows in a population.

Directions are the literature's; a hypothesis names its source, and the page lists them in full.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.behaviour_measures import (
    act_share,
    bad_is_stronger,
    commitment,
    commitment_keeps,
    demand_withdraw,
    disclosure_met,
    early_closeness,
    first_word,
    hostility_returned,
    mean_mood,
    negative_reciprocity,
    on_state,
    on_trait,
    per_turn,
    ratio_of_stable,
    repair_lands,
    satisfaction,
    talk_share,
)
from soullink.modules.simulation.api import Act
from soullink.modules.simulation.calibration.estimates import Effect
from soullink.modules.simulation.calibration.population import Population
from soullink.modules.simulation.domain.layout import Trait


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
        on_trait(_T.ANXIETY, per_turn("threat")),
    ),
    Hypothesis(
        "anxiety-misread",
        "The anxious take turns for worse than they were",
        1,
        "Collins 1996",
        "misread for the worse per turn heard",
        on_trait(_T.ANXIETY, per_turn("misread_worse")),
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
        on_trait(_T.AVOIDANCE, early_closeness),
    ),
    Hypothesis(
        "avoidance-commitment",
        "The avoidant commit less",
        -1,
        "Simpson 1990",
        "commitment at the end",
        on_trait(_T.AVOIDANCE, commitment),
    ),
    Hypothesis(
        "anxiety-own",
        "The anxious are less satisfied",
        -1,
        "Li & Chan 2012",
        "own satisfaction at the end",
        on_trait(_T.ANXIETY, satisfaction),
    ),
    Hypothesis(
        "avoidance-own",
        "The avoidant are less satisfied",
        -1,
        "Li & Chan 2012",
        "own satisfaction at the end",
        on_trait(_T.AVOIDANCE, satisfaction),
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
        on_trait(_T.NEUROTICISM, mean_mood),
    ),
    Hypothesis(
        "neuroticism-own",
        "The neurotic are less satisfied",
        -1,
        "Karney & Bradbury 1995; Renshaw, Blais & Smith 2010",
        "own satisfaction at the end",
        on_trait(_T.NEUROTICISM, satisfaction),
    ),
    Hypothesis(
        "neuroticism-partner",
        "Partners of the neurotic are less satisfied",
        -1,
        "Malouff et al. 2010",
        "partner's satisfaction at the end",
        on_trait(_T.NEUROTICISM, satisfaction, partner=True),
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
        on_trait(_T.AGREEABLENESS, satisfaction, partner=True),
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
        on_trait(_T.EXTRAVERSION, talk_share),
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
        on_trait(_T.EXTRAVERSION, first_word),
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
        on_trait(_T.CONSCIENTIOUSNESS, satisfaction, partner=True),
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
