"""What has been lived of a screening, in files, so that the same command goes on from there.

Every part is written aside, flushed to the disk and renamed, so that it is there whole or not at
all; its name carries the pairs in it and a checksum, so that a damaged one is lived again.
"""

import errno
import fcntl
import json
import os
import re
import shutil
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from soullink.kernel.canonical import canonical_json
from soullink.kernel.errors import UnavailableError
from soullink.modules.simulation.domain.screening import NUMBERS, NumberArray
from soullink.modules.simulation.screening.api import (
    ScreeningConflictError,
    UnusableScreeningError,
)

MANIFEST: Final = "manifest.json"
_NAME: Final = re.compile(r"part-(\d{1,12})-(\d{1,12})-([0-9a-f]{8})\.bin")
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class Part:
    """Pairs number `start` to `stop`, which is left out, in the file `path`."""

    start: int
    stop: int
    path: Path


class Parts:
    """The folder of parts of one screening; nobody else may have it meanwhile."""

    def __init__(self, folder: Path, found: list[Part]) -> None:
        self.folder = folder
        self._found = {part.start: part for part in found}

    @property
    def done(self) -> int:
        """Return how many pairs are in parts."""
        return sum(part.stop - part.start for part in self._found.values())

    def missing(self, count: int) -> list[tuple[int, int]]:
        """Return (start, stop) of what is not there yet of `count` pairs, in order."""
        gaps: list[tuple[int, int]] = []
        place = 0
        for start in sorted(self._found):
            if start > place:
                gaps.append((place, start))
            place = self._found[start].stop
        return [*gaps, (place, count)] if place < count else gaps

    def add(self, start: int, rows: NumberArray) -> None:
        """Keep rows of the pairs from number `start` on; durable when this returns."""
        content = rows.tobytes()
        name = f"part-{start:012d}-{start + rows.size:012d}-{zlib.crc32(content):08x}.bin"
        path = self.folder / name
        write_durably(path, content)
        self._found[start] = Part(start, start + rows.size, path)

    def rows(self) -> Iterator[NumberArray]:
        """Yield all that is there, in the order of the pairs."""
        for start in sorted(self._found):
            yield np.frombuffer(self._found[start].path.read_bytes(), dtype=NUMBERS)

    def remove(self) -> None:
        """Remove the folder with everything in it."""
        shutil.rmtree(self.folder)


def folder_of(out: Path) -> Path:
    """Return where the parts of the file `out` are kept."""
    return out.with_name(out.name + ".parts")


@contextmanager
def open_parts(out: Path, identity: Mapping[str, Any]) -> Iterator[Parts]:
    """Yield the parts of `out`, begun or continued.

    Raises ScreeningConflictError when they belong to another `identity` or are in use.
    """
    folder = folder_of(out)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ScreeningConflictError(
                f"Another process screens into {out}; wait, or choose another --out."
            ) from error
        with writing(folder):
            _check(folder, identity)
            found = _found(folder)
        yield Parts(folder, found)
    finally:
        os.close(lock)


def _check(folder: Path, identity: Mapping[str, Any]) -> None:
    path = folder / MANIFEST
    if not path.exists():
        if any(not file.name.startswith(".") for file in folder.iterdir()):
            raise ScreeningConflictError(
                f"{folder} holds something unknown; remove it, or choose another --out."
            )
        write_durably(path, canonical_json(identity))
        return
    try:
        known = json.loads(path.read_bytes())
    except ValueError as error:
        raise ScreeningConflictError(
            f"{path} cannot be read; choose another --out, or remove {folder} to begin anew."
        ) from error
    refuse_other(known, identity, f"What is in {folder} was begun with", "to go on")


def refuse_other(known: object, wanted: Mapping[str, Any], where: str, goal: str) -> None:
    """Raise ScreeningConflictError, which names what differs, unless both say the same."""
    there = known if isinstance(known, dict) else {}
    changed = sorted(key for key in {*there, *wanted} if there.get(key) != wanted.get(key))
    if changed:
        raise ScreeningConflictError(
            f"{where} other settings ({', '.join(changed)}); give the same command {goal}, or "
            "choose another --out."
        )


def _found(folder: Path) -> list[Part]:
    """Return the parts that are whole; what a killed process or a bad disk left is removed."""
    kept: list[Part] = []
    place = 0
    for path in sorted(file for file in folder.iterdir() if file.name.lstrip(".")[:5] == "part-"):
        name = _NAME.fullmatch(path.name)
        if name is not None:
            start, stop = int(name[1]), int(name[2])
            content = path.read_bytes()
            whole = len(content) == (stop - start) * NUMBERS.itemsize
            if whole and start >= place and f"{zlib.crc32(content):08x}" == name[3]:
                kept.append(Part(start, stop, path))
                place = stop
                continue
        path.unlink()
    return kept


def write_durably(path: Path, content: bytes) -> None:
    """Write a file so that after a power cut it is there whole or not at all."""
    beside = path.with_name(f".{path.name}")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    rename_durably(beside, path)


def rename_durably(old: Path, new: Path) -> None:
    """Rename a file, and see that the disk knows of it."""
    old.replace(new)
    folder = os.open(new.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some file systems cannot flush a folder
            os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what can go wrong with a file of the caller's choice into one sentence."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        if error.errno in _FULL:
            raise UnavailableError(
                f"{where} cannot be written, because the disk is full; make room, and the same "
                "command goes on."
            ) from error
        raise UnusableScreeningError(
            f"{where} cannot be used: {error.strerror or error}."
        ) from error
