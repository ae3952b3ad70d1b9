"""Reads the Columbia speed dates for an audit: dates and answers as the models read them, and race.

Race is read here alone, for the groups of the audit. Features are those of
`soullink_ml.features.registry`, which withholds race and its close proxies.
"""

import csv
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from soullink.kernel.errors import InvalidInputError
from soullink_ml.datasets import speed_dates
from soullink_ml.fairness.dates import Dates
from soullink_ml.features import sign_up
from soullink_ml.features.registry import PAIR, PERSON

RACES: Final[Mapping[str, str]] = {
    "1": "black",
    "2": "white",
    "3": "latino",
    "4": "asian",
    "5": "native",
    "6": "other",
}
"""Codes of the data key."""
GENDERS: Final = ("woman", "man")
PERSON_FEATURES: Final = ("man", *(feature.name for feature in PERSON))
PAIR_FEATURES: Final = tuple(feature.name for feature in PAIR if "order" not in feature.columns)
"""What is known of two people before it is known when in the evening they meet."""


def read(path: Path) -> Dates:
    """Read one file of dates. Raises InvalidInputError where it is not such a file."""
    source = speed_dates.read(path)  # says what is wrong with it
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != source.digest:
        raise InvalidInputError(f"{path} was changed while it was read; try again.")
    rows = list(csv.DictReader(content.decode("latin-1").splitlines()))
    if "race" not in rows[0]:
        raise InvalidInputError(f"{path.name} has no column race, which the audit compares by.")
    return of_source(source, _races(rows))


def of_source(source: speed_dates.SpeedDates, races: Sequence[str]) -> Dates:
    """Return the dates that both people told of. races: of every person of `source`.

    Raises InvalidInputError where there are none.
    """
    kept = np.flatnonzero(source.listed & source.listed[source.reverse])
    if not kept.size:
        raise InvalidInputError("The file holds no date that both people told of.")
    row_at = np.full(source.decider.size, speed_dates.NOBODY)
    row_at[kept] = np.arange(kept.size)
    people = np.unique(source.decider[kept])
    person_at = np.full(source.people, speed_dates.NOBODY)
    person_at[people] = np.arange(people.size)
    genders = tuple(GENDERS[int(source.man[person])] for person in people)
    named = tuple(races[person] for person in people)
    pair = sign_up.pair(source)[kept]
    before = [index for index, feature in enumerate(PAIR) if feature.name in PAIR_FEATURES]
    return Dates(
        viewer=person_at[source.decider[kept]],
        shown=person_at[source.about[kept]],
        said_yes=source.decision[kept],
        reverse=row_at[source.reverse[kept]],
        wave=source.wave[people],
        side=source.man[people].astype(np.int64),
        groups={
            "gender": genders,
            "race": named,
            "race x gender": tuple(
                f"{race} {gender}" if race else ""
                for race, gender in zip(named, genders, strict=True)
            ),
        },
        person_features=np.column_stack([source.man, sign_up.raw(source)])[people],
        pair_features=pair[:, before],
        source=source,
        source_rows=kept,
    )


def _races(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the race of every person in the order of `SpeedDates`: as they first come up."""
    found: dict[str, str] = {}
    for row in rows:
        decider, about = _code(row["iid"]), _code(row["pid"])
        # Whoever is met but handed in no sheet has neither a number nor a race.
        about = about or f"{row['wave']} {row['gender']} {row.get('partner')}"
        found[decider] = RACES.get(_code(row["race"]), "")
        found.setdefault(about, "")
    return list(found.values())


def _code(text: str | None) -> str:
    return (text or "").strip().removesuffix(".0")
