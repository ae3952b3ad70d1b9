"""Reads the OkCupid profiles of Kim and Escobedo-Land (2015, revised 2021): CSV, or its zip."""

import csv
import html
import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from soullink.modules.profiles.api import InvalidProfileError
from soullink.modules.profiles.domain import clean_line
from soullink.modules.profiles.reading import check_is_file, unreadable

_REQUIRED = ("age", "sex")
_SEXES = {"f": "female", "m": "male", "": None}
_NOT_AN_OCCUPATION = ("", "other", "rather not say")
_SPELLINGS = {"c++": "C++", "lisp": "LISP"}
_PET = re.compile(r"\b(?:likes|has) (dogs|cats)\b")

_CHILDREN = (
    (re.compile(r"^has .*doesn't want more"), "has_and_done"),
    (re.compile(r"^has .*and wants more"), "has_and_wants_more"),
    (re.compile(r"might want"), "open"),
    (re.compile(r"doesn't want (?:kids|any)"), "does_not_want"),
    (re.compile(r"wants (?:kids|them)"), "wants"),
)

_GENDERS = {"f": "woman", "m": "man"}
_OTHER = {"woman": "man", "man": "woman"}
_SMOKES = {
    "no": "never",
    "sometimes": "sometimes",
    "when drinking": "sometimes",
    "trying to quit": "often",
    "yes": "often",
}
_DRINKS = {
    "not at all": "never",
    "rarely": "sometimes",
    "socially": "sometimes",
    "often": "often",
    "very often": "often",
    "desperately": "often",
}
_RELIGIONS = {
    "agnosticism": "agnostic",
    "atheism": "atheist",
    "buddhism": "buddhist",
    "catholicism": "christian",
    "christianity": "christian",
    "hinduism": "hindu",
    "islam": "muslim",
    "judaism": "jewish",
    "other": "other",
}


def read_people(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield (where, document) for each row. Raises InvalidProfileError for a bad row.

    The data set has no names: the row number, from 1, stands for them. Only what a row states is
    kept: education, body, ethnicity and the like have no field in a profile.
    """
    with _open(path) as file:
        reader = csv.DictReader(file)
        try:
            missing = [name for name in _REQUIRED if name not in (reader.fieldnames or ())]
            if missing:
                raise InvalidProfileError(
                    f"{path.name}: the column {missing[0]} is missing; is this the right file?"
                )
            for number, row in enumerate(reader, start=1):
                where = f"{path.name}, row {number}"
                yield where, _document(row, number, where)
        except csv.Error as error:
            raise InvalidProfileError(
                f"{path.name}: line {reader.line_num} is not CSV ({error}); correct it."
            ) from error
        except UnicodeDecodeError as error:
            raise InvalidProfileError(
                f"{path.name}: after line {reader.line_num} it is not UTF-8; convert the file."
            ) from error
        except zipfile.BadZipFile as error:
            raise InvalidProfileError(f"{path.name}: the zip is damaged; copy it again.") from error


@contextmanager
def _open(path: Path) -> Iterator[io.TextIOBase]:
    try:
        check_is_file(path)
        if not zipfile.is_zipfile(path):
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield file
            return
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if len(names) != 1:
                raise InvalidProfileError(
                    f"{path.name}: the zip must hold exactly one .csv file, not {len(names)}."
                )
            if archive.getinfo(names[0]).flag_bits & 0x1:
                raise InvalidProfileError(f"{path.name}: the zip is encrypted; unpack it first.")
            with (
                archive.open(names[0]) as packed,
                io.TextIOWrapper(packed, encoding="utf-8-sig", newline="") as file,
            ):
                yield file
    except OSError as error:
        raise unreadable(path, error) from error


def _document(row: dict[str, str | None], number: int, where: str) -> dict[str, object]:
    def cell(name: str) -> str:
        return clean_line(html.unescape(row.get(name) or "")).replace("\u2019", "'")

    age, sex = cell("age"), cell("sex")
    if None in row or any(value is None for value in row.values()):
        raise InvalidProfileError(f"{where}: the number of columns differs from the first line.")
    if not re.fullmatch(r"[0-9]{1,3}", age):
        raise InvalidProfileError(f"{where}: 'age' must be a whole number, not '{age[:40]}'.")
    if sex not in _SEXES:
        raise InvalidProfileError(f"{where}: 'sex' must be m or f, not '{sex[:40]}'.")
    document: dict[str, object] = {
        "id": f"okcupid-{number:05d}",
        "name": f"OkCupid {number}",
        "language": "en",
        "age": int(age),
        "sex": _SEXES[sex],
        "languages": [_language(part) for part in cell("speaks").split(",") if part.strip()],
        "interests": list(dict.fromkeys(_PET.findall(cell("pets")))),
        "source_id": str(number),
    }
    document.update(_matching(sex, cell("orientation"), cell("smokes"), cell("drinks")))
    religion = _RELIGIONS.get(cell("religion").partition(" ")[0])
    if religion is not None:
        document["religion"] = religion
    job, offspring = cell("job"), cell("offspring")
    if job not in _NOT_AN_OCCUPATION:
        document["occupation"] = job
    if offspring:
        document["wants"] = {"children": _children(offspring), "text": offspring}
        if offspring.startswith(("has ", "doesn't have ")):
            document["has_children"] = offspring.startswith("has ")
    return document


def _matching(sex: str, orientation: str, smokes: str, drinks: str) -> dict[str, object]:
    """Return gender, whom the person wants to meet, and habits, as far as they are stated.

    The site knew two genders, in the column `sex`, and suggested people by it and `orientation`.
    """
    document: dict[str, object] = {"smoking": _SMOKES.get(smokes), "drinking": _DRINKS.get(drinks)}
    gender = _GENDERS.get(sex)
    if gender is None:
        return document
    wanted = {
        "straight": [_OTHER[gender]],
        "gay": [gender],
        "bisexual": ["woman", "man"],
    }.get(orientation, [])
    return {**document, "gender": [gender], "interested_in": wanted}


def _language(part: str) -> str:
    word = part.strip()
    return _SPELLINGS.get(word, word[:1].upper() + word[1:])


def _children(offspring: str) -> str | None:
    """Return the wish that a statement about children holds; having some says no wish."""
    return next((wish for pattern, wish in _CHILDREN if pattern.search(offspring)), None)
