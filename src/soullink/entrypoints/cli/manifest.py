"""What has become of each pair so far, in a file, so that the same command goes on."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from soullink.entrypoints.cli.opening import writing
from soullink.entrypoints.cli.pairs import Pair
from soullink.kernel.canonical import canonical_json
from soullink.kernel.errors import ConflictError
from soullink.kernel.ids import RunId, new_uuid7

NAME: Final = "manifest.json"
FORMAT: Final = "soullink.pairs/1"


@dataclass(slots=True)
class Manifest:
    """The pairs of one folder. rows: what came of a pair, by its number; runs: their ids."""

    folder: Path
    settings: Mapping[str, Any]
    runs: dict[int, RunId] = field(default_factory=dict)
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)

    def run_id(self, pair: Pair) -> RunId:
        """Return the id of the pair's run, decided and on disk before the run begins."""
        if pair.number not in self.runs:
            self.runs[pair.number] = RunId(new_uuid7())
            self.save()
        return self.runs[pair.number]

    def is_finished(self, pair: Pair) -> bool:
        """Return whether the pair was lived to its end and its report is still there."""
        row = self.rows.get(pair.number)
        if row is None or row["status"] != "finished":
            return False
        return (self.folder / pair.folder / "report.json").is_file()

    def record(self, pair: Pair, row: dict[str, Any]) -> None:
        """Keep what came of the pair, on disk."""
        self.rows[pair.number] = row
        self.save()

    def save(self) -> None:
        """Write the file atomically."""
        document = {
            "format": FORMAT,
            "settings": dict(self.settings),
            "runs": {str(number): str(run) for number, run in sorted(self.runs.items())},
            "rows": [self.rows[number] for number in sorted(self.rows)],
        }
        path = self.folder / NAME
        beside = path.with_name(f".{NAME}.{os.getpid()}")
        with writing(self.folder):
            beside.write_text(json.dumps(document, ensure_ascii=False, indent=1), "utf-8")
            beside.replace(path)


def settings_of(pairs: Sequence[Pair], wishes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must be the same for a folder to be continued: the wishes and who is in it."""
    who = [
        [pair.number, *([str(p.id) for p in pair.people] if pair.people else pair.names)]
        for pair in pairs
    ]
    return {**wishes, "pairs": hashlib.sha256(canonical_json(who)).hexdigest()[:16]}


@contextmanager
def open_manifest(folder: Path, settings: Mapping[str, Any]) -> Iterator[Manifest]:
    """Yield the manifest of `folder`, begun or continued; nobody else may have it meanwhile.

    Raises ConflictError when the folder holds pairs with other settings, or is in use.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / f".{NAME}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConflictError(
                f"Another process lives pairs in {folder}; wait, or choose another --out."
            ) from error
        yield _read(folder, settings)
    finally:
        os.close(lock)


def _read(folder: Path, settings: Mapping[str, Any]) -> Manifest:
    path = folder / NAME
    if not path.exists():
        return Manifest(folder, settings)
    try:
        document = json.loads(path.read_text("utf-8"))
        known = document["settings"]
        runs = {int(number): RunId(UUID(run)) for number, run in document["runs"].items()}
        rows = {int(row["number"]): dict(row) for row in document["rows"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConflictError(
            f"{path} cannot be read; choose another --out, or remove it to begin anew."
        ) from error
    changed = sorted(key for key in {*known, *settings} if known.get(key) != settings.get(key))
    if changed:
        raise ConflictError(
            f"{folder} holds pairs that were begun with other settings ({', '.join(changed)}); "
            "give the same options to continue, or choose another --out."
        )
    return Manifest(folder, settings, runs, rows)
