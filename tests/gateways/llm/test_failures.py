"""What the caller of a model gets when a provider fails, and what may be charged for it."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from soullink.gateways.llm.anthropic import anthropic_model
from soullink.gateways.llm.failures import failure_of_status
from soullink.gateways.llm.http_model import HttpLanguageModel
from soullink.gateways.llm.openai import OpenAiDialect, openai_model
from soullink.gateways.llm.port import (
    ChatRequest,
    LlmAuthError,
    LlmContextTooLongError,
    LlmError,
    LlmOutputError,
    LlmRateLimitedError,
    LlmRefusedError,
    LlmRequestError,
    LlmTimeoutError,
    LlmUnavailableError,
    Usage,
)
from soullink.gateways.llm.retry import Retry, RetryPolicy
from soullink.gateways.llm.wire import Secret, Wire
from soullink.kernel.clock import SystemClock
from tests.gateways.llm.conftest import Setup, request
from tests.gateways.llm.native_servers import ScriptedAnthropicServer
from tests.gateways.llm.server import Cut, Fail, Hang, Raw, Say, ScriptedOpenAiServer

pytestmark = pytest.mark.anyio

PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head></html>"
TOO_LONG = {
    "OpenAI": "Your input exceeds the limit. (invalid_request_error) (context_length_exceeded)",
    "Anthropic": "prompt is too long: 210000 tokens > 200000 maximum",
    "Anthropic's other": "input length and `max_tokens` exceed context limit: 199 + 20 > 200",
    "Gemini": "The input token count (1200000) exceeds the maximum number of tokens (1048576).",
    "llama.cpp": "the request exceeds the available context size (exceed_context_size_error)",
    "vLLM": "This model's maximum context length is 4096 tokens. However, you requested 5000.",
}


def once() -> Retry:
    return Retry(RetryPolicy(max_attempts=1), seed=1)


async def ask(model: HttpLanguageModel, mode: str, asked: ChatRequest) -> list[str]:
    if mode == "complete":
        return [(await model.complete(asked)).text]
    return [chunk.text async for chunk in model.stream(asked)]


@pytest.fixture
async def single(setup: Setup) -> Setup:
    """The same, with one attempt a call, as the router uses it."""
    setup.model._retry = once()
    return setup


@pytest.mark.parametrize("words", TOO_LONG.values(), ids=TOO_LONG.keys())
async def test_too_long_a_prompt_is_known_by_each_providers_words(words: str) -> None:
    error = failure_of_status("them", 400, words, words, None, SystemClock().now())
    assert isinstance(error, LlmContextTooLongError)
    assert error.elsewhere
    assert not error.retryable


@pytest.mark.parametrize("mode", ["complete", "stream"])
@pytest.mark.parametrize(
    ("behaviour", "kind", "billed"),
    [
        (Fail(429), LlmRateLimitedError, False),
        (Fail(500), LlmUnavailableError, False),
        (Fail(503), LlmUnavailableError, False),
        (Fail(529, "Overloaded", code="overloaded_error"), LlmUnavailableError, False),
        (Fail(408), LlmUnavailableError, False),
        (Fail(401), LlmAuthError, False),
        (Fail(429, "over", code="insufficient_quota"), LlmAuthError, False),
        (Fail(400), LlmRequestError, False),
        (Fail(400, "prompt is too long: 9 tokens > 8 maximum"), LlmContextTooLongError, False),
        (Fail(400, "blocked", code="content_filter"), LlmRefusedError, False),
        (Raw(PAGE, "text/html", 502), LlmUnavailableError, False),
        (Raw(b"", "application/json", 204), LlmUnavailableError, False),
        (Raw(PAGE, "text/html"), LlmUnavailableError, True),
        (Raw(PAGE), LlmUnavailableError, True),
        (Raw(b""), LlmUnavailableError, True),
        (Raw(b'{"choices": [{"mess'), LlmOutputError, True),
        (Raw(b"It is noon.", "text/plain"), LlmOutputError, True),
        (Raw(b"\xff\xfe\x00"), LlmOutputError, True),
        (Cut(), LlmUnavailableError, True),
        (Hang(5.0), LlmTimeoutError, True),
    ],
)
async def test_each_failure_has_its_error_and_says_whether_it_may_be_billed(
    single: Setup, mode: str, behaviour: Any, kind: type[LlmError], billed: bool
) -> None:
    single.server.script = [behaviour]
    with pytest.raises(kind) as caught:
        await ask(single.model, mode, request(timeout_seconds=0.4))
    assert type(caught.value) is kind
    assert caught.value.may_be_billed is billed
    assert caught.value.usage is None
    assert caught.value.attempts == 1
    assert len(single.server.requests) == 1


@pytest.mark.parametrize("mode", ["complete", "stream"])
@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        ("http://127.0.0.1:1/v1", "cannot be reached"),
        ("http://nobody.invalid/v1", "cannot be found"),
    ],
)
async def test_a_server_that_was_never_reached_charges_nothing(
    mode: str, base_url: str, words: str
) -> None:
    model = openai_model("m", key=None, base_url=base_url, retry=once())
    with pytest.raises(LlmUnavailableError, match=words) as caught:
        await ask(model, mode, request())
    await model.close()
    assert not caught.value.may_be_billed


async def test_a_server_without_tls_is_never_told_the_request() -> None:
    async with ScriptedOpenAiServer(["Yes."]) as server:
        secure = server.base_url.replace("http:", "https:")
        model = openai_model("m", key=None, base_url=secure, retry=once())
        with pytest.raises(LlmUnavailableError, match="cannot be reached") as caught:
            await model.complete(request())
        await model.close()
    assert not caught.value.may_be_billed
    assert server.requests == []


async def test_a_server_that_never_accepts_is_given_up_without_a_bill() -> None:
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):  # its queue is full now, and further connections wait
            filler = sockets.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        model = openai_model("m", key=None, base_url=base_url, retry=once())
        with pytest.raises(LlmTimeoutError, match=r"within 0\.2 seconds") as caught:
            await model.complete(request(timeout_seconds=0.2))
        await model.close()
    assert not caught.value.may_be_billed


@pytest.mark.parametrize("mode", ["complete", "stream"])
async def test_an_error_object_with_status_200_is_an_error(single: Setup, mode: str) -> None:
    body = b'{"error": {"message": "the model crashed", "code": 500}}'
    content_type = "application/json"
    if mode == "stream":
        content_type = "text/event-stream"
        body = b"data: %b\n\n" % body.replace(b"{", b'{"type": "error", ', 1)
    single.server.script = [Raw(body, content_type)]
    with pytest.raises(LlmUnavailableError, match="the model crashed") as caught:
        await ask(single.model, mode, request())
    assert caught.value.may_be_billed


async def test_a_key_that_no_header_can_carry_is_refused_and_not_shown() -> None:
    with pytest.raises(LlmAuthError, match="copy it again") as caught:
        openai_model("m", key=Secret("abc\r\nX-Evil: 1"), base_url="http://127.0.0.1:1/v1")
    assert "Evil" not in str(caught.value)
    assert not caught.value.may_be_billed


FILTERED = {"openai": "content_filter", "anthropic": "refusal", "gemini": "SAFETY"}


@pytest.mark.parametrize("mode", ["complete", "stream"])
async def test_a_filter_inside_an_answer_comes_with_what_it_used(single: Setup, mode: str) -> None:
    single.server.script = [Say("I would", finish=FILTERED[single.provider])]
    with pytest.raises(LlmRefusedError) as caught:
        await ask(single.model, mode, request())
    assert caught.value.may_be_billed
    assert caught.value.usage == Usage(120, 30, 20)
    if single.provider != "openai":  # a server of one's own has no price
        assert caught.value.cost_nano_usd is not None
        assert caught.value.cost_nano_usd > 0


@pytest.mark.parametrize("mode", ["complete", "stream"])
async def test_an_answer_without_words_comes_with_what_it_used(single: Setup, mode: str) -> None:
    single.server.script = [Say("  ")]
    with pytest.raises(LlmOutputError, match="said nothing") as caught:
        await ask(single.model, mode, request())
    assert caught.value.usage == Usage(120, 30, 20)


async def test_a_stream_cut_after_its_count_keeps_it() -> None:
    events = (
        b'data: {"choices":[{"delta":{"content":"All"},"finish_reason":"stop"}]}\n\n'
        b'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}\n\n'
        b"data: {broken\n\n"
    )
    async with ScriptedOpenAiServer([Raw(events, "text/event-stream")]) as server:
        model = openai_model("m", key=None, base_url=server.base_url, retry=once())
        with pytest.raises(LlmOutputError) as caught:
            await ask(model, "stream", request())
        await model.close()
    assert caught.value.usage == Usage(7, 3)


async def test_a_count_from_the_middle_of_a_stream_is_not_taken_for_the_whole() -> None:
    async with ScriptedAnthropicServer([Cut()]) as server:
        model = anthropic_model("claude-sonnet-4-5", key=None, base_url=server.base_url)
        with pytest.raises(LlmUnavailableError) as caught:
            await ask(model, "stream", request())
        await model.close()
    assert caught.value.usage is None
    assert caught.value.may_be_billed


async def test_a_whole_answer_whose_count_never_ended_is_estimated() -> None:
    events = (
        b'event: message_start\ndata: {"type":"message_start","message":{"model":"c",'
        b'"usage":{"input_tokens":50,"output_tokens":1}}}\n\n'
        b'data: {"type":"content_block_delta","delta":{"type":"text_delta",'
        b'"text":"One two three four."}}\n\n'
        b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'
    )
    async with ScriptedAnthropicServer([Raw(events, "text/event-stream")]) as server:
        model = anthropic_model("claude-sonnet-4-5", key=None, base_url=server.base_url)
        last = [chunk async for chunk in model.stream(request())][-1].reply
        await model.close()
    assert last is not None
    assert last.usage == Usage(50, 5, estimated=True)


async def test_an_error_inside_an_answer_may_be_billed() -> None:
    broken = b'data: {"error":{"message":"slow down","code":429}}\n\n'
    async with ScriptedOpenAiServer([Raw(broken, "text/event-stream")]) as server:
        model = openai_model("m", key=None, base_url=server.base_url, retry=once())
        with pytest.raises(LlmRateLimitedError) as caught:
            await ask(model, "stream", request())
        await model.close()
    assert caught.value.may_be_billed


def impatient(base_url: str, **silences: float) -> HttpLanguageModel:
    wire = Wire(
        base_url,
        provider="openai",
        key=None,
        auth=("Authorization", "Bearer "),
        headers={},
        retry=once(),
        **silences,  # type: ignore[arg-type]
    )
    return HttpLanguageModel(OpenAiDialect("m", official=False), wire, once())


@pytest.mark.parametrize("mode", ["complete", "stream"])
async def test_a_slow_first_byte_ends_the_call_long_before_its_deadline(mode: str) -> None:
    async with ScriptedOpenAiServer([Hang(20.0), "Quick."]) as server:
        model = impatient(server.base_url, first_byte_seconds=0.15)
        started = time.monotonic()
        with pytest.raises(LlmTimeoutError, match=r"silent for 0\.15 seconds") as caught:
            await ask(model, mode, request(timeout_seconds=30.0))
        assert time.monotonic() - started < 3.0
        assert caught.value.may_be_billed
        assert caught.value.elsewhere
        assert "".join(await ask(model, mode, request())) == "Quick."
        await model.close()


async def test_a_stalled_stream_ends_and_one_that_goes_on_does_not() -> None:
    async with ScriptedOpenAiServer(
        [Say("a b c d e f", pieces=6, delay_seconds=0.06), Say("a b", pieces=2, delay_seconds=5.0)]
    ) as server:
        model = impatient(server.base_url, stall_seconds=0.3, first_byte_seconds=20.0)
        assert "".join(await ask(model, "stream", request())) == "a b c d e f"
        with pytest.raises(LlmTimeoutError, match=r"silent for 0\.3 seconds"):
            await ask(model, "stream", request(timeout_seconds=30.0))
        await model.close()


async def test_a_slow_reader_is_not_taken_for_a_stalled_server() -> None:
    async with ScriptedOpenAiServer([Say("a b c d", pieces=4)]) as server:
        model = impatient(server.base_url, stall_seconds=0.1)
        heard = ""
        async for chunk in model.stream(request()):
            await asyncio.sleep(0.08)
            heard += chunk.text
        await model.close()
    assert heard == "a b c d"


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another task's callbacks bring about."""
    for _ in range(600):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come about within 3 seconds")


@pytest.mark.parametrize("mode", ["complete", "stream"])
async def test_cancelling_closes_the_connection_and_the_server_sees_it(
    setup: Setup, mode: str
) -> None:
    setup.server.script = [Hang(20.0), "Still here."]
    asking = asyncio.create_task(ask(setup.model, mode, request(timeout_seconds=30.0)))
    await until(lambda: bool(setup.server.requests))
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    await until(lambda: setup.server.left == 1)
    assert (await setup.model.complete(request())).text == "Still here."


async def test_leaving_a_stream_closes_the_connection_and_the_server_sees_it(setup: Setup) -> None:
    setup.server.script = [Say("a b c d e f", pieces=6, delay_seconds=0.05)]
    async with contextlib.aclosing(setup.model.stream(request())) as chunks:  # type: ignore[type-var]
        async for chunk in chunks:
            assert chunk.text
            break
    await until(lambda: setup.server.left == 1)


async def test_a_call_that_ran_out_of_time_leaves_the_server_alone(setup: Setup) -> None:
    setup.server.script = [Hang(20.0)]
    with pytest.raises(LlmTimeoutError):
        await setup.model.complete(request(timeout_seconds=0.1))
    await until(lambda: setup.server.left == 1)
