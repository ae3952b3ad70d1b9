"""Authored lines in files: read once, checked, with the place of every mistake.

lines/LANG/ACT.txt has one entry per line, `style | after | where | text`, `#` begins a comment.
Files whose names begin with `_` hold what belongs to no single act:
_facts.txt     `act | style | after | where | text`  more lines, on what people are and have lived
_thoughts.txt  `classes | states | text`  what somebody thinks while acting
_touches.txt   `style | occasion | text`  a short beginning that colours a plain line
_values.txt    `value | text`             noun phrases for Schwartz values
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from soullink.kernel.errors import InvalidInputError
from soullink.kernel.language import LANGUAGES, Language
from soullink.modules.profiles.api import SCHWARTZ_VALUES
from soullink.modules.simulation.api import ACTS, STAGES, WORD_SLOTS, Act, Stage
from soullink.modules.simulation.domain.acts import CLASSES
from soullink.modules.simulation.voice.port import STYLES

LINES: Final = Path(__file__).parent / "lines"

START: Final = "start"
"""`after` of a line that fits when nothing has been said yet in the episode."""

AFTERS: Final[frozenset[str]] = frozenset({*CLASSES, START})
PROFILE_SLOTS: Final[frozenset[str]] = frozenset(
    {
        "partner",
        "me",
        "interest",
        "partner_interest",
        "shared_interest",
        "job",
        "partner_job",
        "city",
        "partner_city",
        "value",
    }
)
SLOTS: Final[frozenset[str]] = PROFILE_SLOTS | frozenset(WORD_SLOTS)
THOUGHT_STATES: Final[tuple[str, ...]] = ("stressed", "hurt", "wary", "low", "drawn", "calm")
INTERRUPTION: Final = "interrupt"
SPEAKING: Final[frozenset[str]] = frozenset(ACTS) - {Act.SILENCE}

SLOT: Final = re.compile(r"\{([a-z_]+)\}")
_ANY: Final = "-"


class LinesError(InvalidInputError):
    """An authored line cannot be read; the message names file, line number and what is wrong."""

    code = "invalid_lines"


@dataclass(frozen=True, slots=True)
class Line:
    """One authored line.

    id: "en.ask.1a2b3c4d", from the text, so that it survives reordering. after: classes that it
    can answer, empty for any. where: stages that it fits, empty for any. slots: names in order.
    """

    id: str
    act: Act
    style: str
    after: frozenset[str]
    where: frozenset[Stage]
    text: str
    slots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thought:
    """One inner thought. classes, states: what it fits, empty for any."""

    classes: frozenset[str]
    states: frozenset[str]
    text: str


@dataclass(frozen=True, slots=True)
class Touch:
    """A short beginning in one style. occasions: act classes or INTERRUPTION."""

    style: str
    occasions: frozenset[str]
    text: str


@dataclass(frozen=True, slots=True)
class LineBook:
    """Everything authored in one language."""

    language: Language
    lines: Mapping[Act, tuple[Line, ...]]
    thoughts: tuple[Thought, ...]
    touches: tuple[Touch, ...]
    values: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Entry:
    fields: tuple[str, ...]
    place: str


def read_book(folder: Path, language: Language) -> LineBook:
    """Return what is authored in `folder`/`language`. Raises LinesError."""
    home = folder / language
    lines: dict[str, Line] = {}
    for act in ACTS:
        path = home / f"{act}.txt"
        before = len(lines)
        for entry in _entries(path, 4):
            _add(lines, act, entry.fields, entry.place, language)
        if len(lines) == before:
            raise LinesError(f"{path} has no lines; every act needs some.")
    for entry in _entries(home / "_facts.txt", 5):
        if entry.fields[0] not in SPEAKING:
            raise LinesError(f"{entry.place}: {entry.fields[0]!r} is no act with words.")
        _add(lines, Act(entry.fields[0]), entry.fields[1:], entry.place, language)
    return LineBook(
        language,
        {act: tuple(line for line in lines.values() if line.act is act) for act in ACTS},
        tuple(_thoughts(home / "_thoughts.txt")),
        tuple(_touches(home / "_touches.txt")),
        _values(home / "_values.txt"),
    )


@cache
def line_book(language: Language) -> LineBook:
    """Return the shipped lines in `language`, read once a process. Raises LinesError."""
    return read_book(LINES, language)


@cache
def version_digest() -> str:
    """Return the SHA-256 of all shipped lines in all languages, 64 hexadecimal digits."""
    whole = hashlib.sha256()
    for language in LANGUAGES:
        for path in sorted((LINES / language).glob("*.txt")):
            content = path.read_bytes().replace(b"\r\n", b"\n")
            whole.update(f"{language}/{path.name}\x00{len(content)}\x00".encode())
            whole.update(content)
    return whole.hexdigest()


def _entries(path: Path, fields: int) -> Iterator[_Entry]:
    try:
        content = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LinesError(f"{path} is missing; every act needs a file of authored lines.") from None
    except UnicodeDecodeError as error:
        raise LinesError(f"{path} is not UTF-8 at byte {error.start}; save it as UTF-8.") from error
    for number, row in enumerate(content.splitlines(), start=1):
        if not row.strip() or row.lstrip().startswith("#"):
            continue
        parts = tuple(part.strip() for part in row.split("|", fields - 1))
        place = f"{path.parent.name}/{path.name}, line {number}"
        if len(parts) != fields or not all(parts):
            raise LinesError(f"{place}: write {fields} fields separated by '|', none empty.")
        yield _Entry(parts, place)


def _names(field: str, allowed: frozenset[str], what: str, place: str) -> frozenset[str]:
    if field == _ANY:
        return frozenset()
    names = frozenset(name.strip() for name in field.split(","))
    unknown = sorted(names - allowed)
    if unknown:
        raise LinesError(
            f"{place}: {unknown[0]!r} is no {what}; use '-' or {', '.join(sorted(allowed))}."
        )
    return names


def _style(field: str, place: str) -> str:
    if field not in STYLES:
        raise LinesError(f"{place}: {field!r} is no style; use one of {', '.join(STYLES)}.")
    return field


def _slots(text: str, allowed: frozenset[str], place: str) -> tuple[str, ...]:
    slots = tuple(SLOT.findall(text))
    unknown = sorted(set(slots) - allowed)
    if unknown:
        raise LinesError(f"{place}: there is no slot {{{unknown[0]}}}.")
    if SLOT.sub("", text).count("{") or SLOT.sub("", text).count("}"):
        raise LinesError(f"{place}: a brace is left open; write slots as {{name}}.")
    return slots


def _add(
    lines: dict[str, Line], act: Act, fields: tuple[str, ...], place: str, language: Language
) -> None:
    style, after, where, text = fields
    if "|" in text:
        raise LinesError(f"{place}: a '|' too many; a text cannot contain '|'.")
    key = f"{language}.{act}.{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    if key in lines:
        raise LinesError(f"{place}: this text stands twice; remove one.")
    lines[key] = Line(
        key,
        act,
        _style(style, place),
        _names(after, AFTERS, "class of acts", place),
        frozenset(Stage(stage) for stage in _names(where, frozenset(STAGES), "stage", place)),
        text,
        _slots(text, SLOTS, place),
    )


def _thoughts(path: Path) -> Iterator[Thought]:
    for entry in _entries(path, 3):
        classes, states, text = entry.fields
        _slots(text, frozenset({"partner"}), entry.place)
        yield Thought(
            _names(classes, frozenset(CLASSES), "class of acts", entry.place),
            _names(states, frozenset(THOUGHT_STATES), "state", entry.place),
            text,
        )


def _touches(path: Path) -> Iterator[Touch]:
    allowed = frozenset({*CLASSES, INTERRUPTION})
    for entry in _entries(path, 3):
        style, occasions, text = entry.fields
        _slots(text, frozenset(), entry.place)
        yield Touch(
            _style(style, entry.place),
            _names(occasions, allowed, "occasion", entry.place) or frozenset(CLASSES),
            text,
        )


def _values(path: Path) -> Mapping[str, tuple[str, ...]]:
    values: dict[str, tuple[str, ...]] = {}
    for entry in _entries(path, 2):
        value, text = entry.fields
        if value not in SCHWARTZ_VALUES:
            raise LinesError(
                f"{entry.place}: {value!r} is no value; use one of {', '.join(SCHWARTZ_VALUES)}."
            )
        _slots(text, frozenset(), entry.place)
        values[value] = (*values.get(value, ()), text)
    return values
