"""The page on the agent's model says what the code does: tables, worked turn and formulas."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import agent_model, pages
from benchmarks.hypotheses import HYPOTHESES
from soullink.modules.analysis.api import RELATIONSHIP_STATES
from soullink.modules.analysis.domain import prediction
from soullink.modules.simulation.api import ACTS, STATE_VARIABLES
from soullink.modules.simulation.domain import (
    attraction,
    course,
    dynamics,
    environment,
    flow,
    memory,
    parameters,
    randomness,
)
from soullink.modules.simulation.domain.layout import (
    N_PERSON,
    N_SHARED,
    N_TRAIT,
    Person,
    Shared,
    Trait,
)

PAGE = agent_model.PAGE.read_text(encoding="utf-8")
FORMULAS = dict(re.findall(r"```python\n# equations: ([a-z ]+)\n(.*?)```", PAGE, re.DOTALL))
SIZE = 600
TOLERANCE = {"rtol": 1e-9, "atol": 1e-9}


def _numpy() -> dict:
    names = ("clip", "where", "maximum", "minimum", "exp", "sqrt", "abs")
    numbers = {name: getattr(np, name) for name in names} | parameters.CURRENT.as_dict()
    return numbers | {
        "sigmoid": dynamics.sigmoid,
        "max0": lambda x: np.maximum(x, 0.0),
    }


def computed(name: str, **values: object) -> dict:
    """Run the formulas of one block of the page."""
    space = _numpy() | values
    exec(compile(FORMULAS[name], f"agent-model.md, {name}", "exec"), space)  # noqa: S102 - our page
    return space


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(8)


@pytest.fixture
def traits(random):
    return random.normal(size=(SIZE, N_TRAIT)) * 1.4


@pytest.fixture
def person(random):
    out = random.random((SIZE, N_PERSON))
    out[:, Person.MOOD] = random.uniform(-1, 1, SIZE)
    for column in (Person.CONNECTION, Person.AUTONOMY, Person.ESTEEM):
        out[:, column] = random.uniform(-1, 1, SIZE)
    out[:, Person.LAST_ACT] = random.integers(0, len(ACTS), SIZE)
    out[:, Person.DISCLOSED] = random.integers(0, 2, SIZE)
    return out


def letters(traits) -> dict:
    return {
        "C": traits[:, Trait.CONSCIENTIOUSNESS], "E": traits[:, Trait.EXTRAVERSION],
        "A": traits[:, Trait.AGREEABLENESS], "N": traits[:, Trait.NEUROTICISM],
        "anx": traits[:, Trait.ANXIETY], "avo": traits[:, Trait.AVOIDANCE],
    }  # fmt: skip


def states(person) -> dict:
    named = {name.lower(): person[:, Person[name]] for name in (
        "MOOD", "AROUSAL", "STRESS", "TRUST", "CLOSENESS", "COMMITMENT", "HURT", "GUILT",
        "OPENED", "SATISFACTION", "SENSITIVITY",
    )}  # fmt: skip
    return named | {
        "need_connection": person[:, Person.CONNECTION],
        "need_autonomy": person[:, Person.AUTONOMY],
        "need_esteem": person[:, Person.ESTEEM],
        "similar": person[:, Person.SIMILARITY],
    }


def bounded(space: dict, variable: str) -> np.ndarray:
    low = -1.0 if variable == "mood" else 0.0
    return np.clip(space[f"{variable}_"], low, 1.0)


@pytest.mark.parametrize("name", agent_model.BLOCKS)
def test_a_table_or_example_is_what_the_code_says_now(name: str) -> None:
    now = agent_model.BLOCKS[name]()
    assert pages.block_of(PAGE, name) == now, "run python -m benchmarks.agent_model"


def test_every_formula_of_the_page_is_checked_here() -> None:
    source = agent_model.ROOT / "tests" / "docs" / "test_agent_model.py"
    checked = set(re.findall(r'computed\(\s*"([a-z ]+)"', source.read_text(encoding="utf-8")))
    assert checked == set(FORMULAS)
    assert len(FORMULAS) >= 12


def test_every_feature_of_the_choice_is_explained() -> None:
    for name in dynamics.FEATURES:
        shown = re.sub(r"^(heard|d)_.*", r"\1_…", name)
        assert re.search(rf"^\|[^|]*\b{re.escape(shown)}", PAGE, re.MULTILINE), name


def test_reading_is_as_printed(random, person, traits) -> None:
    act = random.integers(0, len(ACTS), SIZE)
    situation, recalled, distance = random.random((3, SIZE))
    conflict = random.random(SIZE)
    chance = dynamics.misread_chance(person, traits, conflict)
    draws = (random.random(SIZE), random.random(SIZE))
    half = np.full(SIZE, 0.5)
    read = dynamics.read(act, person, traits, situation, recalled, distance, half, draws)
    page = computed("misread", conflict=conflict, **states(person), **letters(traits))
    assert np.allclose(page["misreads"], chance, **TOLERANCE)
    worse = draws[1] < page["for_the_worse"]
    own = dynamics.CLASS_OF[act]
    taken = np.where(
        draws[0] < 0.5, np.where(worse, dynamics.WORSE[own], dynamics.BETTER[own]), own
    )
    assert (taken == read.perceived).all()
    page = computed(
        "read", misread=taken != own, valence=dynamics.VALENCE[act], depth=dynamics.DEPTH[act],
        Vc=dynamics.CLASS_VALENCE[taken], connection=dynamics.CONNECTION[act],
        autonomy=dynamics.AUTONOMY[act], esteem=dynamics.ESTEEM[act], situation=situation,
        memory=recalled, disagreement=distance, settling=dynamics.SETTLING[act],
        pressing=np.isin(taken, (dynamics.DEMAND, dynamics.HOSTILE, dynamics.BOUNDARY)),
        **states(person), **letters(traits),
    )  # fmt: skip
    for ours, theirs in (
        ("affect", read.affect), ("c", read.connection), ("a", read.autonomy),
        ("e", read.esteem), ("threat", read.threat), ("values", read.values),
    ):  # fmt: skip
        assert np.allclose(page[ours], theirs, **TOLERANCE), ours
    page = computed(
        "heat", misread=taken != own, heat=dynamics.HEAT[act], affect=read.affect, conflict=conflict
    )
    after = dynamics.heated(conflict, act, read.perceived, read.affect)
    assert np.allclose(page["conflict_"], after, **TOLERANCE)


def test_hearing_is_as_printed(random, person, traits) -> None:
    act = random.integers(0, len(ACTS), SIZE)
    strain, mood, noise = random.random(SIZE), random.uniform(-1, 1, SIZE), random.normal(size=SIZE)
    draws = (random.random(SIZE), random.random(SIZE))
    unit = np.full(SIZE, 0.4)
    read = dynamics.read(act, person, traits, unit, unit, unit, unit, draws)
    after = dynamics.hear(person, traits, mood, act, read, strain, noise)
    met = np.isin(read.perceived, (dynamics.WARM, dynamics.OPEN, dynamics.REPAIR))
    page = computed(
        "hear", strain=strain, speaker_mood=mood, z=noise, affect=read.affect, threat=read.threat,
        c=read.connection, a=read.autonomy, e=read.esteem, depth=dynamics.DEPTH[act],
        met=met * person[:, Person.DISCLOSED], settling=dynamics.SETTLING[act],
        cold=np.isin(read.perceived, (dynamics.DISTANT, dynamics.HOSTILE)),
        shared=np.isin(read.perceived, (dynamics.PLAYFUL, dynamics.OPEN)),
        pressing=np.isin(read.perceived, (dynamics.HOSTILE, dynamics.BOUNDARY, dynamics.DEMAND)),
        **states(person), **letters(traits),
    )  # fmt: skip
    for name in ("mood", "arousal", "stress", "trust", "closeness", "hurt"):
        assert np.allclose(bounded(page, name), after[:, Person[name.upper()]], **TOLERANCE), name
    for name in ("connection", "autonomy", "esteem"):
        assert np.allclose(page[f"{name}_"], after[:, Person[name.upper()]], **TOLERANCE), name
    assert np.allclose(page["similar_"], after[:, Person.SIMILARITY], **TOLERANCE)


def test_speaking_is_as_printed(random, person, traits) -> None:
    act = random.integers(0, len(ACTS), SIZE)
    noise = random.normal(size=SIZE)
    after = dynamics.act_on_self(person, traits, act, noise)
    page = computed(
        "speak", z=noise, hostile=dynamics.CLASS_OF[act] == dynamics.HOSTILE,
        valence=dynamics.VALENCE[act], depth=dynamics.DEPTH[act],
        apologises=act == ACTS.index("apologise"), forgives=act == ACTS.index("forgive"),
        **states(person), **letters(traits),
    )  # fmt: skip
    for name in ("mood", "arousal", "closeness", "guilt", "hurt", "opened"):
        assert np.allclose(bounded(page, name), after[:, Person[name.upper()]], **TOLERANCE), name


def test_the_floor_is_as_printed(random, person, traits) -> None:
    people = np.stack([person, random.permutation(person)], axis=1)
    both = np.stack([traits, random.permutation(traits)], axis=1)
    pair = np.zeros((SIZE, N_SHARED))
    pair[:, Shared.ROW] = random.integers(1, 3, SIZE)
    pair[:, Shared.CLOSING] = random.integers(0, 2, SIZE)
    draws = random.logistic(size=(SIZE, 2))
    last = people[:, 0, Person.LAST_ACT].astype(int)  # the first person spoke last
    page = [
        computed(
            "floor", u=draws[:, k], asked=flow.ASKING[last], closing=pair[:, Shared.CLOSING],
            pursuing=dynamics.CLASS_OF[last] == dynamics.DEMAND,
            turns_in_a_row=pair[:, Shared.ROW], **states(people[:, k]), **letters(both[:, k]),
        )
        for k in (0, 1)
    ]  # fmt: skip
    speaks = (page[1]["bid_addressed"] > page[0]["bid_going_on"]).astype(int)
    assert (speaks == flow.floor(people, both, pair, draws)).all()
    conflict = random.random(SIZE)
    page = computed("interruption", conflict=conflict, **states(person), **letters(traits))
    chance = flow.interruption_chance(person, traits, conflict)
    assert np.allclose(page["interrupts"], chance, **TOLERANCE)


def test_a_pause_is_as_printed(random, person) -> None:
    people = np.stack([person, random.permutation(person)], axis=1)
    pair = random.random((SIZE, N_SHARED))
    before = pair.copy()
    paused = random.random(SIZE) < 0.5
    after = flow.cooled(people, pair, paused)
    for who in (0, 1):
        page = computed(
            "pause", arousal=people[:, who, Person.AROUSAL],
            conflict=before[:, Shared.CONFLICT], minute=before[:, Shared.MINUTE],
        )  # fmt: skip
        expected = np.where(paused, bounded(page, "arousal"), people[:, who, Person.AROUSAL])
        assert np.allclose(after[:, who, Person.AROUSAL], expected, **TOLERANCE)
    for name in ("conflict", "minute"):
        column = Shared[name.upper()]
        expected = np.where(paused, page[f"{name}_"], before[:, column])
        assert np.allclose(pair[:, column], expected, **TOLERANCE), name
    level = re.search(r"out of hand \(at a level of ([\d.]+)\)", PAGE)
    assert float(level.group(1)) == flow.ESCALATED_AT


def test_memory_is_as_printed(random) -> None:
    v, v_new = random.uniform(-1, 1, (2, SIZE))
    i, s = random.random((2, SIZE))
    n = random.integers(0, 6, SIZE).astype(float)
    after = memory.merged(v, i, n, v_new, s)
    page = computed("merge", v=v, v_new=v_new, i=i, s=s, n=n)
    for name, theirs in (("v_", after[0]), ("i_", after[1]), ("overturns", after[3])):
        assert np.allclose(page[name], theirs, **TOLERANCE), name
    kept = memory.MemoryArrays.empty(1)
    act, affect, threat = np.array([ACTS.index("support")]), np.array([0.6]), np.array([0.2])
    zero = np.zeros(1, dtype=np.int64)
    memory.remember(kept, zero, zero, act, 2, affect, threat, np.zeros(1))
    sign = memory.SIGN_OF_ACT[act]
    page = computed("experience", affect=affect, threat=threat, sign_of_act=sign)
    cell = (0, 0, int(memory.ASPECT_OF_ACT[act[0]]), 2)
    assert kept.importance[cell] == pytest.approx(page["salience"][0])
    assert kept.valence[cell] == pytest.approx(page["valence_new"][0])
    memory.remember(
        kept, zero, zero, np.array([ACTS.index("insist")]), 4, -affect, threat, np.ones(1)
    )
    weight = memory.weights(kept, zero, zero, 2, np.full(1, 46.0))[0]
    # Halved every 45 days; another topic counts 0.35.
    assert weight[cell[2], 2] == pytest.approx(kept.importance[cell] * 0.5 ** (46 / 45))
    assert weight[memory.Aspect.AUTONOMY, 4] == pytest.approx(
        kept.importance[0, 0, memory.Aspect.AUTONOMY, 4] * 0.5 * 0.35
    )
    page = computed("recall", w=weight, v=kept.valence[0, 0])
    signal, hurt = memory.recall(kept, zero, zero, 2, np.full(1, 46.0))
    assert signal[0] == pytest.approx(page["memory"])
    assert hurt[0] == pytest.approx(page["hurt_recalled"])


def test_looking_back_is_as_printed(random, person, traits) -> None:
    other = random.permutation(person)
    people, both = np.stack([person, other], axis=1), np.stack([traits, traits], axis=1)
    felt, z = random.uniform(-0.5, 0.8, SIZE), random.normal(size=SIZE)
    success = random.uniform(-1, 1, SIZE)
    after = course._look_back(
        people, both, np.stack([felt, felt], axis=1), success, np.stack([z, z], axis=1)
    )
    page = computed(
        "look back", felt=felt, success=success, z=z, stress_of_other=other[:, Person.STRESS],
        hurt_of_other=other[:, Person.HURT], **states(person), **letters(traits),
    )  # fmt: skip
    assert np.allclose(page["satisfaction_"], after[:, 0, Person.SATISFACTION], **TOLERANCE)
    assert np.allclose(page["commitment_"], after[:, 0, Person.COMMITMENT], **TOLERANCE)


def test_staying_and_wanting_again_are_as_printed(random) -> None:
    size = 40_000
    people = np.zeros((size, 2, N_TRAIT))
    keys = random.integers(0, 2**63, size=(size, 2)).astype(np.uint64)
    batch = course.begin(people, people, np.zeros(size), keys)
    for column in (Person.SATISFACTION, Person.COMMITMENT, Person.HURT):
        batch.people[..., column] = random.random((size, 2))
    one = batch.people[:, 0]
    page = computed("stay", drawn=batch.drawn[:, 0], **states(one))
    ends = course.stay_hazard(batch, 3)[:, 0]
    for low in np.arange(0.0, 0.7, 0.1):  # observed rates lie where the chances say
        here = (page["ends_it"] >= low) & (page["ends_it"] < low + 0.1)
        spread = np.sqrt(page["ends_it"][here].mean() / here.sum())
        assert ends[here].mean() == pytest.approx(page["ends_it"][here].mean(), abs=4 * spread)
    felt = random.uniform(-0.3, 0.5, size)
    page = computed(
        "again", felt=felt, general=batch.general[:, 0], spark=batch.sparks[:, 0],
        AFFECT_MEAN=attraction.AFFECT_MEAN, AFFECT_SD=attraction.AFFECT_SD,
    )  # fmt: skip
    again = attraction.wants_again(batch.general, batch.sparks, np.stack([felt, felt], axis=1))
    assert (page["wants_again"] == again[:, 0]).mean() > 0.9999


def test_attraction_is_as_printed(random) -> None:
    keys = random.integers(0, 2**63, size=(SIZE, 2)).astype(np.uint64)
    env = randomness.pair_keys(keys)
    draw = randomness.normal
    appeal = draw(keys, randomness.Purpose.PARTNER)
    page = computed(
        "attraction", own=draw(keys, randomness.Purpose.ACTOR), appeal=appeal,
        appeal_of_the_other=appeal[:, ::-1], z=draw(keys, randomness.Purpose.SPARK),
        shared=draw(env, randomness.Purpose.SPARK)[:, None],
    )  # fmt: skip
    assert np.allclose(page["general"], attraction.general(keys), **TOLERANCE)
    assert np.allclose(page["spark"], attraction.spark(keys, env), **TOLERANCE)


def test_states_of_a_relationship_are_as_printed(random) -> None:
    episodes = 3
    lived = SimpleNamespace(
        states=random.random((SIZE, episodes + 1, 2, len(STATE_VARIABLES))),
        lived=np.ones((SIZE, episodes), dtype=bool),
        ended=random.integers(0, episodes + 2, SIZE) % (episodes + 1),
        conflict_peak=random.random((SIZE, episodes)),
        success=random.uniform(-1, 1, (SIZE, episodes)),
    )
    lower = {
        name: lived.states[:, 1:, :, STATE_VARIABLES.index(name)].min(axis=2) ** 0.5
        for name in ("closeness", "commitment", "trust")
    }
    for name, value in lower.items():  # not all low, as the lower of two draws would be
        lived.states[:, 1:, :, STATE_VARIABLES.index(name)] = value[..., None]
    page = computed("states", peak=lived.conflict_peak, success=lived.success, **lower)
    ended = (lived.ended[:, None] > 0) & (lived.ended[:, None] <= np.arange(1, episodes + 1))
    expected = np.select(
        [ended, page["strained"], page["committed"], page["dating"]],
        ["ended", "strained", "committed", "dating"],
        "strangers",
    )
    found = np.array(RELATIONSHIP_STATES)[prediction.states(lived)]
    assert (found == expected).all()
    assert set(expected.ravel()) == set(RELATIONSHIP_STATES)


def test_time_is_as_printed(random, person, traits) -> None:
    people, both = np.stack([person, person], axis=1), np.stack([traits, traits], axis=1)
    days = random.uniform(1, 90, SIZE)
    kept = memory.MemoryArrays.empty(SIZE)
    kept.beliefs[:] = random.uniform(-1, 1, kept.beliefs.shape)
    keys = random.integers(0, 2**63, size=(SIZE, 2)).astype(np.uint64)
    after, happened = environment.pass_time(people, both, kept, keys, 2, days, np.zeros((SIZE, 2)))
    events = environment.LIFE_EVENTS
    page = computed(
        "time", days=days, months=days / 30.0, beliefs=kept.beliefs[:, 0].mean(axis=1),
        load=after[:, 0, environment.LOADS].mean(axis=1),
        event_mood=happened[:, 0] @ np.array([event.mood for event in events]),
        event_stress=happened[:, 0] @ np.array([event.stress for event in events]),
        **states(person), **letters(traits),
    )  # fmt: skip
    for name in ("mood", "arousal", "stress", "closeness", "trust", "hurt"):
        theirs = after[:, 0, Person[name.upper()]]
        assert np.allclose(bounded(page, name), theirs, **TOLERANCE), name


def test_the_start_is_as_printed(random) -> None:
    means = random.normal(size=(SIZE, 2, N_TRAIT))
    keys = random.integers(0, 2**63, size=(SIZE, 2)).astype(np.uint64)
    likeness = random.random(SIZE)
    batch = course.begin(means, np.zeros_like(means), likeness, keys)
    one = batch.people[:, 0]
    page = computed(
        "start", drawn=batch.drawn[:, 0], load=one[:, environment.LOADS].mean(axis=1),
        likeness=likeness, z=randomness.normal(keys, randomness.Purpose.SIMILARITY)[:, 0],
        z_own=randomness.normal(keys, randomness.Purpose.SENSITIVITY)[:, 0],
        **letters(batch.traits[:, 0]),
    )  # fmt: skip
    for name in ("mood", "arousal", "stress", "trust", "closeness", "commitment"):
        assert np.allclose(bounded(page, name), one[:, Person[name.upper()]], **TOLERANCE), name
    assert np.allclose(page["satisfaction_"], one[:, Person.SATISFACTION], **TOLERANCE)
    assert np.allclose(page["similar_"], one[:, Person.SIMILARITY], **TOLERANCE)
    assert np.allclose(page["sensitivity_"], one[:, Person.SENSITIVITY], **TOLERANCE)


def test_every_source_a_direction_names_is_in_the_list_of_references() -> None:
    references = PAGE.partition("## Sources")[2]
    for hypothesis in HYPOTHESES:
        for source in re.split(r";\s*", re.sub(r"\(.*\)", "", hypothesis.source)):
            surname, year = re.match(r"([\w-]+).*?(\d{4})", source.strip()).groups()
            assert re.search(rf"{surname}.*\({year}\)", references), source
