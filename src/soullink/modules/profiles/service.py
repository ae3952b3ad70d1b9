"""Reads, checks, writes and imports profiles: one method, one use case."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from soullink.gateways.log import Log
from soullink.kernel.clock import Clock
from soullink.kernel.errors import InvalidInputError, UnavailableError
from soullink.kernel.ids import PersonId
from soullink.modules.profiles import conversion
from soullink.modules.profiles.api import (
    IMPORT_FORMATS,
    Cell,
    DuplicatePersonError,
    InvalidProfileError,
    Profile,
)
from soullink.modules.profiles.domain import MAXIMUM_AGE, MINIMUM_AGE, nearest
from soullink.modules.profiles.places import cell_of_city
from soullink.modules.profiles.reading import (
    JSON_SUFFIXES,
    YAML_SUFFIXES,
    read_document,
    read_lines,
    unreadable,
    write_yaml,
)

_log = Log(__name__)

_Reader: TypeAlias = Callable[[Path], Iterator[tuple[str, dict[str, object]]]]


class FileProfiles:
    """Profiles in files; `clock` tells today's date, which ages are checked against."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def load(self, path: Path) -> Profile:
        return self.from_document(read_document(path), path.name)

    def load_all(self, path: Path) -> list[Profile]:
        if path.suffix.lower() == ".jsonl":
            return _unique(
                (where, self.from_document(document, where)) for where, document in read_lines(path)
            )
        try:
            if not path.is_dir():
                return [self.load(path)]
            files = sorted(
                file
                for file in path.iterdir()
                if file.suffix.lower() in YAML_SUFFIXES + JSON_SUFFIXES and not file.is_dir()
            )
        except OSError as error:
            raise unreadable(path, error) from error
        if not files:
            raise InvalidProfileError(f"{path} holds no profile; add a .yaml or .json file.")
        return _unique((file.name, self.load(file)) for file in files)

    def import_people(
        self, source: Path, format_name: str, limit: int | None = None
    ) -> list[Profile]:
        reader = _readers().get(format_name)
        if reader is None:
            meant = nearest(format_name, IMPORT_FORMATS)
            hint = f"did you mean {meant}?" if meant else f"known are {', '.join(IMPORT_FORMATS)}."
            raise InvalidInputError(f"The format '{format_name}' is not known; {hint}")
        if limit is not None and limit < 1:
            raise InvalidInputError(f"The limit must be at least 1, not {limit}.")
        people: list[tuple[str, Profile]] = []
        left_out = 0
        for where, document in reader(source):
            if len(people) == limit:
                break
            if not _is_adult(document.get("age")):
                left_out += 1
                continue
            people.append((where, self.from_document(document, where)))
        if left_out:
            _log.warning("people_left_out", count=left_out, reason="age outside 18..120")
        if not people:
            raise InvalidProfileError(f"{source.name}: holds nobody of {MINIMUM_AGE} or older.")
        return _unique(people)

    def save(self, profile: Profile, path: Path) -> None:
        document = self.to_document(profile)
        self.from_document(document, f"profile {profile.id}")
        content = write_yaml(document).encode()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_atomically(path, content)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise UnavailableError(
                    f"{path} cannot be written, because the disk is full; make room and try again."
                ) from error
            raise InvalidInputError(
                f"{path} cannot be written: {error.strerror or error}."
            ) from error

    def to_document(self, profile: Profile) -> dict[str, object]:
        return conversion.to_document(profile)

    def from_document(self, document: Mapping[str, object], source: str) -> Profile:
        return conversion.from_document(document, source, self._clock.now().date())

    def cell_of(self, profile: Profile) -> Cell | None:
        if profile.cell is not None or profile.city is None:
            return profile.cell
        return cell_of_city(profile.city)


def _readers() -> Mapping[str, _Reader]:
    # Imported here: a person's own profile needs none of their tables.
    from soullink.modules.profiles import okcupid, sotopia  # noqa: PLC0415

    return {"sotopia": sotopia.read_people, "okcupid": okcupid.read_people}


def _is_adult(age: object) -> bool:
    """Tell whether an imported age may be kept; other systems have minors and jokes (111)."""
    return not isinstance(age, int) or MINIMUM_AGE <= age <= MAXIMUM_AGE


def _unique(people: Iterable[tuple[str, Profile]]) -> list[Profile]:
    found: dict[PersonId, tuple[str, Profile]] = {}
    for where, person in people:
        if person.id in found:
            raise DuplicatePersonError(
                f"The id '{person.id}' is in both {found[person.id][0]} and {where}; "
                "give one of them another 'id'."
            )
        found[person.id] = (where, person)
    return [found[key][1] for key in sorted(found)]


def _write_atomically(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o600)  # a profile holds secrets: readable by its owner only
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
