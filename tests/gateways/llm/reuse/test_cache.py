"""Answers kept for requests that come again."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink.gateways.llm.config import CacheConfig
from soullink.gateways.llm.port import ChatReply, ToolCall
from soullink.gateways.llm.reuse.cache import ExactCache, cache_from, chunks_of
from tests.gateways.llm.conftest import request
from tests.gateways.llm.reuse.replies import reply


class Hours:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_hit_costs_nothing_and_says_where_it_is_from() -> None:
    cache = ExactCache()
    assert cache.find("t", b"1") is None
    assert cache.store("t", b"1", reply("kept", quality={"length": 1.0}))
    hit = cache.find("t", b"1")
    assert hit is not None
    assert (hit.text, hit.reused, hit.cost_nano_usd) == ("kept", "cache", 0)
    assert hit.quality == {"length": 1.0}
    assert hit.latency_seconds < 0.1
    assert cache.find("other", b"1") is None
    stats = cache.stats()
    assert (stats.hits, stats.misses, stats.stored, stats.evicted) == (1, 2, 1, 0)


@pytest.mark.parametrize(
    "bad",
    [
        reply(finish_reason="length"),
        reply(finish_reason="refusal"),
        reply(finish_reason="other"),
        reply(" \n"),
        reply(reused="cache"),
        reply(reused="coalesced"),
    ],
)
def test_only_whole_answers_of_a_provider_are_kept(bad: ChatReply) -> None:
    cache = ExactCache()
    assert not cache.store("t", b"1", bad)
    assert cache.find("t", b"1") is None


def test_tool_calls_are_an_answer_without_text() -> None:
    call = ToolCall("1", "weather", '{"city": "成都"}')
    cache = ExactCache()
    assert cache.store("t", b"1", reply("", finish_reason="tool_calls", tool_calls=(call,)))
    hit = cache.find("t", b"1")
    assert hit is not None
    chunks = list(chunks_of(hit))
    assert [chunk.text for chunk in chunks] == ["", ""]
    assert chunks[0].tool_call is not None
    assert chunks[0].tool_call.arguments == call.arguments
    assert chunks[-1].reply is hit
    assert [chunk.text for chunk in chunks_of(reply("all of it"))] == ["all of it", ""]


def test_an_answer_is_forgotten_after_its_time() -> None:
    clock = Hours()
    cache = ExactCache(ttl_seconds=10, clock=clock)
    cache.store("t", b"1", reply())
    clock.now = 9.9
    assert cache.find("t", b"1") is not None
    clock.now = 10.0
    assert cache.find("t", b"1") is None
    assert (cache.stats().entries, cache.stats().bytes, cache.stats().evicted) == (0, 0, 1)


def test_the_least_recently_used_goes_first() -> None:
    cache = ExactCache(max_entries=2)
    cache.store("t", b"1", reply("one"))
    cache.store("t", b"2", reply("two"))
    cache.find("t", b"1")
    cache.store("t", b"3", reply("three"))
    assert cache.find("t", b"2") is None
    assert cache.find("t", b"1") is not None
    assert cache.find("t", b"3") is not None


def test_bytes_are_bounded_and_what_never_fits_is_not_kept() -> None:
    cache = ExactCache(max_bytes=20_000)
    assert not cache.store("t", b"0", reply("x" * 30_000))
    for number in range(20):
        assert cache.store("t", bytes([number]), reply("字" * 2_000))
    stats = cache.stats()
    assert stats.bytes <= 20_000
    assert stats.entries == 3
    assert stats.evicted == 17


def test_forgetting_a_tenant_leaves_the_others() -> None:
    cache = ExactCache()
    for tenant in ("a", "b"):
        for number in range(3):
            cache.store(tenant, bytes([number]), reply())
    assert cache.forget("a") == 3
    assert cache.forget("a") == 0
    assert cache.find("a", b"\0") is None
    assert cache.find("b", b"\0") is not None


def test_the_configuration_says_what_may_be_answered() -> None:
    assert cache_from(CacheConfig()) is None
    strict = cache_from(CacheConfig(policy="exact"))
    assert strict is not None
    assert strict.may_answer(request(temperature=0))
    assert not strict.may_answer(request())
    free = cache_from(CacheConfig(policy="exact", deterministic_only=False))
    assert free is not None
    assert free.may_answer(request())


_ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["store", "find", "forget", "wait"]),
        st.sampled_from("ab"),
        st.integers(0, 6),
        st.integers(0, 3_000),
    ),
    max_size=60,
)


@given(_ACTIONS)
def test_whatever_happens_the_bounds_hold_and_nothing_false_is_returned(
    actions: Sequence[tuple[str, str, int, int]],
) -> None:
    clock = Hours()
    cache = ExactCache(ttl_seconds=5, max_entries=4, max_bytes=9_000, clock=clock)
    last: dict[tuple[str, int], tuple[str, float]] = {}
    for action, tenant, number, size in actions:
        place = (tenant, number)
        if action == "store":
            text = f"{tenant}{number}" + "x" * size
            if cache.store(tenant, bytes([number]), reply(text)):
                last[place] = (text, clock.now + 5)
        elif action == "find":
            hit = cache.find(tenant, bytes([number]))
            if hit is not None:
                text, until = last[place]
                assert hit.text == text
                assert clock.now < until
        elif action == "forget":
            cache.forget(tenant)
            last = {kept: value for kept, value in last.items() if kept[0] != tenant}
        else:
            clock.now += number
        stats = cache.stats()
        assert stats.entries <= 4
        assert 0 <= stats.bytes <= 9_000
        assert (stats.bytes == 0) == (stats.entries == 0)
