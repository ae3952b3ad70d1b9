"""One course, step by step: the batch of one behind a run that people watch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

from soullink.kernel.language import Language
from soullink.modules.personality.api import HIGHER_ORDER_VALUES, Persona
from soullink.modules.profiles.api import DOMAINS
from soullink.modules.simulation.api import (
    FACTORS,
    Episode,
    FloatArray,
    IntArray,
    Pair,
    Scenario,
)
from soullink.modules.simulation.domain import (
    course,
    environment,
    flow,
    packed,
    randomness,
    together,
)
from soullink.modules.simulation.domain.bare import (
    BareTurn,
    kept_list,
    pair_of,
    states_of,
    turns,
)
from soullink.modules.simulation.domain.course import Conditions, EpisodeArrays
from soullink.modules.simulation.domain.kept import Kept
from soullink.modules.simulation.domain.layout import LOADS, N_TRAIT, STATE
from soullink.modules.simulation.domain.packed import Packed, Rows
from soullink.modules.simulation.domain.turn import Batch, take_turn
from soullink.modules.simulation.domain.underway import Underway

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Opening:
    """The scene of an episode; fields as in api.Episode."""

    number: int
    scenario: Scenario
    day: float
    parameters: Mapping[str, str]
    roles: tuple[int, int]
    loads: tuple[Mapping[str, float], Mapping[str, float]]
    between: tuple[str, ...]
    before: Pair


def trait_arrays(personas: tuple[Persona, Persona]) -> tuple[FloatArray, FloatArray]:
    """Return means and standard deviations of both, each (2, 11), in the order of layout.Trait."""
    rows = [_estimates(persona) for persona in personas]
    return np.array([means for means, _ in rows]), np.array([sds for _, sds in rows])


def _estimated(persona: Persona) -> tuple[list[float], list[float]]:
    estimates = [
        *(persona.traits[name] for name in DOMAINS),
        persona.anxiety,
        persona.avoidance,
        *(persona.values[name] for name in HIGHER_ORDER_VALUES),
    ]
    return [estimate.mean for estimate in estimates], [estimate.sd for estimate in estimates]


_estimates: Final = Kept(_estimated, 256)


def likeness(left: Sequence[str], right: Sequence[str]) -> float:
    """Return how much two lists of interests overlap, 0.0..1.0 (Szymkiewicz-Simpson)."""
    a = {text.casefold().strip() for text in left}
    b = {text.casefold().strip() for text in right}
    return len(a & b) / min(len(a), len(b)) if a and b else 0.0


def batch_of(
    personas: tuple[Persona, Persona],
    alike: float,
    seed: int,
    replicas: int,
    first: int,
    *,
    sampled: bool,
    repeated: int = 1,
) -> Batch:
    """Return `replicas` courses of two people before anything happened.

    first: number of the first replica; the course shown is number 0. sampled: draw traits from
    what is known of them; else take the means, which for unknown traits is the population's.
    repeated: how often the whole block of replicas stands below itself.
    """
    means, sds = trait_arrays(personas)
    names = (str(personas[0].person), str(personas[1].person))
    shape = (replicas * repeated, 2, N_TRAIT)
    return course.begin(
        np.broadcast_to(means, shape),
        np.broadcast_to(sds if sampled else np.zeros_like(sds), shape),
        np.full(replicas * repeated, alike),
        np.tile(randomness.person_keys(seed, names, replicas, first), (repeated, 1)),
    )


def batches_of(
    pairs: Sequence[tuple[tuple[Persona, Persona], float, int]],
) -> list[Batch]:
    """Return the courses shown of many runs, each as `batch_of` returns it, begun in one go.

    pairs: personas, likeness and seed of each run.
    """
    if not pairs:
        return []
    keys = [
        randomness.person_keys(seed, (str(one.person), str(other.person)), 1)
        for (one, other), _, seed in pairs
    ]
    means = np.stack([trait_arrays(personas)[0] for personas, _, _ in pairs])
    alike = np.array([likeness for _, likeness, _ in pairs])
    return together.parted(course.begin(means, np.zeros_like(means), alike, np.concatenate(keys)))


class LiveCourse:
    """Lives one course; ask for openings, turns and closings in that order."""

    def __init__(self, batch: Batch, scenarios: Sequence[Scenario], conditions: Conditions) -> None:
        self.scenarios = scenarios
        self.conditions = conditions
        self.parameters = batch.parameters
        self.number = 0
        self.underway: Underway | None = None
        self._alive = bool(batch.alive[0])
        self._episode: tuple[Opening, Underway] | None = None
        self._batch, self._fired = batch, np.zeros((1, 0), dtype=np.bool_)
        # The course as it stands, until somebody asks for the batch: what turns change of it and
        # what they do not (packed.py).
        self._rows: Rows | None = None
        # Both people's states now, until somebody may have changed them.
        self._states: Pair | None = None

    @property
    def batch(self) -> Batch:
        """Return the course as it stands, to be looked at and changed."""
        if self._rows is not None:
            whole = Packed((self._rows,), self.parameters)
            self._batch, self._fired = whole.batch, whole.fired
        self._rows = self._states = None
        return self._batch

    @property
    def over(self) -> bool:
        """Return whether no episode is left to live."""
        over = self.number >= len(self.scenarios) or not self._alive
        return over and self._episode is None

    def open(self) -> Opening:
        """Let time pass and set the scene of the next episode."""
        return openings_of((self,))[0]

    def next_scenes(self) -> tuple[Scenario, Scenario | None]:
        """Return the scenario of the next episode and the one before it."""
        before = self.scenarios[self.number - 1] if self.number else None
        return self.scenarios[self.number], before

    def opened(self, opening: Opening, episode: Underway, rows: Rows, *, lived: bool) -> None:
        """Begin the next episode. rows: as in `rows`, after it."""
        self.number = opening.number
        self._episode = opening, episode
        self.underway = episode if lived else None
        self._rows, self._states = rows, opening.before

    def states(self) -> Pair:
        """Return both people's states now."""
        if self._states is None:
            rows = self._rows
            self._states = states_of(
                self._batch.people[0] if rows is None else packed.people_of(rows[0])
            )
        return self._states

    def turn(self) -> BareTurn | None:
        """Take the next turn of the episode; None when it is over."""
        return turns_of((self,))[0]

    def forced(self, underway: Underway) -> Mapping[str, float | IntArray]:
        """Return what a fork has set for the next turn."""
        return self.conditions.overrides.get((underway.number, underway.sequence + 1), {})

    def rows(self) -> Rows:
        """Return what turns change of this course and what they do not (packed.py)."""
        if self._rows is None:
            (self._rows,) = packed.rows_of(self._batch, self._fired)
        return self._rows

    def noted(self, bare: BareTurn, over: int, rows: Rows) -> None:
        """Keep account of a turn just taken. rows: as in `rows`, after it."""
        underway = self.underway
        if underway is None:
            raise RuntimeError("no episode is open")
        self._rows, self._states = rows, bare.after
        underway.turns[bare.speaker] += 1
        if over >= 0:
            self.underway = None
            underway.ending = over
            if over == flow.Ending.LEFT:
                underway.left_by = bare.speaker

    def close(self) -> Episode:
        """Settle the episode whose turns are used up."""
        return closings_of((self,))[0]

    def ended(self) -> tuple[Opening, Underway]:
        """Return the episode whose turns are used up, to be settled."""
        if self._episode is None or self.underway is not None:
            raise RuntimeError("no episode is at its end")
        return self._episode

    def settled(self, rows: Rows, after: Pair, *, alive: bool) -> None:
        """Leave the episode that was settled. rows: as in `rows`, after it."""
        self._episode = None
        self._rows, self._states, self._alive = rows, after, alive


