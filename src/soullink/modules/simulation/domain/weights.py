"""What makes an act likely: the weights of the choice equation, each with its source.

U[act] = sum over features of WEIGHTS[act, feature] * x[feature], in log-odds; the distribution
over acts is the softmax of U (McFadden 1974, conditional logit). Signs and order come from the
sources; sizes are ours and are checked against the literature's directions by the behaviour
tests. Attributes are in standard deviations; states are centred as in `dynamics.features`.

Sources:
AM - Antill (1984) and Malouff et al. (2010), traits and satisfaction in couples.
BIG - McCrae & Costa (1987); Cuperman & Ickes (2009), Big Five in initial dyadic interactions.
GRZ - Graziano, Jensen-Campbell & Hair (1996), agreeableness and conflict tactics.
CAU - Caughlin, Huston & Houts (2000), neuroticism and negativity in marriage.
MIK - Mikulincer & Nachshon (1991), attachment and self-disclosure.
SIM - Simpson, Rholes & Phillips (1996), conflict in close relationships, an attachment view.
SHA - Shaver, Schachner & Mikulincer (2005), reassurance seeking and attachment.
COL - Collins & Feeney (2000), support seeking and caregiving.
CH - Christensen & Heavey (1990), demand/withdraw.
GOT - Gottman (1994), What Predicts Divorce?; Gottman & Levenson (1992).
REI - Reis & Shaver (1988); Laurenceau, Feldman Barrett & Pietromonaco (1998), intimacy.
RUS - Rusbult, Verette et al. (1991), accommodation in close relationships.
NEF - Neff & Karney (2009), stress spillover.
BEC - Baumeister et al. (2001), bad is stronger than good; negative reciprocity.
HOM - Overall & McNulty (2017), direct opposition and its uses.
PRO - Pruitt & Rubin (1986), Social Conflict: dual concern.
MCC - McCullough et al. (1998), interpersonal forgiving.
CON - Jensen-Campbell & Malcolm (2007), conscientiousness in relationships.
OPE - McCrae & Sutin (2009), openness in relationships.
SOC - Schegloff & Sacks (1973), opening up closings: sequence rules of talk.
"""

from functools import lru_cache
from typing import Final

import numpy as np

from soullink.modules.simulation.api import ACTS, Act, FloatArray
from soullink.modules.simulation.domain.acts import SPECS, ActClass
from soullink.modules.simulation.domain.parameters import Parameters

FEATURES: Final[tuple[str, ...]] = (
    "bias",
    "O", "C", "E", "A", "N", "anx", "avo",
    "mood", "stress", "arousal", "trust", "close", "commit",
    "conflict",
    "heard_warm", "heard_open", "heard_playful", "heard_task", "heard_demand",
    "heard_hostile", "heard_distant", "heard_repair", "heard_boundary",
    "start",
    "threat", "anx_threat", "avo_demand", "A_hostile",
    "need_connection", "need_autonomy", "need_esteem",
    "memory", "hurt", "drawn", "late",
    "d_threat", "d_closeness", "d_autonomy", "d_cooperation", "d_play", "d_novelty",
    "disagree", "guilt", "respected",
)  # fmt: skip

