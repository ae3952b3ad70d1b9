"""The world around the two: what a scenario asks of them, what happens, how time passes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink.kernel.language import Text
from soullink.modules.simulation.api import (
    ACTS,
    DEMANDS,
    FACTORS,
    Act,
    BoolArray,
    Condition,
    Effect,
    FloatArray,
    Intervention,
    Outcome,
    Scenario,
    Trigger,
)
from soullink.modules.simulation.domain import randomness
from soullink.modules.simulation.domain.dynamics import Situation, bounded, set_point
from soullink.modules.simulation.domain.kept import Kept
from soullink.modules.simulation.domain.layout import LOADS, Person, Shared, Trait
from soullink.modules.simulation.domain.memory import MemoryArrays
from soullink.modules.simulation.domain.parameters import CURRENT, Parameters
from soullink.modules.simulation.domain.randomness import KeyArray, Purpose

PULL_NAMES: Final[tuple[str, ...]] = tuple(trait.name.lower() for trait in Trait)
"""What Decision.pull may weigh, in the order of layout.Trait."""


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """Something that happens to one person between episodes.

    per_month: chance in thirty days. load: change of the factor's load. stress, mood: what it
    leaves behind. text: one sentence with {name}.
    """

    id: str
    factor: str
    per_month: float
    load: float
    stress: float
    mood: float
    text: Text


LIFE_EVENTS: Final[tuple[LifeEvent, ...]] = (
    LifeEvent("deadline", "work", 0.18, 0.25, 0.08, -0.05, {"en": "{name} has a deadline that eats the evenings.", "zh": "{name}赶项目，晚上的时间都搭进去了。"}),
    LifeEvent("praise_at_work", "work", 0.1, -0.15, -0.05, 0.15, {"en": "{name} gets unexpected praise at work.", "zh": "{name}在工作上意外受到表扬。"}),
    LifeEvent("job_in_doubt", "work", 0.05, 0.4, 0.14, -0.15, {"en": "Rumours of cuts make {name}'s job uncertain.", "zh": "公司传出裁员的消息，{name}的工作悬了。"}),
    LifeEvent("large_bill", "money", 0.1, 0.3, 0.08, -0.08, {"en": "A large bill arrives for {name}.", "zh": "{name}收到一张大额账单。"}),
    LifeEvent("windfall", "money", 0.05, -0.3, -0.06, 0.12, {"en": "{name} gets some money back that was long written off.", "zh": "{name}收回了一笔早已不抱希望的钱。"}),
    LifeEvent("bad_sleep", "health", 0.15, 0.2, 0.06, -0.08, {"en": "{name} sleeps badly for weeks.", "zh": "{name}连着几周睡不好。"}),
    LifeEvent("illness", "health", 0.06, 0.4, 0.1, -0.15, {"en": "{name} is ill and slow to recover.", "zh": "{name}病了一场，恢复得很慢。"}),
    LifeEvent("good_shape", "health", 0.1, -0.2, -0.06, 0.1, {"en": "{name} feels fitter than in years.", "zh": "{name}觉得身体比前几年都好。"}),
    LifeEvent("friend_leaves", "friends", 0.06, 0.3, 0.06, -0.12, {"en": "A close friend of {name} moves away.", "zh": "{name}的一个好朋友搬走了。"}),
    LifeEvent("friend_in_need", "friends", 0.1, 0.2, 0.05, -0.04, {"en": "A friend leans heavily on {name}.", "zh": "{name}的朋友出了事，常来找人倾诉。"}),
    LifeEvent("old_friend", "friends", 0.1, -0.2, -0.04, 0.12, {"en": "An old friend of {name} turns up again.", "zh": "{name}的一位老朋友又联系上了。"}),
)  # fmt: skip
EVENT_INDEX: Final[dict[str, LifeEvent]] = {event.id: event for event in LIFE_EVENTS}


def parameters_of(scenario: Scenario, env: KeyArray, episode: int) -> list[np.ndarray]:
    """Return, for each parameter of the scenario, the drawn choice's index per course."""
    drawn = []
    for number, parameter in enumerate(scenario.parameters):
        u = randomness.uniform(env, Purpose.PARAMETER, episode, 0, number)
        drawn.append(
            np.minimum((u * len(parameter.choices)).astype(np.int64), len(parameter.choices) - 1)
        )
    return drawn


