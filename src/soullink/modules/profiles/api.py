"""Profiles: what people say about themselves. Nothing else here is public."""

import math
import re
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import ClassVar, Final, Literal, Protocol, TypeAlias

from soullink.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from soullink.kernel.events import Event
from soullink.kernel.ids import PersonId
from soullink.kernel.language import Language

Domain: TypeAlias = Literal[
    "openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism"
]
DOMAINS: tuple[Domain, ...] = (
    "openness",
    "conscientiousness",
    "extraversion",
    "agreeableness",
    "neuroticism",
)
FACETS: Mapping[Domain, tuple[str, ...]] = {
    "openness": (
        "imagination",
        "artistic_interests",
        "emotionality",
        "adventurousness",
        "intellect",
        "liberalism",
    ),
    "conscientiousness": (
        "self_efficacy",
        "orderliness",
        "dutifulness",
        "achievement_striving",
        "self_discipline",
        "cautiousness",
    ),
    "extraversion": (
        "friendliness",
        "gregariousness",
        "assertiveness",
        "activity_level",
        "excitement_seeking",
        "cheerfulness",
    ),
    "agreeableness": ("trust", "morality", "altruism", "cooperation", "modesty", "sympathy"),
    "neuroticism": (
        "anxiety",
        "anger",
        "depression",
        "self_consciousness",
        "immoderation",
        "vulnerability",
    ),
}
"""The six facets of each domain in IPIP-NEO (Goldberg 1999), in the order of the inventory."""

Level: TypeAlias = Literal["low", "average", "high"]
Inventory: TypeAlias = Literal["ipip-neo-120", "ipip-neo-300"]

SCHWARTZ_VALUES: tuple[str, ...] = (
    "self_direction",
    "stimulation",
    "hedonism",
    "achievement",
    "power",
    "security",
    "conformity",
    "tradition",
    "benevolence",
    "universalism",
)
"""The ten basic values of Schwartz (1992), in the order of their circle."""

IMPORT_FORMATS: tuple[str, ...] = ("sotopia", "okcupid")

Gender: TypeAlias = Literal["woman", "man", "non_binary"]
GENDERS: tuple[Gender, ...] = ("woman", "man", "non_binary")

Habit: TypeAlias = Literal["never", "sometimes", "often"]
HABITS: tuple[Habit, ...] = ("never", "sometimes", "often")

Religion: TypeAlias = Literal[
    "none",
    "agnostic",
    "atheist",
    "buddhist",
    "christian",
    "hindu",
    "jewish",
    "muslim",
    "taoist",
    "other",
]
RELIGIONS: tuple[Religion, ...] = (
    "none",
    "agnostic",
    "atheist",
    "buddhist",
    "christian",
    "hindu",
    "jewish",
    "muslim",
    "taoist",
    "other",
)
NOT_RELIGIOUS: frozenset[Religion] = frozenset(("none", "agnostic", "atheist"))

DealBreaker: TypeAlias = Literal[
    "smoking",
    "drinking",
    "heavy_drinking",
    "has_children",
    "wants_children",
    "does_not_want_children",
    "religious",
    "not_religious",
    "casual",
]
DEAL_BREAKERS: tuple[DealBreaker, ...] = (
    "smoking",
    "drinking",
    "heavy_drinking",
    "has_children",
    "wants_children",
    "does_not_want_children",
    "religious",
    "not_religious",
    "casual",
)
"""What somebody will not accept, as far as a filter can know it."""

Criterion: TypeAlias = Literal[
    "gender",
    "age",
    "distance",
    "languages",
    "children",
    "smoking",
    "drinking",
    "religion",
    "deal_breakers",
]
CRITERIA: tuple[Criterion, ...] = (
    "gender",
    "age",
    "distance",
    "languages",
    "children",
    "smoking",
    "drinking",
    "religion",
    "deal_breakers",
)

Importance: TypeAlias = Literal["essential", "important", "preferred"]
IMPORTANCES: tuple[Importance, ...] = ("essential", "important", "preferred")
"""essential: nobody who fails it or of whom it is unknown is suggested. important: nobody who is
known to fail it is. preferred: counts, but rules nobody out."""

DEFAULT_IMPORTANCE: Mapping[Criterion, Importance] = {
    **dict.fromkeys(CRITERIA, "important"),
    "gender": "essential",
}


@dataclass(frozen=True, slots=True)
class Answers:
    """A filled-in IPIP-NEO questionnaire.

    answers: one integer 1..5 per item, in the order of the inventory; 120 or 300 of them.
    """

    inventory: Inventory
    answers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Attachment:
    """Adult attachment: mean scores on the ECR-R scale, 1.0 (low) to 7.0 (high), or a word.

    A word says the lowest 30 %, the middle or the highest 30 % of adults; None is unknown.
    """

    anxiety: float | Level | None = None
    avoidance: float | Level | None = None


