"""Answers kept in memory for requests that come again word for word."""

import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from soullink.gateways.llm.port import ChatChunk, ChatReply, ChatRequest, ToolCallPiece
from soullink.gateways.llm.reuse.key import is_deterministic

DEFAULT_MAX_BYTES: Final = 64 * 1024 * 1024
_OVERHEAD_BYTES: Final = 1_100
"""Of one entry besides its texts: reply, usage, key and places in the tables (measured)."""
_STORED_ENDINGS: Final = ("stop", "tool_calls")


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What happened since the start. entries and bytes: held now, bytes about."""

    hits: int
    misses: int
    stored: int
    evicted: int
    entries: int
    bytes: int


class CachePolicy(Protocol):
    """What an operator decides; `config.CacheConfig` is one."""

    @property
    def policy(self) -> str: ...
    @property
    def ttl_seconds(self) -> float: ...
    @property
    def max_entries(self) -> int: ...
    @property
    def max_bytes(self) -> int: ...
    @property
    def deterministic_only(self) -> bool: ...


class _Kept:
    __slots__ = ("bytes", "expires", "reply")

    def __init__(self, reply: ChatReply, expires: float, size: int) -> None:
        self.reply = reply
        self.expires = expires
        self.bytes = size


class ExactCache:
    """Keeps complete answers, least recently used out first, each for ttl_seconds.

    Nothing is ever shared between tenants. Not for several threads.
    """

    def __init__(
        self,
        *,
        ttl_seconds: float = 3600.0,
        max_entries: int = 10_000,
        max_bytes: int = DEFAULT_MAX_BYTES,
        deterministic_only: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ttl_seconds = ttl_seconds
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._deterministic_only = deterministic_only
        self._clock = clock
        self._kept: OrderedDict[tuple[str, bytes], _Kept] = OrderedDict()
        self._keys: dict[str, set[bytes]] = {}
        self._bytes = 0
        self._hits = self._misses = self._stored = self._evicted = 0

    def may_answer(self, request: ChatRequest) -> bool:
        """Tell whether the policy lets `request` be answered from here, or its answer be kept."""
        return not self._deterministic_only or is_deterministic(request)

    def find(self, tenant: str, key: bytes) -> ChatReply | None:
        """Return the answer with reused="cache" and cost 0, None where there is none."""
        started = time.perf_counter()
        place = (tenant, key)
        kept = self._kept.get(place)
        if kept is not None and kept.expires <= self._clock():
            self._drop(place)
            self._evicted += 1
            kept = None
        if kept is None:
            self._misses += 1
            return None
        self._hits += 1
        self._kept.move_to_end(place)
        reply = kept.reply
        return ChatReply(
            text=reply.text,
            model=reply.model,
            provider=reply.provider,
            finish_reason=reply.finish_reason,
            usage=reply.usage,
            cost_nano_usd=0,
            latency_seconds=time.perf_counter() - started,
            attempts=reply.attempts,
            tool_calls=reply.tool_calls,
            quality=reply.quality,
            reused="cache",
        )

    def store(self, tenant: str, key: bytes, reply: ChatReply) -> bool:
        """Keep a complete answer that a provider just gave; tell whether it was kept."""
        if reply.finish_reason not in _STORED_ENDINGS or reply.reused:
            return False
        if not reply.tool_calls and not reply.text.strip():
            return False
        if reply.quality.get("schema_valid") == 0.0:  # the same question may be answered better
            return False
        size = _size(reply)
        if size > self._max_bytes:
            return False
        place = (tenant, key)
        if place in self._kept:
            self._drop(place)
        self._kept[place] = _Kept(reply, self._clock() + self._ttl_seconds, size)
        self._keys.setdefault(tenant, set()).add(key)
        self._bytes += size
        self._stored += 1
        while len(self._kept) > self._max_entries or self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))
            self._evicted += 1
        return True

    def forget(self, tenant: str) -> int:
        """Remove everything of `tenant`; return how many answers that were."""
        keys = list(self._keys.get(tenant, ()))
        for key in keys:
            self._drop((tenant, key))
        return len(keys)

    def stats(self) -> CacheStats:
        """Return the counts so far."""
        return CacheStats(
            self._hits, self._misses, self._stored, self._evicted, len(self._kept), self._bytes
        )

    def _drop(self, place: tuple[str, bytes]) -> None:
        self._bytes -= self._kept.pop(place).bytes
        tenant, key = place
        keys = self._keys[tenant]
        keys.discard(key)
        if not keys:
            del self._keys[tenant]


def cache_from(config: CachePolicy) -> ExactCache | None:
    """Return the cache that `config` asks for, None where its policy is "off"."""
    if config.policy == "off":
        return None
    return ExactCache(
        ttl_seconds=config.ttl_seconds,
        max_entries=config.max_entries,
        max_bytes=config.max_bytes,
        deterministic_only=config.deterministic_only,
    )


def chunks_of(reply: ChatReply) -> Iterator[ChatChunk]:
    """Yield a whole answer as a stream does: text in one piece, tool calls, then the reply."""
    if reply.text:
        yield ChatChunk(reply.text)
    for index, call in enumerate(reply.tool_calls):
        yield ChatChunk("", None, ToolCallPiece(index, call.id, call.name, call.arguments))
    yield ChatChunk("", reply)


def _size(reply: ChatReply) -> int:
    size = _OVERHEAD_BYTES + sys.getsizeof(reply.text)
    for call in reply.tool_calls:
        size += 100 + sys.getsizeof(call.arguments) + sys.getsizeof(call.name)
    return size
