"""Prompts with the same beginning go where that beginning was read before."""

import math
from collections.abc import Sequence
from hashlib import blake2b
from typing import Protocol, TypeVar

from soullink.gateways.llm.port import ChatRequest

PREFIX_CHARACTERS = 16_384
"""As far as a beginning is looked at."""

CACHEABLE_CHARACTERS = 4096
"""About 1,024 tokens; shorter beginnings are not cached by the large providers."""

LOAD_FACTOR = 1.25
"""A deployment is preferred up to this multiple of the mean load.

The c of Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads", SODA 2018.
"""

_MASK = (1 << 64) - 1


class Preferable(Protocol):
    """A deployment as affinity sees it. hash: 64 bits that stand for its id."""

    hash: int
    weight: int
    in_flight: int


P = TypeVar("P", bound=Preferable)


def hash_text(text: str) -> int:
    """Return 64 bits that stand for `text`, the same in every process."""
    return int.from_bytes(blake2b(text.encode(errors="replace"), digest_size=8).digest(), "big")


def prefix_key(request: ChatRequest) -> int:
    """Return 64 bits that stand for the cacheable beginning of the prompt.

    That is the tools and the leading system messages; where these are too short to be cached, the
    first other message too. A conversation keeps its key while it grows.
    """
    parts = [tool.name for tool in request.tools]
    length = 0
    for message in request.messages:
        if message.role != "system" and length >= CACHEABLE_CHARACTERS:
            break
        parts.append(message.content[: PREFIX_CHARACTERS - length])
        length += len(message.content)
        if message.role != "system" or length >= PREFIX_CHARACTERS:
            break
    return hash_text("\x00".join(parts))


def prefer(key: int, candidates: Sequence[P]) -> P:
    """Return the candidate that `key` belongs to, or the next one where that has too much to do.

    Highest random weight (Thaler and Ravishankar, 1998), weighted by -w / ln(u) (Schindelhauer and
    Schomaker, 2005): when a candidate leaves, only its own keys move.
    """
    if len(candidates) == 1:
        return candidates[0]
    in_flight = 1
    weights = 0
    for candidate in candidates:
        in_flight += candidate.in_flight
        weights += candidate.weight
    share = LOAD_FACTOR * in_flight / weights
    best: P | None = None
    best_score = -1.0
    for candidate in candidates:
        if candidate.in_flight >= math.ceil(share * candidate.weight):
            continue
        score = _score(key, candidate)
        if score > best_score:
            best, best_score = candidate, score
    # Somebody is always below the bound, because the bounds add up to more than is in flight.
    return candidates[0] if best is None else best


def _score(key: int, candidate: Preferable) -> float:
    # The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
    mixed = (key ^ candidate.hash) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    mixed ^= mixed >> 31
    return -candidate.weight / math.log((mixed + 1) / (_MASK + 2))
