"""What is varied: traits, how it begins, what weighs on each, and how each behaves.

Columns of a design belong to a person by id, not by position, so that swapping two people swaps
what is found of them and changes nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal, TypeAlias

import numpy as np

from soullink.modules.simulation.api import FACTORS, BoolArray, FloatArray, IntArray, Intervention
from soullink.modules.simulation.domain import live, randomness
from soullink.modules.simulation.domain.layout import Person, Trait
from soullink.modules.simulation.domain.sensitivity import lives
from soullink.modules.simulation.domain.sensitivity.lives import Pair, Variants
from soullink.modules.simulation.domain.sensitivity.sobol import LEVEL, RESAMPLES

Kind: TypeAlias = Literal["trait", "attraction", "state", "load"]
Over: TypeAlias = Literal["range", "profile"]


@dataclass(frozen=True, slots=True)
class Factor:
    """Something that could be otherwise. column: in its array. half: half of its range."""

    name: str
    kind: Kind
    column: int
    half: float


FACTORS_VARIED: Final[tuple[Factor, ...]] = (
    *(Factor(trait.name.lower(), "trait", int(trait), 1.0) for trait in Trait),
    Factor("attraction", "attraction", 0, 1.0),
    Factor("mood", "state", int(Person.MOOD), 0.2),
    Factor("stress", "state", int(Person.STRESS), 0.15),
    Factor("trust", "state", int(Person.TRUST), 0.15),
    Factor("closeness", "state", int(Person.CLOSENESS), 0.1),
    *(Factor(f"load_{name}", "load", column, 0.2) for column, name in enumerate(FACTORS)),
)
"""Of each person. Traits and attraction: in standard deviations of people in general, one either
way. States at the first meeting and loads: on their own scales; the ranges are ours, about as far
as two ordinary days of one person lie apart."""

GROUPS: Final[tuple[str, ...]] = (
    "personality", "attachment", "values", "attraction", "start", "load", "conduct",
)  # fmt: skip
"""Of each person, for shares of variance. conduct: which of the changes of behaviour is tried."""
SHARED: Final = "circumstances"
"""A group of neither person: what is tried for both."""

_GROUP_OF_TRAIT: Final = ("personality",) * 5 + ("attachment",) * 2 + ("values",) * 4
_GROUP_OF_KIND: Final = {"attraction": "attraction", "state": "start", "load": "load"}
_NORMAL: Final = NormalDist()


def group_of(factor: Factor) -> str:
    """Return the group that `factor` is in."""
    if factor.kind == "trait":
        return _GROUP_OF_TRAIT[factor.column]
    return _GROUP_OF_KIND[factor.kind]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a design. factor: None for conduct or circumstances. person: None for both."""

    person: int | None
    factor: Factor | None

    @property
    def group(self) -> tuple[str, int | None]:
        """Return the group and whose it is."""
        if self.factor is not None:
            return group_of(self.factor), self.person
        return (SHARED if self.person is None else "conduct"), self.person


@dataclass(frozen=True, slots=True)
class Effect:
    """What a factor does from one end of its range to the other.

    values: (outcomes, 3) change, low, high of the 95 % interval.
    """

    person: int
    factor: Factor
    values: FloatArray


def effects(pair: Pair, courses: int) -> list[Effect]:
    """Return what each factor of each person does, from `courses` lives, an even number.

    Every course takes one end of each range, half of the courses either end, and has a mirror
    image that takes the other ends and has the same draws (a fold-over two-level design: Box &
    Hunter 1961, Technometrics 3): effects are free of those of pairs of factors. Intervals:
    bootstrap over the couples of course and mirror image (Efron 1979).
    """
    couples = max(courses // 2, 2)
    columns = [(person, factor) for person in (0, 1) for factor in FACTORS_VARIED]
    signs = np.stack(
        [
            _signs(_random(pair, person, number % len(FACTORS_VARIED), 0), couples)
            for number, (person, _) in enumerate(columns)
        ],
        axis=1,
    )
    both = np.concatenate([signs, -signs])
    numbers = np.tile(np.arange(1, couples + 1), 2)
    variants = Variants.plain(numbers, open_traits=True)
    for place, (person, factor) in enumerate(columns):
        _shift(variants, person, factor, both[:, place] * factor.half)
    found = lives.lived(pair, variants)
    differences = found[:couples] - found[couples:]
    picks = np.random.default_rng(pair.seed).integers(0, couples, (RESAMPLES, couples))
    each = (signs[:, :, None] * differences[:, None, :]).reshape(couples, -1)
    drawn = np.stack([each[picked].mean(axis=0) for picked in picks])
    low, high = np.quantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2), axis=0)
    middle = each.mean(axis=0)
    table = np.stack([middle, np.minimum(low, middle), np.maximum(high, middle)], axis=1)
    table = table.reshape(len(columns), -1, 3)
    return [Effect(person, factor, table[place]) for place, (person, factor) in enumerate(columns)]


