"""Places in a text that must not go out: keys, card numbers, ways to reach a person, words."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, Protocol, TypeAlias

Span: TypeAlias = tuple[int, int]

MASK: Final = "***"
"""Stands for what was taken out, in every language."""

CONTEXT: Final = 48
"""How many characters before a place a mask looks at, at most."""

_HALF_WIDTH: Final = {
    **{0xFF10 + digit: 0x30 + digit for digit in range(10)},
    **{0xFF21 + letter: 0x41 + letter for letter in range(26)},
    **{0xFF41 + letter: 0x61 + letter for letter in range(26)},
    **dict(zip(map(ord, "＠．－＿＋：＝（）　"), map(ord, "@.-_+:=() "), strict=True)),
}


class Mask(Protocol):
    """Finds places. reach: so many characters more, and a place that may begin has begun."""

    @property
    def reach(self) -> int: ...

    def spans(self, text: str) -> list[Span]:
        """Return the places, in order, none touching another."""
        ...


def masked(mask: Mask, text: str) -> str:
    """Return `text` with MASK for every place; `text` itself where there is none."""
    spans = mask.spans(text)
    return without(text, spans) if spans else text


def without(text: str, spans: Sequence[Span]) -> str:
    """Return `text` with MASK for every span."""
    parts: list[str] = []
    at = 0
    for start, end in spans:
        parts += (text[at:start], MASK)
        at = end
    return "".join((*parts, text[at:]))


class Secrets:
    """API keys, tokens, private keys, passwords that are named as such, card numbers (Luhn)."""

    reach = 64

    def spans(self, text: str) -> list[Span]:
        plain = half_width(text)
        return _joined(_secret_spans(plain))


class Contacts:
    """E-mail addresses, telephone numbers (Chinese ones in digits or characters), WeChat, QQ."""

    reach = 400

    def spans(self, text: str) -> list[Span]:
        plain = half_width(text)
        return _joined(_contact_spans(plain))


class Terms:
    """Words of a list: whole words where they are Latin, anywhere where they are not."""

    def __init__(self, terms: Iterable[str]) -> None:
        known = sorted({" ".join(half_width(term).lower().split()) for term in terms} - {""})
        spaces = max((term.count(" ") for term in known), default=0)
        self.reach = max(map(len, known), default=0) + 2 * spaces + 2
        self._by_first: dict[str, re.Pattern[str]] = {
            first: re.compile(_pattern_of(list(group)), re.IGNORECASE)
            for first, group in groupby(known, key=itemgetter(0))
        }
        self._first = re.compile(_first_of(self._by_first), re.IGNORECASE)

    def spans(self, text: str) -> list[Span]:
        plain = half_width(text)
        result: list[Span] = []
        end = 0
        for start in self._first.finditer(plain):
            pattern = self._by_first.get(start[0].lower())
            if pattern is not None and start.start() >= end:
                found = pattern.match(plain, start.start())
                if found is not None:
                    end = found.end()
                    result.append(found.span())
        return result


_KEYS: Final = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"sk-(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{20,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,}"
    r"|AIza[A-Za-z0-9_-]{35,}|xox[abeprs]-[A-Za-z0-9-]{10,}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}"
    r"|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36,}|pypi-[A-Za-z0-9_-]{40,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
    r")"
)
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z ]{0,24}PRIVATE KEY-----"
    r"(?:.*?-----END [A-Z ]{0,24}PRIVATE KEY-----|.*\Z)",
    re.DOTALL,
)
_NAMED_SECRET: Final = re.compile(
    r"(?:pass ?word|passwd|pwd|api[ _-]?key|secret[ _-]?key|access[ _-]?token|auth[ _-]?token|"
    r"bearer|密码|口令|密钥)[\"'”’]?(?: ?[:=] ?| (?:is|为) | ?是 ?| )[\"'“‘]?"
    r"(?P<secret>(?=[!-~]*\d)[!#-&(-~]{6,})",
    re.IGNORECASE,
)
_CARD: Final = re.compile(
    r"(?<![\d.-])(?:\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|3\d{3}([ -])\d{6}\2\d{5}|"
    r"[2-6]\d{12,18})(?![\d]|[.-]\d)"
)

_DIGIT: Final = re.compile(r"\d")
_MAIL: Final = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9_%+][A-Za-z0-9._%+-]{0,63}@"
    r"(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,24}(?![A-Za-z0-9])"
)
_SPELT_MAIL: Final = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9_%+-][A-Za-z0-9._%+-]{1,63} ?(?:\(at\)|\[at\]| at ) ?"
    r"[A-Za-z0-9-]{2,40} ?(?:\(dot\)|\[dot\]| dot ) ?(?:com|net|org|cn|edu|io|me)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_PHONE: Final = re.compile(
    r"(?<![\d.+-])(?:"
    r"(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}"  # Chinese mobile
    r"|(?:(?:\+|00)86[ -]?)?\(?0\d{2,3}\)?[ -]\d{7,8}"  # Chinese fixed line
    r"|(?:\+1|001|1)[ .-]?\(?\d{3}\)?[ .-]?\d{3}[ .-]?\d{4}(?: ?(?:x|ext\.?) ?\d{1,5})?"
    r"|(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?: ?(?:x|ext\.?) ?\d{1,5})?"  # North America
    r"|(?:\+|00)\d{1,3}[ .-]?(?:\(0?\d{1,4}\)[ .-]?)?\d{1,5}(?:[ .-]?\d{2,5}){1,4}"
    r"|0\d{2,4}[ -]\d{3,4}[ -]?\d{3,4}"  # other fixed lines
    r")(?![\d]|[.-]\d)"
)
_SPELT_PHONE: Final = re.compile(
    r"[幺一][三四五六七八九][零〇一二三四五六七八九幺]{9}(?![零〇一二三四五六七八九幺])"
)
_CHAT_ID: Final = re.compile(
    r"(?:微信|威信|薇信|(?<![A-Za-z0-9])(?:v信|vx|wx|we ?chat|weixin))(?: ?(?:号码?|id))?"
    r"(?:(?: ?[:=] ?| ?[是为叫] ?| ?号 ?)(?P<one>[A-Za-z][A-Za-z0-9_-]{5,19})"
    r"|(?: is)? ?(?P<two>(?=[A-Za-z]{1,19}[0-9_])[A-Za-z][A-Za-z0-9_-]{5,19}))(?![A-Za-z0-9_-])"
    r"|(?<![A-Za-z])QQ ?号?码?(?: ?[:=是为] ?| )?(?P<three>[1-9]\d{4,10})(?!\d)",
    re.IGNORECASE,
)


def _secret_spans(text: str) -> Iterator[Span]:
    for found in _KEYS.finditer(text):
        yield found.span()
    if "PRIVATE KEY" in text:
        for found in _PRIVATE_KEY.finditer(text):
            yield found.span()
    if _DIGIT.search(text) is None:
        return
    if _mentions(text, "pass", "pwd", "key", "token", "bearer", "密码", "口令", "密钥"):
        for found in _NAMED_SECRET.finditer(text):
            yield found.span("secret")
    for found in _CARD.finditer(text):
        if _luhn(found[0]):
            yield found.span()


def _contact_spans(text: str) -> Iterator[Span]:
    if "@" in text:
        for found in _MAIL.finditer(text):
            yield found.span()
    if _mentions(text, "dot"):
        for found in _SPELT_MAIL.finditer(text):
            yield found.span()
    if _DIGIT.search(text) is not None:
        for found in _PHONE.finditer(text):
            yield found.span()
    if _mentions(text, "信", "vx", "wx", "chat", "weixin", "qq"):
        for found in _CHAT_ID.finditer(text):
            yield found.span(found.lastgroup or 0)
    if not text.isascii():
        for found in _SPELT_PHONE.finditer(text):
            yield found.span()


def _mentions(text: str, *hints: str) -> bool:
    """Tell whether a pattern that needs one of `hints` is worth a search."""
    low = text.lower()
    return any(hint in low for hint in hints)


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, those that touch or overlap as one."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def half_width(text: str) -> str:
    """Return `text` with ASCII for full-width digits, letters and signs, of the same length."""
    return text if text.isascii() else text.translate(_HALF_WIDTH)


def _luhn(number: str) -> bool:
    """Tell whether the check digit is right (ISO/IEC 7812-1, annex B)."""
    digits = [int(character) for character in number if character.isdigit()]
    total = sum(digits[-1::-2])
    total += sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return total % 10 == 0 and len(set(digits)) > 1


def _first_of(letters: Iterable[str]) -> str:
    """Return a pattern for where a term may begin: a set of letters, however many."""
    latin = "".join(re.escape(letter) for letter in letters if _is_latin(letter))
    other = "".join(re.escape(letter) for letter in letters if not _is_latin(letter))
    ways = [rf"(?<![A-Za-z0-9_])[{latin}]"] if latin else []
    return "|".join([*ways, f"[{other}]"] if other else ways) or r"(?!)"


def _pattern_of(terms: list[str]) -> str:
    """Return one pattern for all terms, longest first, branching by letters and not by terms."""
    tree: dict[str, Any] = {}
    for term in terms:
        before = r"(?<![A-Za-z0-9_])" if _is_latin(term[0]) else ""
        after = r"(?![A-Za-z0-9_])" if _is_latin(term[-1]) else ""
        pieces = [r"\s{1,3}" if letter == " " else re.escape(letter) for letter in term]
        node = tree
        for piece in (before + pieces[0], *pieces[1:]):
            node = node.setdefault(piece, {})
        node[""] = after  # a term ends here
    return _branches(tree)


def _branches(tree: dict[str, Any]) -> str:
    ways = [piece + _branches(rest) for piece, rest in tree.items() if piece]
    if "" in tree:
        ways.append(tree[""])
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"


def _is_latin(letter: str) -> bool:
    return letter.isascii() and (letter.isalnum() or letter == "_")
