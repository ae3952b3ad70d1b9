"""A file of recorded calls: one JSON line for one call and how it ended."""

import asyncio
import difflib
import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from soullink.gateways.llm.port import (
    ChatReply,
    ChatRequest,
    EmbeddingReply,
    EmbeddingRequest,
    LlmAuthError,
    LlmBudgetError,
    LlmCassetteMissError,
    LlmContextTooLongError,
    LlmError,
    LlmOutputError,
    LlmRateLimitedError,
    LlmRefusedError,
    LlmRequestError,
    LlmTimeoutError,
    LlmUnavailableError,
    ToolCallPiece,
)
from soullink.gateways.llm.reuse.key import embedding_key, request_key
from soullink.kernel.canonical import canonical_json

_ERRORS: Final[Mapping[str, type[LlmError]]] = {
    kind.code: kind
    for kind in (
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
    )
}
_COMPARED: Final = 200
"""How many recorded calls, from the last, are looked at for the nearest one."""
_SHOWN_LINES: Final = 24
_SHOWN_CHARACTERS: Final = 160


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line. chunks: the pieces of a streamed answer. vectors: the reply where texts were
    embedded. request: see `chat_document` and `embedding_document`. key: hexadecimal, for
    readers; it is worked out anew from the request, so that older files stay readable.
    """

    key: str
    model: str
    request: dict[str, Any]
    reply: ChatReply | None = None
    error: str | None = None
    message: str = ""
    chunks: list[str | ToolCallPiece] | None = None
    vectors: EmbeddingReply | None = None

    def failure(self) -> LlmError:
        """Return the recorded failure."""
        return _ERRORS.get(self.error or "", LlmError)(self.message)


class Recording:
    """The entries of one file by key, each key's in the order they were recorded."""

    def __init__(self, path: Path, entries: list[Entry]) -> None:
        self.path = path
        self._entries = entries
        self._by_key: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            self._by_key[entry.key].append(entry)
        self._turns: dict[str, int] = defaultdict(int)

    @classmethod
    def read(cls, path: Path) -> "Recording":
        """Raises LlmRequestError when the file is missing, empty or damaged."""
        entries = list(_read(path))
        if not entries:
            raise LlmRequestError(f"No calls are recorded in {path}.")
        return cls(path, entries)

    def first_model(self, *, embedding: bool) -> str:
        """Return the model of the first call of that kind. Raises LlmRequestError without one."""
        for entry in self._entries:
            if ("texts" in entry.request) == embedding:
                return entry.model
        kind = "embeddings" if embedding else "conversations"
        raise LlmRequestError(f"No {kind} are recorded in {self.path}.")

    def next(self, key: str, model: str, document: dict[str, Any]) -> Entry:
        """Return the next entry of `key`. Raises LlmCassetteMissError, showing the difference."""
        entries = self._by_key.get(key, [])
        turn = self._turns[key]
        if turn >= len(entries):
            raise LlmCassetteMissError(self._miss(model, document, len(entries)))
        self._turns[key] += 1
        return entries[turn]

    def _miss(self, model: str, document: dict[str, Any], recorded: int) -> str:
        if recorded:
            return (
                f"This call was recorded {recorded} time(s) in {self.path}, "
                "and is now made once more; record again."
            )
        wanted = _lines(model, document)
        nearest = max(
            (_lines(entry.model, entry.request) for entry in self._entries[-_COMPARED:]),
            key=lambda lines: difflib.SequenceMatcher(None, lines, wanted, autojunk=False).ratio(),
        )
        changes = list(
            difflib.unified_diff(
                nearest, wanted, "nearest recorded call", "this call", n=0, lineterm=""
            )
        )
        shown = [line[:_SHOWN_CHARACTERS] for line in changes[:_SHOWN_LINES]]
        if len(changes) > _SHOWN_LINES:
            shown.append(f"... and {len(changes) - _SHOWN_LINES} more lines")
        return "\n".join([f"This call is not recorded in {self.path}; record again.", *shown])


class Writer:
    """Appends entries; each is on disk before `append` returns. Readable by its owner only."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        _cut_torn_line(path)
        self._path = path
        self._writing = asyncio.Lock()

    async def append(self, entry: Entry) -> None:
        line = canonical_json(msgspec.to_builtins(entry)) + b"\n"
        async with self._writing:
            await asyncio.to_thread(_append_durably, self._path, line)


def chat_document(request: ChatRequest) -> dict[str, Any]:
    """Return what counts of a request, as `request_key` does; what is left at its default and
    came to the contract later is left out."""
    schema = request.json_schema
    document: dict[str, Any] = {
        "messages": [_message(message) for message in request.messages],
        "max_output_tokens": request.max_output_tokens,
        "temperature": float(request.temperature),
        "json_schema": None if schema is None else dict(schema),
        "seed": request.seed,
        "purpose": request.purpose,
    }
    if request.top_p is not None:
        document["top_p"] = float(request.top_p)
    if request.stop:
        document["stop"] = list(request.stop)
    if request.tools:
        document["tools"] = [
            {"name": t.name, "description": t.description, "parameters": dict(t.parameters)}
            for t in request.tools
        ]
    if request.tool_choice != "auto":
        document["tool_choice"] = request.tool_choice
    return document


def embedding_document(request: EmbeddingRequest) -> dict[str, Any]:
    """Return what counts of a request, as `embedding_key` does."""
    return {
        "texts": list(request.texts),
        "dimensions": request.dimensions,
        "purpose": request.purpose,
    }


def document_key(model: str, document: dict[str, Any]) -> str:
    """Return the key of a recorded request, hexadecimal. Raises msgspec.ValidationError."""
    if "texts" in document:
        return embedding_key(model, msgspec.convert(document, EmbeddingRequest)).hex()
    return request_key(model, msgspec.convert(document, ChatRequest)).hex()


def _message(message: Any) -> dict[str, Any]:
    written: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        written["tool_calls"] = msgspec.to_builtins(message.tool_calls)
    if message.tool_call_id:
        written["tool_call_id"] = message.tool_call_id
    return written


def _lines(model: str, document: dict[str, Any]) -> list[str]:
    """Return the request as short lines, so that a difference shows where it is."""
    lines = [f"model: {model}"]
    for key in sorted(document):
        if key == "messages":
            for message in document[key]:
                role = message["role"]
                lines += [f"{role}: {line}" for line in message["content"].splitlines()]
                lines += [
                    f"{role} {name}: {_one_line(value)}"
                    for name, value in message.items()
                    if name not in {"role", "content"}
                ]
        elif key in {"texts", "tools"}:
            lines += [f"{key}: {_one_line(value)}" for value in document[key]]
        else:
            lines.append(f"{key}: {_one_line(document[key])}")
    return lines


def _one_line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _read(path: Path) -> Iterator[Entry]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LlmRequestError(f"The recording {path} cannot be read: {error.strerror}.") from error
    # A last line without its end was being written when the process died; it was never answered.
    whole, _, _ = content.rpartition(b"\n")
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            entry = msgspec.json.decode(line, type=Entry)
            key = document_key(entry.model, entry.request)
        except (msgspec.MsgspecError, UnicodeDecodeError, LlmRequestError) as error:
            raise LlmRequestError(f"Line {number} of {path} is damaged: {error}.") from error
        yield entry if entry.key == key else msgspec.structs.replace(entry, key=key)


def _cut_torn_line(path: Path) -> None:
    if path.exists():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(path, whole)


def _append_durably(path: Path, line: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
