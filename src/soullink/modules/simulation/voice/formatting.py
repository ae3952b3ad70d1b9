"""Takes off a model's words what stands around them, where no word of the turn is lost by it.

Quotation marks around the whole, the speaker's own name in front, stage directions at the edges
of sentences, marks of emphasis, emoji and line breaks. What could be something else is left
alone, and the checks find fault with it.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from soullink.modules.simulation.voice.port import SpeechRequest
from soullink.modules.simulation.voice.slots import first_name

ROUNDS: Final = 4
"""A name may stand inside quotes, and quotes after a name."""

_QUOTES: Final = (
    ("“", "”"),
    ('"', '"'),
    ("「", "」"),
    ("『", "』"),
    ("‘", "’"),
    ("«", "»"),
    ("'", "'"),
)
_LEFT_QUOTES: Final = frozenset(left for left, _ in _QUOTES)
_VERBS: Final = (
    r"smil|laugh|sigh|nod|shrug|grin|paus|look|lean|chuckl|blush|wink|frown|glanc|whisper|giggl|"
    r"smirk|hesitat|mutter|mumbl|gulp|swallow|sob|cr(?:y|ie)|shiver|cough|stutter|snort|scoff|"
    r"groan|gasp|stammer|clears?|rais|roll|tilt|shak|bit|turn|reach|tak|touch|squeez|hug|kiss"
)
_HOW: Final = r"(?:(?:[a-z]+ly|still|a bit|half|then) )*"
_DIRECTION: Final = (
    rf"(?:{_HOW}(?:{_VERBS})(?:es|s|ing|ling)(?: [a-z',’ -]{{0,48}})?"
    r"|(?:a )?(?:long |short |soft |little )?(?:pause|beat|silence|sigh|laugh|smile)|softly|quietly"
    r"|[^()（）*\[\]]{0,6}(?:笑|叹气|叹息|点头|摇头|沉默|停顿|低头|抬头|皱眉|耸肩|眨眼|脸红|哽咽|看着|望着|"
    r"顿了|清嗓)[^()（）*\[\]]{0,8})"
)
_ASIDE: Final = re.compile(
    rf"(?:\*{{1,2}}{_DIRECTION}\.?\*{{1,2}}|\({_DIRECTION}\.?\)|（{_DIRECTION}。?）|"
    rf"\[{_DIRECTION}\.?\]|【{_DIRECTION}】|(?<!\w)_{_DIRECTION}\.?_(?!\w))",
    re.IGNORECASE,
)
_ASIDE_MARKS: Final = frozenset("*_([（【")
"""Every aside and every emphasis has one of them."""
_EDGE_BEFORE: Final = re.compile(r"(?:^|[.!?…,—。！？，;；:：\"”])\s*$")
_STRONG: Final = re.compile(r"(?<![\w*])(\*{1,3}|__)(?=\S)([^*_\n]{1,60}?)(?<=\S)\1(?![\w*])")
_HAN_STRONG: Final = re.compile(r"(\*{1,3})([\u4e00-\u9fff，、]{1,24})\1")
_EMOJI: Final = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u2b55\ufe0f\u200d\U0001f1e6-\U0001f1ff]+"
)
_LISTED: Final = re.compile(r"^\s*(?:[-*•]|\d+[.)]|#{1,6}) ?\S", re.MULTILINE)


def normalised(words: str, request: SpeechRequest) -> tuple[str, tuple[str, ...]]:
    """Return the words alone, and what was taken off, each once, in the order it was found.

    What: "lines", "name", "quotes", "direction", "emphasis", "emoji". Words of which nothing
    would be left are returned as they came.
    """
    tidy = words.strip()
    done: dict[str, None] = {}
    for _ in range(ROUNDS):
        before = tidy
        for what, step in _STEPS.items():
            after = step(tidy, request)
            if after != tidy and any(character.isalnum() for character in after):
                done[what] = None
                tidy = after
        if tidy == before:
            break
    return tidy, tuple(done)


def _joined(words: str, _: SpeechRequest) -> str:
    """Return the lines as one; a list is left alone, since joining it makes no speech of it."""
    return words if "\n" not in words or _LISTED.search(words) else " ".join(words.split())


def _without_emoji(words: str, _: SpeechRequest) -> str:
    return (
        words
        if words.isascii() or not _EMOJI.search(words)
        else " ".join(_EMOJI.sub("", words).split())
    )


def _unquoted(words: str, _: SpeechRequest) -> str:
    if words[:1] not in _LEFT_QUOTES:
        return words
    for left, right in _QUOTES:
        if len(words) > 2 and words.startswith(left) and words.endswith(right):
            inner = words[1:-1]
            if left not in inner and right not in inner:
                return inner.strip()
    return words


def _unnamed(words: str, request: SpeechRequest) -> str:
    if request.speaker.name == request.listener.name or (":" not in words and "：" not in words):
        return words
    return _label(request.speaker.name).sub("", words, count=1)


@lru_cache(maxsize=1024)
def _label(speaker: str) -> re.Pattern[str]:
    """Return what finds the speaker's own name in front of words."""
    names = {speaker, first_name(speaker), "me", "Me", "我"}
    own = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True) if name)
    return re.compile(rf"^(?:\*\*)?(?:{own})(?:\*\*)?\s*[:：](?:\*\*)?\s*")


def _undirected(words: str, _: SpeechRequest) -> str:
    """Return the words without asides that stand at the beginning or end of a sentence."""
    if _ASIDE_MARKS.isdisjoint(words):
        return words
    kept, start = "", 0
    for match in _ASIDE.finditer(words):
        after = words[match.end() :].lstrip()
        kept += words[start : match.start()]
        at_edge = (
            _EDGE_BEFORE.search(words[: match.start()]) or not after or after[0] in ".!?…。！？"
        )
        if not at_edge:
            kept += match[0]
        start = match.end()
    kept += words[start:]
    return words if kept == words else " ".join(kept.split()).lstrip(",，.。 ")


def _plain(words: str, _: SpeechRequest) -> str:
    if _ASIDE_MARKS.isdisjoint(words):
        return words
    if _ASIDE.fullmatch(words):  # nothing was said at all
        return words
    return _HAN_STRONG.sub(r"\2", _STRONG.sub(r"\2", words))


_STEPS: Final[Mapping[str, Callable[[str, SpeechRequest], str]]] = {
    "lines": _joined,
    "emoji": _without_emoji,
    "quotes": _unquoted,
    "name": _unnamed,
    "direction": _undirected,
    "emphasis": _plain,
}