def roles_of(keys: KeyArray, episode: int) -> np.ndarray:
    """Return which goal each person holds, shape (R, 2): the higher draw takes the first."""
    u = randomness.uniform(keys, Purpose.ROLE, episode)
    first = np.where(u[:, 0] > u[:, 1], 0, 1)
    return np.stack([first, 1 - first], axis=1)


def act_odds(odds: Mapping[Act, float]) -> FloatArray:
    """Return log-odds by act as an array of shape (A,)."""
    out = np.zeros(len(ACTS))
    for position, act in enumerate(ACTS):
        out[position] = odds.get(act, 0.0)
    return out


def situation_of(
    scenario: Scenario,
    choices: Sequence[np.ndarray],
    roles: np.ndarray,
    people: FloatArray,
) -> Situation:
    """Return what the scenario asks of the two in each of n courses."""
    asked, goals, pressures, acts, tables = _asked(scenario)
    demands = np.tile(asked, (people.shape[0], 1))
    for table, picked in zip(tables, choices, strict=True):
        demands = demands + table[picked]
    strain = (
        (people[..., LOADS] * pressures).sum(axis=2) + 0.25 * people[..., LOADS].mean(axis=2)
    ).clip(0, 1)
    return Situation(
        demands=demands.clip(0.0, 1.0),
        scenario_acts=acts,
        goal_acts=goals[roles],
        decides=scenario.decision is not None,
        fewest=scenario.turns[0],
        most=scenario.turns[1],
        strain=strain,
        misreading=np.ones((people.shape[0], 2)),
    )


def _numbers_of(
    scenario: Scenario,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, list[FloatArray]]:
    """Return demands, acts by goal, pressures, acts, and demands by choice of each parameter."""
    tables = [
        np.array([[c.demands.get(name, 0.0) for name in DEMANDS] for c in parameter.choices])
        for parameter in scenario.parameters
    ]
    acts = act_odds(scenario.acts)
    acts.flags.writeable = False  # every situation of the scenario has it
    return (
        np.array([scenario.demands.get(name, 0.0) for name in DEMANDS]),
        np.stack([act_odds(goal.acts) for goal in scenario.goals]),
        np.array([scenario.pressures.get(name, 0.0) for name in FACTORS]),
        acts,
        tables,
    )


_asked: Final = Kept(_numbers_of, 256)


def intervene(situation: Situation, change: Intervention, where: BoolArray) -> None:
    """Let `change` hold in the courses of `where`, shape (n,); changes `situation` in place."""
    for person in change.people:
        situation.goal_acts[where, person] += act_odds(change.acts)
        situation.misreading[where, person] *= change.misreading


def positions_of(
    scenario: Scenario, traits: FloatArray, keys: KeyArray, episode: int
) -> FloatArray:
    """Return where each person leans on the decision before a word is said, (n, 2), -1..1."""
    if scenario.decision is None:
        return np.zeros(traits.shape[:2])
    weights = np.array([scenario.decision.pull.get(name, 0.0) for name in PULL_NAMES])
    leaning = (traits * weights).sum(axis=2)
    out: FloatArray = np.tanh(
        0.7 * leaning + 0.55 * randomness.normal(keys, Purpose.POSITION, episode)
    )
    return out


def _lowest(column: Person) -> Callable[[FloatArray, FloatArray], FloatArray]:
    return lambda people, _: np.minimum(people[:, 0, column], people[:, 1, column])


