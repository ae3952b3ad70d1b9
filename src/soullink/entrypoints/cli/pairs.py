"""Reads a list of pairs: JSONL, CSV or YAML, two people each."""

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from soullink.entrypoints.cli.persons import find_person
from soullink.entrypoints.cli.text import printable
from soullink.kernel.errors import InvalidInputError, SoulLinkError
from soullink.modules.profiles.api import Profile

KEYS: tuple[tuple[str, str], ...] = (
    ("first", "second"),
    ("a", "b"),
    ("agent1_id", "agent2_id"),  # SOTOPIA (Zhou et al. 2024), relationship_profiles.jsonl
)
_MOST_BYTES = 20_000_000
_MOST_PAIRS = 100_000


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people to be simulated.

    number: from 1, in the order of the file. where: for errors. relationship: what the file says
    they are to each other, a label that is only passed on. people: None where `error` says why.
    """

    number: int
    where: str
    names: tuple[str, str]
    relationship: str
    people: tuple[Profile, Profile] | None
    error: str | None

    @property
    def folder(self) -> str:
        """Return the name of this pair's folder: its number and both ids."""
        ids = self.names if self.people is None else tuple(str(p.id) for p in self.people)
        words = "-".join(re.sub(r"[^\w-]+", "_", name)[:40] for name in ids)
        return f"{self.number:04d}-{words}"


def read_pairs(path: Path, known: Mapping[str, Profile]) -> list[Pair]:
    """Return the pairs in `path`; one whose people cannot be read carries the error.

    Raises InvalidInputError when the file is no list of pairs, or none of them can be lived.
    """
    pairs = [
        _pair(number, where, row, known, path.parent)
        for number, (where, row) in enumerate(_rows(path), start=1)
    ]
    if not pairs:
        raise InvalidInputError(f"{path.name} holds no pair; write two people a line.")
    if all(pair.people is None for pair in pairs):
        raise InvalidInputError(f"No pair can be lived. {pairs[0].error}")
    return pairs


def count_repeated(pairs: Sequence[Pair]) -> int:
    """Return how many pairs name two people whom an earlier pair names, in either order."""
    who = [frozenset(str(p.id) for p in pair.people) for pair in pairs if pair.people is not None]
    return len(who) - len(set(who))


def _pair(number: int, where: str, row: object, known: Mapping[str, Profile], folder: Path) -> Pair:
    first, second, relationship = _names(row, where)
    names = (first, second)
    try:
        people = (find_person(first, known, folder), find_person(second, known, folder))
    except SoulLinkError as error:
        return Pair(number, where, names, relationship, None, f"{where}: {error}")
    if people[0].id == people[1].id:
        same = f"{where}: both people have the id {str(people[0].id)!r}."
        return Pair(number, where, names, relationship, None, same)
    return Pair(number, where, names, relationship, people, None)


def _names(row: object, where: str) -> tuple[str, str, str]:
    if isinstance(row, list) and len(row) == 2 and all(isinstance(name, str) for name in row):
        return row[0].strip(), row[1].strip(), ""
    if isinstance(row, dict):
        for keys in KEYS:
            if all(isinstance(row.get(key), str) for key in keys):
                relationship = row.get("relationship")
                return (
                    row[keys[0]].strip(),
                    row[keys[1]].strip(),
                    "" if relationship is None else printable(str(relationship)[:100]).strip(),
                )
    known = ", ".join(f"{first} and {second}" for first, second in KEYS)
    raise InvalidInputError(
        f"{where}: a pair is a list of two, or has {known}, each an id or a profile's file."
    )


def _rows(path: Path) -> Iterator[tuple[str, object]]:
    """Yield (where, plain data) for every entry of the file."""
    readers = {
        ".jsonl": _of_json_lines,
        ".csv": _of_csv,
        ".yaml": _of_yaml,
        ".yml": _of_yaml,
        ".json": _of_yaml,  # every JSON text is YAML
    }
    if path.is_dir():
        raise InvalidInputError(f"{path} is a folder; name the list of pairs.")
    if not path.exists():
        raise InvalidInputError(f"{path} does not exist; check the path.")
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InvalidInputError(f"{path.name}: pairs are in a .jsonl, .csv, .yaml or .json file.")
    rows = reader(_text(path), path.name)
    for number, row in enumerate(rows, start=1):
        if number > _MOST_PAIRS:
            raise InvalidInputError(f"{path.name} holds more than {_MOST_PAIRS} pairs; split it.")
        yield row


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidInputError(f"{path.name} is larger than 20 MB; split it.")
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path.name} is not UTF-8; save it with this encoding.") from error


def _of_json_lines(text: str, name: str) -> Iterator[tuple[str, object]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        try:
            yield where, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(f"{where} is not JSON; correct it.") from error


def _of_csv(text: str, name: str) -> Iterator[tuple[str, object]]:
    try:
        rows = [row for row in csv.reader(text.splitlines()) if any(map(str.strip, row))]
    except csv.Error as error:
        raise InvalidInputError(f"{name} is not CSV ({error}); correct it.") from error
    heading = [word.strip() for word in rows[0]] if rows else []
    titled = any(set(keys) <= set(heading) for keys in KEYS)
    for number, row in enumerate(rows[1:] if titled else rows, start=2 if titled else 1):
        where = f"{name}, row {number}"
        yield where, dict(zip(heading, row, strict=False)) if titled else row


def _of_yaml(text: str, name: str) -> Iterator[tuple[str, object]]:
    try:
        data: Any = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidInputError(f"{name} is not YAML; correct it.") from error
    if isinstance(data, dict) and isinstance(data.get("pairs"), list):
        data = data["pairs"]
    if not isinstance(data, list):
        raise InvalidInputError(f"{name}: write a list of pairs.")
    for number, row in enumerate(data, start=1):
        yield f"{name}, entry {number}", row
