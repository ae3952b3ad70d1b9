"""What every provider must do, over a real socket and in its own wire format."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from soullink.gateways.llm.port import (
    ChatReply,
    ChatRequest,
    LanguageModel,
    LlmAuthError,
    LlmError,
    LlmOutputError,
    LlmRateLimitedError,
    LlmRefusedError,
    LlmRequestError,
    LlmTimeoutError,
    LlmUnavailableError,
    Message,
    Usage,
)
from tests.gateways.llm.conftest import KEY, SCHEMA, Setup, request
from tests.gateways.llm.server import Cut, Fail, Hang, Raw, Say

pytestmark = pytest.mark.anyio


async def listen(model: LanguageModel, asked: ChatRequest) -> tuple[list[str], ChatReply]:
    texts: list[str] = []
    async for chunk in model.stream(asked):
        if chunk.reply is not None:
            assert chunk.text == ""
            return texts, chunk.reply
        texts += [chunk.text]
    raise AssertionError("the stream ended without a reply")


async def collect(model: LanguageModel, asked: ChatRequest, texts: list[str]) -> None:
    async for chunk in model.stream(asked):
        texts += [chunk.text]


async def call(setup: Setup, mode: str, asked: ChatRequest) -> ChatReply:
    if mode == "complete":
        return await setup.model.complete(asked)
    texts, reply = await listen(setup.model, asked)
    assert "".join(texts) == reply.text
    return reply


@pytest.mark.parametrize("mode", ["complete", "stream"])
async def test_a_reply_carries_words_usage_and_where_it_came_from(setup: Setup, mode: str) -> None:
    setup.server.script = ["Long, but good. 很好 🙂"]
    reply = await call(setup, mode, request())
    assert reply.text == "Long, but good. 很好 🙂"
    assert reply.provider == setup.provider
    assert setup.model.name == f"{setup.provider}:{reply.model}"
    assert reply.finish_reason == "stop"
    assert reply.usage == Usage(120, 30, 20, estimated=False)
    assert reply.attempts == 1
    assert 0.0 < reply.latency_seconds < 5.0


async def test_a_stream_arrives_in_pieces_while_the_server_still_speaks(setup: Setup) -> None:
    setup.server.script = [Say("one two three four", pieces=4, delay_seconds=0.03)]
    started = time.monotonic()
    moments = [
        time.monotonic() - started async for chunk in setup.model.stream(request()) if chunk.text
    ]
    assert len(moments) == 4
    assert moments[-1] - moments[0] > 0.05


@pytest.mark.parametrize("mode", ["complete", "stream"])
async def test_usage_is_estimated_and_labelled_when_the_server_does_not_count(
    setup: Setup, mode: str
) -> None:
    setup.server.script = [Say("twelve chars", usage=False)]
    reply = await call(setup, mode, request("你好吗"))
    assert reply.usage == Usage(input_tokens=6, output_tokens=3, estimated=True)


@pytest.mark.parametrize("mode", ["complete", "stream"])
async def test_rate_limits_and_failures_are_tried_again_until_they_pass(
    setup: Setup, mode: str
) -> None:
    setup.server.script = [Fail(429, retry_after="2"), Fail(500), Fail(529), "Here I am."]
    reply = await call(setup, mode, request(timeout_seconds=60.0))
    assert (reply.text, reply.attempts) == ("Here I am.", 4)
    asked, second, third = setup.sleeps.seconds
    assert 2.0 <= asked <= 2.5
    assert 0.0 <= second <= 1.0
    assert 0.0 <= third <= 2.0


async def test_retry_after_may_be_a_date(setup: Setup) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    setup.server.script = [Fail(503, retry_after=moment), "Back."]
    await setup.model.complete(request(timeout_seconds=60.0))
    assert 17.0 <= setup.sleeps.seconds[0] <= 20.6


async def test_a_wait_longer_than_the_time_allowed_is_not_begun(setup: Setup) -> None:
    setup.server.script = [Fail(429, retry_after="90")]
    with pytest.raises(LlmRateLimitedError) as caught:
        await setup.model.complete(request(timeout_seconds=30.0))
    assert setup.sleeps.seconds == []
    assert (caught.value.attempts, caught.value.retry_after_seconds) == (1, 90.0)
    assert caught.value.retryable


async def test_a_server_that_never_recovers_is_given_up_after_five_attempts(setup: Setup) -> None:
    setup.server.script = lambda _: Fail(500, "still broken")
    with pytest.raises(LlmUnavailableError, match="still broken") as caught:
        await setup.model.complete(request(timeout_seconds=60.0))
    assert caught.value.attempts == len(setup.server.requests) == 5


async def test_a_connection_cut_in_the_middle_is_tried_again(setup: Setup) -> None:
    setup.server.script = [Cut(), "Whole."]
    reply = await setup.model.complete(request())
    assert (reply.text, reply.attempts) == ("Whole.", 2)


async def test_a_stream_cut_after_words_is_an_error_and_says_nothing_twice(setup: Setup) -> None:
    setup.server.script = [Cut(), "Never asked for."]
    texts: list[str] = []
    with pytest.raises(LlmUnavailableError):
        await collect(setup.model, request(), texts)
    assert texts
    assert Cut().words.startswith("".join(texts))
    assert len(setup.server.requests) == 1


@pytest.mark.parametrize("mode", ["complete", "stream"])
async def test_a_server_that_hangs_costs_no_more_than_the_time_allowed(
    setup: Setup, mode: str
) -> None:
    setup.server.script = [Hang(20.0)]
    started = time.monotonic()
    with pytest.raises(LlmTimeoutError, match=r"within 0\.2 seconds"):
        await call(setup, mode, request(timeout_seconds=0.2))
    assert time.monotonic() - started < 2.0


async def test_a_stream_that_trickles_is_stopped_at_the_deadline(setup: Setup) -> None:
    setup.server.script = [Say("word " * 200, pieces=200, delay_seconds=0.03)]
    texts: list[str] = []
    with pytest.raises(LlmTimeoutError):
        await collect(setup.model, request(timeout_seconds=1.0), texts)
    assert 0 < len(texts) < 40


@pytest.mark.parametrize("mode", ["complete", "stream"])
@pytest.mark.parametrize(
    "body",
    [b'{"choices": [{"mess', b"[]", b"not json", b'{"choices": 7, "content": 7, "candidates": 7}'],
)
async def test_an_answer_outside_the_format_is_an_output_error(
    setup: Setup, mode: str, body: bytes
) -> None:
    stream = mode == "stream"
    setup.server.script = [
        Raw(b"data: " + body + b"\n\n", "text/event-stream") if stream else Raw(body)
    ]
    with pytest.raises(LlmOutputError) as caught:
        await call(setup, mode, request())
    assert caught.value.retryable


async def test_an_answer_of_no_words_is_an_output_error(setup: Setup) -> None:
    setup.server.script = [Say("  ")]
    with pytest.raises(LlmOutputError, match="said nothing"):
        await setup.model.complete(request())


@pytest.mark.parametrize("mode", ["complete", "stream"])
async def test_an_endless_answer_is_not_swallowed(setup: Setup, mode: str) -> None:
    flood = b'{"text": "' + b"x" * (5 * 1024 * 1024)
    content_type = "text/event-stream" if mode == "stream" else "application/json"
    setup.server.script = [Raw(b"data: " + flood, content_type)]
    with pytest.raises(LlmOutputError):
        await call(setup, mode, request())


FILTERED = {"openai": "content_filter", "anthropic": "refusal", "gemini": "SAFETY"}
LENGTH = {"openai": "length", "anthropic": "max_tokens", "gemini": "MAX_TOKENS"}


@pytest.mark.parametrize("mode", ["complete", "stream"])
async def test_a_content_filter_is_a_refusal_and_not_tried_again(setup: Setup, mode: str) -> None:
    setup.server.script = [Say("I would", finish=FILTERED[setup.provider])]
    with pytest.raises(LlmRefusedError) as caught:
        await call(setup, mode, request())
    assert not caught.value.retryable
    assert len(setup.server.requests) == 1


@pytest.mark.parametrize("mode", ["complete", "stream"])
async def test_an_answer_cut_by_length_says_so(setup: Setup, mode: str) -> None:
    setup.server.script = [Say("And then we", finish=LENGTH[setup.provider])]
    assert (await call(setup, mode, request())).finish_reason == "length"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, LlmRequestError), (404, LlmRequestError), (422, LlmRequestError), (403, LlmAuthError),
     (302, LlmRequestError)],
)  # fmt: skip
async def test_what_no_second_attempt_can_mend_is_raised_at_once(
    setup: Setup, status: int, kind: type[LlmError]
) -> None:
    setup.server.script = [Fail(status, "no such thing")]
    with pytest.raises(kind) as caught:
        await setup.model.complete(request())
    assert not caught.value.retryable
    assert len(setup.server.requests) == 1


async def test_a_wrong_key_is_named_as_such_and_shown_nowhere(setup: Setup) -> None:
    setup.server.api_key = "another"
    with pytest.raises(LlmAuthError, match="API key") as caught:
        await setup.model.complete(request())
    chain = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert all(KEY not in f"{error!r}{error}" for error in chain)
    assert KEY not in repr(vars(setup.model)) + repr(vars(setup.model._wire))


async def test_a_key_in_the_servers_words_is_hidden(setup: Setup) -> None:
    setup.server.script = [Fail(400, f"bad header {KEY} and sk-ant-api03-abcdefgh")]
    with pytest.raises(LlmRequestError, match=r"bad header \[key\] and \[key\]"):
        await setup.model.complete(request())


async def test_nobody_listening_is_unavailable_and_tried_again(setup: Setup) -> None:
    await setup.server.__aexit__()
    with pytest.raises(LlmUnavailableError):
        await setup.model.complete(request())
    assert len(setup.sleeps.seconds) == 4


async def test_closing_twice_does_no_harm_and_later_calls_say_so(setup: Setup) -> None:
    await setup.model.close()
    await setup.model.close()
    with pytest.raises(LlmUnavailableError, match="closed"):
        await setup.model.complete(request())


async def test_leaving_a_stream_early_frees_the_connection(setup: Setup) -> None:
    setup.server.script = lambda _: Say("a b c d e f", pieces=6, delay_seconds=0.01)
    async for chunk in setup.model.stream(request()):
        assert chunk.text
        break
    reply = await setup.model.complete(request())
    assert reply.text == "a b c d e f"


async def test_half_a_character_pair_is_refused_before_anything_is_sent(setup: Setup) -> None:
    with pytest.raises(LlmRequestError, match="JSON"):
        await setup.model.complete(request("\ud83d"))
    assert setup.server.requests == []


async def test_a_request_of_system_text_alone_is_allowed(setup: Setup) -> None:
    setup.server.script = ["Fine."]
    asked = ChatRequest((Message("system", "Say something."),), timeout_seconds=5.0)
    assert (await setup.model.complete(asked)).text == "Fine."


async def test_purpose_stays_at_home_and_the_persona_goes_first(setup: Setup) -> None:
    setup.server.script = ["Yes."]
    await setup.model.complete(request(purpose="simulation.turn"))
    sent = json.dumps(setup.server.requests[0].json)
    assert "simulation.turn" not in sent
    assert sent.count("You are Ada.") == 1


async def test_a_refused_temperature_is_left_out_and_remembered(setup: Setup) -> None:
    name = {"gemini": "generationConfig.temperature"}.get(setup.provider, "temperature")
    setup.server.rejects = {name: "`temperature` is deprecated for this model."}
    setup.server.script = ["One.", "Two."]
    assert (await setup.model.complete(request())).attempts == 2
    assert (await setup.model.complete(request())).attempts == 1
    assert setup.sleeps.seconds == []


async def test_many_calls_at_once_share_the_pool_and_what_was_learnt(setup: Setup) -> None:
    name = {"gemini": "generationConfig.temperature"}.get(setup.provider, "temperature")
    setup.server.rejects = {name: "`temperature` is deprecated for this model."}
    setup.server.script = lambda _: Say("Here.", delay_seconds=0.02)
    replies = await asyncio.gather(*(setup.model.complete(request(str(n))) for n in range(40)))
    assert {reply.text for reply in replies} == {"Here."}
    assert {reply.attempts for reply in replies} <= {1, 2}
    assert (await setup.model.complete(request())).attempts == 1


FORMAT_PLACES = {
    "openai": {"response_format": "'response_format' is not supported with this model"},
    "anthropic": {"output_config": "output_config: Extra inputs are not permitted"},
    "gemini": {
        "generationConfig.responseJsonSchema": 'Unknown name "responseJsonSchema"',
        "generationConfig.responseSchema": "responseSchema is not supported",
    },
}


async def test_a_server_without_schemas_is_asked_in_words(setup: Setup) -> None:
    setup.server.rejects = FORMAT_PLACES[setup.provider]
    setup.server.script = [{"words": "Hi", "act": "ask"}]
    reply = await setup.model.complete(request(json_schema=SCHEMA))
    assert json.loads(reply.text)["act"] == "ask"
    sent = json.dumps(setup.server.requests[-1].json)
    assert "follows this JSON Schema" in sent
    assert "maxLength" in sent