def _highest(column: Person) -> Callable[[FloatArray, FloatArray], FloatArray]:
    return lambda people, _: np.maximum(people[:, 0, column], people[:, 1, column])


def _of_pair(column: Shared) -> Callable[[FloatArray, FloatArray], FloatArray]:
    return lambda _, pair: pair[:, column]


def _positivity(_: FloatArray, pair: FloatArray) -> FloatArray:
    valenced = pair[:, Shared.POSITIVE] + pair[:, Shared.NEGATIVE]
    positive: FloatArray = pair[:, Shared.POSITIVE] + 0.5 * (valenced == 0)
    return positive / np.maximum(valenced, 1.0)


def _distance(people: FloatArray, pair: FloatArray) -> FloatArray:
    open_question = pair[:, Shared.AGREED] + pair[:, Shared.ARBITRATED] == 0
    gap = np.abs(people[:, 0, Person.POSITION] - people[:, 1, Person.POSITION]) / 2.0
    out: FloatArray = np.where(open_question, gap, 0.0)
    return out


_VARIABLES: Final[Mapping[str, Callable[[FloatArray, FloatArray], FloatArray]]] = {
    "turn": _of_pair(Shared.TURNS),
    "conflict": _of_pair(Shared.CONFLICT),
    "positivity": _positivity,
    "silence": _of_pair(Shared.SILENCE),
    "distance": _distance,
    "repairs": _of_pair(Shared.REPAIRS),
    "disclosures": _of_pair(Shared.DISCLOSURES),
    "mood_low": _lowest(Person.MOOD),
    "mood_high": _highest(Person.MOOD),
    "arousal_high": _highest(Person.AROUSAL),
    "stress_high": _highest(Person.STRESS),
    "trust_low": _lowest(Person.TRUST),
    "closeness_low": _lowest(Person.CLOSENESS),
    "closeness_high": _highest(Person.CLOSENESS),
    "commitment_low": _lowest(Person.COMMITMENT),
    "left": _of_pair(Shared.LEFT),
    "agreed": _of_pair(Shared.AGREED),
    "arbitrated": _of_pair(Shared.ARBITRATED),
}
"""The variables that conditions look at (api.CONDITION_VARIABLES)."""


def _names_in(conditioned: Sequence[Trigger] | Sequence[Outcome]) -> frozenset[str]:
    return frozenset(condition.variable for one in conditioned for condition in one.when)


looked_at: Final = Kept(_names_in, 512)
"""The names of the variables that triggers or outcomes look at."""


def variables(people: FloatArray, pair: FloatArray, names: Iterable[str]) -> dict[str, FloatArray]:
    """Return the values of the variables `names`, each shape (n,)."""
    return {name: _VARIABLES[name](people, pair) for name in names}


def holds(conditions: Sequence[Condition], values: Mapping[str, FloatArray], n: int) -> BoolArray:
    """Return where all conditions hold, shape (n,); with no conditions everywhere."""
    out = np.ones(n, dtype=np.bool_)
    for condition in conditions:
        value = values[condition.variable]
        if condition.at_least is not None:
            out &= value >= condition.at_least
        if condition.at_most is not None:
            out &= value <= condition.at_most
    return out


def affected(people: FloatArray, effect: Effect, where: BoolArray) -> FloatArray:
    """Return people after `effect` on both, in the courses of `where`; (n, 2, columns)."""
    change = np.array(
        [
            effect.mood,
            effect.arousal,
            effect.stress,
            effect.trust,
            effect.closeness,
            effect.commitment,
        ]
    )
    new = people.copy()
    new[where, :, : len(change)] += change
    return bounded(new)


