"""Reads the people of SOTOPIA (Zhou et al. 2024), agent_profiles.jsonl, one object a line."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from soullink.modules.profiles.api import SCHWARTZ_VALUES, InvalidProfileError
from soullink.modules.profiles.domain import clean_line, nearest, slug
from soullink.modules.profiles.reading import read_lines

_DOMAIN_WORDS = {
    "openness to experience": "openness",
    "openness": "openness",
    "conscientiousness": "conscientiousness",
    "extraversion": "extraversion",
    "agreeableness": "agreeableness",
    "neuroticism": "neuroticism",
}

_VALUE_SYNONYMS = {"obedience": "conformity"}
"""Obedience is one of the items of conformity in Schwartz (1992)."""

_ESSAYS = {
    "about": "public_info",
    "character": "personality_and_values",
    "decisions": "decision_making_style",
    "moral values": "moral_values",
}


def read_people(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield (where, document) for each person. Raises InvalidProfileError for a bad line.

    The id is made of first and last name; a second bearer of a name gets -2, and so on, in the
    order of the file. Gender is not copied to `sex`, which a SOTOPIA profile does not state.
    """
    taken: dict[str, int] = {}
    for where, row in read_lines(path):
        names = [_word(row, "first_name", where), _word(row, "last_name", where)]
        name = " ".join(part for part in names if part)
        if not name:
            raise InvalidProfileError(f"{where}: 'first_name' is missing; add it.")
        key = slug(name)
        taken[key] = taken.get(key, 0) + 1
        document: dict[str, object] = {
            "id": key if taken[key] == 1 else f"{key}-{taken[key]}",
            "name": name,
            "language": "en",
            "age": row.get("age"),
            "pronouns": _word(row, "gender_pronoun", where),
            "occupation": _word(row, "occupation", where),
            "essays": _essays(row, where),
            "source_id": _word(row, "agent_id", where) or None,
        }
        levels, values = _levels(row, where), _values(row, where)
        secret = _word(row, "secret", where)
        if levels:
            document["traits"] = {"levels": levels}
        if values:
            document["values"] = values
        if secret:
            document["secrets"] = [secret]
        yield where, document


def _word(row: Mapping[str, Any], key: str, where: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidProfileError(f"{where}: '{key}' must be text.")
    return clean_line(value)


def _list(row: Mapping[str, Any], key: str, where: str) -> list[str]:
    value = row.get(key) or []
    if not isinstance(value, list) or any(not isinstance(entry, str) for entry in value):
        raise InvalidProfileError(f"{where}: '{key}' must be a list of words.")
    return [word for word in map(clean_line, value) if word]


def _essays(row: Mapping[str, Any], where: str) -> dict[str, str]:
    essays: dict[str, str] = {}
    for title, key in _ESSAYS.items():
        listed = isinstance(row.get(key), list)
        text = ", ".join(_list(row, key, where)) if listed else _word(row, key, where)
        if text:
            essays[title] = text
    return essays


def _levels(row: Mapping[str, Any], where: str) -> dict[str, str]:
    levels: dict[str, str] = {}
    for part in _word(row, "big_five", where).split(";"):
        if not part.strip():
            continue
        trait, _, level = (piece.strip().lower() for piece in part.rpartition(" - "))
        domain = _DOMAIN_WORDS.get(trait)
        if domain is None or level not in ("low", "average", "high"):
            raise InvalidProfileError(
                f"{where}: 'big_five' holds '{part.strip()[:40]}'; "
                "write a trait and a level such as 'Neuroticism - Low'."
            )
        levels[domain] = level
    return levels


def _values(row: Mapping[str, Any], where: str) -> list[str]:
    values: list[str] = []
    for word in _list(row, "schwartz_personal_values", where):
        name = re.sub(r"[\s-]+", "_", word.lower())
        name = _VALUE_SYNONYMS.get(name, name)
        if name not in SCHWARTZ_VALUES:
            meant = nearest(name, SCHWARTZ_VALUES)
            hint = f"did you mean '{meant}'?" if meant else "it takes Schwartz's ten values."
            raise InvalidProfileError(
                f"{where}: 'schwartz_personal_values' holds '{word[:40]}'; {hint}"
            )
        if name not in values:
            values.append(name)
    return values