@dataclass(frozen=True, slots=True)
class Wants:
    """What somebody looks for.

    goal: casual, dating, long_term, marriage, friendship or unsure.
    children: wants, does_not_want, has_and_wants_more, has_and_done, open.
    """

    goal: str | None = None
    children: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the grid that people are placed on, about 20 km by 20 km.

    row: 0..999 from the south pole, 0.18 degrees of latitude each. column: from 180 degrees west,
    as many a row as keep cells about 20 km wide. Nothing finer than a cell is kept of where
    somebody lives.
    """

    row: int
    column: int

    def __str__(self) -> str:
        return f"{self.row:03d}-{self.column:04d}"

    @property
    def centre(self) -> tuple[float, float]:
        """Latitude and longitude of the middle, in degrees."""
        latitude = (self.row + 0.5) * _ROW_DEGREES - 90.0
        return latitude, (self.column + 0.5) * 360.0 / columns_of_row(self.row) - 180.0


CELL_KM: Final = 20.0
CELL_ROWS: Final = 1_000
_ROW_DEGREES: Final = 180.0 / CELL_ROWS
_EARTH_RADIUS_KM: Final = 6_371.0


def columns_of_row(row: int) -> int:
    """Return how many cells a row of the grid has: 2,004 at the equator, fewer at the poles."""
    middle = math.radians((row + 0.5) * _ROW_DEGREES - 90.0)
    return max(1, round(2.0 * math.pi * _EARTH_RADIUS_KM * math.cos(middle) / CELL_KM))


def cell_at(latitude: float, longitude: float) -> Cell:
    """Return the cell that a place lies in. latitude -90..90, longitude -180..180, degrees."""
    row = min(CELL_ROWS - 1, int((latitude + 90.0) / _ROW_DEGREES))
    columns = columns_of_row(row)
    return Cell(row, min(columns - 1, int((longitude + 180.0) / 360.0 * columns)))


def cell_of_text(text: str) -> Cell:
    """Return the cell that is written as e.g. "788-1027". Raises ValueError."""
    found = re.fullmatch(r"([0-9]{3})-([0-9]{4})", text)
    if not found or int(found[2]) >= columns_of_row(int(found[1])):
        raise ValueError("must be a cell of the grid, such as 788-0634")
    return Cell(int(found[1]), int(found[2]))


def cell_distance_km(first: Cell, second: Cell) -> float:
    """Return the great-circle distance between the middles of two cells (haversine), in km."""
    (lat1, lon1), (lat2, lon2) = first.centre, second.centre
    north, east = math.radians(lat2 - lat1) / 2.0, math.radians(lon2 - lon1) / 2.0
    a = (
        math.sin(north) ** 2
        + math.cos(math.radians(lat1)) * math.cos(math.radians(lat2)) * math.sin(east) ** 2
    )
    return 2.0 * _EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(a)))


@dataclass(frozen=True, slots=True)
class LookingFor:
    """Whom somebody wants to meet. None and empty: no such wish is known.

    age_from, age_to: whole years, both included. distance_km: between the middles of grid cells.
    languages: the other speaks at least one of them; empty: one that both speak.
    smoking, drinking, religions: what is accepted of the other. deal_breakers: what is not.
    importance: by criterion; others have DEFAULT_IMPORTANCE.
    """

    age_from: int | None = None
    age_to: int | None = None
    distance_km: int | None = None
    languages: tuple[str, ...] = ()
    smoking: tuple[Habit, ...] = ()
    drinking: tuple[Habit, ...] = ()
    religions: tuple[Religion, ...] = ()
    deal_breakers: tuple[DealBreaker, ...] = ()
    importance: Mapping[Criterion, Importance] = field(default_factory=dict)

    def importance_of(self, criterion: Criterion) -> Importance:
        """Return how much `criterion` matters: as stated, else the default."""
        return self.importance.get(criterion, DEFAULT_IMPORTANCE[criterion])


@dataclass(frozen=True, slots=True)
class Profile:
    """One person as given by that person. None and empty mean unknown.

    gender: all that the person is; interested_in: whom the person wants to meet.
    cell: where the person lives, from coordinates that are not kept.
    sex: used for the norms of questionnaires only.
    traits: one of questionnaire answers, or per domain (and facet) a percentile 0.0..100.0
      within people of the same sex and age, or a level.
    values: importance of each Schwartz value, 0.0 (not at all) to 6.0 (supreme); others unknown.
    language: the language that this person speaks in simulations.
    source_id: the key of this person in the system that the profile was imported from.
    """

    id: PersonId
    name: str
    language: Language = "en"
    birth_date: date | None = None
    age: int | None = None
    sex: Literal["female", "male"] | None = None
    pronouns: str | None = None
    city: str | None = None
    occupation: str | None = None
    languages: tuple[str, ...] = ()
    answers: Answers | None = None
    percentiles: Mapping[str, float] = field(default_factory=dict)
    levels: Mapping[str, Level] = field(default_factory=dict)
    attachment: Attachment = field(default_factory=Attachment)
    values: Mapping[str, float] = field(default_factory=dict)
    interests: tuple[str, ...] = ()
    essays: Mapping[str, str] = field(default_factory=dict)
    wants: Wants = field(default_factory=Wants)
    deal_breakers: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    source_id: str | None = None
    gender: tuple[Gender, ...] = ()
    interested_in: tuple[Gender, ...] = ()
    cell: Cell | None = None
    has_children: bool | None = None
    smoking: Habit | None = None
    drinking: Habit | None = None
    religion: Religion | None = None
    looking_for: LookingFor = field(default_factory=LookingFor)

    def age_on(self, day: date) -> int | None:
        """Return the age in whole years on `day`: by birth date where given, else as stated."""
        return self.age if self.birth_date is None else years_between(self.birth_date, day)


def years_between(born: date, day: date) -> int:
    """Return the whole years from `born` to `day`."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def ids_by_source(people: Iterable[Profile]) -> dict[str, PersonId]:
    """Return our id for each key of the system that `people` were imported from."""
    return {person.source_id: person.id for person in people if person.source_id is not None}


