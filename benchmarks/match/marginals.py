"""How often what is stated on OkCupid, by sex: counts, from the data set or as kept here.

Kim & Escobedo-Land (2015), "OkCupid data for introductory statistics and data science courses",
Journal of Statistics Education 23(2), as revised in 2021: 59,946 profiles of San Francisco and
around, June 2012. The counts in marginals.json were made by `count` from its file
profiles_revised.csv; a test makes them anew where the file is. No row of it is here.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Final, TypeAlias

from soullink.modules.profiles.wiring import build

Marginals: TypeAlias = dict[str, dict[str, dict[str, int]]]
"""Counts by sex ("female", "male"), column and code; the code "" is unknown."""

_KEPT: Final = Path(__file__).with_name("marginals.json")

COLUMNS: Final = (
    "age",
    "interested_in",
    "smoking",
    "drinking",
    "religion",
    "children",
    "has_children",
    "spanish",
    "french",
    "chinese",
)


def count(path: Path) -> Marginals:
    """Return the counts of adults in the file, read by the importer that members come in by."""
    counts: dict[str, dict[str, Counter[str]]] = {
        sex: {column: Counter() for column in COLUMNS} for sex in ("female", "male")
    }
    for person in build().import_people(path, "okcupid"):
        spoken = " ".join(person.languages).lower()
        has = person.has_children
        codes = {
            "age": str(person.age),
            "interested_in": "+".join(person.interested_in),
            "smoking": person.smoking or "",
            "drinking": person.drinking or "",
            "religion": person.religion or "",
            "children": person.wants.children or "",
            "has_children": "" if has is None else str(has).lower(),
            **{name: str(name in spoken).lower() for name in ("spanish", "french", "chinese")},
        }
        for column, code in codes.items():
            counts[str(person.sex)][column][code] += 1
    return {
        sex: {column: dict(sorted(found.items())) for column, found in columns.items()}
        for sex, columns in counts.items()
    }


def shipped() -> Marginals:
    """Return the counts that are kept beside this file."""
    kept: Marginals = json.loads(_KEPT.read_text(encoding="utf-8"))
    return kept
