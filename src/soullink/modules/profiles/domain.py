"""Pure rules about profiles: clean text, ids from names, ages, near spellings."""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from datetime import date

from soullink.modules.profiles.api import years_between

MINIMUM_AGE = 18
MAXIMUM_AGE = 120
MAXIMUM_ID_LENGTH = 64

_JOINERS = "\u200c\u200d"
"""Needed inside Persian words and joined emoji, so they survive."""

_DIRECTION_MARKS = "\u200e\u200f\u061c"
"""Allowed in long texts, where right-to-left writers need them; they cannot reorder a page."""

_LETTER_OR_NUMBER = ("L", "N", "M")
_SPACES = re.compile(r"\s+")


def clean_line(text: str) -> str:
    """Return `text` on one line: NFC, no control or direction characters, single spaces."""
    return _SPACES.sub(" ", _clean(text, kept="", separator=" ")).strip()


def clean_text(text: str) -> str:
    """Return `text` of any length: NFC, line feeds and tabs kept, no other control characters.

    Characters that override the direction of what follows are left out.
    """
    joined = text.replace("\r\n", "\n").replace("\r", "\n")
    return _clean(joined, kept="\n\t" + _DIRECTION_MARKS, separator="\n").strip()


def _clean(text: str, kept: str, separator: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    cleaned = "".join(_replace(character, kept, separator) for character in text)
    return unicodedata.normalize("NFC", cleaned)


def _replace(character: str, kept: str, separator: str) -> str:
    if character in kept or character in _JOINERS:
        return character
    category = unicodedata.category(character)
    if category in ("Zl", "Zp") or character in "\n\t\r\v\f\x85":
        return separator
    # Cc control, Cf invisible formatting (overrides, tags), Cs half a character
    return "" if category in ("Cc", "Cf", "Cs") else character


def slug(name: str) -> str:
    """Return an id for `name`: lower case, letters and digits of any script, hyphens between.

    Empty when the name has neither letter nor digit.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    marked = "".join(c if unicodedata.category(c)[0] in _LETTER_OR_NUMBER else " " for c in folded)
    joined = unicodedata.normalize("NFC", "-".join(marked.split()))
    return joined[:MAXIMUM_ID_LENGTH].rstrip("-")


def is_id(text: str) -> bool:
    """Tell whether `text` may be an id: 1 to 64 letters, digits, hyphens and underscores.

    The first is a letter or digit: an id is also the name of a file and a word on a command line.
    """
    starts_well = bool(text) and unicodedata.category(text[0])[0] in ("L", "N")
    return (
        starts_well
        and len(text) <= MAXIMUM_ID_LENGTH
        and unicodedata.is_normalized("NFC", text)
        and all(c in "-_" or unicodedata.category(c)[0] in _LETTER_OR_NUMBER for c in text)
    )


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the entry of `known` that `word` was most likely meant to be, or None."""
    wanted = word[:60].casefold().replace("-", "_").replace(" ", "_")
    close = difflib.get_close_matches(wanted, list(known), n=1, cutoff=0.6)
    return close[0] if close else None


def age_complaint(age: int | None, born: date | None, today: date) -> tuple[str, str] | None:
    """Return which of 'age' and 'birth_date' is wrong and why, or None when both are fine.

    SoulLink is for adults: below 18 years a profile is refused.
    """
    if born is not None and born > today:
        return "birth_date", f"{born.isoformat()} lies in the future"
    years = age if born is None else years_between(born, today)
    field = "age" if born is None else "birth_date"
    if years is None:
        return None
    if years < MINIMUM_AGE:
        return field, f"says {_told(years)}, but SoulLink is for adults of {MINIMUM_AGE} and older"
    if years > MAXIMUM_AGE:
        return field, f"says {_told(years)}; the highest accepted age is {MAXIMUM_AGE}"
    if age is not None and abs(age - years) > 1:
        return "age", f"says {_told(age)}, but 'birth_date' makes it {years}; give one of the two"
    return None


def _told(age: int) -> str:
    return f"{age} years" if abs(age) < 10**6 else "a number of many digits"
