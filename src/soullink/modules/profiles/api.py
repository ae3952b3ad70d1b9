"""Profiles: what people say about themselves. Nothing else here is public."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from soullink.kernel.errors import ConflictError, InvalidInputError, NotFoundError
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
class Profile:
    """One person as given by that person. None and empty mean unknown.

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
