"""When each column of the speed dates became known; nothing is read that is not declared here.

By the data key of Fisman, Iyengar, Kamenica & Simonson (2006): the sign-up questionnaire (time 1)
was filled in before the evening; the scorecard after each date; one more sheet half-way through;
questionnaires the day after (time 2) and three to four weeks later (time 3).
"""

from enum import Enum
from typing import Final

from soullink.kernel.errors import SoulLinkError

ATTRIBUTES: Final = ("attr", "sinc", "intel", "fun", "amb", "shar")
TRAITS: Final = ATTRIBUTES[:5]
ACTIVITIES: Final = (
    "sports", "tvsports", "exercise", "dining", "museums", "art", "hiking", "gaming", "clubbing",
    "reading", "tv", "theater", "movies", "concerts", "music", "shopping", "yoga",
)  # fmt: skip


class Moment(Enum):
    """When a column is known. Only the first three may ever be a feature, and `DATE` only of
    dates that ended before the one that is foretold began."""

    SIGN_UP = "answered at sign-up, before the evening"
    PLAN = "part of the evening's plan: who meets whom when"
    DATE = "recorded right after this date"
    LATER = "recorded half-way, at the end of the evening, or later"
    WITHHELD = "known before, but sensitive or a close proxy: never a feature"


class LeakError(SoulLinkError):
    """A feature asked for what is not known at its moment. A bug, never the user's doing."""

    code = "leak"


def _table() -> dict[str, Moment]:
    table: dict[str, Moment] = {}

    def declare(moment: Moment, *names: str) -> None:
        for name in names:
            if name in table:
                raise ValueError(f"{name} is declared twice")
            table[name] = moment

    declare(Moment.PLAN, "iid", "pid", "id", "idg", "partner", "gender", "wave", "condtn", "round")
    declare(Moment.PLAN, "order", "position", "positin1")
    declare(Moment.SIGN_UP, "age", "field_cd", "goal", "date", "go_out", "exphappy", "expnum")
    declare(Moment.SIGN_UP, "field", "career", "career_c", *ACTIVITIES)
    for wave_of_questions in ("1_1", "2_1", "4_1"):
        declare(Moment.SIGN_UP, *(f"{name}{wave_of_questions}" for name in ATTRIBUTES))
    for wave_of_questions in ("3_1", "5_1"):
        declare(Moment.SIGN_UP, *(f"{name}{wave_of_questions}" for name in TRAITS))
    # Sums of the partner's answers in our own row; they are read from the partner's row instead.
    declare(Moment.SIGN_UP, "int_corr", "age_o")
    declare(Moment.SIGN_UP, "pf_o_att", "pf_o_sin", "pf_o_int", "pf_o_fun", "pf_o_amb", "pf_o_sha")
    # Who had met before was asked on the scorecard, after the date.
    scorecard = ("dec", *ATTRIBUTES, "like", "prob", "met")
    declare(Moment.DATE, *scorecard, "match")
    declare(Moment.DATE, *(f"{name}_o" for name in scorecard if name != "shar"), "shar_o")
    declare(Moment.WITHHELD, "race", "race_o", "samerace", "imprace", "imprelig", "from")
    declare(Moment.WITHHELD, "zipcode", "income", "undergra", "mn_sat", "tuition")
    declare(Moment.LATER, "match_es", "satis_2", "length", "numdat_2")
    declare(Moment.LATER, "you_call", "them_cal", "date_3", "numdat_3", "num_in_3")
    for name in ATTRIBUTES:
        kinds = ("1_s", "1_2", "2_2", "4_2", "7_2", "1_3", "2_3", "4_3", "7_3")
        declare(Moment.LATER, *(f"{name}{kind}" for kind in kinds))
    for name in TRAITS:
        declare(Moment.LATER, *(f"{name}{kind}" for kind in ("3_s", "3_2", "5_2", "3_3", "5_3")))
    return table


MOMENTS: Final = _table()
"""Every column of the file and when it is known."""


def require(name: str, *allowed: Moment) -> None:
    """Raise LeakError unless the column `name` is known at one of the moments `allowed`."""
    moment = MOMENTS.get(name)
    if moment not in allowed:
        known = "is not declared" if moment is None else f"is {moment.value}"
        raise LeakError(f"The column {name} {known}, so it cannot be used here.")
