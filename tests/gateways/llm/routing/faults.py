"""The table of faults: what a server does, and what becomes of the call.

Run `python -m tests.gateways.llm.routing.faults` after a change to write
docs/reference/gateway-faults.md; a test compares both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.gateways.llm.server import Answer, Cut, Fail, Hang, Raw, Say

PAGE_FILE = Path(__file__).resolve().parents[4] / "docs" / "reference" / "gateway-faults.md"

EXACT = "what the provider counted"
BOUND = "the whole bound, estimated"
NOTHING = "nothing"

HTML = b"<!DOCTYPE html><html><body><h1>Welcome to nginx</h1></body></html>"
HALF_EVENT = b'data: {"choices": [{"delta": {"content": "Wel\n\n'
NOT_EVENTS = b'{"choices": [{"message": {"content": "Well"}, "finish_reason": "stop"}]}'


@dataclass(frozen=True)
class Stall(Say):
    """Stream half of the words, then say nothing more."""


@dataclass(frozen=True)
class Row:
    """One fault of deployment A.

    gets: whose answer the caller gets ("A", "B", "C"), or an error's code. asked: who was asked,
    in order. booked: (who, outcome, cost) for every attempt. rests: A's circuit is open afterwards.
    B serves the same route, if not `alone`; C another one, asked for the codes in `fallbacks`.
    address: instead of A's server. sizes: context_tokens of A and B.
    heard: A's words reached the caller before the error.
    """

    fault: str
    gets: str
    asked: str
    booked: tuple[tuple[str, str, str], ...]
    script: tuple[Answer, ...] = ()
    streaming: bool = False
    alone: bool = False
    rests: bool = False
    heard: bool = False
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    address: str | None = None
    sizes: tuple[int | None, int | None] = (None, None)
    checked: bool = False
    budget_nano_usd: int | None = None
    timeout_seconds: float = 10.0


ANSWERED_B = ("B", "answered", EXACT)
ANSWERED_C = ("C", "answered", EXACT)
LONGER = {"llm_context_too_long": ("spare",)}
DECLINED = {"llm_refused": ("spare",)}
TOO_LONG = "This model's maximum context length is 8192 tokens."
FILTERED = Fail(400, "The response was filtered.", code="content_filter")


def _free(who: str) -> tuple[str, str, str]:
    return (who, "failed", NOTHING)


ROWS = (
    Row(
        "connection refused", "B", "AB", (("A", "unsent", NOTHING), ANSWERED_B),
        address="http://127.0.0.1:9/v1",
    ),
    Row(
        "DNS failure", "B", "AB", (("A", "unsent", NOTHING), ANSWERED_B),
        address="http://nowhere.invalid/v1",
    ),
    Row(
        "429 with Retry-After", "B", "AB", (_free("A"), ANSWERED_B),
        (Fail(429, retry_after="7"),), rests=True,
    ),
    Row(
        "429 with Retry-After, nobody else: asked again when the time is over",
        "A", "AA", (_free("A"), ("A", "answered", EXACT)),
        (Fail(429, retry_after="0.2"), "Better late."), alone=True,
    ),
    Row(
        "429 with a Retry-After beyond the call's time, nobody else",
        "llm_rate_limited", "A", (_free("A"),), (Fail(429, retry_after="60"),), alone=True,
        rests=True,
    ),
    Row("429 without Retry-After", "B", "AB", (_free("A"), ANSWERED_B), (Fail(429),)),
    Row("500", "B", "AB", (_free("A"), ANSWERED_B), (Fail(500),)),
    Row("503", "B", "AB", (_free("A"), ANSWERED_B), (Fail(503),)),
    Row(
        "503, nobody else: asked again after a pause",
        "A", "AA", (_free("A"), ("A", "answered", EXACT)), (Fail(503), "Better late."), alone=True,
    ),
    Row(
        "503, nobody else in the route, another route for `any`",
        "C", "AC", (_free("A"), ANSWERED_C), (Fail(503),), alone=True,
        fallbacks={"any": ("spare",)},
    ),
    Row("529 (overloaded)", "B", "AB", (_free("A"), ANSWERED_B), (Fail(529),)),
    Row(
        "slow first byte", "B", "AB", (("A", "timeout", BOUND), ANSWERED_B), (Hang(30.0),),
    ),
    Row(
        "the call's time runs out", "llm_timeout", "A", (("A", "timeout", BOUND),), (Hang(30.0),),
        timeout_seconds=0.15,
    ),
    Row(
        "stalled stream, before the first word", "B", "AB",
        (("A", "timeout", BOUND), ANSWERED_B), (Say("Too late.", delay_seconds=30.0),),
        streaming=True,
    ),
    Row(
        "stalled stream, after the first word", "llm_timeout", "A", (("A", "timeout", BOUND),),
        (Stall("Well, I think that"),), streaming=True, heard=True,
    ),
    Row(
        "cut stream, after the first word", "llm_unavailable", "A", (("A", "cut", BOUND),),
        (Cut(),), streaming=True, heard=True,
    ),
    Row("cut answer", "B", "AB", (("A", "cut", BOUND), ANSWERED_B), (Cut(),)),
    Row(
        "malformed SSE", "B", "AB", (("A", "unreadable", BOUND), ANSWERED_B),
        (Raw(HALF_EVENT, "text/event-stream"),), streaming=True,
    ),
    Row("empty body", "B", "AB", (("A", "cut", BOUND), ANSWERED_B), (Raw(b""),)),
    Row(
        "wrong content type of a stream", "B", "AB", (("A", "unreadable", BOUND), ANSWERED_B),
        (Raw(NOT_EVENTS),), streaming=True,
    ),
    Row(
        "200 with something else than an answer", "B", "AB",
        (("A", "unreadable", BOUND), ANSWERED_B), (Raw(b"pong", "text/plain"),),
    ),
    Row(
        "HTML page with 200", "B", "AB", (("A", "cut", BOUND), ANSWERED_B),
        (Raw(HTML, "text/html"),),
    ),
    Row(
        "context too long, B is known to take more",
        "B", "AB", (_free("A"), ANSWERED_B), (Fail(400, TOO_LONG),), sizes=(8_192, 200_000),
    ),
    Row(
        "context too long, B is not known to take more",
        "llm_context_too_long", "A", (_free("A"),), (Fail(400, TOO_LONG),),
    ),
    Row(
        "context too long, another route for `llm_context_too_long`",
        "C", "AC", (_free("A"), ANSWERED_C), (Fail(400, TOO_LONG),), fallbacks=LONGER,
    ),
    Row("content filtered", "llm_refused", "A", (_free("A"),), (FILTERED,)),
    Row(
        "content filtered, another route for `any` only", "llm_refused", "A", (_free("A"),),
        (FILTERED,), fallbacks={"any": ("spare",)},
    ),
    Row(
        "content filtered, another route for `llm_refused`", "C", "AC",
        (_free("A"), ANSWERED_C), (FILTERED,), fallbacks=DECLINED,
    ),
    Row(
        "invalid JSON output", "B", "AB", (("A", "unreadable", EXACT), ANSWERED_B),
        ("Sure! {broken",), checked=True,
    ),
    Row(
        "invalid JSON output twice, nobody else", "llm_output", "AA",
        (("A", "unreadable", EXACT), ("A", "unreadable", EXACT)),
        ("Sure! {broken", "Sorry! {broken"), checked=True, alone=True,
    ),
    Row(
        "401 or 403", "B", "AB", (_free("A"), ANSWERED_B), (Fail(401),), rests=True,
    ),
    Row(
        "401 or 403, nobody else", "llm_auth", "A", (_free("A"),), (Fail(403),), alone=True,
        rests=True,
    ),
    Row(
        "400: the request is not accepted", "llm_request", "A", (_free("A"),),
        (Fail(400, "messages: at least one is required"),),
    ),
    Row("the budget does not allow the call", "llm_budget", "", (), budget_nano_usd=1000),
)  # fmt: skip

HEAD = """\
# What becomes of a call when a server fails

