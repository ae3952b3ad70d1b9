"""JSON that is nested deeper than anybody can read it, on its way out and back."""

import json
from typing import Any

import pytest

from soullink.gateways.llm.port import (
    ChatRequest,
    LlmOutputError,
    LlmRequestError,
    Message,
    ToolCall,
)
from tests.gateways.llm.conftest import Setup, request
from tests.gateways.llm.server import Raw

pytestmark = pytest.mark.anyio

DEEP = "[" * 50_000 + "]" * 50_000


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


async def test_a_schema_too_deep_to_be_written_is_refused_for_nothing(setup: Setup) -> None:
    with pytest.raises(LlmRequestError) as caught:
        # The server's script is empty, so it refuses what is sent all the same.
        await setup.model.complete(request(json_schema=nested(480)))
    assert not caught.value.may_be_billed
    assert caught.value.attempts == len(setup.server.requests)


async def test_arguments_too_deep_to_be_read_cost_nothing(setup: Setup) -> None:
    call = ToolCall("c1", "f", json.dumps({"a": 0}).replace("0", DEEP))
    asked = ChatRequest(
        (Message("user", "Hi"), Message("assistant", "", (call,)), Message("tool", DEEP, (), "c1")),
        timeout_seconds=5.0,
    )
    with pytest.raises(LlmRequestError) as caught:
        await setup.model.complete(asked)
    assert not caught.value.may_be_billed
    assert caught.value.attempts == len(setup.server.requests)
    assert setup.provider == "openai" or not setup.server.requests


@pytest.mark.parametrize("status", [200, 400])
async def test_an_answer_too_deep_to_be_read_is_an_error_of_the_port(
    setup: Setup, status: int
) -> None:
    fields = ", ".join(f'"{name}": {DEEP}' for name in ("choices", "content", "candidates"))
    body = f"{{{fields}}}".encode()
    setup.server.script = [Raw(body, status=status)]
    with pytest.raises(LlmOutputError if status == 200 else LlmRequestError):
        await setup.model.complete(request())
    event = b"data: " + body + b"\n\n"
    setup.server.script = [Raw(event, "text/event-stream")]
    with pytest.raises(LlmOutputError):
        async for _ in setup.model.stream(request()):
            pass
