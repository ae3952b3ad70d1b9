"""Token counts: exact where a tokenizer is at hand, else an estimate that says so."""

import hashlib
import math
import socket
from pathlib import Path
from typing import Any

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st
from tiktoken import load, registry

from soullink.gateways.llm import tokens
from soullink.gateways.llm.port import ChatRequest, Message, Tool, ToolCall
from soullink.gateways.llm.tokens import (
    ENCODING_FILES,
    EncodingFile,
    TiktokenCounter,
    TokenCount,
    TokenCounters,
    count_tokens,
)
from soullink.gateways.llm.usage import estimate_tokens

MERGES = (b"he", b"ll", b"hell", b"hello", b" w", b"or", b" wor", b"ld", b" world")
CHAT = ChatRequest((Message("system", "hello"), Message("user", "hello world!")))
# "hello" | "hello" " world" "!", 3 around each message and 3 before the reply.
CHAT_TOKENS = 1 + 3 + 2 * 3 + 3


def small_encoding(name: str = "small") -> tiktoken.Encoding:
    return tiktoken.Encoding(**small_parts(name))


def small_parts(name: str) -> dict[str, Any]:
    ranks = {bytes([byte]): byte for byte in range(256)}
    ranks |= {piece: 256 + number for number, piece in enumerate(MERGES)}
    return {
        "name": name,
        "pat_str": r" ?\w+|[^\w\s]+|\s+",
        "mergeable_ranks": ranks,
        "special_tokens": {"<|end|>": 256 + len(MERGES)},
    }


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of tiktoken's without a file, and no way to fetch one."""
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(registry, "ENCODINGS", {})

    def refuse(*_: object) -> None:
        raise AssertionError("counting tokens must not ask the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return tmp_path


def test_an_added_tokenizer_counts_exactly_with_what_wraps_the_messages() -> None:
    counters = TokenCounters()
    counters.add("mine:*", TiktokenCounter(small_encoding()))
    assert counters.count("mine:chat", CHAT) == TokenCount(CHAT_TOKENS, True, "tiktoken:small")
    assert counters.count("mine:words", ["hello", " world", "ö"]).tokens == 1 + 1 + 2
    assert counters.load("mine:chat")


def test_control_words_in_a_prompt_are_counted_as_words() -> None:
    counters = TokenCounters()
    counters.add("mine", TiktokenCounter(small_encoding()))
    assert counters.count("mine", ["<|end|>"]).tokens > 1


def test_the_tokenizer_added_last_is_asked_first() -> None:
    counters = TokenCounters()
    counters.add("mine:*", TiktokenCounter(small_encoding("first")))
    assert counters.count("mine:a", ["x"]).counter == "tiktoken:first"
    counters.add("mine:a", TiktokenCounter(small_encoding("second")))
    assert counters.count("mine:a", ["x"]).counter == "tiktoken:second"
    assert counters.count("mine:b", ["x"]).counter == "tiktoken:first"


@pytest.mark.parametrize(
    "request_",
    [
        ChatRequest(CHAT.messages, tools=(Tool("look", "Looks.", {"type": "object"}),)),
        ChatRequest(CHAT.messages, json_schema={"type": "object"}),
        ChatRequest((*CHAT.messages, Message("assistant", "", (ToolCall("1", "look", "{}"),)))),
        ChatRequest((*CHAT.messages, Message("tool", "seen", tool_call_id="1"))),
    ],
)
def test_calls_that_providers_write_out_their_own_way_are_estimates(request_: ChatRequest) -> None:
    counters = TokenCounters()
    counters.add("mine", TiktokenCounter(small_encoding()))
    counted = counters.count("mine", request_)
    assert counted.exact is False
    assert counted.tokens > CHAT_TOKENS


@pytest.mark.parametrize("model", ["openai:gpt-5-mini", "gpt-4o", "ft:gpt-4o:club", "gpt-oss-20b"])
def test_without_its_file_a_model_is_estimated_and_nothing_is_fetched(
    empty_cache: Path, model: str
) -> None:
    counted = TokenCounters().count(model, CHAT)
    assert counted == TokenCount(2 + 3, False, "estimate")
    assert list(empty_cache.iterdir()) == []


def test_a_spoilt_file_is_left_alone_and_not_fetched_again(empty_cache: Path) -> None:
    file = empty_cache / ENCODING_FILES["o200k_base"].name
    file.write_bytes(b"half a file")
    assert TokenCounters().count("openai:gpt-5-mini", CHAT).exact is False
    assert file.read_bytes() == b"half a file"


def test_where_its_file_lies_in_the_cache_a_model_of_openai_is_counted_exactly(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = b"the file of a small encoding"
    (empty_cache / "small").write_bytes(contents)
    files = {"o200k_base": EncodingFile("small", hashlib.sha256(contents).hexdigest())}
    constructors = {"o200k_base": lambda: small_parts("o200k_base")}
    monkeypatch.setattr(registry, "ENCODING_CONSTRUCTORS", constructors)
    counters = TokenCounters(files)
    exact = TokenCount(CHAT_TOKENS, True, "tiktoken:o200k_base")
    assert counters.count("openai:gpt-5-mini", CHAT) == exact
    assert counters.count("gpt-5-mini", CHAT) == exact
    assert counters.count("vllm:gpt-5-mini", CHAT).exact is False
    assert counters.count("openai:some-other", CHAT).exact is False


def test_where_tiktoken_keeps_no_cache_or_is_not_installed_counts_are_estimates(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    assert TokenCounters().count("gpt-4o", CHAT).counter == "estimate"
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(empty_cache))
    monkeypatch.setattr(tokens.importlib.util, "find_spec", lambda _: None)
    assert TokenCounters().count("gpt-4o", CHAT).counter == "estimate"


@pytest.mark.parametrize("encoding", sorted(ENCODING_FILES))
def test_the_files_are_those_that_tiktoken_looks_for(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[EncodingFile] = []

    def note(address: str, expected_hash: str | None = None) -> bytes:
        name = hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()
        asked.append(EncodingFile(name, expected_hash or ""))
        return b""

    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(load, "read_file_cached", note)
    monkeypatch.setattr(registry, "ENCODING_CONSTRUCTORS", None)
    registry._find_constructors()
    constructors = registry.ENCODING_CONSTRUCTORS
    assert constructors is not None
    constructors[encoding]()
    assert asked == [ENCODING_FILES[encoding]]


def test_models_nobody_knows_are_estimated() -> None:
    assert count_tokens("anthropic:claude", ["abcde", "你好"]) == TokenCount(4, False, "estimate")


def test_names_of_models_do_not_pile_up() -> None:
    counters = TokenCounters()
    for number in range(3000):
        counters.count(f"made-up:{number}", ["x"])
    assert len(counters._found) <= 1024


WIDE = ((0x2E80, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0xFF00, 0xFFEF), (0x20000, 0x3FFFF))
EDGES = [chr(point + step) for block in WIDE for point in block for step in (-1, 0, 1)]


@given(
    st.text(st.one_of(st.characters(), st.sampled_from(EDGES), st.characters(codec="ascii")))
    | st.text(st.characters(min_codepoint=0x2000, max_codepoint=0xFFFF, exclude_categories=[]))
)
def test_estimates_count_wide_characters_one_by_one_and_others_by_four(text: str) -> None:
    wide = sum(any(first <= ord(one) <= last for first, last in WIDE) for one in text)
    assert estimate_tokens(text) == wide + math.ceil((len(text) - wide) / 4)


def test_every_character_is_estimated_as_its_block_says() -> None:
    for start in range(0, 0x110000, 0x100):
        text = "".join(map(chr, range(start, start + 0x100)))
        wide = sum(any(first <= ord(one) <= last for first, last in WIDE) for one in text)
        assert estimate_tokens(text) == wide + math.ceil((256 - wide) / 4), hex(start)
