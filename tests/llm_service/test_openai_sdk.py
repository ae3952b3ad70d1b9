"""The official openai SDK, unchanged, against the service on a real socket."""

import asyncio
import json
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from soullink.gateways.llm.port import (
    LlmAuthError,
    LlmBudgetError,
    LlmContextTooLongError,
    LlmError,
    LlmOutputError,
    LlmRateLimitedError,
    LlmRefusedError,
    LlmRequestError,
    LlmTimeoutError,
    LlmUnavailableError,
    Message,
    ToolCall,
)
from tests.llm_service.conftest import Serve
from tests.llm_service.fakes import PlayedModel

pytestmark = pytest.mark.anyio

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
HELLO: Any = [{"role": "user", "content": "Hello"}]


async def test_a_chat_is_answered_and_every_option_arrives(serve: Serve) -> None:
    service = await serve()
    async with service.openai() as client:
        answer = await client.chat.completions.create(
            model="played",
            messages=[
                {"role": "developer", "content": "You are Ada."},
                {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
            ],
            temperature=0.25,
            top_p=0.9,
            seed=7,
            stop=["END", "STOP"],
            max_completion_tokens=33,
            user="somebody",
            store=False,
            presence_penalty=0,
            n=1,
            extra_headers={
                "X-SoulLink-Run": "run-1",
                "X-SoulLink-Prompt": "simulation.turn@3",
                "X-SoulLink-Purpose": "tests",
            },
        )
    assert answer.choices[0].message.content == "Hello there, how are you?"
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.model, answer.object) == ("played", "chat.completion")
    assert answer.usage is not None
    assert answer.usage.prompt_tokens_details is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (120, 30)
    assert (answer.usage.total_tokens, answer.usage.prompt_tokens_details.cached_tokens) == (
        150,
        20,
    )
    asked = service.last
    assert asked.messages == (Message("system", "You are Ada."), Message("user", "Hello"))
    assert (asked.temperature, asked.top_p, asked.seed) == (0.25, 0.9, 7)
    assert (asked.stop, asked.max_output_tokens) == (("END", "STOP"), 33)
    assert (asked.attribution.tenant, asked.attribution.run) == ("acme", "run-1")
    assert (asked.attribution.prompt, asked.purpose) == ("simulation.turn@3", "tests")
    [key] = await service.keys.list_keys()
    assert asked.attribution.key == key.id


