"""Token counts where the provider sends none: an estimate, and labelled as one."""

import math
from collections.abc import Iterable

from soullink.gateways.llm.port import ChatRequest, Usage

CHARACTERS_PER_TOKEN = 4.0
"""Latin text: the rule of thumb of OpenAI's tokenizer guide."""

_WIDE = ((0x2E80, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0xFF00, 0xFFEF), (0x20000, 0x3FFFF))


def estimate_tokens(text: str) -> int:
    """Return about how many tokens `text` has: 4 characters each, 1 where Chinese or Japanese."""
    wide = sum(1 for character in text if _is_wide(ord(character)))
    return wide + math.ceil((len(text) - wide) / CHARACTERS_PER_TOKEN)


def estimate_usage(request: ChatRequest, answer: str) -> Usage:
    """Return the estimated usage of one call, labelled as estimated."""
    return Usage(
        input_tokens=_total(message.content for message in request.messages),
        output_tokens=estimate_tokens(answer),
        estimated=True,
    )


def _total(texts: Iterable[str]) -> int:
    return sum(estimate_tokens(text) for text in texts)


def _is_wide(point: int) -> bool:
    return any(first <= point <= last for first, last in _WIDE)
