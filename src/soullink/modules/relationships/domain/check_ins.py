"""When each side is asked how it goes, and what an answer may be."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from soullink.kernel.errors import InvalidInputError
from soullink.modules.relationships.api import State

EVERY_DAYS: Final[Mapping[State, int]] = {"met": 2, "dating": 14, "together": 30}
"""Days after the state began, and then after the last answer. Nobody is asked in a pause."""

LONGEST_TEXT: Final = 4_000


def due(state: State, since: datetime, last: datetime | None) -> datetime | None:
    """Return when one side is asked next; None where it is not. last: its last check-in."""
    days = EVERY_DAYS.get(state)
    if days is None:
        return None
    return max(since, last or since) + timedelta(days=days)


def checked(satisfaction: int, tension: int, text: str) -> str:
    """Return the text without the space around it. Raises InvalidInputError."""
    for name, value in (("Satisfaction", satisfaction), ("Tension", tension)):
        if not 0 <= value <= 10:
            raise InvalidInputError(f"{name} is a whole number from 0 to 10, not {value}.")
    text = text.strip()
    if "\0" in text or len(text) > LONGEST_TEXT:
        raise InvalidInputError(f"The text has at most {LONGEST_TEXT} characters, and no NUL.")
    return text