async def test_a_stream_comes_in_pieces_with_its_usage_in_the_end(serve: Serve) -> None:
    service = await serve()
    async with service.openai() as client:
        stream = await client.chat.completions.create(
            model="played", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
    texts = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    assert "".join(texts) == "Hello there, how are you?"
    assert sum(bool(text) for text in texts) == 5
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 150
    assert len({chunk.id for chunk in chunks}) == 1


async def test_a_stream_without_usage_ends_with_its_reason(serve: Serve) -> None:
    service = await serve("word " * 300)
    async with service.openai() as client:
        stream = await client.chat.completions.create(
            model="played", messages=HELLO, stream=True, max_tokens=20
        )
        chunks = [chunk async for chunk in stream]
    assert chunks[-1].choices[0].finish_reason == "length"
    assert all(chunk.usage is None for chunk in chunks)


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_is_called_and_its_result_goes_back(serve: Serve, streamed: bool) -> None:
    def answer(request: Any) -> Any:
        if request.messages[-1].role == "tool":
            return f"It is {request.messages[-1].content}."
        return [
            ToolCall("call_1", "weather", '{"city":"Oslo"}'),
            ToolCall("call_2", "weather", "{}"),
        ]

    service = await serve(answer)
    messages: list[Any] = [{"role": "user", "content": "How is the weather?"}]
    options: dict[str, Any] = {"model": "played", "messages": messages, "tools": [WEATHER]}
    async with service.openai() as client:
        if streamed:
            async with client.chat.completions.stream(**options) as stream:
                choice = (await stream.get_final_completion()).choices[0]
        else:
            choice = (
                await client.chat.completions.create(
                    **options, tool_choice={"type": "function", "function": {"name": "weather"}}
                )
            ).choices[0]
            assert service.last.tool_choice == "weather"
        assert choice.finish_reason == "tool_calls"
        calls = choice.message.tool_calls or []
        assert [call.id for call in calls] == ["call_1", "call_2"]
        assert json.loads(calls[0].function.arguments) == {"city": "Oslo"}
        messages.append(choice.message.model_dump(exclude_none=True, exclude={"parsed"}))
        messages += [
            {"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in calls
        ]
        answered = await client.chat.completions.create(**options)
    assert answered.choices[0].message.content == "It is sunny."
    said = service.last.messages
    assert said[1].tool_calls[0] == ToolCall("call_1", "weather", '{"city":"Oslo"}')
    assert [message.tool_call_id for message in said[2:]] == ["call_1", "call_2"]
    assert service.last.tools[0].description == "Tells the weather."


class Mood(BaseModel):
    word: str
    strength: int


async def test_structured_output_is_asked_for_and_parsed(serve: Serve) -> None:
    service = await serve({"word": "calm", "strength": 3})
    async with service.openai() as client:
        answer = await client.chat.completions.parse(
            model="played", messages=HELLO, response_format=Mood
        )
        assert answer.choices[0].message.parsed == Mood(word="calm", strength=3)
        schema = service.last.json_schema
        assert schema is not None
        assert set(schema["properties"]) == {"word", "strength"}
        await client.chat.completions.create(
            model="played", messages=HELLO, response_format={"type": "json_object"}
        )
        assert service.last.json_schema == {"type": "object"}


async def test_embeddings_come_as_numbers_and_in_base64(serve: Serve) -> None:
    service = await serve()
    async with service.openai() as client:
        packed = await client.embeddings.create(model="lengths", input=["abc", "de"])
        assert [row.embedding for row in packed.data] == [[3.0, 0.25], [2.0, 0.25]]
        plain = await client.embeddings.create(
            model="lengths", input="abc", encoding_format="float", dimensions=2
        )
        assert plain.data[0].embedding == [3.0, 0.25]
        assert plain.usage.prompt_tokens == 7
        with pytest.raises(openai.BadRequestError, match="token arrays are not taken"):
            await client.embeddings.create(model="lengths", input=[1, 2, 3])
    assert service.gateway.embedding_model.requests[-1].dimensions == 2


async def test_models_are_listed_and_shown(serve: Serve) -> None:
    service = await serve()
    async with service.openai() as client:
        assert [model.id async for model in client.models.list()] == ["played", "lengths"]
        assert (await client.models.retrieve("played")).owned_by == "soullink"
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve("nothing")


async def test_the_synchronous_sdk_works_too(serve: Serve) -> None:
    service = await serve()

    def call() -> tuple[str | None, str]:
        with openai.OpenAI(api_key=service.secret, base_url=f"{service.url}/v1") as client:
            whole = client.chat.completions.create(model="played", messages=HELLO)
            stream = client.chat.completions.create(model="played", messages=HELLO, stream=True)
            return whole.choices[0].message.content, "".join(
                chunk.choices[0].delta.content or "" for chunk in stream
            )

    assert await asyncio.to_thread(call) == ("Hello there, how are you?",) * 2


async def test_a_key_that_does_not_work_is_an_authentication_error(serve: Serve) -> None:
    service = await serve()
    wrong = "sl-" + "A" * 43
    for secret in (wrong, "sk-something-else"):
        async with service.openai(api_key=secret) as client:
            with pytest.raises(openai.AuthenticationError) as raised:
                await client.chat.completions.create(model="played", messages=HELLO)
        assert raised.value.code == "invalid_api_key"
        assert secret not in str(raised.value)
    [key] = await service.keys.list_keys()
    await service.keys.revoke(key.id)
    async with service.openai() as client:
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()
    assert service.model.requests == []


async def test_an_unknown_model_is_not_found_and_so_is_one_not_allowed(serve: Serve) -> None:
    service = await serve()
    made = await service.keys.create("acme", "narrow", models=("lengths",))
    for secret, model in ((service.secret, "gpt-9"), (made.secret, "played")):
        async with service.openai(api_key=secret) as client:
            with pytest.raises(openai.NotFoundError) as raised:
                await client.chat.completions.create(model=model, messages=HELLO)
            assert raised.value.code == "model_not_found"
    async with service.openai(api_key=made.secret) as client:
        assert [model.id async for model in client.models.list()] == ["lengths"]


async def test_only_names_that_are_served_can_be_opened_directly(serve: Serve) -> None:
    closed = await serve()
    opened = await serve(direct_providers=("open",))
    async with closed.openai() as client:
        with pytest.raises(openai.NotFoundError):
            await client.chat.completions.create(model="open:any", messages=HELLO)
    async with opened.openai() as client:
        await client.chat.completions.create(model="open:any", messages=HELLO)
        with pytest.raises(openai.NotFoundError):
            await client.chat.completions.create(model="llamacpp:/etc/passwd", messages=HELLO)
        for name in ("open:a\0b", "open:" + "x" * 300, "open"):
            with pytest.raises(openai.NotFoundError):
                await client.chat.completions.create(model=name, messages=HELLO)
        with pytest.raises(openai.BadRequestError, match="/v1/embeddings"):
            await client.chat.completions.create(model="lengths", messages=HELLO)


IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"logit_bias": {"50256": -100}}, "logit_bias"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": []}, "messages"),
        ({"temperature": 3}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"tools": [{"type": "code_interpreter"}]}, "tools[0]"),
        ({"tool_choice": {"type": "function", "function": {"name": "x"}}}, "tool_choice"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"tools": [WEATHER], "parallel_tool_calls": False}, "parallel_tool_calls: false"),
        ({"seed": "seven"}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"tools": [{"type": "function", "function": {"name": ""}}]}, "tools[0]"),
    ],
)
async def test_what_cannot_be_done_is_refused_by_name(
    serve: Serve, changed: dict[str, Any], param: str
) -> None:
    service = await serve()
    asked: dict[str, Any] = {"model": "played", "messages": HELLO} | changed
    async with service.openai() as client:
        with pytest.raises(openai.BadRequestError) as raised:
            await client.chat.completions.create(**asked)
    assert raised.value.param == param
    assert raised.value.type == "invalid_request_error"
    assert service.model.requests == []