def pass_time(
    people: FloatArray,
    traits: FloatArray,
    memory: MemoryArrays,
    keys: KeyArray,
    episode: int,
    days: FloatArray,
    extra_stress: FloatArray,
    p: Parameters = CURRENT,
    without: BoolArray | None = None,
) -> tuple[FloatArray, BoolArray]:
    """Return people after `days` apart, and which life events happened, (n, 2, events).

    Moods return to their set point within days (emotion half-lives are hours to days, Verduyn
    et al. 2009), stress to what life's load makes it, closeness fades slowly without contact
    (Roberts & Dunbar 2011) and faster for the avoidant, hurt fades but lingers in the anxious
    and the neurotic (rumination). Beliefs pull trust. Loads are first-order autoregressive.
    extra_stress: (n, 2) added to the baseline of stress. memory: beliefs are read from it.
    without: (n, 2, events) life events that do not happen whatever is drawn.
    """
    new = people.copy()
    months = (days / 30.0)[:, None]
    anxious, avoidant = traits[..., Trait.ANXIETY], traits[..., Trait.AVOIDANCE]
    neurotic = traits[..., Trait.NEUROTICISM]
    keep = np.exp(-months * 0.35)
    happened = np.zeros((*people.shape[:2], len(LIFE_EVENTS)), dtype=np.bool_)
    for number, factor in enumerate(FACTORS):
        column = Person.LOAD + number
        noise = randomness.normal(keys, Purpose.FACTOR, episode, 0, number)
        new[..., column] = (
            0.2 + keep * (people[..., column] - 0.2) + 0.12 * np.sqrt(1 - keep**2) * noise
        )
        for index, event in enumerate(LIFE_EVENTS):
            if event.factor != factor:
                continue
            u = randomness.uniform(keys, Purpose.LIFE_EVENT, episode, 0, index)
            hit = u < 1.0 - (1.0 - event.per_month) ** np.minimum(months, 2.0)
            if without is not None:
                hit &= ~without[..., index]
            happened[..., index] = hit
            new[..., column] += event.load * hit
            new[..., Person.STRESS] += event.stress * hit
            new[..., Person.MOOD] += event.mood * hit
    new[..., LOADS].clip(0.0, 1.0, out=new[..., LOADS])
    rest = np.exp(-days / 2.5)[:, None]
    point = set_point(traits)
    events_mood = new[..., Person.MOOD] - people[..., Person.MOOD]
    new[..., Person.MOOD] = point + rest * (people[..., Person.MOOD] - point) + 0.6 * events_mood
    new[..., Person.AROUSAL] = 0.25 + rest * (people[..., Person.AROUSAL] - 0.25)
    load = new[..., LOADS].mean(axis=2)
    baseline = (0.12 + p.stress_of_load * load + 0.04 * neurotic + extra_stress).clip(0.0, 1.0)
    slow = np.exp(-days / 9.0)[:, None]
    new[..., Person.STRESS] = baseline + slow * (new[..., Person.STRESS] - baseline)
    fade = np.exp(-months * (0.05 + 0.02 * avoidant).clip(0.01, 0.12))
    new[..., Person.CLOSENESS] = people[..., Person.CLOSENESS] * fade
    belief = memory.beliefs.mean(axis=2)
    new[..., Person.TRUST] = people[..., Person.TRUST] + 0.06 * np.minimum(months, 2.0) * (
        0.5 + 0.5 * belief - 0.04 * anxious - people[..., Person.TRUST]
    )
    linger = np.exp(
        -days[:, None] / (9.0 * (1.0 + 0.25 * anxious + 0.2 * neurotic)).clip(3.0, 30.0)
    )
    new[..., Person.HURT] = people[..., Person.HURT] * linger
    new[..., Person.GUILT] = people[..., Person.GUILT] * linger
    for column in (Person.CONNECTION, Person.AUTONOMY, Person.ESTEEM):
        new[..., column] = people[..., column] * rest
    # Trust and closeness also move with how the thought of the other has been living on.
    new[..., Person.CONNECTION] += 0.15 * memory.beliefs[..., 0]
    return bounded(new), happened
