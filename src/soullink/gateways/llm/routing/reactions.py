"""What is done about an error: the one table that retries, fallbacks and circuits go by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from soullink.gateways.llm.port import (
    LlmAuthError,
    LlmContextTooLongError,
    LlmError,
    LlmOutputError,
    LlmRateLimitedError,
    LlmRefusedError,
    LlmTimeoutError,
    LlmUnavailableError,
)

Health: TypeAlias = Literal["answers", "fails", "barred"]
"""What an error says of its deployment: it works; it failed once; it will not work for us."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """Where a call goes after an error.

    elsewhere: another deployment of the route, at once. larger: only one that takes more tokens.
    same: the same again, after a pause, when there is no other. once: at most one such repetition
    in a call, and without a pause, since load is not the cause.
    fallback: other routes, configured for the error's code; by_any: those for "any" as well.
    """

    elsewhere: bool = False
    larger: bool = False
    same: bool = False
    once: bool = False
    fallback: bool = False
    by_any: bool = False
    health: Health = "answers"


_LATER = Reaction(elsewhere=True, same=True, fallback=True, by_any=True, health="fails")
_RAISED = Reaction()

REACTIONS: Mapping[str, Reaction] = {
    LlmUnavailableError.code: _LATER,
    LlmTimeoutError.code: _LATER,
    LlmRateLimitedError.code: _LATER,
    LlmContextTooLongError.code: Reaction(elsewhere=True, larger=True, fallback=True, by_any=True),
    # What one provider declines is put to another only where the operator says so.
    LlmRefusedError.code: Reaction(fallback=True),
    LlmAuthError.code: Reaction(elsewhere=True, fallback=True, by_any=True, health="barred"),
    LlmOutputError.code: Reaction(
        elsewhere=True, same=True, once=True, fallback=True, by_any=True, health="fails"
    ),
}
"""By the error's code. What is not listed (request, budget, bugs) is raised at once."""


def reaction_to(error: LlmError) -> Reaction:
    """Return what is done about `error`."""
    return REACTIONS.get(error.code, _RAISED)