ERRORS: list[tuple[LlmError, int, type[openai.APIStatusError], str | None]] = [
    (LlmRequestError("No."), 400, openai.BadRequestError, None),
    (LlmContextTooLongError("Long."), 400, openai.BadRequestError, "context_length_exceeded"),
    (LlmRefusedError("Filtered."), 400, openai.BadRequestError, "content_filter"),
    (LlmRateLimitedError("Slow."), 429, openai.RateLimitError, "rate_limit_exceeded"),
    (LlmBudgetError("Spent."), 429, openai.RateLimitError, "insufficient_quota"),
    (LlmAuthError("sk-hidden"), 502, openai.InternalServerError, "provider_auth"),
    (LlmOutputError("Odd."), 502, openai.InternalServerError, "unreadable_answer"),
    (LlmUnavailableError("Down."), 503, openai.InternalServerError, "provider_unavailable"),
    (LlmTimeoutError("Late."), 504, openai.InternalServerError, "timeout"),
]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("error", "status", "kind", "code"), ERRORS)
async def test_every_error_of_the_port_is_the_sdks_own_exception(
    serve: Serve,
    error: LlmError,
    status: int,
    kind: type[openai.APIStatusError],
    code: str | None,
    streamed: bool,
) -> None:
    service = await serve(error)
    async with service.openai() as client:
        with pytest.raises(kind) as raised:
            await client.chat.completions.create(model="played", messages=HELLO, stream=streamed)
    assert (raised.value.status_code, raised.value.code) == (status, code)
    assert "sk-hidden" not in str(raised.value)
    retried = "true" if error.retryable else "false"
    assert raised.value.response.headers["x-should-retry"] == retried


async def test_the_sdk_waits_as_told_and_tries_again(serve: Serve) -> None:
    limited = LlmRateLimitedError("Slow down.")
    limited.retry_after_seconds = 0.02
    down = LlmUnavailableError("Down.")
    down.retry_after_seconds = 0.02
    answers: list[Any] = [limited, down, "At last."]
    service = await serve(lambda _: answers.pop(0))
    async with service.openai(max_retries=2) as client:
        answer = await client.chat.completions.create(model="played", messages=HELLO)
    assert answer.choices[0].message.content == "At last."
    assert len(service.model.requests) == 3


async def test_a_rate_limit_tells_when_to_come_back(serve: Serve) -> None:
    limited = LlmRateLimitedError("Slow down.")
    limited.retry_after_seconds = 2.5
    service = await serve(limited)
    async with service.openai() as client:
        with pytest.raises(openai.RateLimitError) as raised:
            await client.chat.completions.create(model="played", messages=HELLO)
    assert raised.value.response.headers["Retry-After"] == "3"
    assert raised.value.response.headers["retry-after-ms"] == "2500"


async def test_a_spent_budget_is_not_tried_again(serve: Serve) -> None:
    service = await serve(LlmBudgetError("The budget of tenant acme is spent."))
    async with service.openai(max_retries=2) as client:
        with pytest.raises(openai.RateLimitError, match="budget of tenant acme"):
            await client.chat.completions.create(model="played", messages=HELLO)
    assert len(service.model.requests) == 1


@pytest.mark.parametrize("error", [LlmUnavailableError("Cut off."), RuntimeError("a secret bug")])
async def test_a_stream_that_breaks_off_raises_in_the_sdk(serve: Serve, error: Exception) -> None:
    service = await serve(model=PlayedModel(lambda _: "One two three four.", breaks_with=error))
    heard: list[str | None] = []

    async def listen(stream: openai.AsyncStream[Any]) -> None:
        async for chunk in stream:
            heard.append(chunk.choices[0].delta.content)  # noqa: PERF401  (so far as it came)

    async with service.openai() as client:
        stream = await client.chat.completions.create(model="played", messages=HELLO, stream=True)
        with pytest.raises(openai.APIError) as raised:
            await listen(stream)
    assert heard == ["", "One", " two"]
    assert "secret" not in str(raised.value)
