"""The form that a profile has in a file: which keys there are and what each may hold."""

import unicodedata
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from soullink.kernel.language import Language
from soullink.modules.profiles.api import (
    CRITERIA,
    DEAL_BREAKERS,
    DOMAINS,
    FACETS,
    GENDERS,
    HABITS,
    RELIGIONS,
    SCHWARTZ_VALUES,
    Criterion,
    DealBreaker,
    Gender,
    Habit,
    Inventory,
    Level,
    Religion,
    cell_of_text,
)
from soullink.modules.profiles.api import Importance as HowMuch
from soullink.modules.profiles.domain import clean_line, clean_text, is_id, nearest

LISTED_VALUE_IMPORTANCE = 5.0
"""What naming a value among the important ones says on the scale of 0.0 to 6.0."""

QUESTIONS: dict[Inventory, int] = {"ipip-neo-120": 120, "ipip-neo-300": 300}
TRAIT_NAMES = DOMAINS + tuple(facet for domain in DOMAINS for facet in FACETS[domain])


def _line(value: object) -> object:
    return clean_line(value) if isinstance(value, str) else value


def _text(value: object) -> object:
    return clean_text(value) if isinstance(value, str) else value


def _empty_to_none(value: object) -> object:
    return None if value == "" else value


def _known(names: tuple[str, ...], what: str, given: dict[str, Any]) -> None:
    for name in given:
        if name not in names:
            meant = nearest(str(name), names)
            hint = f"did you mean '{meant}'?" if meant else f"write one of {', '.join(names)}."
            raise ValueError(f"'{clean_line(str(name))[:40]}' is not {what}; {hint}")


def _number(value: object) -> object:
    """Let whole numbers pass where a decimal is expected; words and booleans do not."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9:
        return float(value)
    return value


# Limits stand before the cleaning here, which pydantic then runs first.
Short = Annotated[str, Field(min_length=1, max_length=200), BeforeValidator(_line)]
Private = Annotated[str, Field(min_length=1, max_length=2_000), BeforeValidator(_line)]
Essay = Annotated[str, Field(min_length=1, max_length=100_000), BeforeValidator(_text)]
OptionalShort = Annotated[
    Annotated[str, Field(max_length=200)] | None,
    BeforeValidator(_empty_to_none),
    BeforeValidator(_line),
]
OptionalText = Annotated[
    Annotated[str, Field(max_length=5_000)] | None,
    BeforeValidator(_empty_to_none),
    BeforeValidator(_text),
]
Decimal = Annotated[float, BeforeValidator(_number)]
Percentile = Annotated[Decimal, Field(ge=0, le=100, allow_inf_nan=False)]
Importance = Annotated[Decimal, Field(ge=0, le=6, allow_inf_nan=False)]
Answer = Annotated[int, Field(ge=1, le=5)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class AnswersDocument(_Part):
    """A filled-in questionnaire: `answers` holds 1..5 per item, in the inventory's order."""

    inventory: Inventory
    answers: list[Answer]

    @model_validator(mode="after")
    def _count(self) -> "AnswersDocument":
        wanted, given = QUESTIONS[self.inventory], len(self.answers)
        if given != wanted:
            raise ValueError(f"needs {wanted} answers for {self.inventory}, but has {given}")
        return self


