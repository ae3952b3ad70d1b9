"""The service on a real socket, before a gateway in memory."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import anthropic
import openai
import pytest

from soullink.entrypoints.llm_service.app import build_app
from soullink.entrypoints.llm_service.openai_request import Defaults
from soullink.entrypoints.llm_service.serving import Server, start_server
from soullink.gateways.llm.keys.fake import FakeKeys
from soullink.gateways.llm.port import ChatRequest
from tests.llm_service.fakes import Answer, FakeGateway, PlayedModel


@dataclass
class Service:
    """A running service. secret: a key that works."""

    url: str
    secret: str
    keys: FakeKeys
    gateway: FakeGateway
    model: PlayedModel
    server: Server

    @property
    def last(self) -> ChatRequest:
        return self.model.requests[-1]

    def openai(self, **options: Any) -> openai.AsyncOpenAI:
        options = {"api_key": self.secret, "max_retries": 0} | options
        return openai.AsyncOpenAI(base_url=f"{self.url}/v1", **options)

    def anthropic(self, **options: Any) -> anthropic.AsyncAnthropic:
        options = {"api_key": self.secret, "max_retries": 0} | options
        return anthropic.AsyncAnthropic(base_url=self.url, **options)

    @asynccontextmanager
    async def http(self) -> AsyncIterator[aiohttp.ClientSession]:
        headers = {"Authorization": f"Bearer {self.secret}"}
        async with aiohttp.ClientSession(self.url, headers=headers) as session:
            yield session


Serve = Callable[..., Any]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a service whose model answers as told; it ends with the test."""
    running: list[Server] = []

    async def start(
        answer: Answer | Callable[[ChatRequest], Answer] = "Hello there, how are you?",
        *,
        model: PlayedModel | None = None,
        grace_seconds: float = 0.5,
        **options: Any,
    ) -> Service:
        played = model or PlayedModel(answer if callable(answer) else lambda _: answer)
        gateway, keys = FakeGateway(played), FakeKeys()
        made = await keys.create("acme", "tests")
        options = {"defaults": Defaults(timeout_seconds=20.0)} | options
        application = build_app(gateway, keys, **options)
        listening = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = await start_server(application, listening, grace_seconds)
        running.append(server)
        return Service(url, made.secret, keys, gateway, played, server)

    yield start
    for server in running:
        await server.stop()
