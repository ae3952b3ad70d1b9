"""A million people: what they state by OkCupid's marginals, the rest of our own making.

Of our own making: who lives where (500 large cities, the larger the more, spread over the cells
around), wishes (ages, distances, habits, how much each matters), traits, and what people write:
four of forty topics each, in English or Chinese.
"""

from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.match.marginals import Marginals
from soullink.kernel.ids import PersonId
from soullink.modules.matching.domain import languages
from soullink.modules.matching.domain.facts import (
    BITS,
    FAR,
    LOCAL_KM,
    NEVER,
    NO_LIMIT_KM,
    OLDEST,
    SOFT,
    UNKNOWN,
    gender_bits,
)
from soullink.modules.matching.domain.interest.people import GOALS, People
from soullink.modules.matching.domain.kinds import Interest, kinds_of
from soullink.modules.matching.domain.likeness import Reduction
from soullink.modules.matching.domain.pool import Columns
from soullink.modules.profiles.api import Cell, cell_of_text, columns_of_row

TOPICS: Final = 40
TOPICS_EACH: Final = 4
CITIES: Final = 500
WITHOUT_LIMIT: Final = 0.2
"""Share of people who set no limit of distance."""
CHUNK: Final = 50_000


@dataclass(frozen=True, slots=True)
class Population:
    """People in columns, and what the exhaustive search reads: texts at full length.

    topics: (n, TOPICS_EACH) places in `sentences`, rows of (2 * TOPICS, d) vectors, English first.
    places: cells by the number that `columns.cell` holds.
    """

    ids: list[PersonId]
    columns: Columns
    places: list[Cell | None]
    topics: NDArray[np.int16]
    sentences: NDArray[np.float32]

    def texts(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return (m, d) vectors of what these people write: the mean of their sentences."""
        return np.asarray(self.sentences[self.topics[rows]].mean(axis=1), dtype=np.float32)


def make(
    size: int, marginals: Marginals, sentences: NDArray[np.float32], interest: Interest, seed: int
) -> Population:
    """Return `size` people. sentences: see Population."""
    generator = np.random.default_rng([seed, size])
    columns = Columns.empty(size)
    places, cell, chinese = _places(generator, size)
    columns.cell = cell
    share = _total(marginals, "female") / sum(_total(marginals, sex) for sex in marginals)
    female = generator.random(size) < share
    goal = np.zeros(size, dtype=np.uint8)
    for sex, rows in (("female", np.flatnonzero(female)), ("male", np.flatnonzero(~female))):
        _state(columns, goal, marginals[sex], sex, rows, chinese[rows], generator)
    topics = _topics(generator, size, chinese)
    columns.kind = kinds_of(columns.age, np.where(female, -1, 1).astype(np.int8), goal)
    _score(columns, female, goal, interest, generator)
    made = Population(
        [PersonId(f"p{number:07d}") for number in range(size)], columns, places, topics, sentences
    )
    sample = generator.choice(size, min(size, 20_000), replace=False)
    reduction = Reduction.fitted(made.texts(sample))
    for start in range(0, size, CHUNK):
        rows = np.arange(start, min(size, start + CHUNK))
        columns.texts[rows] = reduction.reduce(made.texts(rows))
    return made


def _total(marginals: Marginals, sex: str) -> int:
    return sum(marginals[sex]["age"].values())


def _places(
    generator: np.random.Generator, size: int
) -> tuple[list[Cell | None], NDArray[np.int32], NDArray[np.bool_]]:
    """Return cells, where everybody lives, and whether Chinese is spoken there."""
    cities = _cities()
    weights = 1.0 / np.arange(1, len(cities) + 1) ** 0.7
    city = generator.choice(len(cities), size, p=weights / weights.sum())
    offsets = np.rint(generator.normal(0.0, 1.2, (size, 2))).astype(int)
    places: dict[Cell | None, int] = {None: 0}
    cell = np.zeros(size, dtype=np.int32)
    for k, (number, (north, east)) in enumerate(zip(city.tolist(), offsets.tolist(), strict=True)):
        middle = cities[number][0]
        row = middle.row + north
        found = Cell(row, (middle.column + east) % columns_of_row(row))
        cell[k] = places.setdefault(found, len(places))
    cell[generator.random(size) < 0.03] = 0
    chinese = np.array([named for _, named in cities])[city]
    return list(places), cell, chinese


def _cities() -> list[tuple[Cell, bool]]:
    """Return the cells of the largest cities, and whether each is named as Chinese ones are."""
    table = files("soullink.modules.profiles").joinpath("places.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines()[:CITIES]]
    return [(cell_of_text(cell), any(n.endswith("市") for n in names)) for cell, *names in rows]


def _state(
    columns: Columns,
    goal: NDArray[np.uint8],
    counts: dict[str, dict[str, int]],
    sex: str,
    rows: NDArray[np.int64],
    chinese: NDArray[np.bool_],
    generator: np.random.Generator,
) -> None:
    """Fill in what is stated and wished, for all people of one sex."""
    n = len(rows)

    def draw(column: str) -> NDArray[np.str_]:
        weights = np.array(list(counts[column].values()), dtype=np.float64)
        return np.array(list(counts[column]))[generator.choice(len(weights), n, p=_unit(weights))]

    def share(probability: float) -> NDArray[np.bool_]:
        return np.asarray(generator.random(n) < probability)

    age = draw("age").astype(np.uint8)
    gender = "woman" if sex == "female" else "man"
    other_gender = share(0.02)
    genders = np.where(other_gender, str(gender_bits(["non_binary"])), str(gender_bits([gender])))
    facts, rejects = np.zeros(n, dtype=np.uint64), np.full(n, NEVER, dtype=np.uint64)
    dislikes = np.zeros(n, dtype=np.uint64)
    children, wish = draw("children"), np.full(n, UNKNOWN, dtype="<U16")
    for code, named in (
        ("wants", "wants"), ("has_and_wants_more", "wants"), ("does_not_want", "wants_none"),
        ("has_and_done", "wants_none"), ("open", "open"),
    ):  # fmt: skip
        wish[children == code] = named
    has = np.select(
        [draw("has_children") == "true", np.char.startswith(children, "has_")], ["yes", "yes"], "no"
    ).astype("<U16")
    has[(draw("has_children") == "") & (has == "no")] = UNKNOWN
    goals = np.array(["casual", "dating", "long_term", "marriage", "friendship", "unsure", UNKNOWN])
    aim = goals[generator.choice(len(goals), n, p=(0.08, 0.25, 0.25, 0.07, 0.05, 0.05, 0.25))]
    for group, codes in (
        ("gender", genders), ("smoking", draw("smoking")), ("drinking", draw("drinking")),
        ("religion", draw("religion")), ("children", wish), ("has_children", has), ("goal", aim),
    ):  # fmt: skip
        facts |= _bits(group, codes)
    for group, known in (("age", age > 0), ("distance", columns.cell[rows] > 0)):
        facts |= np.where(known, BITS[group]["known"], BITS[group][UNKNOWN]).astype(np.uint64)
    facts |= np.uint64(BITS["languages"]["known"])
    wanted = draw("interested_in")
    for code in np.unique(wanted):
        mask = _gender_mask(code, generator)
        rejects[wanted == code] |= np.uint64(mask)
    for code, opposite in (("wants", "wants_none"), ("wants_none", "wants")):
        rejects[wish == code] |= np.uint64(BITS["children"][opposite])
    _wishes(rejects, dislikes, generator)
    goal[rows] = [
        {"casual": 0, "friendship": 1, "dating": 2, "long_term": 3, "marriage": 3, "unsure": 4}.get(
            code, len(GOALS)
        )
        for code in aim.tolist()
    ]
    spoken = np.where(
        chinese,
        languages.spoken(["mandarin"]) | np.where(share(0.4), languages.spoken(["english"]), 0),
        languages.spoken(["english"])
        | np.where(draw("chinese") == "true", languages.spoken(["mandarin"]), 0)
        | np.where(draw("french") == "true", languages.spoken(["french"]), 0)
        | np.where(draw("spanish") == "true", languages.spoken(["spanish"]), 0),
    ).astype(np.uint64)
    columns.speaks[rows] = columns.wants_spoken[rows] = spoken
    younger, older = (4, 9) if sex == "female" else (9, 4)
    columns.age[rows] = age
    columns.age_from[rows] = np.maximum(18, age - generator.integers(1, younger + 4, n))
    columns.age_to[rows] = np.minimum(120, age + generator.integers(1, older + 4, n))
    open_to_all = share(0.1)
    columns.age_from[rows[open_to_all]] = 0
    columns.age_to[rows[open_to_all]] = OLDEST
    columns.reach_km[rows] = np.where(
        share(WITHOUT_LIMIT), NO_LIMIT_KM, generator.choice([25, 50, 100, 200], n)
    )
    soft = np.where(share(0.05), SOFT["age"], 0) | np.where(share(0.05), SOFT["distance"], 0)
    columns.soft[rows] = soft
    near = (columns.reach_km[rows] <= LOCAL_KM) & ((soft & SOFT["distance"]) == 0)
    rejects |= np.where(near, np.uint64(FAR), np.uint64(0))
    columns.facts[rows], columns.rejects[rows], columns.dislikes[rows] = facts, rejects, dislikes


def _unit(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(weights / weights.sum())


def _bits(group: str, codes: NDArray[np.str_]) -> NDArray[np.uint64]:
    found = np.zeros(len(codes), dtype=np.uint64)
    for code in np.unique(codes):
        found[codes == code] = BITS[group][str(code) or UNKNOWN]
    return found


def _gender_mask(code: str, generator: np.random.Generator) -> int:
    """Return what somebody who wants the genders in `code` ("man+woman") rules out."""
    if not code:
        return 0
    wanted = gender_bits(code.split("+"))  # type: ignore[arg-type]
    if generator.random() < 0.5:
        wanted |= gender_bits(["non_binary"])
    missing = (c for c in BITS["gender"] if c == UNKNOWN or not int(c) & wanted)
    return sum(BITS["gender"][c] for c in missing)


def _wishes(
    rejects: NDArray[np.uint64], dislikes: NDArray[np.uint64], generator: np.random.Generator
) -> None:
    """Give some people wishes about habits, religion and children; some only prefer it so."""
    religious = ("buddhist", "christian", "hindu", "jewish", "muslim", "taoist", "other")
    wishes = (
        (0.35, "smoking", ("sometimes", "often")),
        (0.15, "drinking", ("often",)),
        (0.2, "has_children", ("yes",)),
        (0.08, "religion", religious),
        (0.06, "religion", ("none", "agnostic", "atheist")),
        (0.2, "goal", ("casual",)),
    )
    n = len(rejects)
    for probability, group, codes in wishes:
        who, how = generator.random(n) < probability, generator.random(n)
        failing = np.uint64(sum(BITS[group][code] for code in codes))
        rejects[who & (how < 0.7)] |= failing
        rejects[who & (how < 0.1)] |= np.uint64(BITS[group][UNKNOWN])
        dislikes[who & (how >= 0.7)] |= failing


def _topics(
    generator: np.random.Generator, size: int, chinese: NDArray[np.bool_]
) -> NDArray[np.int16]:
    weights = _unit(1.0 / np.arange(1, TOPICS + 1) ** 0.5)
    topics = generator.choice(TOPICS, (size, TOPICS_EACH), p=weights).astype(np.int16)
    return topics + np.where(chinese, TOPICS, 0).astype(np.int16)[:, None]


def _score(
    columns: Columns,
    female: NDArray[np.bool_],
    goal: NDArray[np.uint8],
    interest: Interest,
    generator: np.random.Generator,
) -> None:
    """Fill in how willing and how liked people are: by the model, from made-up histories."""
    n = len(female)
    decided = generator.poisson(8.0, n).astype(np.float64)
    was_decided = generator.poisson(8.0, n).astype(np.float64)
    said = generator.binomial(decided.astype(int), generator.beta(2.0, 3.0, n))
    got = generator.binomial(was_decided.astype(int), generator.beta(2.0, 3.0, n))
    for start in range(0, n, CHUNK):
        rows = slice(start, start + CHUNK)
        people = People.of(
            len(female[rows]),
            {
                "age": columns.age[rows].astype(np.float64),
                "sex": np.where(female[rows], -1.0, 1.0),
                "goal": np.where(goal[rows] < len(GOALS), goal[rows], np.nan),
                "decided": decided[rows],
                "said_yes": said[rows].astype(np.float64),
                "was_decided": was_decided[rows],
                "got_yes": got[rows].astype(np.float64),
            },
        )
        columns.odds_willing[rows] = np.exp(-interest.actor(people))
        columns.odds_liked[rows] = np.exp(-interest.partner(people))
