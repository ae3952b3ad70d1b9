"""Which calls go through a proxy of the environment, and that they come to the same there."""

import asyncio

import pytest
from yarl import URL

from soullink.gateways.llm.http.faults import (
    CutError,
    DeadlineError,
    NotReachedError,
    SilentError,
    TooLongError,
)
from soullink.gateways.llm.http.pool import DirectPool, is_private, open_pool
from soullink.gateways.llm.http.port import Answer, Patience
from soullink.gateways.llm.http.proxied import ProxiedPool
from tests.gateways.llm.http.servers import ReplayServer
from tests.gateways.llm.server import ScriptedOpenAiServer

pytestmark = pytest.mark.anyio


def patience(seconds: float = 5.0, first: float = 60.0, stall: float = 60.0) -> Patience:
    return Patience(asyncio.get_running_loop().time() + seconds, first, stall)


async def ask(opened: ProxiedPool, **waits: float) -> Answer:
    return await opened.ask("/chat", {}, b"{}", patience(**waits), 1000)


async def test_a_proxy_of_the_environment_is_for_the_world_outside_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert isinstance(open_pool(URL("http://models.example"), {}, connections=2), DirectPool)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "direct.example")
    assert isinstance(open_pool(URL("http://models.example"), {}, connections=2), ProxiedPool)
    for direct in ("http://127.0.0.1:9", "http://ollama", "http://direct.example", "https://a.b"):
        assert isinstance(open_pool(URL(direct), {}, connections=2), DirectPool)
    assert is_private("10.1.2.3")
    assert not is_private("8.8.8.8")


async def test_a_call_goes_through_the_proxy_whole_and_in_pieces() -> None:
    async with ScriptedOpenAiServer(["One.", "Two."]) as server:
        proxy = server.base_url.removesuffix("/v1")
        opened = ProxiedPool(
            URL("http://models.example/v1"), {"Content-Type": "application/json"}, proxy,
            connections=2,
        )  # fmt: skip
        body = b'{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}'
        whole = await opened.ask("/chat/completions", {"X-A": "b"}, body, patience(), 9999)
        incoming = await opened.open("/chat/completions", {}, body, patience())
        second = b""
        while piece := await incoming.piece():
            second += piece
        incoming.close()
        with pytest.raises(TooLongError):
            await opened.ask("/chat/completions", {}, body, patience(), 10)
        await opened.close()
    assert (whole.status, b"One." in whole.body, b"Two." in second) == (200, True, True)
    assert whole.header("content-type").startswith("application/json")
    assert server.requests[0].headers["Host"] == "models.example"
    assert server.requests[0].headers["X-A"] == "b"


async def test_a_proxy_that_is_not_there_or_says_nothing_is_told_apart() -> None:
    def through(port: int) -> ProxiedPool:
        return ProxiedPool(
            URL("http://models.example"), {}, f"http://127.0.0.1:{port}", connections=2
        )

    missing = through(1)
    with pytest.raises(NotReachedError):
        await ask(missing)
    await missing.close()
    async with ReplayServer([b""], [b""], [b"HTTP/1.1 200 OK\r\n", None]) as server:
        opened = through(server.port)
        with pytest.raises(SilentError):
            await ask(opened, first=0.05)
        with pytest.raises(DeadlineError):
            await ask(opened, seconds=0.05)
        with pytest.raises(CutError):
            await ask(opened)
        await opened.close()
