"""US dollars as people type and read them; everything else counts integer nano-dollars."""

import re
from typing import Final

from soullink.kernel.errors import InvalidInputError

_DOLLARS: Final = re.compile(r"\$?(\d{1,9})(?:\.(\d{1,9}))?")
_NANO: Final = 1_000_000_000


def nano_usd(text: str) -> int:
    """Return "12.5" as 12,500,000,000. Raises InvalidInputError."""
    found = _DOLLARS.fullmatch(text.strip())
    if found is None:
        raise InvalidInputError(
            f"{text!r} is no amount: write US dollars as 25 or 0.005, with at most 9 decimals."
        )
    return int(found[1]) * _NANO + int((found[2] or "0").ljust(9, "0"))


def dollars(nano: int) -> str:
    """Return the whole amount, with two decimals or as many as it has."""
    whole, rest = divmod(abs(nano), _NANO)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{'-' if nano < 0 else ''}{whole}.{decimals}"