class InvalidProfileError(InvalidInputError):
    """A profile cannot be read; the message names file, field and what to write instead."""

    code = "invalid_profile"


class DuplicatePersonError(ConflictError):
    """Two profiles carry the same id."""

    code = "duplicate_person"


class PersonNotFoundError(NotFoundError):
    """No profile has this id."""

    code = "person_not_found"


class Profiles(Protocol):
    """Reads, checks, writes and imports profiles in files."""

    def load(self, path: Path) -> Profile:
        """Return the profile in a YAML or JSON file. Raises InvalidProfileError."""
        ...

    def load_all(self, path: Path) -> list[Profile]:
        """Return every profile of a folder (*.yaml, *.yml, *.json) or of one JSONL file.

        Sorted by id. Raises InvalidProfileError, DuplicatePersonError.
        """
        ...

    def import_people(
        self, source: Path, format_name: str, limit: int | None = None
    ) -> list[Profile]:
        """Return the people in `source`, a file of another system (IMPORT_FORMATS).

        Raises InvalidInputError for an unknown format, InvalidProfileError for a bad row.
        """
        ...

    def save(self, profile: Profile, path: Path) -> None:
        """Write `profile` as YAML to `path`, atomically; `load` reads back an equal one.

        Raises InvalidInputError, UnavailableError when the disk is full.
        """
        ...

    def to_document(self, profile: Profile) -> dict[str, object]:
        """Return the profile as plain data, unknown fields left out, for JSON and YAML."""
        ...

    def from_document(self, document: Mapping[str, object], source: str) -> Profile:
        """Return the profile in plain data; `source` names it in errors.

        Raises InvalidProfileError.
        """
        ...

    def cell_of(self, profile: Profile) -> Cell | None:
        """Return the grid cell that `profile` lives in: as given, else that of its city.

        None where neither is given, or no larger city of that name is known.
        """
        ...


MemberState: TypeAlias = Literal["active", "paused"]


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody whose profile is kept. revision: 1 at first, one more with every change."""

    profile: Profile
    state: MemberState
    revision: int
    joined_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class PersonJoined(Event):
    """Somebody has joined."""

    name: ClassVar[str] = "profiles.person_joined.v1"
    subject: ClassVar[str] = "person_id"
    person_id: str


@dataclass(frozen=True, slots=True)
class PersonChanged(Event):
    """Somebody's profile or state has changed."""

    name: ClassVar[str] = "profiles.person_changed.v1"
    subject: ClassVar[str] = "person_id"
    person_id: str


@dataclass(frozen=True, slots=True)
class PersonForgotten(Event):
    """Somebody's profile has been deleted; whoever keeps anything of this person deletes it."""

    name: ClassVar[str] = "profiles.person_forgotten.v1"
    subject: ClassVar[str] = "person_id"
    person_id: str


class Members(Protocol):
    """The people who have joined: their profiles, kept in the database."""

    async def join(self, profile: Profile) -> Member:
        """Keep `profile`; the same person again replaces it and is active again.

        An equal profile changes nothing. Publishes PersonJoined or PersonChanged.
        """
        ...

    async def get(self, person: PersonId) -> Member:
        """Return a member. Raises PersonNotFoundError."""
        ...

    async def find(self, person: PersonId) -> Member | None:
        """Return a member, or None."""
        ...

    async def several(self, people: Collection[PersonId]) -> list[Member]:
        """Return those of `people` who are members, in the order of ids."""
        ...

    def all(self) -> AsyncIterator[Member]:
        """Yield every member in the order of ids, a page at a time; nothing is held open."""
        ...

    async def count(self) -> int:
        """Return how many members there are, paused ones included."""
        ...

    async def pause(self, person: PersonId) -> Member:
        """Let nobody be suggested to or see `person`. Publishes PersonChanged.

        Raises PersonNotFoundError.
        """
        ...

    async def resume(self, person: PersonId) -> Member:
        """End a pause. Publishes PersonChanged. Raises PersonNotFoundError."""
        ...

    async def forget(self, person: PersonId) -> bool:
        """Delete all that profiles keep of `person`; False when there was nothing.

        Publishes PersonForgotten in the same transaction, also when nothing was there: others
        may still keep something.
        """
        ...
