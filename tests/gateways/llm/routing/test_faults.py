"""Every fault over real sockets: what the caller gets, who is asked next, what is booked."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from soullink.gateways.llm.config import PriceConfig
from soullink.gateways.llm.http_model import HttpLanguageModel
from soullink.gateways.llm.openai import OpenAiDialect
from soullink.gateways.llm.port import ChatReply, ChatRequest, LlmError, LlmOutputError
from soullink.gateways.llm.pricing import PriceList
from soullink.gateways.llm.response.port import Judged
from soullink.gateways.llm.retry import Retry, RetryPolicy
from soullink.gateways.llm.routing.port import Deployment, RetryRules, Route
from soullink.gateways.llm.routing.router import Router
from soullink.gateways.llm.wire import Secret, Wire
from tests.gateways.llm.routing.faults import (
    BOUND,
    EXACT,
    NOTHING,
    PAGE_FILE,
    ROWS,
    Row,
    Stall,
    page,
)
from tests.gateways.llm.routing.support import BookedInMemory, request
from tests.gateways.llm.server import Received, Say, ScriptedOpenAiServer

pytestmark = pytest.mark.anyio

PRICE = PriceConfig(input="1", output="2", cached_input="0.1")
COST = 100 * 1000 + 20 * 100 + 30 * 2000
"""100 tokens read, 20 from the cache, 30 written: what the scripted server counts."""


class Server(ScriptedOpenAiServer):
    """Stalls too."""

    async def _say(self, incoming: web.Request, received: Received, say: Say) -> web.StreamResponse:
        if not isinstance(say, Stall):
            return await super()._say(incoming, received, say)
        events = self.events(say, received)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(incoming)
        with contextlib.suppress(ConnectionResetError):
            await response.write("".join(events[: len(events) // 2]).encode())
            await asyncio.sleep(30.0)
        return response


class JsonCheck:
    """Wants JSON."""

    def check(self, request: ChatRequest, reply: ChatReply) -> Judged:  # noqa: ARG002 - any
        try:
            json.loads(reply.text)
        except ValueError as error:
            failure = LlmOutputError("The answer is not JSON.")
            failure.usage = reply.usage
            raise failure from error
        return Judged(reply, {"schema": 1.0})


def model_at(letter: str, address: str) -> HttpLanguageModel:
    retry = Retry(RetryPolicy(max_attempts=1))
    wire = Wire(
        address,
        provider="openai",
        key=Secret("sk-test-0123456789abcdef"),
        auth=("Authorization", "Bearer "),
        headers={},
        retry=retry,
        first_byte_seconds=0.6,
        stall_seconds=0.6,
    )
    dialect = OpenAiDialect(f"model-{letter}", official=False)
    return HttpLanguageModel(dialect, wire, retry, PriceList({f"openai:model-{letter}": PRICE}))


class Played:
    """A row's stage: three servers, a router over them, and the account."""

    def __init__(self, row: Row, servers: dict[str, Server]) -> None:
        self.servers = servers
        self.ledger = BookedInMemory(row.budget_nano_usd)
        addresses = {letter: server.base_url for letter, server in servers.items()}
        if row.address is not None:
            addresses["A"] = row.address
        sizes = (*row.sizes, None)
        deployments = {
            letter: Deployment(
                letter, model_at(letter, address), priority=place, context_tokens=sizes[place]
            )
            for place, (letter, address) in enumerate(addresses.items())
        }
        main = (deployments["A"],) if row.alone else (deployments["A"], deployments["B"])
        rules = RetryRules(first_seconds=0.02, longest_seconds=0.05)
        self.router = Router(
            [
                Route("main", main, "priority", row.fallbacks, retry=rules),
                Route("spare", (deployments["C"],)),
            ],
            ledger=self.ledger,
            check=JsonCheck() if row.checked else None,
            seed=1,
        )
        self.model = self.router.model("main")


@pytest.fixture
async def played(row: Row) -> AsyncIterator[Played]:
    async with contextlib.AsyncExitStack() as stack:
        servers = {letter: Server(lambda _, who=letter: f'"I am {who}."') for letter in "ABC"}
        servers["A"].script = list(row.script)
        for server in servers.values():
            await stack.enter_async_context(server)
        stage = Played(row, servers)
        stack.push_async_callback(stage.router.close)
        yield stage


async def heard_of(played: Played, row: Row) -> tuple[str, ChatReply | LlmError]:
    asked = request(timeout_seconds=row.timeout_seconds)
    words = ""
    try:
        if not row.streaming:
            reply = await played.model.complete(asked)
            return reply.text, reply
        async for chunk in played.model.stream(asked):
            words += chunk.text
            if chunk.reply is not None:
                return words, chunk.reply
    except LlmError as error:
        return words, error
    raise AssertionError("The stream ended without a reply.")


@pytest.fixture
def nobody_resolves(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if name.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.usefixtures("nobody_resolves")
@pytest.mark.parametrize("row", ROWS, ids=[row.fault.replace(" ", "-") for row in ROWS])
async def test_fault(row: Row, played: Played) -> None:
    words, outcome = await heard_of(played, row)

    if len(row.gets) == 1:
        assert isinstance(outcome, ChatReply)
        assert outcome.model == f"model-{row.gets}"
        assert words == outcome.text != ""
        assert outcome.cost_nano_usd == COST
        assert outcome.quality == ({"schema": 1.0} if row.checked else {})
    else:
        assert isinstance(outcome, LlmError)
        assert outcome.code == row.gets
        assert bool(words) is row.heard
    assert outcome.attempts == len(row.asked)

    intents = list(played.ledger.intents.values())
    assert "".join(intent.model[-1] for intent in intents) == row.asked
    assert len({intent.call_id for intent in intents}) <= 1
    received = [
        (letter, one.headers["X-Client-Request-Id"])
        for letter, server in played.servers.items()
        for one in server.requests
    ]
    sent = [(i.model[-1], i.attempt_id) for i in intents]
    assert sorted(received) == sorted(s for s in sent if row.address is None or s[0] != "A")

    assert played.ledger.open == []
    assert played.ledger.repeated == []
    booked = [
        (name[-1], s.outcome, s.cost_nano_usd, s.estimated) for name, s in played.ledger.booked
    ]
    assert booked == [
        (who, kind, *price_of(cost, intent.bound_nano_usd))
        for (who, kind, cost), intent in zip(row.booked, intents, strict=True)
    ]
    for _, settlement in played.ledger.booked:
        assert bool(settlement.error_code) is (settlement.outcome != "answered")

    states = {state.id: state for state in played.router.states()}
    assert (states["A"].circuit == "open") is row.rests
    assert all(state.in_flight == 0 for state in states.values())


def price_of(cost: str, bound: int | None) -> tuple[int, bool]:
    assert bound is not None
    assert bound > COST
    return {NOTHING: (0, False), EXACT: (COST, False), BOUND: (bound, True)}[cost]


async def test_the_table_has_what_it_must_have() -> None:
    faults = " ".join(row.fault for row in ROWS)
    for name in (
        "connection refused", "DNS failure", "429 with Retry-After", "429 without", "500", "503",
        "529", "slow first byte", "stalled stream", "cut stream", "malformed SSE", "empty body",
        "wrong content type", "HTML", "context too long", "content filtered", "invalid JSON output",
        "401", "budget",
    ):  # fmt: skip
        assert name in faults


async def test_the_reference_is_what_the_table_says() -> None:
    assert PAGE_FILE.read_text(encoding="utf-8") == page(), (
        "run python -m tests.gateways.llm.routing.faults"
    )
