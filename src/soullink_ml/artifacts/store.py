"""A folder of artifacts: every version kept, one in use by an explicit pointer.

FOLDER/versions/<version>.json   never changed once written
FOLDER/active.json               {"active": version or null, "before": [versions, oldest first]}
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from soullink.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from soullink.modules.matching.domain.interest import artifact

_POINTER: Final = "active.json"
_VERSIONS: Final = "versions"


class ArtifactNotFoundError(NotFoundError):
    """There is no such version, none in use, or none to go back to."""

    code = "artifact_not_found"


@dataclass(frozen=True, slots=True)
class Pointer:
    """active: the version in use. before: those that were in use, oldest first."""

    active: str | None
    before: tuple[str, ...]


class Artifacts:
    """Keeps artifacts in `folder`. Writing is atomic: a crash leaves the old state."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, document: Mapping[str, Any]) -> Path:
        """Keep an artifact; adding it twice does no harm.

        Raises InvalidInterestModelError for a broken one, ConflictError where its version holds
        other bytes.
        """
        version, _ = artifact.read(dict(document), "the artifact")
        path = self._path(version)
        text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        if path.exists():
            if path.read_text(encoding="utf-8") != text:
                raise ConflictError(f"{path} holds another artifact of this version.")
            return path
        _write(path, text)
        return path

    def versions(self) -> list[str]:
        """Return the versions that are kept, by name."""
        return sorted(path.stem for path in (self._folder / _VERSIONS).glob("*.json"))

    def get(self, version: str | None = None) -> dict[str, Any]:
        """Return an artifact; the one in use where `version` is None. Raises
        ArtifactNotFoundError, InvalidInterestModelError."""
        wanted = self.pointer().active if version is None else version
        if wanted is None:
            raise ArtifactNotFoundError(
                f"No version in {self._folder} is in use; name one with --version."
            )
        path = self._path(wanted)
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ArtifactNotFoundError(f"{self._folder} holds no version {wanted}.") from None
        except ValueError as error:
            raise artifact.InvalidInterestModelError(f"{path} is not JSON: {error}.") from error
        artifact.read(document, path.name)
        return dict(document)

    def pointer(self) -> Pointer:
        """Return which version is in use, and which were. Raises InvalidInputError."""
        path = self._folder / _POINTER
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            return Pointer(document["active"], tuple(document["before"]))
        except FileNotFoundError:
            return Pointer(None, ())
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInputError(f"{path} is broken: {error}.") from error

    def activate(self, version: str) -> Pointer:
        """Use `version` from now on. Raises ArtifactNotFoundError."""
        self.get(version)
        now = self.pointer()
        if now.active == version:
            return now
        before = now.before if now.active is None else (*now.before, now.active)
        return self._point(Pointer(version, before))

    def rollback(self, to: str | None = None) -> Pointer:
        """Use the version again that was in use before, or `to`. Raises ArtifactNotFoundError.

        Going back to one forgets those after it, so that another rollback goes on further back.
        """
        now = self.pointer()
        if not now.before:
            raise ArtifactNotFoundError(f"{self._folder} has no version to go back to.")
        wanted = now.before[-1] if to is None else to
        if wanted not in now.before:
            raise ArtifactNotFoundError(f"{wanted} was not in use before; activate it instead.")
        self.get(wanted)
        last = len(now.before) - 1 - now.before[::-1].index(wanted)
        return self._point(Pointer(wanted, now.before[:last]))

    def _point(self, pointer: Pointer) -> Pointer:
        document = {"active": pointer.active, "before": list(pointer.before)}
        _write(self._folder / _POINTER, json.dumps(document, indent=1) + "\n")
        return pointer

    def _path(self, version: str) -> Path:
        if not version or not all(sign.isalnum() or sign == "-" for sign in version):
            raise ArtifactNotFoundError(f"{version!r} is no name of a version.")
        return self._folder / _VERSIONS / f"{version}.json"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.draft")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
