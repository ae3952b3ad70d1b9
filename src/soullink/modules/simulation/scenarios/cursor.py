"""Walks plain data and says in one sentence where it breaks the schema."""

import difflib
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from soullink.kernel.language import LANGUAGES, Text
from soullink.modules.simulation.api import InvalidScenarioError

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A value inside a document. source: the document's name; where: the path to the value."""

    value: Any
    source: str
    where: str = ""

    def fail(self, sentence: str) -> InvalidScenarioError:
        """Return the error that `sentence` is the matter with this field."""
        field = f" field '{self.where}'" if self.where else " the scenario"
        return InvalidScenarioError(f"{self.source}:{field} {sentence}.")

    def mapping(self, required: Iterable[str], optional: Iterable[str] = ()) -> dict[str, "Cursor"]:
        """Return the fields of a mapping whose keys are all known and none missing."""
        fields = self.entries((*required, *optional), "a field")
        for key in required:
            if key not in fields:
                raise self.fail(f"lacks '{key}'; add it")
        return fields

    def entries(self, allowed: Collection[str], kind: str) -> dict[str, "Cursor"]:
        """Return the entries of a mapping whose keys are among `allowed`."""
        if not isinstance(self.value, Mapping):
            raise self.fail("must be a mapping of names to values")
        for key in self.value:
            if key not in allowed:
                raise self.fail(f"has '{short(key)}', which is not {kind}{hint(key, allowed)}")
        return {key: self.at(key) for key in self.value}

    def at(self, key: str) -> "Cursor":
        """Return the value under `key`."""
        return Cursor(self.value[key], self.source, f"{self.where}.{key}" if self.where else key)

    def items(self, fewest: int, most: int) -> list["Cursor"]:
        """Return the elements of a list of `fewest` to `most`."""
        if not isinstance(self.value, list):
            raise self.fail("must be a list")
        if not fewest <= len(self.value) <= most:
            raise self.fail(
                f"has {len(self.value)} entries; write {_between(fewest, most, 'entry', 'entries')}"
            )
        return [
            Cursor(value, self.source, f"{self.where}[{index}]")
            for index, value in enumerate(self.value)
        ]

    def integer(self, lowest: int, highest: int) -> int:
        """Return a whole number in a range."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.fail(f"must be a whole number from {lowest} to {highest}")
        if not lowest <= self.value <= highest:
            raise self.fail(f"is {short(self.value)}; write {lowest} to {highest}")
        return self.value

    def number(self, lowest: float, highest: float) -> float:
        """Return a number in a range."""
        if not isinstance(self.value, int | float) or isinstance(self.value, bool):
            raise self.fail(f"must be a number from {lowest:g} to {highest:g}")
        if not lowest <= self.value <= highest:
            raise self.fail(f"is {short(self.value)}; write {lowest:g} to {highest:g}")
        return float(self.value)

    def span(self, lowest: int, highest: int) -> tuple[int, int]:
        """Return a list of two whole numbers, the smaller first."""
        first, last = (item.integer(lowest, highest) for item in self.items(2, 2))
        if first > last:
            raise self.fail(f"runs from {first} to {last}; put the smaller number first")
        return first, last

    def line(self, longest: int) -> str:
        """Return a text on one line, without control characters and outer spaces."""
        if not isinstance(self.value, str):
            raise self.fail("must be text")
        if not self.value.strip():
            raise self.fail("is empty; write something")
        if self.value != self.value.strip():
            raise self.fail("has spaces around it; take them away")
        if len(self.value) > longest:
            raise self.fail(f"has {len(self.value)} characters; write at most {longest}")
        if any(unicodedata.category(c) in _INVISIBLE for c in self.value):
            raise self.fail("has a line break or an invisible character; write one plain line")
        return self.value

    def braceless(self, longest: int) -> str:
        """Return a line that holds no slot."""
        text = self.line(longest)
        if "{" in text or "}" in text:
            raise self.fail("has a brace; only 'setting' may name parameters in braces")
        return text

    def text(self, longest: int, braces: bool = False) -> Text:
        """Return a line in every language."""
        fields = self.mapping(LANGUAGES)
        found: Text = {
            language: fields[language].line(longest)
            if braces
            else fields[language].braceless(longest)
            for language in LANGUAGES
        }
        if not _CHINESE.search(found["zh"]):
            raise fields["zh"].fail("has no Chinese character; write it in Chinese")
        return found

    def matching(self, pattern: str, longest: int, example: str) -> str:
        """Return a text that fits `pattern`."""
        text = self.line(longest)
        if re.fullmatch(pattern, text) is None:
            raise self.fail(f"is '{short(text)}'; write it like '{example}'")
        return text

    def one_of(self, known: Iterable[str], kind: str) -> str:
        """Return one of the `known` words."""
        words = list(known)
        if not isinstance(self.value, str) or self.value not in words:
            raise self.fail(
                f"is '{short(self.value)}', which is not {kind}{hint(self.value, words)}"
            )
        return self.value

    def numbers(
        self, allowed: Collection[str], lowest: float, highest: float, kind: str
    ) -> dict[str, float]:
        """Return a mapping of some of `allowed` to numbers, in the order of `allowed`."""
        entries = self.entries(allowed, kind)
        return {key: entries[key].number(lowest, highest) for key in allowed if key in entries}


def short(value: object) -> str:
    """Return `value` for an error message: one line of at most 40 characters."""
    if isinstance(value, int) and abs(value) >= 10**15:
        return "a very large number"
    if not isinstance(value, str | int | float | None):
        # Never written out: nested aliases of a few bytes could grow without end.
        return f"a {type(value).__name__}"
    text = " ".join(str(value).split())
    return text if len(text) <= 40 else f"{text[:39]}…"


def hint(word: object, known: Iterable[str]) -> str:
    """Return which known word was probably meant, or all of them when they are few."""
    names = list(known)
    close = difflib.get_close_matches(short(word), names, n=2, cutoff=0.5)
    if close:
        return f"; did you mean {' or '.join(repr(name) for name in close)}"
    return f"; known are {', '.join(names)}" if len(names) <= 20 else ""


def _between(fewest: int, most: int, one: str, many: str) -> str:
    if fewest == most:
        return f"{fewest} {one if fewest == 1 else many}"
    return f"{fewest} to {most} {many}"
