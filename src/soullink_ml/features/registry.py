"""Every feature of the interest models, with the moment it is known and the columns it reads.

There is no other list: the matrices are made in this order, the artifact and the model card quote
it, and a test checks each feature's columns against `datasets.moments`.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, TypeAlias

from soullink_ml.datasets.moments import ACTIVITIES, ATTRIBUTES, TRAITS, Moment, require

Of: TypeAlias = Literal["person", "pair", "evening"]


class Known(Enum):
    """The moment from which a feature is known; the date itself is never before it."""

    SIGN_UP = "before the evening"
    EARLIER = "from dates of the same evening that ended before this one began"


@dataclass(frozen=True, slots=True)
class Feature:
    """One number. group: features that share one spread of their coefficients.

    of: a person (it enters once for who decides, once for whom it is about), a pair, or what the
    evening has shown so far. columns: of the file. level: of a code, where it is one.
    """

    name: str
    group: str
    of: Of
    known: Known
    columns: tuple[str, ...]
    level: int | None = None

    def check(self) -> None:
        """Raise LeakError if it reads a column that is not known at its moment."""
        allowed = {
            Known.SIGN_UP: (Moment.SIGN_UP, Moment.PLAN),
            Known.EARLIER: (Moment.SIGN_UP, Moment.PLAN, Moment.DATE),
        }
        for column in self.columns:
            require(column, *allowed[self.known])


FIELDS: Final = (1, 2, 3, 4, 5, 8, 9, 10, 11, 13)
GOALS: Final = (1, 2, 3, 4, 5, 6)


def _columns(suffix: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{name}{suffix}" for name in names)


WANTED: Final = _columns("1_1", ATTRIBUTES)
THOUGHT_WANTED: Final = _columns("2_1", ATTRIBUTES)
SELF: Final = _columns("3_1", TRAITS)


def _person(name: str, group: str, *columns: str, level: int | None = None) -> Feature:
    return Feature(name, group, "person", Known.SIGN_UP, columns, level)


PERSON: Final = (
    _person("age", "age", "age"),
    _person("age_squared", "age", "age"),
    *(_person(f"field_{code}", "field", "field_cd", level=code) for code in FIELDS),
    *(_person(f"goal_{code}", "goal", "goal", level=code) for code in GOALS),
    _person("dates_often", "social", "date"),
    _person("goes_out", "social", "go_out"),
    _person("expects_joy", "social", "exphappy"),
    *(_person(f"wants_{name}", "wants", *WANTED) for name in ATTRIBUTES),
    *(_person(f"thinks_wanted_{name}", "thinks_wanted", *THOUGHT_WANTED) for name in ATTRIBUTES),
    *(_person(f"self_{name}", "self", f"{name}3_1") for name in TRAITS),
    *(_person(f"likes_{name}", "interests", name) for name in ACTIVITIES),
    _person("self_mean", "style", *SELF),
    _person("interests_mean", "style", *ACTIVITIES),
    _person("interests_spread", "style", *ACTIVITIES),
    _person("wants_spread", "style", *WANTED),
)

PAIR: Final = (
    Feature("decider_is_man", "plan", "pair", Known.SIGN_UP, ("gender",)),
    Feature("age_gap_size", "pair", "pair", Known.SIGN_UP, ("age",)),
    Feature("interests_alike", "pair", "pair", Known.SIGN_UP, ACTIVITIES),
    Feature("same_field", "pair", "pair", Known.SIGN_UP, ("field_cd",)),
    Feature("first_date", "plan", "pair", Known.SIGN_UP, ("order",)),
    Feature("turn", "plan", "pair", Known.SIGN_UP, ("order",)),
)

HEARD: Final = ("dec", "like", "attr", "fun", "shar")
"""What the social relations filter listens to, of dates that are over."""

COUNTED: Final = (*HEARD, "prob")
"""What the models beside ours get as running means."""

EVENING: Final = (
    *(
        Feature(f"{who}_{column}", "earlier", "evening", Known.EARLIER, (column, "order"))
        for column in COUNTED
        for who in ("decider_gave", "other_got", "decider_got", "other_gave")
    ),
    *(
        Feature(f"filtered_{column}", "filter", "evening", Known.EARLIER, (*HEARD, "order"))
        for column in HEARD
    ),
    Feature("filter_doubt", "filter", "evening", Known.EARLIER, (*HEARD, "order")),
)

FEATURES: Final = (*PERSON, *PAIR, *EVENING)