_TABLE: Final[dict[Act, tuple[str, str]]] = {
    Act.GREET: ("bias -9 start 14 E .1", "SOC"),
    Act.SMALL_TALK: ("bias 1.0 E .15 O -.1 avo .1 heard_task .3 d_threat -.8 d_closeness -.4 conflict -1.5 late -.5 d_novelty .2", "BIG"),
    Act.ASK: ("bias 1.0 E .1 A .1 O .15 avo -.25 heard_open .5 heard_task .3 conflict -.8 drawn .3 memory .2", "BIG, REI"),
    Act.DISCLOSE: ("bias 1.0 E .25 O .15 anx .1 avo -.3 heard_open .6 trust .6 close .4 conflict -.6 d_closeness .3", "MIK, REI"),
    Act.CONFIDE: ("bias -1.2 avo -.6 anx .15 trust 1.5 close 1.2 d_closeness .8 heard_open .4 heard_warm .4 stress .4 conflict -.8 memory .6", "MIK, REI"),
    Act.JOKE: ("bias 0.2 E 0.35 O 0.1 N -0.35 mood 0.8 stress -0.8 heard_playful 0.7 d_play 0.8 conflict -1 drawn 0.15 d_threat -0.8", "BIG"),
    Act.TEASE: ("bias -.5 E .25 A -.078 mood .5 heard_playful .6 d_play .5 close .4 drawn .35 conflict -.8 d_threat -.6", "BIG"),
    Act.COMPLIMENT: ("bias -.3 A .16 E .1 avo -.15 drawn .5 mood .4 heard_warm .3 conflict -.8 d_novelty .2 memory .4 d_threat -.6", "AM"),
    Act.AFFECTION: ("bias -1.2 avo -.5 anx .2 A .078 close 1.8 commit .8 drawn .4 mood .4 d_closeness .6 conflict -1.0 heard_warm .4 memory .5", "SIM, REI"),
    Act.THANK: ("bias 0 A 0.13 C 0.3 heard_warm 1 heard_repair 0.4 conflict -0.5 respected 0.3", "AM"),
    Act.AGREE: ("bias .8 A .21 anx .1 heard_task .6 heard_open .3 heard_playful .2 heard_demand .2 disagree -.8 conflict -.5 d_threat -.3", "GRZ"),
    Act.VALIDATE: ("bias 0.8 A 0.21 O 0.1 avo -0.15 heard_open 0.9 heard_demand 0.3 heard_distant 0.1 trust 0.5 stress -0.6 arousal -0.6 conflict -0.3 memory 0.3 d_threat -0.3 C 0.1", "REI, NEF"),
    Act.SUPPORT: ("bias 0.3 A 0.18 E 0.05 anx 0.05 avo -0.3 heard_open 0.4 d_threat 0.4 close 0.6 stress -0.4 memory 0.3 C 0.25", "COL"),
    Act.PLAN: ("bias 0 C .35 E .1 d_cooperation .6 heard_task .3 drawn .3 late .5 conflict -.6", "CON"),
    Act.PROMISE: ("bias -1.2 C .3 A .052 heard_demand .5 commit .8 d_cooperation .3 trust .3 conflict -.2 guilt .3", "CON, RUS"),
    Act.REQUEST: ("bias -.2 C .1 E .05 anx .15 d_cooperation .4 disagree .6 need_connection -.5 conflict .2 d_threat .2", "CH"),
    Act.COMPROMISE: ("bias -.5 A .16 C .1 O .1 disagree 1.2 heard_demand .4 heard_repair .3 arousal -.6 conflict .2 trust .3 respected .4", "PRO, GRZ"),
    Act.CONCEDE: ("bias -.4 A .21 anx .25 N .05 disagree .9 heard_demand .3 arousal -.3 respected .3", "GRZ, PRO"),
    Act.INSIST: ("bias -.3 A -.21 disagree 1.4 heard_demand .5 heard_boundary .3 arousal .6 need_autonomy -.4 conflict .4 d_threat .4", "GRZ, PRO"),
    Act.SEEK_REASSURANCE: ("bias -1.5 anx .7 avo -.4 N .15 threat .8 anx_threat .6 heard_distant .8 close .3 need_connection -.8 stress .4", "SHA, SIM"),
    Act.COMPLAIN: ("bias -0.55 N 0.5 A -0.078 anx 0.15 stress 0.9 mood -0.6 conflict 0.8 heard_distant 0.4 heard_hostile 0.4 need_connection -0.4 need_esteem -0.4 hurt 0.8 d_threat 0.9 C -0.2", "CAU, NEF"),
    Act.CRITICISE: ("bias -1.7 A -0.23 N 0.55 anx 0.1 stress 0.7 mood -0.9 arousal 0.7 conflict 1.2 heard_hostile 0.8 heard_demand 0.2 disagree 0.3 trust -0.5 hurt 0.8 A_hostile -0.2 d_threat 0.8 C -0.25", "GRZ, CAU, BEC"),
    Act.BELITTLE: ("bias -3.6 A -0.31 N 0.4 conflict 1.8 heard_hostile 0.8 mood -0.8 trust -1 close -0.3 hurt 0.8 d_threat 0.5 C -0.2", "GOT, GRZ"),
    Act.DEFEND: ("bias -1 N 0.5 A -0.1 heard_hostile 1.8 heard_demand 0.6 threat 0.8 need_esteem -0.5 arousal 0.4 trust -0.4 conflict 0.5 A_hostile -0.2 d_threat 0.4 C -0.2", "GOT, BEC"),
    Act.STONEWALL: ("bias -2.7 avo 0.4 E -0.2 arousal 0.9 heard_hostile 0.8 heard_demand 0.4 avo_demand 0.5 conflict 1.2 mood -0.4 C -0.25", "GOT, SIM"),
    Act.WITHDRAW: ("bias -1.1 avo 0.5 E -0.25 heard_demand 0.5 avo_demand 0.6 heard_hostile 0.4 stress 0.5 d_closeness 0.2 mood -0.5 need_autonomy -0.5 conflict 0.5 threat 0.3 d_threat 0.4 C -0.2", "CH, SIM"),
    Act.SILENCE: ("bias -1.4 E -.4 avo .25 N .05 heard_hostile .4 stress .3 arousal -.2 mood -.4 d_threat .3", "BIG, SIM"),
    Act.REPAIR: ("bias -0.6 A 0.16 anx 0.1 avo -0.2 N -0.35 conflict 1.6 guilt 0.5 close 0.6 commit 0.8 trust 0.5 arousal -0.4 memory 0.5 d_threat 0.2 C 0.25", "GOT, RUS"),
    Act.APOLOGISE: ("bias -1.2 A 0.18 C 0.35 anx 0.15 guilt 1.6 heard_hostile 0.2 heard_demand 0.4 conflict 0.4 trust 0.3 arousal -0.4", "RUS"),
    Act.FORGIVE: ("bias -0.8 A 0.18 N -0.5 anx -0.1 avo -0.1 heard_repair 1 hurt -0.6 trust 0.6 memory 0.5", "MCC"),
    Act.SET_BOUNDARY: ("bias -1.3 avo .2 A -.052 E .05 need_autonomy -.8 heard_demand .6 conflict .2 d_autonomy .6", "HOM"),
    Act.REFUSE: ("bias 0 A -.18 avo .15 heard_demand .6 need_autonomy -.4 d_autonomy .5 disagree .3 trust -.2", "GRZ"),
    Act.CLOSE: ("bias -2.4 avo .15 E -.1 late 3.0 conflict -.5", "SOC"),
    Act.LEAVE: ("bias -5.1 avo .3 conflict 2.2 arousal .8 trust -1.5 commit -1.5 mood -1.0 heard_hostile .8 hurt .8 threat .5 drawn -.3 d_threat .6", "RUS"),
}  # fmt: skip


