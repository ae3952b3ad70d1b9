"""Texts that people agree to: PURPOSE.LANG.vN.md in the folder consents/."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final, cast

import yaml

from soullink.kernel.language import LANGUAGES, Language
from soullink.modules.identity.api import (
    PURPOSES,
    ConsentText,
    InvalidConsentTextError,
    Purpose,
)

_NAME: Final = re.compile(
    rf"(?P<purpose>{'|'.join(PURPOSES)})\.(?P<language>{'|'.join(LANGUAGES)})"
    r"\.v(?P<version>[1-9]\d{0,3})\.md"
)
_FENCE: Final = "---\n"


def read_folder(folder: Path) -> list[ConsentText]:
    """Return the texts in `folder`: every version of every purpose in every language.

    Raises InvalidConsentTextError.
    """
    if not folder.is_dir():
        raise InvalidConsentTextError(f"There is no folder of consent texts {folder}.")
    texts = [_read(path) for path in sorted(folder.iterdir()) if path.suffix == ".md"]
    _check_whole(texts, folder)
    return texts


def _read(path: Path) -> ConsentText:
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise InvalidConsentTextError(
            f"{path} must be called PURPOSE.LANG.vN.md, e.g. matching.en.v1.md."
        )
    try:
        text = path.read_bytes().decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InvalidConsentTextError(f"{path} is not UTF-8 text: {error.reason}.") from error
    head, fence, body = text.removeprefix(_FENCE).partition(f"\n{_FENCE}")
    if not text.startswith(_FENCE) or not fence or not body.strip():
        raise InvalidConsentTextError(
            f"{path} must have a YAML front matter between two '---', and a text below it."
        )
    title, asks_again = _front_matter(head, path)
    body = body.strip()
    return ConsentText(
        purpose=cast("Purpose", match["purpose"]),
        version=int(match["version"]),
        language=cast("Language", match["language"]),
        title=title,
        body=body,
        asks_again=asks_again,
        content_hash=hashlib.sha256(f"{title}\n\n{body}".encode()).hexdigest(),
    )


def _front_matter(head: str, path: Path) -> tuple[str, bool]:
    try:
        document = yaml.safe_load(head)
    except yaml.YAMLError as error:
        raise InvalidConsentTextError(
            f"The front matter of {path} is not YAML: {error}."
        ) from error
    if not isinstance(document, dict) or set(document) != {"title", "asks_again"}:
        raise InvalidConsentTextError(
            f"The front matter of {path} must have exactly title and asks_again."
        )
    title, asks_again = document["title"], document["asks_again"]
    if not isinstance(title, str) or not title.strip() or not isinstance(asks_again, bool):
        raise InvalidConsentTextError(
            f"In {path} the title must be a text, and asks_again true or false."
        )
    return title.strip(), asks_again


def _check_whole(texts: Iterable[ConsentText], folder: Path) -> None:
    """See that versions count from 1 without a gap, and say the same in every language."""
    found: dict[Purpose, dict[int, dict[Language, bool]]] = defaultdict(lambda: defaultdict(dict))
    for text in texts:
        found[text.purpose][text.version][text.language] = text.asks_again
    for purpose in PURPOSES:
        versions = found[purpose]
        if sorted(versions) != list(range(1, len(versions) + 1)) or not versions:
            raise InvalidConsentTextError(
                f"The versions of {purpose} in {folder} must count from 1 without a gap."
            )
        for version, languages in versions.items():
            if set(languages) != set(LANGUAGES) or len(set(languages.values())) != 1:
                raise InvalidConsentTextError(
                    f"{purpose}, version {version}, in {folder} must be there in "
                    f"{' and '.join(LANGUAGES)}, with the same asks_again."
                )
