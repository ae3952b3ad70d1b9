"""The languages that every text a member sees exists in."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

Text: TypeAlias = Mapping[Language, str]
"""One text in every language, e.g. {"en": "A late train", "zh": "晚点的火车"}."""
