"""From the bytes of a request to a struct, with sentences for what cannot be read."""

import re
from typing import Final, TypeVar

import msgspec

from soullink.entrypoints.llm_service.faults import BadCallError

T = TypeVar("T")

_PLACE: Final = re.compile(r" - at `(?:key in )?\$\.?(.*)`$", re.DOTALL)
_LONGEST_REASON: Final = 200
_MOST_TOKENS: Final = 10_000_000


def read_json(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Return what `body` holds. Raises BadCallError, naming the place."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        reason = str(error)
        place = _PLACE.search(reason)
        said = reason[: place.start()] if place else reason
        where = place[1] if place else None
        raise BadCallError(
            f"{where or 'The body'}: {said[:_LONGEST_REASON]}.", where or None
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadCallError("The body of the request is not JSON.") from error


def whole_number(value: int | None, name: str, default: int) -> int:
    """Return how many tokens are wanted at most."""
    if value is None:
        return default
    if not 1 <= value <= _MOST_TOKENS:
        raise BadCallError(f"{name} must be at least 1.", name)
    return value


def seed_of(value: int | None) -> int | None:
    """Return `value` where it fits into 64 bits, as ledgers and providers keep it."""
    if value is not None and not -(2**63) <= value < 2**63:
        raise BadCallError("seed must be a whole number of 64 bits.", "seed")
    return value


def within(value: float | None, name: str, highest: float) -> float | None:
    """Return `value` where it lies in 0..highest, or None where it is left out."""
    if value is not None and not 0.0 <= value <= highest:
        raise BadCallError(f"{name} must be between 0 and {highest:g}.", name)
    return value


def refuse(wanted: object, name: str, instead: str = "leave it out") -> None:
    """Raise BadCallError when `wanted` asks for something that the gateway cannot do."""
    if wanted:
        raise BadCallError(f"{name} is not supported by this gateway; {instead}.", name)
