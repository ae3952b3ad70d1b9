"""Small worlds to test the dynamics in: people as numbers, scenarios without words."""

from collections.abc import Mapping, Sequence

import numpy as np

from soullink.kernel.language import Text
from soullink.modules.simulation.api import (
    Act,
    Condition,
    Decision,
    Effect,
    Goal,
    Outcome,
    Replicas,
    Scenario,
    Stage,
    Topic,
    Trigger,
)
from soullink.modules.simulation.domain import course, randomness, replicas
from soullink.modules.simulation.domain.course import Conditions
from soullink.modules.simulation.domain.layout import N_TRAIT, Trait
from soullink.modules.simulation.domain.turn import Batch


def text(words: str) -> Text:
    return {"en": words, "zh": words}


def scenario(
    stage: Stage = Stage.EARLY_DATING,
    topic: Topic = Topic.LEISURE,
    demands: Mapping[str, float] | None = None,
    decides: bool = True,
    acts: Mapping[Act, float] | None = None,
    triggers: tuple[Trigger, ...] = (),
    turns: tuple[int, int] = (10, 24),
    name: str = "small-world",
) -> Scenario:
    decision = Decision(
        text("which way?"),
        text("left"),
        text("right"),
        text("straight on"),
        {"openness": 0.5, "conscientiousness": -0.4},
        turns[1] - 4,
    )
    agreed = Outcome("agreed", text("agreed"), (Condition("agreed", 1),), 0.6, Effect(trust=0.02))
    return Scenario(
        id=name,
        version=1,
        stage=stage,
        topic=topic,
        title=text(name),
        setting=text("somewhere"),
        turns=turns,
        minutes=90,
        gap_days=(3, 12),
        demands=demands or {"play": 0.4, "closeness": 0.3},
        pressures={},
        parameters=(),
        goals=(Goal("a", text("a"), {}), Goal("b", text("b"), {})),
        acts=acts or {},
        decision=decision if decides else None,
        triggers=triggers,
        outcomes=(*((agreed,) if decides else ()), Outcome("so", text("so"), (), 0.0, Effect())),
        words={},
    )


HARD = {"threat": 0.7, "closeness": 0.4, "autonomy": 0.3}


def arc() -> list[Scenario]:
    """Five episodes from a first meeting to a crisis and on."""
    return [
        scenario(
            Stage.FIRST_MEETING, decides=False, demands={"novelty": 0.7, "play": 0.5}, name="one"
        ),
        scenario(Stage.EARLY_DATING, name="two"),
        scenario(Stage.EARLY_DATING, Topic.WORK, {"threat": 0.3, "cooperation": 0.4}, name="three"),
        scenario(Stage.CRISIS, Topic.TRUST, HARD, acts={Act.COMPLAIN: 0.4}, name="four"),
        scenario(
            Stage.COMMITTED, Topic.FUTURE, {"cooperation": 0.6, "closeness": 0.5}, name="five"
        ),
    ]


def population(size: int, seed: int = 1, **fixed: Sequence[float] | float) -> Batch:
    """Return `size` random pairs; `fixed` sets a trait for both people: anxiety=2.0, or (2, -1)."""
    generator = np.random.default_rng(seed)
    means = generator.normal(size=(size, 2, N_TRAIT))
    for name, value in fixed.items():
        means[:, :, Trait[name.upper()]] = np.broadcast_to(np.asarray(value, dtype=float), (2,))
    keys = generator.integers(0, 2**63, size=(size, 2)).astype(np.uint64)
    return course.begin(means, np.zeros_like(means), generator.uniform(0, 0.6, size), keys)


def same_pair(
    size: int,
    seed: int,
    left: Sequence[float],
    right: Sequence[float],
    names: tuple[str, str] = ("ada", "ben"),
) -> Batch:
    """Return `size` replicas of one pair with these traits."""
    means = np.broadcast_to(np.array([left, right], dtype=float), (size, 2, N_TRAIT))
    return course.begin(
        means,
        np.zeros((size, 2, N_TRAIT)),
        np.full(size, 0.3),
        randomness.person_keys(seed, names, size),
    )


def lived(
    batch: Batch, scenarios: Sequence[Scenario] | None = None, conditions: Conditions | None = None
) -> Replicas:
    return replicas.run(batch, ("ada", "ben"), scenarios or arc(), conditions or Conditions())
