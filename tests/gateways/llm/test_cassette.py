"""Recording calls and replaying them without a model."""

import json
from pathlib import Path

import pytest

from soullink.gateways.llm.cassette import CassetteModel
from soullink.gateways.llm.fake import FakeLanguageModel
from soullink.gateways.llm.port import (
    ChatRequest,
    LlmCassetteMissError,
    LlmError,
    LlmRateLimitedError,
    LlmRequestError,
)
from tests.gateways.llm.conftest import SCHEMA, request

pytestmark = pytest.mark.anyio


def counting() -> FakeLanguageModel:
    numbers = iter(range(100))
    return FakeLanguageModel(lambda _: f"answer {next(numbers)} 好", name="openai:gpt-5-mini")


async def test_replay_gives_the_recorded_replies_without_a_model(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "calls.jsonl"
    asked = [request("one", json_schema=SCHEMA, seed=4), request("two"), request("one")]
    recorder = CassetteModel.recording(counting(), path)
    recorded = [await recorder.complete(each) for each in asked]
    await recorder.close()
    player = CassetteModel.replaying(path)
    assert player.name == "openai:gpt-5-mini"
    assert [await player.complete(each) for each in reversed(asked)] == recorded[::-1]


async def test_equal_requests_are_replayed_in_order_and_not_beyond(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    recorder = CassetteModel.recording(counting(), path)
    for _ in range(2):
        await recorder.complete(request())
    player = CassetteModel.replaying(path)
    assert (await player.complete(request())).text == "answer 0 好"
    assert (await player.complete(request(timeout_seconds=1.0))).text == "answer 1 好"
    with pytest.raises(LlmCassetteMissError, match="once more"):
        await player.complete(request())


async def test_a_stream_replays_in_the_pieces_it_came_in(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    recorder = CassetteModel.recording(counting(), path)
    heard = [chunk async for chunk in recorder.stream(request())]
    player = CassetteModel.replaying(path)
    assert [chunk async for chunk in player.stream(request())] == heard
    assert len(heard) == 4


async def test_failures_are_recorded_and_fail_again(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    recorder = CassetteModel.recording(
        FakeLanguageModel(lambda _: LlmRateLimitedError("slow down")), path
    )
    with pytest.raises(LlmRateLimitedError, match="slow down"):
        await recorder.complete(request())
    with pytest.raises(LlmRateLimitedError, match="slow down"):
        await CassetteModel.replaying(path).complete(request())


async def test_a_miss_shows_the_difference_to_the_nearest_call(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    recorder = CassetteModel.recording(counting(), path)
    await recorder.complete(request("Shall we talk about the garden?\nIt rains."))
    await recorder.complete(request("Something entirely different", temperature=0.1))
    player = CassetteModel.replaying(path)
    with pytest.raises(LlmCassetteMissError) as caught:
        await player.complete(request("Shall we talk about the money?\nIt rains."))
    message = str(caught.value)
    assert "-user: Shall we talk about the garden?" in message
    assert "+user: Shall we talk about the money?" in message
    assert "It rains" not in message
    assert "entirely different" not in message


@pytest.mark.parametrize(
    "changed",
    [
        request(temperature=0.7),
        request(max_output_tokens=5),
        request(seed=1),
        request(json_schema=SCHEMA),
        request(purpose="other"),
        request("Other words"),
    ],
)
async def test_every_part_of_the_request_counts(tmp_path: Path, changed: ChatRequest) -> None:
    path = tmp_path / "calls.jsonl"
    await CassetteModel.recording(counting(), path).complete(request())
    with pytest.raises(LlmCassetteMissError):
        await CassetteModel.replaying(path).complete(changed)
    with pytest.raises(LlmCassetteMissError, match="model: other"):
        await CassetteModel.replaying(path, "other:model").complete(request())


async def test_every_call_is_on_disk_before_its_answer_is_used(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    recorder = CassetteModel.recording(counting(), path)
    for number in range(1, 4):
        await recorder.complete(request())
        lines = path.read_bytes().splitlines()
        assert len(lines) == number
        assert json.loads(lines[-1])["reply"]["text"] == f"answer {number - 1} 好"
    assert path.stat().st_mode & 0o077 == 0


async def test_a_line_torn_by_a_crash_is_ignored_and_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    await CassetteModel.recording(counting(), path).complete(request("one"))
    with path.open("ab") as file:
        file.write(b'{"key": "abc", "mod')
    assert (await CassetteModel.replaying(path).complete(request("one"))).text == "answer 0 好"
    await CassetteModel.recording(counting(), path).complete(request("two"))
    assert (await CassetteModel.replaying(path).complete(request("two"))).text == "answer 0 好"


@pytest.mark.parametrize("content", [None, b"", b"{}\n", b"no json\n"])
def test_a_recording_that_cannot_be_used_says_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "calls.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LlmRequestError, match=r"calls\.jsonl"):
        CassetteModel.replaying(path)


async def test_the_fake_cuts_off_fails_and_closes_like_a_real_model() -> None:
    fake = FakeLanguageModel(lambda asked: {"words": "x" * 400} if asked.seed else LlmError("no"))
    reply = await fake.complete(request(seed=1, max_output_tokens=10))
    assert (reply.finish_reason, len(reply.text), reply.usage.estimated) == ("length", 40, True)
    with pytest.raises(LlmError, match="no"):
        await fake.complete(request())
    assert len(fake.requests) == 2
    await fake.close()
    with pytest.raises(LlmError, match="closed"):
        await fake.complete(request(seed=1))
