"""What happens to a request before it is sent and to an answer before it is handed over."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from soullink.gateways.llm.port import ChatReply, ChatRequest


class ContentFilter(Protocol):
    """A hook on both sides of a call. Raises LlmRefusedError with the reason, or changes text."""

    def before(self, request: ChatRequest) -> ChatRequest:
        """Return what may be sent."""
        ...

    def after(self, request: ChatRequest, reply: ChatReply) -> ChatReply:
        """Return what may be handed over."""
        ...


class Judged(msgspec.Struct, frozen=True, gc=False):
    """An answer in order, and its scores in 0.0..1.0 by name."""

    reply: ChatReply
    scores: Mapping[str, float]


class ReplyCheck(Protocol):
    """Mends and scores an answer, before any other attempt is made."""

    def check(self, request: ChatRequest, reply: ChatReply) -> Judged:
        """Return the answer, mended where it can be.

        Raises LlmOutputError (its `usage` set to the reply's) where it cannot be used.
        """
        ...