Written by `python -m tests.gateways.llm.routing.faults` from the table that the tests go through:
each row is played over a real socket, and the three right columns are checked.

Deployments A and B serve one route and A is asked first; C serves another route, asked where the
row says so. "Nothing" is exact: the provider charges nothing for it. The bound is the most that the
attempt can cost; it is booked where nobody can know, and marked as estimated.

| A's fault | the caller gets | asked, in order | booked |
|---|---|---|---|
"""

TAIL = """
Streams are tried elsewhere until the first word is out, then the error is the caller's: an answer
is never said twice. A rests after three failures in a row, at once after 401 or 403 and as long as
`Retry-After` says after a 429; then one request probes it.
"""


def page() -> str:
    """Return docs/reference/gateway-faults.md."""
    return HEAD + "".join(_line(row) for row in ROWS) + TAIL


def _line(row: Row) -> str:
    gets = f"{row.gets}'s answer" if len(row.gets) == 1 else f"`{row.gets}`"
    if row.heard:
        gets = f"the first words, then {gets}"
    asked = ", ".join(row.asked) or "nobody"
    booked = "; ".join(f"{who} {outcome}: {cost}" for who, outcome, cost in row.booked) or "nothing"
    rests = "; A rests" if row.rests else ""
    return f"| {row.fault} | {gets} | {asked}{rests} | {booked} |\n"


if __name__ == "__main__":
    PAGE_FILE.write_text(page(), encoding="utf-8")
