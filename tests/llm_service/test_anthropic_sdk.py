"""The official anthropic SDK, unchanged, against the service on a real socket."""

import asyncio
from typing import Any

import anthropic
import pytest

from soullink.gateways.llm.port import (
    LlmAuthError,
    LlmBudgetError,
    LlmContextTooLongError,
    LlmError,
    LlmRateLimitedError,
    LlmTimeoutError,
    LlmUnavailableError,
    Message,
    ToolCall,
)
from tests.llm_service.conftest import Serve
from tests.llm_service.fakes import PlayedModel

pytestmark = pytest.mark.anyio

HELLO: Any = [{"role": "user", "content": "Hello"}]
WEATHER: Any = {
    "name": "weather",
    "description": "Tells the weather.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


async def test_a_message_is_answered_and_every_option_arrives(serve: Serve) -> None:
    service = await serve()
    async with service.anthropic() as client:
        answer = await client.messages.create(
            model="played",
            max_tokens=33,
            system=[
                {"type": "text", "text": "You are Ada.", "cache_control": {"type": "ephemeral"}},
                {"type": "text", "text": "Be brief."},
            ],
            messages=[
                {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
                {"role": "assistant", "content": "Hi."},
                {"role": "user", "content": "And?"},
            ],
            stop_sequences=["END"],
            extra_body={"temperature": 0.25, "top_p": 0.9},
            metadata={"user_id": "somebody"},
            extra_headers={"X-SoulLink-Run": "run-1"},
        )
    assert [block.type for block in answer.content] == ["text"]
    assert answer.content[0].text == "Hello there, how are you?"
    assert (answer.stop_reason, answer.model, answer.role) == ("end_turn", "played", "assistant")
    usage = answer.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens) == (100, 20)
    assert usage.output_tokens == 30
    asked = service.last
    assert asked.messages == (
        Message("system", "You are Ada.\nBe brief."),
        Message("user", "Hello"),
        Message("assistant", "Hi."),
        Message("user", "And?"),
    )
    assert (asked.max_output_tokens, asked.temperature, asked.stop) == (33, 0.25, ("END",))
    assert (asked.attribution.tenant, asked.attribution.run) == ("acme", "run-1")


async def test_a_stream_has_every_event_in_its_order(serve: Serve) -> None:
    service = await serve()
    async with service.anthropic() as client:
        raw = await client.messages.create(
            model="played", max_tokens=50, messages=HELLO, stream=True
        )
        kinds = [event.type async for event in raw]
        async with client.messages.stream(
            model="played", max_tokens=50, messages=HELLO, system="You are Ada."
        ) as stream:
            texts = [text async for text in stream.text_stream]
            whole = await stream.get_final_message()
    assert kinds == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 5,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert texts == ["Hello", " there,", " how", " are", " you?"]
    assert whole.stop_reason == "end_turn"
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (100, 30)
    assert whole.usage.cache_read_input_tokens == 20


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_is_used_and_its_result_goes_back(serve: Serve, streamed: bool) -> None:
    def answer(request: Any) -> Any:
        if request.messages[-1].role == "user" and request.messages[-2].role == "tool":
            return f"It is {request.messages[-2].content}"
        return [ToolCall("call_1", "weather", '{"city":"Oslo"}'), ToolCall("call_2", "weather", "")]

    service = await serve(answer)
    messages: list[Any] = [{"role": "user", "content": "Weather?"}, *HELLO]
    options: Any = {
        "model": "played",
        "max_tokens": 50,
        "messages": messages,
        "tools": [WEATHER],
        "tool_choice": {"type": "any"},
    }
    async with service.anthropic() as client:
        if streamed:
            async with client.messages.stream(**options) as stream:
                first = await stream.get_final_message()
        else:
            first = await client.messages.create(**options)
        assert first.stop_reason == "tool_use"
        used = [block for block in first.content if block.type == "tool_use"]
        assert [(block.id, block.input) for block in used] == [
            ("call_1", {"city": "Oslo"}),
            ("call_2", {}),
        ]
        assert service.last.tool_choice == "required"
        content: list[Any] = [
            {"type": "tool_result", "tool_use_id": "call_1", "content": "sunny"},
            {
                "type": "tool_result",
                "tool_use_id": "call_2",
                "content": [{"type": "text", "text": "no city"}],
                "is_error": True,
            },
            {"type": "text", "text": "Go on."},
        ]
        messages += [
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": content},
        ]
        second = await client.messages.create(**options)
    assert second.content[0].type == "text"
    assert second.content[0].text == "It is Error: no city"
    said = service.last.messages
    assert said[2].tool_calls[0] == ToolCall("call_1", "weather", '{"city":"Oslo"}')
    assert said[3:] == (
        Message("tool", "sunny", tool_call_id="call_1"),
        Message("tool", "Error: no city", tool_call_id="call_2"),
        Message("user", "Go on."),
    )


async def test_structured_output_is_asked_for(serve: Serve) -> None:
    service = await serve({"word": "calm"})
    schema = {"type": "object", "properties": {"word": {"type": "string"}}}
    async with service.anthropic() as client:
        answer = await client.messages.create(
            model="played",
            max_tokens=50,
            messages=HELLO,
            output_config={"format": {"type": "json_schema", "schema": schema}},
        )
    assert answer.content[0].type == "text"
    assert answer.content[0].text == '{"word": "calm"}'
    assert service.last.json_schema == schema


async def test_tokens_are_counted_and_called_an_estimate(serve: Serve) -> None:
    service = await serve()
    async with service.anthropic() as client:
        short = await client.messages.count_tokens(model="played", messages=HELLO)
        longer = await client.messages.count_tokens(
            model="played", messages=HELLO, system="You are Ada. " * 40, tools=[WEATHER]
        )
    assert 1 <= short.input_tokens < 10
    assert longer.input_tokens > short.input_tokens + 100
    assert getattr(short, "estimated", None) is True
    assert service.model.requests == []


async def test_models_are_listed_in_its_own_words(serve: Serve) -> None:
    service = await serve()
    async with service.anthropic() as client:
        models = [model async for model in client.models.list()]
        assert [model.id for model in models] == ["played", "lengths"]
        assert (await client.models.retrieve("played")).type == "model"
        with pytest.raises(anthropic.NotFoundError):
            await client.models.retrieve("nothing")


async def test_a_bearer_token_works_as_the_key_does(serve: Serve) -> None:
    service = await serve()
    async with service.anthropic(api_key=None, auth_token=service.secret) as client:
        await client.messages.create(model="played", max_tokens=5, messages=HELLO)
    assert len(service.model.requests) == 1


async def test_the_synchronous_sdk_works_too(serve: Serve) -> None:
    service = await serve()

    def call() -> str:
        with (
            anthropic.Anthropic(api_key=service.secret, base_url=service.url) as client,
            client.messages.stream(model="played", max_tokens=50, messages=HELLO) as stream,
        ):
            return stream.get_final_text()

    assert await asyncio.to_thread(call) == "Hello there, how are you?"


IMAGE: Any = {"type": "image", "source": {"type": "url", "url": "https://example.com/cat.png"}}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, "no images"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "instructions go into system"),
        ({"messages": []}, "at least one message"),
        ({"top_k": 5}, "top_k is not supported"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "thinking is not supported"),
        ({"temperature": 1.5}, "between 0 and 1"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "input_schema"),
        ({"tool_choice": {"type": "tool", "name": "x"}}, "tool_choice names a tool"),
        ({"max_tokens": 0}, "at least 1"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_words(
    serve: Serve, changed: dict[str, Any], said: str
) -> None:
    service = await serve()
    async with service.anthropic() as client:
        with pytest.raises(anthropic.BadRequestError, match=said) as raised:
            await client.messages.create(
                model="played", max_tokens=5, messages=HELLO, extra_body=changed
            )
    body: Any = raised.value.body
    assert body["type"] == "error"
    assert body["error"]["type"] == "invalid_request_error"
    assert service.model.requests == []


ERRORS: list[tuple[LlmError, type[anthropic.APIStatusError], str]] = [
    (LlmContextTooLongError("Long."), anthropic.BadRequestError, "invalid_request_error"),
    (LlmRateLimitedError("Slow."), anthropic.RateLimitError, "rate_limit_error"),
    (LlmBudgetError("Spent."), anthropic.RateLimitError, "billing_error"),
    (LlmAuthError("sk-hidden"), anthropic.InternalServerError, "api_error"),
    (LlmUnavailableError("Down."), anthropic.InternalServerError, "overloaded_error"),
    (LlmTimeoutError("Late."), anthropic.InternalServerError, "timeout_error"),
]


@pytest.mark.parametrize(("error", "kind", "name"), ERRORS)
async def test_every_error_of_the_port_is_the_sdks_own_exception(
    serve: Serve, error: LlmError, kind: type[anthropic.APIStatusError], name: str
) -> None:
    service = await serve(error)
    async with service.anthropic() as client:
        with pytest.raises(kind) as raised:
            await client.messages.create(model="played", max_tokens=5, messages=HELLO)
    body: Any = raised.value.body
    assert body["error"]["type"] == name
    assert "sk-hidden" not in str(body)
    assert raised.value.request_id == body["request_id"]


async def test_wrong_keys_and_models_are_told_in_its_own_words(serve: Serve) -> None:
    service = await serve()
    async with service.anthropic(api_key="sl-" + "A" * 43) as client:
        with pytest.raises(anthropic.AuthenticationError):
            await client.messages.create(model="played", max_tokens=5, messages=HELLO)
    async with service.anthropic() as client:
        with pytest.raises(anthropic.NotFoundError):
            await client.messages.create(model="claude-99", max_tokens=5, messages=HELLO)


async def test_the_sdk_tries_again(serve: Serve) -> None:
    limited = LlmRateLimitedError("Slow down.")
    limited.retry_after_seconds = 0.02
    answers: list[Any] = [limited, "At last."]
    service = await serve(lambda _: answers.pop(0))
    async with service.anthropic(max_retries=1) as client:
        answer = await client.messages.create(model="played", max_tokens=5, messages=HELLO)
    assert answer.content[0].type == "text"
    assert answer.content[0].text == "At last."


async def test_a_stream_that_breaks_off_raises_in_the_sdk(serve: Serve) -> None:
    error = LlmUnavailableError("Cut off.")
    service = await serve(model=PlayedModel(lambda _: "One two three four.", breaks_with=error))
    heard: list[str] = []

    async def listen(client: anthropic.AsyncAnthropic) -> None:
        stream = client.messages.stream(model="played", max_tokens=50, messages=HELLO)
        async with stream as opened:
            async for text in opened.text_stream:
                heard.append(text)  # noqa: PERF401  (what came before the error counts)

    async with service.anthropic() as client:
        with pytest.raises(anthropic.APIStatusError, match="Cut off"):
            await listen(client)
    assert heard == ["One", " two"]