def _matrix() -> FloatArray:
    matrix = np.zeros((len(ACTS), len(FEATURES)))
    position = {name: number for number, name in enumerate(FEATURES)}
    for row, act in enumerate(ACTS):
        words = _TABLE[act][0].split()
        for name, value in zip(words[::2], words[1::2], strict=True):
            matrix[row, position[name]] = float(value)
    return matrix


WEIGHTS: Final[FloatArray] = _matrix()
"""Shape (acts, features), log-odds, before the factors of `effective`."""

_SCALED: Final[dict[str, tuple[str, ...]]] = {
    "weight_neuroticism": ("N",),
    "weight_agreeableness": ("A", "A_hostile"),
    "weight_conscientiousness": ("C",),
    "weight_extraversion": ("E",),
    "weight_strain": ("stress", "threat", "hurt"),
    "weight_conflict": ("conflict",),
}
NEGATIVE_CLASSES: Final = (ActClass.DEMAND, ActClass.HOSTILE, ActClass.DISTANT)
"""Classes of acts whose log-odds `negativity` moves."""

_NEGATIVE: Final = np.array([SPECS[act].act_class in NEGATIVE_CLASSES for act in ACTS])


@lru_cache(maxsize=8)
def effective(parameters: Parameters) -> FloatArray:
    """Return WEIGHTS with the factors of `parameters`, shape (acts, features); not to be changed."""
    out = WEIGHTS.copy()
    for name, columns in _SCALED.items():
        out[:, [FEATURES.index(column) for column in columns]] *= getattr(parameters, name)
    out[_NEGATIVE, FEATURES.index("bias")] += parameters.negativity
    out.flags.writeable = False
    return out


SOURCES: Final[dict[Act, str]] = {act: source for act, (_, source) in _TABLE.items()}


def weighed(x: FloatArray, p: Parameters) -> FloatArray:
    """Return features x, (n, F), times the weights of `p`, (n, A)."""
    # einsum sums in a fixed order whatever n is; a BLAS product would not.
    if not p.differ:
        out: FloatArray = np.einsum("nf,af->na", x, effective(p), optimize=False)
        return out
    scaled = x.copy()
    for name, columns in _SCALED.items():
        for column in columns:
            scaled[:, FEATURES.index(column)] *= getattr(p, name)
    product: FloatArray = np.einsum("nf,af->na", scaled, WEIGHTS, optimize=False)
    product[:, _NEGATIVE] += np.asarray(p.negativity)[:, None]
    return product


def table() -> list[tuple[str, str, str]]:
    """Return (act, weights, sources) rows, for the documentation."""
    return [(str(act), weights, source) for act, (weights, source) in _TABLE.items()]
