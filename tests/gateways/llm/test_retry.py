"""How long is waited, and when no more."""

from datetime import UTC, datetime

import pytest

from soullink.gateways.llm.port import LlmRequestError, LlmUnavailableError
from soullink.gateways.llm.retry import Retry, RetryPolicy, parse_retry_after
from tests.gateways.llm.conftest import Sleeps

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("12", 12.0),
        ("0.5", 0.5),
        (" 3 ", 3.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("³", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


def test_jitter_is_full_and_its_ceiling_doubles_up_to_the_longest() -> None:
    retry = Retry(RetryPolicy(first_seconds=1.0, longest_seconds=8.0), seed=3)
    for failures, ceiling in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 8.0), (90, 8.0)):
        delays = [retry.delay_seconds(failures, None) for _ in range(400)]
        assert 0.0 <= min(delays) < 0.1 * ceiling
        assert 0.9 * ceiling < max(delays) <= ceiling


def test_the_same_seed_waits_the_same_and_another_does_not() -> None:
    def delays(seed: int) -> list[float]:
        retry = Retry(seed=seed)
        return [retry.delay_seconds(n, None) for n in range(1, 6)]

    assert delays(7) == delays(7)
    assert delays(7) != delays(8)


@pytest.mark.anyio
async def test_what_cannot_pass_is_not_waited_for() -> None:
    sleeps = Sleeps()
    retry = Retry(seed=1, sleep=sleeps, monotonic=lambda: 100.0)
    with pytest.raises(LlmRequestError):
        await retry.pause(LlmRequestError("bad"), 1, 1000.0)
    with pytest.raises(LlmUnavailableError):
        await retry.pause(LlmUnavailableError("down"), 5, 1000.0)
    with pytest.raises(LlmUnavailableError):
        await retry.pause(LlmUnavailableError("down"), 1, 100.0)
    assert sleeps.seconds == []
    await retry.pause(LlmUnavailableError("down"), 1, 1000.0)
    assert len(sleeps.seconds) == 1
