"""Providers under test, each talking over a socket to a scripted server of its format."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from soullink.gateways.llm.anthropic import anthropic_model
from soullink.gateways.llm.gemini import gemini_model
from soullink.gateways.llm.http_model import HttpLanguageModel
from soullink.gateways.llm.openai import openai_model
from soullink.gateways.llm.port import ChatRequest, Message
from soullink.gateways.llm.retry import Retry
from soullink.gateways.llm.wire import Secret
from tests.gateways.llm.native_servers import ScriptedAnthropicServer, ScriptedGeminiServer
from tests.gateways.llm.server import ScriptedOpenAiServer, ScriptedServer

KEY = "sk-test-0123456789abcdef"
SCHEMA = {
    "type": "object",
    "properties": {
        "words": {"type": "string", "maxLength": 200},
        "act": {"type": "string", "enum": ["ask", "joke"]},
    },
    "required": ["words", "act"],
    "additionalProperties": False,
}

FORMATS: dict[str, tuple[type[ScriptedServer], Callable[..., HttpLanguageModel], str]] = {
    "openai": (ScriptedOpenAiServer, openai_model, "gpt-5-mini"),
    "anthropic": (ScriptedAnthropicServer, anthropic_model, "claude-sonnet-4-5"),
    "gemini": (ScriptedGeminiServer, gemini_model, "gemini-2.5-flash"),
}


def request(text: str = "How was your day?", **changes: object) -> ChatRequest:
    messages = (Message("system", "You are Ada."), Message("user", text))
    return ChatRequest(messages, **{"timeout_seconds": 5.0, **changes})  # type: ignore[arg-type]


@dataclass
class Sleeps:
    """Records waits instead of waiting."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@dataclass
class Setup:
    """A provider, the server it talks to, and the waits between attempts."""

    provider: str
    server: ScriptedServer
    model: HttpLanguageModel
    sleeps: Sleeps


@pytest.fixture(params=sorted(FORMATS))
async def setup(request: pytest.FixtureRequest) -> AsyncIterator[Setup]:
    server_class, open_provider, name = FORMATS[request.param]
    async with server_class(api_key=KEY) as server:
        sleeps = Sleeps()
        model = open_provider(
            name, key=Secret(KEY), base_url=server.base_url, retry=Retry(seed=1, sleep=sleeps)
        )
        yield Setup(request.param, server, model, sleeps)
        await model.close()