class TraitsDocument(_Part):
    """Character in one of three forms."""

    answers: AnswersDocument | None = None
    percentiles: dict[str, Percentile] = {}
    levels: dict[str, Level] = {}

    @field_validator("percentiles", "levels", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        if isinstance(value, dict):
            _known(TRAIT_NAMES, "a trait", value)
        return value

    @model_validator(mode="after")
    def _one(self) -> "TraitsDocument":
        filled = [name for name in type(self).model_fields if getattr(self, name)]
        if len(filled) > 1:
            raise ValueError(f"holds {' and '.join(filled)}; give one of them")
        return self


class AttachmentDocument(_Part):
    """Adult attachment, as ECR-R means of 1..7 or as words."""

    anxiety: float | Level | None = None
    avoidance: float | Level | None = None

    @field_validator("anxiety", "avoidance", mode="before")
    @classmethod
    def _either(cls, value: object) -> object:
        number = _number(value)
        if value is None or value in ("low", "average", "high"):
            return value
        if isinstance(number, float) and 1.0 <= number <= 7.0:
            return number
        raise ValueError("must be a number from 1 to 7, or low, average or high")


class WantsDocument(_Part):
    """What somebody looks for."""

    goal: Literal["casual", "dating", "long_term", "marriage", "friendship", "unsure"] | None = None
    children: (
        Literal["wants", "does_not_want", "has_and_wants_more", "has_and_done", "open"] | None
    ) = None
    text: OptionalText = None


def _one_or_more(value: object) -> object:
    """Let a single word stand for a list of it."""
    return [value] if isinstance(value, str) else value


def _once(values: list[str]) -> list[str]:
    if len(set(values)) != len(values):
        raise ValueError("names something twice; keep one")
    return values


def _several(names: tuple[str, ...]) -> Any:
    """Return the checks of a list of words: one word may stand for it, and none comes twice."""
    return (
        Field(max_length=len(names)),
        AfterValidator(_once),
        BeforeValidator(_one_or_more),
    )


class LocationDocument(_Part):
    """Where somebody lives: coordinates, of which only the grid cell is kept, or that cell."""

    latitude: Annotated[Decimal, Field(ge=-90, le=90, allow_inf_nan=False)] | None = None
    longitude: Annotated[Decimal, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None
    cell: str | None = None

    @field_validator("cell")
    @classmethod
    def _cell(cls, value: str | None) -> str | None:
        if value is not None:
            cell_of_text(value)
        return value

    @model_validator(mode="after")
    def _one(self) -> "LocationDocument":
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("needs latitude and longitude together")
        if self.cell is not None and self.latitude is not None:
            raise ValueError("holds coordinates and a cell; give one of them")
        return self


Age = Annotated[int, Field(ge=18, le=120)]


class LookingForDocument(_Part):
    """Whom somebody wants to meet."""

    age_from: Age | None = None
    age_to: Age | None = None
    distance_km: Annotated[int, Field(ge=1, le=20_100)] | None = None
    languages: Annotated[list[Short], Field(max_length=100), BeforeValidator(_one_or_more)] = []
    smoking: Annotated[list[Habit], *_several(HABITS)] = []
    drinking: Annotated[list[Habit], *_several(HABITS)] = []
    religions: Annotated[list[Religion], *_several(RELIGIONS)] = []
    deal_breakers: Annotated[list[DealBreaker], *_several(DEAL_BREAKERS)] = []
    importance: dict[Criterion, HowMuch] = {}

    @field_validator("importance", mode="before")
    @classmethod
    def _criteria(cls, value: object) -> object:
        if isinstance(value, dict):
            _known(CRITERIA, "a criterion", value)
        return value

    @model_validator(mode="after")
    def _ages(self) -> "LookingForDocument":
        if self.age_from is not None and self.age_to is not None and self.age_from > self.age_to:
            raise ValueError(f"has age_from {self.age_from} above age_to {self.age_to}")
        return self


class ProfileDocument(_Part):
    """One person's file. Only `name` must be given; everything else may stay unknown."""

    id: str
    name: Annotated[str, Field(min_length=1, max_length=80), BeforeValidator(_line)]
    language: Language = "en"
    birth_date: date | None = None
    age: int | None = None
    sex: Literal["female", "male"] | None = None
    pronouns: OptionalShort = None
    city: OptionalShort = None
    occupation: OptionalShort = None
    languages: Annotated[list[Short], Field(max_length=100)] = []
    traits: TraitsDocument = TraitsDocument()
    attachment: AttachmentDocument = AttachmentDocument()
    values: dict[str, Importance] = {}
    interests: Annotated[list[Short], Field(max_length=100)] = []
    essays: Annotated[dict[Short, Essay], Field(max_length=100)] = {}
    wants: WantsDocument = WantsDocument()
    deal_breakers: Annotated[list[Private], Field(max_length=100)] = []
    secrets: Annotated[list[Private], Field(max_length=100)] = []
    source_id: OptionalShort = None
    gender: Annotated[list[Gender], *_several(GENDERS)] = []
    interested_in: Annotated[list[Gender], *_several(GENDERS)] = []
    location: LocationDocument = LocationDocument()
    has_children: bool | None = None
    smoking: Habit | None = None
    drinking: Habit | None = None
    religion: Religion | None = None
    looking_for: LookingForDocument = LookingForDocument()

    @field_validator("id", mode="before")
    @classmethod
    def _id(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        normal = unicodedata.normalize("NFC", value)
        if not is_id(normal):
            raise ValueError(
                "must begin with a letter or digit and hold up to 64 letters, digits, hyphens and "
                "underscores"
            )
        return normal

    @field_validator("birth_date", mode="before")
    @classmethod
    def _date(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError("must be a date of the calendar such as 1994-03-21") from None

    @field_validator("essays", mode="before")
    @classmethod
    def _titles(cls, value: object) -> object:
        if isinstance(value, dict):
            titles: set[str] = set()
            for title in map(clean_line, map(str, value)):
                if title in titles:
                    raise ValueError(f"has two essays titled '{title[:40]}'; rename one")
                titles.add(title)
        return value

    @field_validator("values", mode="before")
    @classmethod
    def _values(cls, value: object) -> object:
        if isinstance(value, list):
            if any(not isinstance(name, str) for name in value):
                raise ValueError("must be a list of names or a mapping of names to 0..6")
            value = dict.fromkeys(value, LISTED_VALUE_IMPORTANCE)
        if isinstance(value, dict):
            _known(SCHWARTZ_VALUES, "one of Schwartz's ten values", value)
        return value
