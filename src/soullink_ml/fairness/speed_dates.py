"""Reads the Columbia speed dates for an audit: sign-up answers, decisions, gender, race.

Columns as in the data key of Fisman, Iyengar, Kamenica & Simonson (2006). Race is read for the
groups of the audit and goes into no feature. Left out of the features as close proxies of race or
of religion: imprace, imprelig, from, zipcode, income, undergra, mn_sat, tuition, samerace.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from soullink.kernel.errors import InvalidInputError
from soullink_ml.fairness.dates import Dates
from soullink_ml.fairness.resampling import FloatArray

RACES: Final[Mapping[str, str]] = {
    "1": "black",
    "2": "white",
    "3": "latino",
    "4": "asian",
    "5": "native",
    "6": "other",
}
GENDERS: Final = ("woman", "man")
INTERESTS: Final = (
    "sports", "tvsports", "exercise", "dining", "museums", "art", "hiking", "gaming", "clubbing",
    "reading", "tv", "theater", "movies", "concerts", "music", "shopping", "yoga",
)  # fmt: skip
TRAITS: Final = ("attr", "sinc", "intel", "fun", "amb")
WANTS: Final = (*(f"{trait}1_1" for trait in TRAITS), "shar1_1")
SELF: Final = tuple(f"{trait}3_1" for trait in TRAITS)
NUMBERS: Final = ("age", "date", "go_out", "exphappy", *INTERESTS, *SELF)
FIELDS: Final = ("1", "3", "5", "8", "9", "10", "11", "13")
CAREERS: Final = ("1", "2", "4", "6", "7", "9", "11")
GOALS: Final = ("1", "2", "3", "4")
NEEDED: Final = (
    "iid", "pid", "wave", "gender", "race", "dec", "field_cd", "career_c", "goal",
    *NUMBERS, *WANTS,
)  # fmt: skip
FEATURES: Final = (
    "gender", *NUMBERS, *WANTS,
    *(f"field_{code}" for code in FIELDS),
    *(f"career_{code}" for code in CAREERS),
    *(f"goal_{code}" for code in GOALS),
)  # fmt: skip
"""What is known of a person from sign-up, in the order of the columns of `person_features`."""


def read(path: Path) -> Dates:
    """Read one file of dates. Errors: InvalidInputError where it is not such a file."""
    return from_rows(_rows(path), path.name)


def from_rows(rows: Sequence[Mapping[str, str]], name: str) -> Dates:
    """Return the dates whose both directions are in `rows`; single directions are left out."""
    try:
        decided = {
            (code(row["iid"]), code(row["pid"])): float(row["dec"]) for row in rows if row["pid"]
        }
    except ValueError:
        raise InvalidInputError(f"A decision (dec) in {name} is not a number.") from None
    pairs = [pair for pair in decided if pair[::-1] in decided]
    if not pairs:
        raise InvalidInputError(f"{name} holds no date that both people decided about.")
    if not set(decided.values()) <= {0.0, 1.0}:
        raise InvalidInputError(f"A decision (dec) in {name} is neither 0 nor 1.")
    answers = {code(row["iid"]): row for row in rows}
    people = sorted({one for one, _ in pairs}, key=lambda one: (len(one), one))
    place = {one: index for index, one in enumerate(people)}
    row_of = {pair: index for index, pair in enumerate(pairs)}
    genders = tuple(_gender(answers[one]) for one in people)
    features = np.array([_features(answers[one]) for one in people])
    viewer = np.array([place[a] for a, _ in pairs], dtype=np.int64)
    shown = np.array([place[b] for _, b in pairs], dtype=np.int64)
    races = tuple(RACES.get(code(answers[one]["race"]), "") for one in people)
    return Dates(
        viewer=viewer,
        shown=shown,
        said_yes=np.array([decided[pair] for pair in pairs]),
        reverse=np.array([row_of[pair[::-1]] for pair in pairs], dtype=np.int64),
        wave=np.array([int(code(answers[one]["wave"])) for one in people], dtype=np.int64),
        side=np.array([GENDERS.index(gender) for gender in genders], dtype=np.int64),
        groups={
            "gender": genders,
            "race": races,
            "race x gender": tuple(
                f"{race} {gender}" if race else ""
                for race, gender in zip(races, genders, strict=True)
            ),
        },
        person_features=features,
        pair_features=pair_features(features, viewer, shown),
    )


def pair_features(people: FloatArray, viewer: np.ndarray, shown: np.ndarray) -> FloatArray:
    """Return what is known of two people together (rows, 3 + traits), NaN unknown.

    Age difference and its size, likeness of interests (Pearson's r), and for each trait the
    weight that the viewer gives it times how the one shown sees themselves in it.
    """
    at = {name: index for index, name in enumerate(FEATURES)}
    seen, seer = people[shown], people[viewer]
    difference = seen[:, at["age"]] - seer[:, at["age"]]
    interests = [at[name] for name in INTERESTS]
    a, b = (
        values - values.mean(axis=1, keepdims=True)
        for values in (seer[:, interests], seen[:, interests])
    )
    spread = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    likeness = np.where(spread > 0, (a * b).sum(axis=1) / np.where(spread > 0, spread, 1), np.nan)
    wanted = [seer[:, at[f"{trait}1_1"]] * (seen[:, at[f"{trait}3_1"]] - 7.0) for trait in TRAITS]
    return np.stack([difference, np.abs(difference), likeness, *wanted], axis=1)


def code(text: str) -> str:
    """Return a whole number as the file has it ("4.0", "4") as "4"."""
    return text.strip().removesuffix(".0")


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="latin-1", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
            if missing:
                raise InvalidInputError(
                    f"{path.name} is no file of speed dates: it has no column {missing[0]}."
                )
            return list(reader)
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}.") from error
    except csv.Error as error:
        raise InvalidInputError(f"{path.name} is not a CSV file: {error}.") from error


def _gender(row: Mapping[str, str]) -> str:
    found = code(row["gender"])
    if found not in {"0", "1"}:
        raise InvalidInputError(f"Person {row['iid']} has no gender 0 or 1, which the audit needs.")
    return GENDERS[int(found)]


def _features(row: Mapping[str, str]) -> list[float]:
    wants = np.array([_number(row[name]) for name in WANTS])
    total = np.nansum(wants)
    # Waves 6 to 9 answered on a scale of 1 to 10, the others shared out 100 points.
    shares = wants / total if total > 0 else np.full(wants.size, np.nan)
    return [
        float(code(row["gender"])),
        *(_number(row[name]) for name in NUMBERS),
        *(float(share) for share in shares),
        *_flags(row["field_cd"], FIELDS),
        *_flags(row["career_c"], CAREERS),
        *_flags(row["goal"], GOALS),
    ]


def _number(text: str) -> float:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return float("nan")


def _flags(text: str, codes: Sequence[str]) -> list[float]:
    found = code(text)
    return [float(found == one) if found else float("nan") for one in codes]