def openings_of(courses: Sequence[LiveCourse]) -> list[Opening]:
    """Open the next episode of each course, in one go where they can."""
    companies = []
    for place, one in enumerate(courses):
        (scenario, before), under = one.next_scenes(), one.conditions
        special = under.interventions or under.without or under.arms is not None
        company = (id(scenario), id(before), one.number, id(one.parameters))
        companies.append((*company, place if special else -1))
    return _in_company(courses, companies, _open)


def _in_company(
    courses: Sequence[LiveCourse],
    companies: Sequence[tuple[int, ...]],
    go_on: Callable[[list[LiveCourse]], list[Made]],
) -> list[Made]:
    """Return what `go_on` makes of each course, let go on together with those of its company."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for place, company in enumerate(companies):
        groups.setdefault(company, []).append(place)
    found: dict[int, Made] = {}
    for places in groups.values():
        found.update(zip(places, go_on([courses[place] for place in places]), strict=True))
    return [found[place] for place in range(len(courses))]


def _open(courses: list[LiveCourse]) -> list[Opening]:
    first, number = courses[0], courses[0].number + 1
    scenario, before = first.next_scenes()
    batch = first.batch if len(courses) == 1 else _joint(courses).batch
    record, situation = course.open_episode(batch, scenario, before, number, first.conditions)
    shared, asks = packed.shared(situation), packed.parted(packed.asked(situation))
    fired = np.zeros((batch.size, len(scenario.triggers)), dtype=np.bool_)  # none yet
    rows = packed.rows_of(batch, fired)
    openings = _openings(scenario, number, record, batch)
    lived = record.lived.tolist()
    for row, (one, opening) in enumerate(zip(courses, openings, strict=True)):
        episode = Underway(scenario, number, asks[row], shared)
        one.opened(opening, episode, rows[row], lived=lived[row])
    return openings


def _openings(
    scenario: Scenario, number: int, record: EpisodeArrays, batch: Batch
) -> list[Opening]:
    between: list[tuple[str, ...]] = [()] * batch.size
    # By event, then by person.
    for row, event, person in np.argwhere(record.happened.transpose(0, 2, 1)).tolist():
        between[row] += (f"{person}:{environment.LIFE_EVENTS[event].id}",)
    chosen = [
        [(parameter.name, parameter.choices[choice].id) for choice in picked.tolist()]
        for parameter, picked in zip(scenario.parameters, record.choices, strict=True)
    ]
    return [
        Opening(
            number=number,
            scenario=scenario,
            day=day,
            parameters=dict(picked[row] for picked in chosen),
            roles=(one, other),
            loads=(dict(zip(FACTORS, his, strict=True)), dict(zip(FACTORS, hers, strict=True))),
            between=between[row],
            before=pair_of(states),
        )
        for row, (day, (one, other), (his, hers), states) in enumerate(
            zip(
                kept_list(record.days, 2),
                record.roles.tolist(),
                kept_list(batch.people[..., LOADS]),
                kept_list(batch.people[..., STATE]),
                strict=True,
            )
        )
    ]


def _joint(courses: Sequence[LiveCourse]) -> Packed:
    return Packed([one.rows() for one in courses], courses[0].parameters)


def closings_of(courses: Sequence[LiveCourse]) -> list[Episode]:
    """Settle the episode of each course whose turns are used up, in one go where they can."""
    openings = [one.ended()[0] for one in courses]
    companies = [
        (id(opening.scenario), opening.number, id(one.parameters))
        for one, opening in zip(courses, openings, strict=True)
    ]
    return _in_company(courses, companies, _close)


def _close(courses: list[LiveCourse]) -> list[Episode]:
    ended, batch = [one.ended() for one in courses], _joint(courses).batch
    record = EpisodeArrays.of(batch)
    record.turns[:] = [underway.turns for _, underway in ended]
    record.ending[:] = [underway.ending for _, underway in ended]
    record.left_by[:] = [underway.left_by for _, underway in ended]
    first, _ = ended[0]
    course.close_episode(batch, first.scenario, first.number, record)
    states = map(pair_of, kept_list(batch.people[..., STATE]))
    rows = packed.rows_of(batch, np.zeros((batch.size, 0), dtype=np.bool_))
    alive, episodes = batch.alive.tolist(), []
    for row, (one, (opening, underway), after) in enumerate(
        zip(courses, ended, states, strict=True)
    ):
        one.settled(rows[row], after, alive=alive[row])
        episodes.append(
            Episode(
                number=opening.number,
                scenario=opening.scenario,
                day=opening.day,
                parameters=opening.parameters,
                roles=opening.roles,
                loads=opening.loads,
                between=opening.between,
                before=opening.before,
                after=after,
                turns=sum(underway.turns),
                outcome=opening.scenario.outcomes[int(record.outcome[row])].id,
                success=float(record.success[row]),
                resolution=flow.RESOLUTIONS[int(record.resolution[row])],
                ended_by=flow.ENDINGS[underway.ending],
                farewell=None if alive[row] else int(record.left_by[row]),
            )
        )
    return episodes


def turns_of(courses: Sequence[LiveCourse]) -> list[BareTurn | None]:
    """Take the next turn of each course, in one go where they can; None where an episode is over.

    What a course does is the same whoever is taken along; see packed.py.
    """
    going, companies, over = [], [], [one.underway is None for one in courses]
    for place, one in enumerate(courses):
        underway = one.underway
        if underway is not None:
            going.append(one)
            # Scenarios are shared by all courses that were read with the same one.
            alone = place if one.forced(underway) else -1
            companies.append((id(underway.scenario), id(one.parameters), alone))
    taken = iter(_in_company(going, companies, _take))
    return [None if done else next(taken) for done in over]


def _take(courses: list[LiveCourse]) -> list[BareTurn]:
    """Take the next turn of courses in one scenario; more than one where no fork changes it."""
    underway = [one.underway for one in courses if one.underway is not None]
    first, rows = underway[0], np.arange(len(underway))
    forced = courses[0].forced(first)
    joint = _joint(courses)
    batch, situation = joint.batch, packed.situation_of([u.asks for u in underway], first.shared)
    before = [one.states() for one in courses]
    for key, value in forced.items():
        course.override(batch, rows, key, value)
        before = [states_of(batch.people[0])]
    for episode in underway:
        episode.sequence += 1
    at: tuple[randomness.Moment, randomness.Moment] = (first.number, first.sequence)
    if len(underway) > 1:
        at = (np.array([u.number for u in underway]), np.array([u.sequence for u in underway]))
    taken, over = take_turn(batch, first.scenario, *at, situation, rows, joint.fired, forced)
    seeds = randomness.turn_seeds(batch.keys[rows, taken.speaker], *at)
    found = turns(taken, first.scenario, [u.number for u in underway], seeds, before)
    for one, bare, ending, row in zip(courses, found, over.tolist(), joint.changes(), strict=True):
        one.noted(bare, ending, (row, one.rows()[1]))
    return found


def between_text(event: str, names: tuple[str, str], language: Language) -> str:
    """Return what a life event "0:deadline" says, with the person's name."""
    person, _, name = event.partition(":")
    return environment.EVENT_INDEX[name].text[language].replace("{name}", names[int(person)])
