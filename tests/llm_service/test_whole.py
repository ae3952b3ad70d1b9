"""The service before the real gateway, its ledger in PostgreSQL and a provider on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import openai
import pytest
import yaml

from soullink import bootstrap
from soullink.entrypoints.llm_service.app import build_app
from soullink.entrypoints.llm_service.openai_request import Defaults
from soullink.entrypoints.llm_service.serving import start_server
from soullink.gateways.llm.ledger.port import Entry
from soullink.settings import LlmSettings, PostgresSettings, Settings
from tests.gateways.llm.server import Fail, Hang, Say, ScriptedOpenAiServer

pytestmark = pytest.mark.anyio

MODEL = "openai:gpt-4o-mini"
HELLO: Any = [{"role": "user", "content": "Hello"}]


@dataclass
class Whole:
    """Everything between a caller and a provider."""

    url: str
    secret: str
    provider: ScriptedOpenAiServer
    opened: bootstrap.OpenGateway

    def openai(self) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"{self.url}/v1", api_key=self.secret, max_retries=0)

    async def entries(self) -> list[Entry]:
        """Return what is on record once every call that began is settled."""
        async with asyncio.timeout(10):
            while True:
                found = [entry async for entry in self.opened.gateway.accounts.entries()]
                if found and all(entry.settlement is not None for entry in found):
                    return found
                await asyncio.sleep(0.02)


Build = Callable[..., Any]


@pytest.fixture
async def build(database_url: str, tmp_path: Path) -> AsyncIterator[Build]:
    async with AsyncExitStack() as stack:

        async def start(script: Any, **document: Any) -> Whole:
            return await stack.enter_async_context(
                _running(database_url, tmp_path, script, document)
            )

        yield start


@asynccontextmanager
async def _running(
    url: str, folder: Path, script: Any, document: dict[str, Any]
) -> AsyncIterator[Whole]:
    async with ScriptedOpenAiServer(script) as provider, AsyncExitStack() as stack:
        deployment = {"model": MODEL, "base_url": provider.base_url}
        price = {"input": "1", "output": "2", "cached_input": "0.5"}
        path = folder / "llm.yaml"
        routes = {"fast": {"deployments": [deployment], "attempts": 1}}
        path.write_text(yaml.safe_dump({"routes": routes, "prices": {MODEL: price}, **document}))
        settings = Settings(PostgresSettings(url), LlmSettings(config=path))
        opened = await stack.enter_async_context(bootstrap.open_gateway(settings))
        made = await opened.keys.create("acme", "tests")
        listening = socket.create_server(("127.0.0.1", 0))
        app = build_app(opened.gateway, opened.keys, defaults=Defaults(timeout_seconds=20.0))
        server = await start_server(app, listening, 0.5)
        stack.push_async_callback(server.stop)
        port = listening.getsockname()[1]
        yield Whole(f"http://127.0.0.1:{port}", made.secret, provider, opened)


async def test_a_call_is_booked_on_its_account_to_the_nano_dollar(build: Build) -> None:
    whole = await build(["Good morning.", "Good evening."])
    async with whole.openai() as client:
        raw = await client.chat.completions.with_raw_response.create(
            model="fast", messages=HELLO, extra_headers={"X-SoulLink-Run": "run-1"}
        )
    assert raw.headers["X-SoulLink-Cost-Nano-USD"] == "170000"
    async with (
        anthropic.AsyncAnthropic(base_url=whole.url, api_key=whole.secret) as other,
        other.messages.stream(model="fast", max_tokens=50, messages=HELLO) as stream,
    ):
        assert await stream.get_final_text() == "Good evening."
    entries = await whole.entries()
    [key] = await whole.opened.keys.list_keys()
    assert [entry.intent.attribution.run for entry in entries] == ["run-1", ""]
    for entry in entries:
        assert entry.intent.attribution.tenant == "acme"
        assert entry.intent.attribution.key == key.id
        assert entry.settlement is not None
        assert (entry.settlement.cost_nano_usd, entry.settlement.estimated) == (170_000, False)


@pytest.mark.parametrize("streamed", [False, True])
async def test_who_goes_away_is_booked_with_what_it_could_have_cost(
    build: Build, streamed: bool
) -> None:
    asked = asyncio.Event()

    def answer(_: Any) -> Any:
        asked.set()
        if streamed:
            return Say("One two three four five six.", pieces=6, delay_seconds=0.2)
        return Hang(20.0)

    whole = await build(answer)
    async with aiohttp.ClientSession(headers={"x-api-key": whole.secret}) as http:
        body = {"model": "fast", "messages": HELLO, "stream": streamed}
        asking = asyncio.create_task(_begin(http, f"{whole.url}/v1/chat/completions", body))
        await asyncio.wait_for(asked.wait(), 10)
        if streamed:
            await asking
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    [entry] = await whole.entries()
    assert entry.settlement is not None
    assert entry.settlement.outcome == "cancelled"
    assert entry.settlement.estimated is True
    assert entry.settlement.cost_nano_usd == entry.intent.bound_nano_usd


async def _begin(http: aiohttp.ClientSession, url: str, body: Any) -> None:
    """Ask and go away after the first words."""
    async with http.post(url, json=body) as answer:
        async for line in answer.content:
            if b'"content":"One' in line:
                return


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (Fail(429, "slow down", retry_after="7"), openai.RateLimitError),
        (Fail(401, "bad key"), openai.InternalServerError),
        (Fail(503, "busy"), openai.InternalServerError),
        (Fail(400, "no such parameter"), openai.BadRequestError),
    ],
)
async def test_what_a_provider_refuses_is_the_sdks_own_exception_and_costs_nothing(
    build: Build, failure: Fail, kind: type[openai.APIStatusError]
) -> None:
    whole = await build([failure])
    async with whole.openai() as client:
        with pytest.raises(kind) as raised:
            await client.chat.completions.create(model="fast", messages=HELLO)
    assert raised.value.response.headers.get("Retry-After") in {None, "7"}
    assert ("Retry-After" in raised.value.response.headers) == (failure.status == 429)
    [entry] = await whole.entries()
    assert entry.settlement is not None
    assert (entry.settlement.outcome, entry.settlement.cost_nano_usd) == ("failed", 0)


async def test_a_spent_budget_refuses_before_anything_is_sent(build: Build) -> None:
    whole = await build(["Never said."])
    await whole.opened.gateway.accounts.set_budget("tenant", "acme", "total", 10)
    async with whole.openai() as client:
        with pytest.raises(openai.RateLimitError) as raised:
            await client.chat.completions.create(model="fast", messages=HELLO)
    assert raised.value.code == "insufficient_quota"
    assert whole.provider.requests == []
