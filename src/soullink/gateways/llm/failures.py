"""Which error of the port stands for what a provider did. The one place that decides.

| what happened | error | may be billed |
|---|---|---|
| no connection: refused, no such host, no trust, 15 s without one | LlmUnavailableError | no |
| the deadline passed before the request was out | LlmTimeoutError | no |
| the deadline passed later; silence before the first byte; a stalled answer | LlmTimeoutError | yes |
| the connection was cut, or what came is not HTTP | LlmUnavailableError | yes |
| 401, 403, or words that say the key is wrong or the account empty | LlmAuthError | no |
| words of a content filter | LlmRefusedError | no |
| words that say the prompt is too long for the model | LlmContextTooLongError | no |
| 429 | LlmRateLimitedError | no |
| 5xx (529 too), 408, 409, 425 | LlmUnavailableError | no |
| any other status but 200 | LlmRequestError | no |
| 200 with an error object inside, or an error event in a stream | as its own code says | yes |
| 200 with nothing in it, or with a web page: not the model answered but something before it | LlmUnavailableError | yes |
| 200 with anything else that cannot be read (JSON, events, size) | LlmOutputError | yes |
| 200 that reports a content filter or a refusal without words | LlmRefusedError, with usage | yes |
| 200 without a word and without a tool call | LlmOutputError, with usage | yes |

A request that needs the context of a larger model goes elsewhere; any other refused request does
not, because it is refused everywhere.
"""  # noqa: E501 - a table reads best one row a line

import re
from datetime import datetime

import msgspec

from soullink.gateways.llm.http.faults import (
    DeadlineError,
    HttpError,
    NotReachedError,
    SilentError,
    TooLongError,
)
from soullink.gateways.llm.port import (
    LlmAuthError,
    LlmContextTooLongError,
    LlmError,
    LlmOutputError,
    LlmRateLimitedError,
    LlmRefusedError,
    LlmRequestError,
    LlmTimeoutError,
    LlmUnavailableError,
)
from soullink.gateways.llm.retry import parse_retry_after

_FILTERED = ("content_filter", "content_policy", "responsibleaipolicyviolation")
_NO_CREDIT = ("insufficient_quota", "credit balance is too low")
_WRONG_KEY = ("api key not valid", "api_key_invalid", "invalid_api_key")
_TOO_LONG = re.compile(
    # OpenAI; Anthropic, twice; Gemini; llama.cpp, twice; vLLM and others.
    r"context_length_exceeded|prompt is too long|exceed context limit"
    r"|input token count\b.*\bexceed|exceed_context_size|available context size"
    r"|maximum context length|exceeds the context window|input_length_exceeded",
    re.IGNORECASE | re.DOTALL,
)


def failure_of_status(
    who: str, status: int, reason: str, words: str, retry_after: str | None, now: datetime
) -> LlmError:
    """Return the error for an HTTP status that is not 200, or an error object within a 200.

    reason: the provider's words, searched for marks. words: the same, fit to be shown.
    """
    lowered = reason.lower()
    if any(mark in lowered for mark in _NO_CREDIT):
        return LlmAuthError(f"The account at {who} has no credit left; top it up there.")
    if any(mark in lowered for mark in _FILTERED):
        return LlmRefusedError(f"The content filter of {who} declined: {words}")
    if status in {401, 403} or any(mark in lowered for mark in _WRONG_KEY):
        return LlmAuthError(f"{who} does not accept the API key ({status}); check it.")
    if status != 429 and _TOO_LONG.search(reason):
        return LlmContextTooLongError(
            f"The request is longer than the context of the model at {who}: {words}"
        )
    error: LlmError
    if status == 429:
        error = LlmRateLimitedError(f"{who} limits the rate (429): {words}")
    elif status >= 500 or status in {408, 409, 425} or status < 300:
        error = LlmUnavailableError(f"{who} failed ({status}): {words}")
    elif status < 400:
        error = LlmRequestError(f"{who} sends us elsewhere ({status}); correct the base URL.")
    else:
        error = LlmRequestError(f"{who} does not accept the request ({status}): {words}")
    error.retry_after_seconds = parse_retry_after(retry_after, now)
    return error


def failure_of_exchange(who: str, error: HttpError, why: str) -> LlmError:
    """Return the error for an exchange that did not come to its end.

    why: what the error says, fit to be shown. A deadline's sentence is the caller's to write.
    """
    found: LlmError
    if isinstance(error, SilentError):
        found = LlmTimeoutError(f"{who} was silent for {error.seconds:g} seconds.")
    elif isinstance(error, DeadlineError):
        found = LlmTimeoutError(f"{who} did not answer within the time allowed.")
    elif isinstance(error, NotReachedError):
        found = LlmUnavailableError(f"{who} cannot be reached: {why}.")
    elif isinstance(error, TooLongError):
        found = LlmOutputError(f"{who} sent more than an answer can be.")
    else:
        found = LlmUnavailableError(f"The connection to {who} failed: {why}.")
    found.may_be_billed = error.sent
    return found


def failure_of_content(who: str, body: bytes, content_type: str, why: str) -> LlmError:
    """Return the error for a 200 that is not in the provider's format."""
    start = body[:512].lstrip().lower()
    if not start:
        return LlmUnavailableError(f"{who} sent an empty answer.")
    if start.startswith((b"<!doctype", b"<html")) or (
        "html" in content_type.lower() and start.startswith(b"<")
    ):
        return LlmUnavailableError(
            f"{who} sent a web page; something else answers there, or the base URL is wrong."
        )
    return LlmOutputError(f"{who} answered something that is not in its format: {why}.")


class _Fault(msgspec.Struct):
    message: str | None = None
    type: str | None = None
    code: str | int | None = None
    status: str | None = None


class _Faulty(msgspec.Struct):
    error: _Fault | str | None = None
    message: str | None = None
    detail: str | None = None


def reason_in(payload: bytes) -> str:
    """Return what an error body says: OpenAI's, Anthropic's, Gemini's form, or its plain text."""
    try:
        found = msgspec.json.decode(payload, type=_Faulty | list[_Faulty])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return payload.decode(errors="replace")
    document = (found[0] if found else _Faulty()) if isinstance(found, list) else found
    fault = document.error
    if isinstance(fault, _Fault):
        marks = [str(mark) for mark in (fault.type, fault.code, fault.status) if mark is not None]
        return " ".join([fault.message or "", *(f"({mark})" for mark in dict.fromkeys(marks))])
    return fault or document.message or document.detail or payload.decode(errors="replace")
