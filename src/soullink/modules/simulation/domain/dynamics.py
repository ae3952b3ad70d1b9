"""The equations of one turn: appraise, update, choose. Pure functions over arrays.

Shapes: n courses, speaker and listener apart; see layout.py for columns. Everything here is
documented, with sources, in docs/explanation/agent-model.md.

Affect follows the discrete form of Gottman & Murray's marital equations,
m' = set point + inertia * (m - set point) + influence of the partner + response to the act,
with inertia and influence (parameters.py) such that over whole turns (about ten seconds) moods
carry over and pass on as measured in couples: inertia .51-.56, partner influence .08.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink.modules.simulation.api import ACTS, Act, BoolArray, FloatArray, IntArray
from soullink.modules.simulation.domain.acts import CLASSES, INDEX, SPECS, ActClass
from soullink.modules.simulation.domain.adjacency import NEVER, TABLE
from soullink.modules.simulation.domain.layout import RANGES, STATE, Person, Shared, Trait
from soullink.modules.simulation.domain.parameters import CURRENT, Parameters
from soullink.modules.simulation.domain.weights import FEATURES, weighed

VALENCE: Final = np.array([SPECS[a].valence for a in ACTS])
CONNECTION: Final = np.array([SPECS[a].connection for a in ACTS])
AUTONOMY: Final = np.array([SPECS[a].autonomy for a in ACTS])
ESTEEM: Final = np.array([SPECS[a].esteem for a in ACTS])
HEAT: Final = np.array([SPECS[a].heat for a in ACTS])
DEPTH: Final = np.array([SPECS[a].depth for a in ACTS])
CLASS_OF: Final = np.array([CLASSES.index(SPECS[a].act_class) for a in ACTS], dtype=np.int64)
CLASS_VALENCE: Final = np.array(
    [float(np.mean([SPECS[a].valence for a in ACTS if SPECS[a].act_class is c])) for c in CLASSES]
)

WARM, OPEN, PLAYFUL, TASK, DEMAND, HOSTILE, DISTANT, REPAIR, BOUNDARY = range(len(CLASSES))
# What a class is taken for when it is misread for the worse and for the better.
WORSE: Final = np.array(
    [DISTANT, DEMAND, HOSTILE, DISTANT, HOSTILE, HOSTILE, HOSTILE, DEMAND, HOSTILE], dtype=np.int64
)
BETTER: Final = np.array([WARM, WARM, WARM, OPEN, OPEN, PLAYFUL, TASK, WARM, TASK], dtype=np.int64)


def _classes(*numbers: int) -> BoolArray:
    return np.array([number in numbers for number in range(len(CLASSES))])


# Looked up by class: np.isin takes twenty times as long where courses are few.
_PRESSING: Final = _classes(DEMAND, HOSTILE, BOUNDARY)
_MEETING: Final = _classes(WARM, OPEN, REPAIR)
_PARTING: Final = _classes(DISTANT, HOSTILE)
_ALIKE: Final = _classes(PLAYFUL, OPEN)
POSITIVE_ACTS: Final[BoolArray] = VALENCE > 0.15
NEGATIVE_ACTS: Final[BoolArray] = VALENCE < -0.2
SETTLING: Final = np.isin(
    np.arange(len(ACTS)),
    [
        INDEX[a]
        for a in (
            Act.AGREE,
            Act.CONCEDE,
            Act.COMPROMISE,
            Act.PROMISE,
            Act.PLAN,
            Act.THANK,
            Act.VALIDATE,
            Act.AFFECTION,
        )
    ],
)


@dataclass(frozen=True, slots=True)
class Situation:
    """What an episode asks of the two in n courses.

    demands: (n, 6) in the order of api.DEMANDS. scenario_acts: (A,) log-odds of the situation.
    goal_acts: (n, 2, A) log-odds of each person's goal and of interventions. decides: whether
    there is a decision. fewest, most: turns. strain: (n, 2) load that presses here, 0..1.
    misreading: (n, 2) factor on the chance to misread.
    """

    demands: FloatArray
    scenario_acts: FloatArray
    goal_acts: FloatArray
    decides: bool
    fewest: int
    most: int
    strain: FloatArray
    misreading: FloatArray


@dataclass(frozen=True, slots=True)
class Reading:
    """What listeners made of a turn; arrays of shape (n,). See api.Appraisal."""

    perceived: IntArray
    misread: BoolArray
    affect: FloatArray
    connection: FloatArray
    autonomy: FloatArray
    esteem: FloatArray
    threat: FloatArray
    values: FloatArray


def sigmoid(x: FloatArray) -> FloatArray:
    """Return the logistic function of each element, safe for large values."""
    out: FloatArray = 1.0 / (1.0 + np.exp(-x.clip(-40.0, 40.0)))
    return out


def set_point(traits: FloatArray) -> FloatArray:
    """Return the uninfluenced mood of each person, shape (..., 11) -> (...).

    Extraversion goes with positive and neuroticism with negative affect (Costa & McCrae 1980;
    Steel, Schmidt & Shultz 2008).
    """
    point: FloatArray = (
        0.12
        + 0.05 * traits[..., Trait.EXTRAVERSION]
        - 0.08 * traits[..., Trait.NEUROTICISM]
        + 0.02 * traits[..., Trait.AGREEABLENESS]
    )
    return point.clip(-0.4, 0.5)


def features(
    speaker: FloatArray,
    traits: FloatArray,
    pair: FloatArray,
    situation: Situation,
    attraction: FloatArray,
    recalled: tuple[FloatArray, FloatArray],
    respected: FloatArray,
    disagreement: FloatArray,
) -> FloatArray:
    """Return x of the choice equation for n speakers, shape (n, len(FEATURES)).

    speaker: (n, columns). traits: (n, 11) of the speaker. attraction: (n,) to the listener.
    recalled: signal and hurt of memory. respected: (n,) belief that the other respects one.
    disagreement: (n,) distance on the open decision, 0..1.
    """
    p = speaker
    n = p.shape[0]
    x = np.zeros((n, len(FEATURES)))
    x[:, 0] = 1.0
    x[:, 1:8] = traits[:, :7]
    x[:, 8] = p[:, Person.MOOD]
    x[:, 9] = p[:, Person.STRESS] - 0.3
    x[:, 10] = p[:, Person.AROUSAL] - 0.3
    x[:, 11] = p[:, Person.TRUST] - 0.5
    x[:, 12] = p[:, Person.CLOSENESS] - 0.4
    x[:, 13] = p[:, Person.COMMITMENT] - 0.3
    x[:, 14] = pair[:, Shared.CONFLICT]
    heard = p[:, Person.HEARD].astype(np.int64)
    has_heard = heard >= 0
    x[np.flatnonzero(has_heard), 15 + heard[has_heard]] = 1.0
    x[:, 24] = pair[:, Shared.TURNS] == 0
    x[:, 25] = p[:, Person.THREAT]
    x[:, 26] = traits[:, Trait.ANXIETY] * p[:, Person.THREAT]
    demanded = heard == DEMAND
    x[:, 27] = traits[:, Trait.AVOIDANCE] * demanded
    x[:, 28] = traits[:, Trait.AGREEABLENESS] * (heard == HOSTILE)
    x[:, 29] = p[:, Person.CONNECTION]
    x[:, 30] = p[:, Person.AUTONOMY]
    x[:, 31] = p[:, Person.ESTEEM]
    x[:, 32] = recalled[0]
    x[:, 33] = p[:, Person.HURT] + recalled[1]
    x[:, 34] = attraction
    # Talk may be rounded off once the fewest turns are done; then ever more so.
    span = max(situation.most - situation.fewest, 1)
    x[:, 35] = ((pair[:, Shared.TURNS] - situation.fewest) / span).clip(0.0, 1.0)
    x[:, 36:42] = situation.demands
    x[:, 42] = disagreement
    x[:, 43] = p[:, Person.GUILT]
    x[:, 44] = respected
    return x


def allowed(
    speaker: FloatArray,
    pair: FloatArray,
    situation: Situation,
    stage_first: bool,
    answers: IntArray,
) -> FloatArray:
    """Return log-odds that the sequence of talk adds to each act, NEVER where it forbids, (n, A).

    answers: (n,) index of the partner's act just before, -1 where the speaker goes on or
    nothing was said. One greets first, answers what was just said (adjacency.py), repairs what
    is broken, closes after the fewest turns, and does not repeat oneself.
    """
    n = speaker.shape[0]
    mask = TABLE[answers].copy()
    heard = speaker[:, Person.HEARD]
    first = speaker[:, Person.SPOKEN] == 0
    mask[~first | (pair[:, Shared.TURNS] > 1), INDEX[Act.GREET]] = NEVER
    calm = (pair[:, Shared.CONFLICT] < 0.12) & (speaker[:, Person.HURT] < 0.1)
    mask[calm, INDEX[Act.REPAIR]] = NEVER
    mask[(speaker[:, Person.GUILT] < 0.08) & (heard != DEMAND), INDEX[Act.APOLOGISE]] = NEVER
    settled = (pair[:, Shared.AGREED] + pair[:, Shared.ARBITRATED]) > 0
    for act in (Act.INSIST, Act.CONCEDE, Act.COMPROMISE):
        mask[settled if situation.decides else slice(None), INDEX[act]] = NEVER
    early = pair[:, Shared.TURNS] < situation.fewest
    mask[early, INDEX[Act.CLOSE]] = NEVER
    mask[pair[:, Shared.TURNS] < 4, INDEX[Act.LEAVE]] = NEVER
    mask[pair[:, Shared.CLOSING] > 0, INDEX[Act.ASK]] = NEVER
    if stage_first:
        # Strangers have nothing to forgive and no claim on each other yet.
        for act, odds in (
            (Act.AFFECTION, -2.5),
            (Act.SEEK_REASSURANCE, -1.0),
            (Act.BELITTLE, -1.0),
            (Act.CRITICISE, -0.8),
            (Act.PROMISE, -0.8),
        ):
            mask[:, INDEX[act]] += odds
    rows = np.arange(n)
    for column, odds in ((Person.LAST_ACT, -1.3), (Person.LAST_ACT_2, -0.6)):
        last = speaker[:, column].astype(np.int64)
        had = last >= 0
        mask[rows[had], last[had]] += odds
    return mask


def distribution(utilities: FloatArray) -> FloatArray:
    """Return the softmax over acts, rows sum to 1, shape (n, A)."""
    shifted = np.exp(utilities - utilities.max(axis=1, keepdims=True))
    out: FloatArray = shifted / shifted.sum(axis=1, keepdims=True)
    return out


def utilities(x: FloatArray, extra: FloatArray, p: Parameters = CURRENT) -> FloatArray:
    """Return log-odds of all acts: x times weights plus what situation and goals add, (n, A)."""
    return weighed(x, p) + extra


def choose(probabilities: FloatArray, draw: FloatArray) -> IntArray:
    """Return the act of each course by inverting the cumulative distribution at `draw`, (n,)."""
    cumulative = np.cumsum(probabilities, axis=1)
    picked: IntArray = (cumulative < draw[:, None] * cumulative[:, -1:]).sum(axis=1)
    return np.minimum(picked, len(ACTS) - 1)


def misread_chance(listener: FloatArray, traits: FloatArray, conflict: FloatArray) -> FloatArray:
    """Return the probability that a turn is taken for something else, shape (n,).

    Accuracy falls with stress, arousal and distress and rises with trust (Ickes 1993; Simpson,
    Orina & Ickes 2003; Neff & Karney 2009).
    """
    return sigmoid(
        -3.1
        + 1.6 * (listener[:, Person.STRESS] - 0.3)
        + 0.8 * (listener[:, Person.AROUSAL] - 0.3)
        + 0.2 * traits[:, Trait.NEUROTICISM]
        + 0.15 * traits[:, Trait.ANXIETY]
        - 1.2 * (listener[:, Person.TRUST] - 0.5)
        + 0.8 * conflict
    )


def read(
    act: IntArray,
    listener: FloatArray,
    traits: FloatArray,
    situation_threat: FloatArray,
    memory_signal: FloatArray,
    disagreement: FloatArray,
    chance: FloatArray,
    draws: tuple[FloatArray, FloatArray],
) -> Reading:
    """Return what listeners make of `act`; all arguments one entry per course.

    chance: of a misreading. draws: uniform, for whether and in which direction it is misread.
    Sentiment override (Weiss 1980): trust, mood and memory colour what is heard. Threat is
    loss of connection for the anxious, of autonomy for the avoidant (Mikulincer & Shaver 2016).
    """
    actual = CLASS_OF[act]
    misread = draws[0] < chance
    worse = draws[1] < sigmoid(
        0.6
        + 0.6 * traits[:, Trait.ANXIETY]
        + 0.3 * traits[:, Trait.NEUROTICISM]
        - 3.0 * (listener[:, Person.TRUST] - 0.5)
        - 1.0 * listener[:, Person.MOOD]
    )
    perceived = np.where(misread, np.where(worse, WORSE[actual], BETTER[actual]), actual)
    misread = perceived != actual
    valence = np.where(misread, 0.5 * VALENCE[act] + 0.8 * CLASS_VALENCE[perceived], VALENCE[act])
    override = (
        0.25 * (listener[:, Person.TRUST] - 0.5)
        + 0.12 * listener[:, Person.MOOD]
        + 0.12 * memory_signal
    )
    heard = valence + override
    anxious, avoidant = traits[:, Trait.ANXIETY], traits[:, Trait.AVOIDANCE]
    shift = np.where(misread, 0.5 * (CLASS_VALENCE[perceived] - VALENCE[act]), 0.0)
    connection = ((CONNECTION[act] + shift) * (1.0 + 0.25 * anxious).clip(0.3, 2.0)).clip(-1, 1)
    # Closeness itself presses on the avoidant: tenderness takes a little of their autonomy.
    intimate = np.maximum(CONNECTION[act], 0.0) * DEPTH[act]
    autonomy = (
        AUTONOMY[act] * (1.0 + 0.3 * avoidant).clip(0.3, 2.0) - 0.12 * avoidant * intimate
    ).clip(-1, 1)
    esteem = (
        (ESTEEM[act] + shift) * (1.0 + 0.15 * traits[:, Trait.NEUROTICISM]).clip(0.3, 2.0)
    ).clip(-1, 1)
    threat = (
        listener[:, Person.SENSITIVITY]
        * (
            0.45 * np.maximum(-connection, 0.0) * (1.0 + 0.35 * anxious).clip(0.2, 2.2)
            + 0.35 * np.maximum(-autonomy, 0.0) * (1.0 + 0.35 * avoidant).clip(0.2, 2.2)
            + 0.45 * np.maximum(-esteem, 0.0)
            + 0.12 * situation_threat * (1.0 + 0.3 * traits[:, Trait.NEUROTICISM]).clip(0.2, 2.2)
        )
    ).clip(
        0.0,
        1.0,
    )
    pressing = _PRESSING[perceived]
    values = np.where(
        pressing, -disagreement, np.where(SETTLING[act], 0.4 * disagreement, 0.0)
    ).clip(-1, 1)
    affect = (
        0.55 * heard + 0.2 * connection + 0.1 * autonomy + 0.15 * esteem + 0.15 * values
    ).clip(-1.0, 1.0)
    return Reading(perceived, misread, affect, connection, autonomy, esteem, threat, values)


def hear(
    listener: FloatArray,
    traits: FloatArray,
    speaker_mood: FloatArray,
    act: IntArray,
    reading: Reading,
    strain: FloatArray,
    noise: FloatArray,
    p: Parameters = CURRENT,
) -> FloatArray:
    """Return the listeners' columns after hearing `act`, shape (n, columns).

    strain: load that presses on the listener, 0..1. noise: standard normal.
    Bad is stronger than good (Baumeister 2001): trust falls about three times as fast as it grows.
    """
    new = listener.copy()
    affect = reading.affect
    neurotic = traits[:, Trait.NEUROTICISM]
    anxious, avoidant = traits[:, Trait.ANXIETY], traits[:, Trait.AVOIDANCE]
    gain = np.where(
        affect < 0,
        p.mood_gain_negative * (1.0 + 0.22 * neurotic).clip(0.3, 2.0),
        p.mood_gain_positive * (1.0 + 0.15 * traits[:, Trait.EXTRAVERSION]).clip(0.4, 1.8),
    )
    point = set_point(traits) - 0.18 * strain
    inertia = (p.mood_inertia + 0.04 * neurotic).clip(0.1, 0.7)
    mood = listener[:, Person.MOOD]
    new[:, Person.MOOD] = (
        point
        + inertia * (mood - point)
        + p.mood_influence * (speaker_mood - mood)
        + gain * affect
        + p.mood_noise_hearing * (1.0 + 0.15 * neurotic).clip(0.5, 1.6) * noise
    )
    new[:, Person.AROUSAL] = (
        0.78 * listener[:, Person.AROUSAL]
        + 0.22 * 0.25
        + 0.3 * np.maximum(-affect, 0.0)
        + 0.06 * np.maximum(affect, 0.0)
        + 0.18 * reading.threat
    )
    new[:, Person.STRESS] = (
        listener[:, Person.STRESS]
        + 0.03 * (0.15 + 0.6 * strain + 0.05 * neurotic - listener[:, Person.STRESS])
        + p.stress_threat * reading.threat * (1.0 + 0.2 * neurotic).clip(0.4, 1.8)
        - p.stress_relief * np.maximum(affect, 0.0)
    )
    trust = listener[:, Person.TRUST]
    trusting = (1.0 - 0.15 * anxious - 0.1 * avoidant).clip(0.4, 1.6)
    new[:, Person.TRUST] = trust + np.where(
        affect < 0,
        p.trust_loss * affect * trust,
        p.trust_growth * affect * (1.0 - trust) * trusting,
    )
    close = listener[:, Person.CLOSENESS]
    opening = (1.0 - 0.12 * avoidant).clip(0.3, 1.7)
    warmth = np.maximum(affect, 0.0)
    # The intimacy process: revealing brings close when it is met (Reis & Shaver 1988).
    met = listener[:, Person.DISCLOSED] * _MEETING[reading.perceived]
    growth = (0.012 * warmth + 0.02 * DEPTH[act] * warmth + 0.03 * met * warmth) * opening
    loss = (0.03 * np.maximum(-affect, 0.0) + 0.012 * _PARTING[reading.perceived]) * close
    new[:, Person.CLOSENESS] = close + growth * (1.0 - close) * p.closeness_growth - loss
    for column, change in (
        (Person.CONNECTION, reading.connection),
        (Person.AUTONOMY, reading.autonomy),
        (Person.ESTEEM, reading.esteem),
    ):
        new[:, column] = 0.85 * listener[:, column] + 0.3 * change
    new[:, Person.HEARD] = reading.perceived
    new[:, Person.THREAT] = reading.threat
    new[:, Person.FELT] += affect
    new[:, Person.HEARD_TURNS] += 1
    new[:, Person.HURT] = (
        0.88 * listener[:, Person.HURT]
        + p.hurt_gain * listener[:, Person.SENSITIVITY] * np.maximum(-affect - 0.2, 0.0)
    ).clip(
        0.0,
        1.0,
    )
    similar = np.where(SETTLING[act] | _ALIKE[reading.perceived], 0.05, 0.0)
    similar = similar - 0.06 * _PRESSING[reading.perceived]
    new[:, Person.SIMILARITY] = (listener[:, Person.SIMILARITY] + similar * 0.5).clip(0.0, 1.0)
    new[:, Person.DISCLOSED] = 0.0
    new[:, Person.PRESSED] = 0.0
    new[:, Person.WARMED] = 0.0
    return bounded(new)


def act_on_self(
    speaker: FloatArray,
    traits: FloatArray,
    act: IntArray,
    noise: FloatArray,
    p: Parameters = CURRENT,
) -> FloatArray:
    """Return the speakers' columns after doing `act`, shape (n, columns).

    Venting raises arousal, kindness lowers it a little; hostility leaves guilt in the agreeable;
    opening up brings the speaker closer too (Collins & Miller 1994). noise: standard normal.
    """
    new = speaker.copy()
    hostile = CLASS_OF[act] == HOSTILE
    agreeable = traits[:, Trait.AGREEABLENESS]
    new[:, Person.AROUSAL] = 0.9 * speaker[:, Person.AROUSAL] + 0.1 * 0.25 + 0.08 * hostile
    point = set_point(traits)
    new[:, Person.MOOD] = (
        speaker[:, Person.MOOD]
        + 0.25 * (point - speaker[:, Person.MOOD])
        + 0.04 * VALENCE[act]
        + p.mood_noise_speaking * noise
    )
    new[:, Person.GUILT] = (
        0.9 * speaker[:, Person.GUILT]
        + 0.35 * hostile * (0.6 + 0.25 * agreeable).clip(0.1, 1.2)
        - 0.5 * (act == INDEX[Act.APOLOGISE])
    ).clip(
        0.0,
        1.0,
    )
    new[:, Person.HURT] = (
        0.95 * speaker[:, Person.HURT] * np.where(act == INDEX[Act.FORGIVE], 0.3, 1.0)
    )
    depth = DEPTH[act]
    fresh = depth * (1.0 - speaker[:, Person.OPENED])
    opening = (1.0 - 0.12 * traits[:, Trait.AVOIDANCE]).clip(0.3, 1.7)
    new[:, Person.CLOSENESS] = speaker[:, Person.CLOSENESS] + 0.025 * fresh * opening * (
        1.0 - speaker[:, Person.CLOSENESS]
    )
    new[:, Person.OPENED] = (speaker[:, Person.OPENED] + 0.05 * fresh).clip(0.0, 0.9)
    new[:, Person.DISCLOSED] = depth >= 0.4
    new[:, Person.PRESSED] = CLASS_OF[act] == DEMAND
    new[:, Person.WARMED] = POSITIVE_ACTS[act]
    new[:, Person.LAST_ACT_2] = speaker[:, Person.LAST_ACT]
    new[:, Person.LAST_ACT] = act
    new[:, Person.SPOKEN] += 1
    return bounded(new)


def heated(
    conflict: FloatArray,
    act: IntArray,
    perceived: IntArray,
    affect: FloatArray,
    p: Parameters = CURRENT,
) -> FloatArray:
    """Return the level of open conflict after a turn, 0..1, shape (n,).

    It cools by itself and heats by what was heard rather than by what was meant.
    """
    felt_heat = np.where(
        perceived == CLASS_OF[act], HEAT[act], 0.5 * HEAT[act] - 0.3 * np.minimum(affect, 0.0)
    )
    heating = p.conflict_heating * felt_heat * (1.0 - conflict)
    rise = np.where(felt_heat > 0, heating, 0.5 * felt_heat * conflict)
    return (0.96 * conflict + rise).clip(0.0, 1.0)


def bounded(people: FloatArray) -> FloatArray:
    """Clip the state variables to their ranges, in place, and return them."""
    people[..., STATE].clip(RANGES[:, 0], RANGES[:, 1], out=people[..., STATE])
    for column in (Person.CONNECTION, Person.AUTONOMY, Person.ESTEEM):
        people[..., column].clip(-1.0, 1.0, out=people[..., column])
    return people


def class_name(number: int) -> str:
    """Return the name of a class by its index, "none" for -1."""
    return _CLASS_NAMES[number] if number >= 0 else "none"


_CLASS_NAMES: Final = tuple(str(ActClass(one)) for one in CLASSES)
