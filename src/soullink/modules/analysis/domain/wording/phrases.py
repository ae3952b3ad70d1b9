"""How texts of the report are filled in and strung together."""

from collections.abc import Sequence
from typing import Final

from soullink.kernel.language import Language, Text

_AND: Final[Text] = {"en": " and ", "zh": "和"}
_COMMA: Final[Text] = {"en": ", ", "zh": "、"}


def text(english: str, chinese: str) -> Text:
    """Return one text in both languages."""
    return {"en": english, "zh": chinese}


def say(words: Text, language: Language, **values: object) -> str:
    """Return `words` with `values` in its {slots}.

    Values are put in as they are: braces in somebody's name stay braces.
    """
    return words[language].format(**values)


def listed(parts: Sequence[str], language: Language) -> str:
    """Return e.g. "a, b and c"; empty for nothing."""
    if len(parts) < 2:
        return "".join(parts)
    return _COMMA[language].join(parts[:-1]) + _AND[language] + parts[-1]


def percent(share: float) -> str:
    """Return a share as whole percent, e.g. "42 %" without the blank: "42%"."""
    return f"{round(share * 100)}%"


def joined(sentences: Sequence[str], language: Language) -> str:
    """Return sentences as one paragraph."""
    return (" " if language == "en" else "").join(sentence for sentence in sentences if sentence)
