"""Finds people by what somebody typed: a file, or an id in a folder of profiles."""

import unicodedata
from collections.abc import Mapping
from pathlib import Path

from soullink import bootstrap
from soullink.entrypoints.cli.text import shortened
from soullink.kernel.errors import InvalidInputError
from soullink.modules.profiles.api import PersonNotFoundError, Profile, ids_by_source

PROFILE_SUFFIXES = (".yaml", ".yml", ".json")


def known_people(place: Path | None) -> Mapping[str, Profile]:
    """Return the people in `place` by id, and by their id in the system they come from.

    Raises InvalidProfileError, DuplicatePersonError.
    """
    if place is None:
        return {}
    people = {str(person.id): person for person in bootstrap.build_profiles().load_all(place)}
    sources = ids_by_source(people.values())
    return {**{source: people[str(key)] for source, key in sources.items()}, **people}


def find_person(text: str, known: Mapping[str, Profile], beside: Path | None = None) -> Profile:
    """Return the person that `text` means: somebody known, or a profile's file.

    beside: folder that relative paths are also looked up in.
    Raises InvalidProfileError, PersonNotFoundError, InvalidInputError.
    """
    key = unicodedata.normalize("NFC", text)  # as ids are kept
    if key in known:
        return known[key]
    path = Path(text).expanduser()
    if beside is not None and not path.is_absolute() and not path.exists():
        path = beside / path
    looks_like_file = path.suffix.lower() in PROFILE_SUFFIXES or "/" in text or path.exists()
    if looks_like_file:
        return bootstrap.build_profiles().load(path)
    if not text.strip():
        raise InvalidInputError("A person has no name here; give a profile or an id.")
    if known:
        raise PersonNotFoundError(
            f"Nobody has the id {shortened(text)!r}; `soullink people list` shows who is there."
        )
    raise PersonNotFoundError(
        f"{shortened(text)!r} is no profile's file (.yaml or .json); to use ids, say where with "
        "--people."
    )
