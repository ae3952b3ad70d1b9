"""What goes wrong, as the two protocols say it: one table."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import msgspec

from soullink.gateways.llm.port import (
    LlmAuthError,
    LlmBudgetError,
    LlmCassetteMissError,
    LlmContextTooLongError,
    LlmError,
    LlmOutputError,
    LlmRateLimitedError,
    LlmRefusedError,
    LlmRequestError,
    LlmTimeoutError,
    LlmUnavailableError,
)
from soullink.kernel.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    SoulLinkError,
    UnavailableError,
)

Protocol: TypeAlias = Literal["openai", "anthropic"]


class BadCallError(InvalidInputError):
    """The body of a request cannot be used. param: which part of it, dotted."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class TooLargeError(SoulLinkError):
    """The body of a request has more bytes than are taken."""

    code = "too_large"


class UnknownKeyError(SoulLinkError):
    """No key, or none that works."""

    code = "unknown_key"


class UnknownModelError(NotFoundError):
    """There is no such model, or the key may not know that there is."""

    code = "unknown_model"


class UnknownPathError(NotFoundError):
    """There is no such address."""

    code = "unknown_path"


@dataclass(frozen=True, slots=True)
class Fault:
    """How one kind of error is told. message: in place of the error's own, which callers may not
    see."""

    status: int
    openai_type: str
    openai_code: str | None
    anthropic_type: str
    message: str | None = None


_BAD: Final = "invalid_request_error"

FAULTS: Final[tuple[tuple[type[Exception], Fault], ...]] = (
    (UnknownKeyError, Fault(401, _BAD, "invalid_api_key", "authentication_error")),
    (UnknownModelError, Fault(404, _BAD, "model_not_found", "not_found_error")),
    (UnknownPathError, Fault(404, _BAD, "unknown_url", "not_found_error")),
    (TooLargeError, Fault(413, _BAD, "request_too_large", "request_too_large")),
    (InvalidInputError, Fault(400, _BAD, None, _BAD)),
    (NotFoundError, Fault(404, _BAD, "not_found", "not_found_error")),
    (ConflictError, Fault(409, _BAD, "conflict", _BAD)),
    (LlmContextTooLongError, Fault(400, _BAD, "context_length_exceeded", _BAD)),
    (LlmRequestError, Fault(400, _BAD, None, _BAD)),
    (LlmRefusedError, Fault(400, _BAD, "content_filter", _BAD)),
    (LlmBudgetError, Fault(429, "insufficient_quota", "insufficient_quota", "billing_error")),
    (
        LlmRateLimitedError,
        Fault(429, "rate_limit_error", "rate_limit_exceeded", "rate_limit_error"),
    ),
    (
        LlmAuthError,
        Fault(
            502,
            "server_error",
            "provider_auth",
            "api_error",
            "The provider does not accept the gateway's own key; its operator can see why.",
        ),
    ),
    (LlmOutputError, Fault(502, "server_error", "unreadable_answer", "api_error")),
    (LlmUnavailableError, Fault(503, "server_error", "provider_unavailable", "overloaded_error")),
    (LlmTimeoutError, Fault(504, "server_error", "timeout", "timeout_error")),
    (LlmCassetteMissError, Fault(409, _BAD, "cassette_miss", _BAD)),
    (UnavailableError, Fault(503, "server_error", "unavailable", "overloaded_error")),
)
"""The first that fits counts. OpenAI's and Anthropic's own words for each status:
https://platform.openai.com/docs/guides/error-codes, https://docs.anthropic.com/en/api/errors."""

BUG: Final = Fault(
    500, "server_error", "internal", "api_error", "Something went wrong in the gateway itself."
)


def fault_of(error: Exception) -> Fault:
    """Return how `error` is told; what is not expected is a bug, of which nothing is told."""
    for kind, fault in FAULTS:
        if isinstance(error, kind):
            return fault
    return BUG


def body_of(error: Exception, protocol: Protocol, request_id: str) -> bytes:
    """Return the JSON that tells `error` in `protocol`."""
    fault = fault_of(error)
    message = fault.message or str(error)
    document: dict[str, Any]
    if protocol == "anthropic":
        document = {
            "type": "error",
            "error": {"type": fault.anthropic_type, "message": message},
            "request_id": request_id,
        }
    else:
        document = {
            "error": {
                "message": message,
                "type": fault.openai_type,
                "param": error.param if isinstance(error, BadCallError) else None,
                "code": fault.openai_code,
            }
        }
    return msgspec.json.encode(document)


def headers_of(error: Exception) -> Mapping[str, str]:
    """Return when to try again, and whether that makes sense; both SDKs read x-should-retry."""
    if not isinstance(error, LlmError | UnavailableError):
        return {}
    retryable = error.retryable if isinstance(error, LlmError) else True
    headers = {"x-should-retry": "true" if retryable else "false"}
    seconds = error.retry_after_seconds if isinstance(error, LlmError) else None
    if retryable and seconds is not None:
        headers["Retry-After"] = str(max(1, math.ceil(seconds)))
        headers["retry-after-ms"] = str(max(1, math.ceil(seconds * 1000)))
    return headers