@dataclass(frozen=True, slots=True)
class Blocks:
    """The points of a pick-freeze design: A, B and, for each group, A with that group from B.

    groups: name and person of each. outcomes: of A, of B (N, R, outcomes) and mixed
    (groups, N, R, outcomes).
    """

    groups: tuple[tuple[str, int | None], ...]
    a: FloatArray
    b: FloatArray
    mixed: FloatArray


def blocks(
    pair: Pair, points: int, replicas: int, over: Over, interventions: Sequence[Intervention]
) -> Blocks:
    """Return the outcomes of all blocks at `points` points, `replicas` of each.

    over: "range" varies every factor evenly over its range around what is most likely and tries
    `interventions`; "profile" varies the traits alone, as far as the profiles leave them open.
    Points: Latin hypercubes (McKay, Beckman & Conover 1979), one for A and one for B.
    """
    columns = _columns(over)
    groups = tuple(dict.fromkeys(column.group for column in columns))
    halves = [
        np.stack([_spread(_random(pair, *_key(c), block), points) for c in columns], axis=1)
        for block in (1, 2)
    ]
    tables = [halves[0], halves[1]]
    for group in groups:
        mixed = halves[0].copy()
        held = [place for place, column in enumerate(columns) if column.group == group]
        mixed[:, held] = halves[1][:, held]
        tables.append(mixed)
    table = np.repeat(np.stack(tables), replicas, axis=1).reshape(-1, len(columns))
    own = 1 + np.arange(points * replicas)
    luck = np.tile(own, len(tables))
    luck[own.size : 2 * own.size] += own.size  # B has its own luck
    tried = tuple(interventions) if over == "range" else ()
    variants = Variants.plain(luck, open_traits=False, interventions=tried)
    _, sds = live.trait_arrays(pair.personas)
    for place, column in enumerate(columns):
        drawn = table[:, place]
        if column.factor is None:
            _try(variants, column.person, drawn)
        elif over == "profile":
            inverse = np.array([_NORMAL.inv_cdf(value) for value in _inside(drawn)])
            person = column.person or 0
            _shift(variants, person, column.factor, inverse * sds[person, column.factor.column])
        else:
            _shift(
                variants, column.person or 0, column.factor, (2 * drawn - 1) * column.factor.half
            )
    found = lives.lived(pair, variants).reshape(len(tables), points, replicas, -1)
    return Blocks(groups, found[0], found[1], found[2:])


def _inside(values: FloatArray) -> list[float]:
    """Return shares strictly between 0 and 1, where the normal distribution has no ends."""
    return [min(max(float(value), 1e-9), 1 - 1e-9) for value in values]


def _columns(over: Over) -> list[Column]:
    kept = [
        Column(person, factor)
        for person in (0, 1)
        for factor in FACTORS_VARIED
        if over == "range" or factor.kind == "trait"
    ]
    if over == "range":
        kept += [Column(0, None), Column(1, None), Column(None, None)]
    return kept


def _key(column: Column) -> tuple[int | None, int]:
    if column.factor is None:
        return column.person, len(FACTORS_VARIED)
    return column.person, FACTORS_VARIED.index(column.factor)


def _random(pair: Pair, person: int | None, number: int, block: int) -> np.random.Generator:
    whose = 0 if person is None else randomness.key_of(pair.names[person])
    return np.random.default_rng([pair.seed, whose, number, block])


def _signs(random: np.random.Generator, size: int) -> FloatArray:
    """Return +1 and -1, as many of each as can be, in random order."""
    signs = np.where(np.arange(size) % 2 == 0, 1.0, -1.0)
    return random.permutation(signs)


def _spread(random: np.random.Generator, size: int) -> FloatArray:
    """Return `size` numbers of 0..1, one in each of as many equal parts, in random order."""
    out: FloatArray = (random.permutation(size) + random.random(size)) / size
    return out


def _shift(variants: Variants, person: int, factor: Factor, by: FloatArray) -> None:
    if factor.kind == "trait":
        variants.traits[:, person, factor.column] += by
    elif factor.kind == "attraction":
        variants.attraction[:, person] += by
    elif factor.kind == "state":
        variants.states[:, person, factor.column] += by
    else:
        variants.loads[:, person, factor.column] += by


def _try(variants: Variants, person: int | None, drawn: FloatArray) -> None:
    """Let nothing or one of the interventions of `person` hold, each as often as the others."""
    own = [n for n, change in enumerate(variants.interventions) if change.person == person]
    picked: IntArray = np.minimum((drawn * (len(own) + 1)).astype(np.int64), len(own))
    for place, number in enumerate(own, start=1):
        held: BoolArray = picked == place
        variants.tried[number] = held
