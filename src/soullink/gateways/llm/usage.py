"""Token counts where the provider sends none: an estimate, and labelled as one."""

import re

from soullink.gateways.llm.port import ChatRequest, Message, Usage

CHARACTERS_PER_TOKEN = 4
"""Latin text: the rule of thumb of OpenAI's tokenizer guide."""

_last: tuple[tuple[Message, ...], int, int] = ((), 0, 0)

_LONG = 1000
"""Characters from which on a count is kept, by a hash: such texts come again in call after call."""
_counted: dict[int, int] = {}
_MOST_COUNTED = 4096

_NARROW = re.compile(
    "[^\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+"
)
# The same blocks by the upper byte of UTF-16. Four upper bytes have both kinds below them.
_WIDE_BYTES = bytes((*range(0x2F, 0xA0), *range(0xAC, 0xD7), 0xF9, 0xFA))
_NARROW_BYTES = bytes(sorted(set(range(256)) - set(_WIDE_BYTES)))


def estimate_tokens(text: str) -> int:
    """Return about how many tokens `text` has: 4 characters each, 1 where Chinese or Japanese."""
    length = len(text)
    if text.isascii():
        return (length + 3) // CHARACTERS_PER_TOKEN
    wide = _count_wide(text) if length < _LONG else _count_long(text)
    return wide + (length - wide + 3) // CHARACTERS_PER_TOKEN


def estimate_messages(messages: tuple[Message, ...]) -> int:
    """Return about how many tokens the contents of `messages` have."""
    return _measured(messages)[1]


def bytes_of_messages(messages: tuple[Message, ...]) -> int:
    """Return how many bytes the contents of `messages` are in UTF-8."""
    return _measured(messages)[2]


def _measured(messages: tuple[Message, ...]) -> tuple[tuple[Message, ...], int, int]:
    """Return the messages with the tokens and the bytes of their contents.

    The queue, the rates, the router and the ledger ask about the same messages in turn: the
    answer to the last question is kept.
    """
    global _last  # noqa: PLW0603 - one triple, replaced as a whole: threads may share it
    last = _last
    if last[0] is messages:
        return last
    tokens = size = 0
    for message in messages:
        content = message.content
        length = len(content)
        if content.isascii():  # as in estimate_tokens, without a call for each
            tokens += (length + 3) // CHARACTERS_PER_TOKEN
            size += length
        else:
            tokens += estimate_tokens(content)
            size += len(content.encode(errors="surrogatepass"))
    _last = last = (messages, tokens, size)
    return last


def estimate_usage(request: ChatRequest, answer: str) -> Usage:
    """Return the estimated usage of one call, labelled as estimated."""
    return Usage(
        input_tokens=estimate_messages(request.messages),
        output_tokens=estimate_tokens(answer),
        estimated=True,
    )


def _count_wide(text: str) -> int:
    upper = text.encode("utf-16-be", "surrogatepass")[::2]
    if b"\xff" in upper or b"\xd8" in upper or b"\x2e" in upper or b"\xd7" in upper:
        return len(_NARROW.sub("", text))
    return len(upper.translate(None, _NARROW_BYTES))


def _count_long(text: str) -> int:
    key = hash(text)
    wide = _counted.get(key)
    if wide is None:
        if len(_counted) >= _MOST_COUNTED:
            _counted.clear()
        wide = _counted[key] = _count_wide(text)
    return wide
