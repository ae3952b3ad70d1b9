"""Record the calls of a model to a file, and replay them without it."""

import asyncio
import difflib
import json
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

import msgspec

from soullink.gateways.llm.port import (
    ChatChunk,
    ChatReply,
    ChatRequest,
    LanguageModel,
    LlmAuthError,
    LlmCassetteMissError,
    LlmError,
    LlmOutputError,
    LlmRateLimitedError,
    LlmRefusedError,
    LlmRequestError,
    LlmTimeoutError,
    LlmUnavailableError,
)
from soullink.kernel.canonical import canonical_json, digest

Mode: TypeAlias = Literal["record", "replay"]

_ERRORS: Mapping[str, type[LlmError]] = {
    kind.code: kind
    for kind in (
        LlmAuthError,
        LlmError,
        LlmOutputError,
        LlmRateLimitedError,
        LlmRefusedError,
        LlmRequestError,
        LlmTimeoutError,
        LlmUnavailableError,
    )
}
_COMPARED = 200
"""How many recorded calls, from the last, are looked at for the nearest one."""
_SHOWN_LINES = 24
_SHOWN_CHARACTERS = 160


class _Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the file: a call and how it ended. chunks: the pieces of a streamed answer."""

    key: str
    model: str
    request: dict[str, Any]
    reply: ChatReply | None = None
    error: str | None = None
    message: str = ""
    chunks: list[str] | None = None


class CassetteModel:
    """A LanguageModel that records another one to a JSONL file, or replays what was recorded.

    A call is found by the digest of the whole request and the model's name; only the time
    allowed is left out, because it changes no words. Equal requests are replayed in the order
    they were recorded, failures included. The file holds prompts and answers, never keys; it is
    readable by its owner only. Use `recording` or `replaying`.
    """

    def __init__(self, path: Path, name: str, mode: Mode, inner: LanguageModel | None) -> None:
        self._path = path
        self._name = name
        self._mode = mode
        self._inner = inner
        self._turns: dict[str, int] = defaultdict(int)
        self._entries: dict[str, list[_Entry]] = defaultdict(list)
        self._writing = asyncio.Lock()

    @classmethod
    def recording(cls, inner: LanguageModel, path: Path) -> Self:
        """Call `inner` and append every call to `path`, on disk before the answer is returned."""
        path.parent.mkdir(parents=True, exist_ok=True)
        _cut_torn_line(path)
        return cls(path, inner.name, "record", inner)

    @classmethod
    def replaying(cls, path: Path, name: str | None = None) -> Self:
        """Answer from `path` alone.

        name: the model's name; None takes that of the first recorded call.
        Raises LlmRequestError when the file is missing, empty or damaged.
        """
        entries = list(_read(path))
        if not entries:
            raise LlmRequestError(f"No calls are recorded in {path}.")
        cassette = cls(path, name or entries[0].model, "replay", None)
        for entry in entries:
            cassette._entries[entry.key].append(entry)
        return cassette

    @property
    def name(self) -> str:
        return self._name

    def bound_nano_usd(self, request: ChatRequest) -> int | None:
        return 0 if self._inner is None else self._inner.bound_nano_usd(request)

    async def complete(self, request: ChatRequest) -> ChatReply:
        if self._inner is None:
            return self._recorded(request)[0]
        try:
            reply = await self._inner.complete(request)
        except LlmError as error:
            await self._append(self._failed(request, error))
            raise
        await self._append(self._answered(request, reply))
        return reply

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        if self._inner is None:
            reply, texts = self._recorded(request)
            for text in texts:
                yield ChatChunk(text)
            yield ChatChunk("", reply)
            return
        texts = []
        try:
            async for chunk in self._inner.stream(request):
                if chunk.reply is not None:
                    await self._append(self._answered(request, chunk.reply, texts))
                else:
                    texts.append(chunk.text)
                yield chunk
        except LlmError as error:
            await self._append(self._failed(request, error))
            raise

    async def close(self) -> None:
        if self._inner is not None:
            await self._inner.close()

    def _recorded(self, request: ChatRequest) -> tuple[ChatReply, list[str]]:
        document = _document(request)
        key = _key(self._name, document)
        entries = self._entries.get(key, [])
        turn = self._turns[key]
        if turn >= len(entries):
            raise LlmCassetteMissError(self._miss(document, len(entries)))
        self._turns[key] += 1
        entry = entries[turn]
        if entry.reply is None:
            raise _ERRORS.get(entry.error or "", LlmError)(entry.message)
        return entry.reply, entry.chunks or [entry.reply.text]

    def _answered(
        self, request: ChatRequest, reply: ChatReply, chunks: list[str] | None = None
    ) -> _Entry:
        document = _document(request)
        key = _key(self._name, document)
        return _Entry(key, self._name, document, reply=reply, chunks=chunks)

    def _failed(self, request: ChatRequest, error: LlmError) -> _Entry:
        document = _document(request)
        key = _key(self._name, document)
        return _Entry(key, self._name, document, error=error.code, message=str(error))

    async def _append(self, entry: _Entry) -> None:
        line = canonical_json(msgspec.to_builtins(entry)) + b"\n"
        async with self._writing:
            await asyncio.to_thread(_append_durably, self._path, line)

    def _miss(self, document: dict[str, Any], recorded: int) -> str:
        if recorded:
            return (
                f"This call was recorded {recorded} time(s) in {self._path}, "
                "and is now made once more; record again."
            )
        entries = [entry for group in self._entries.values() for entry in group]
        wanted = _lines(self._name, document)
        nearest = max(
            (_lines(entry.model, entry.request) for entry in entries[-_COMPARED:]),
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
        return "\n".join([f"This call is not recorded in {self._path}; record again.", *shown])


def _document(request: ChatRequest) -> dict[str, Any]:
    schema = request.json_schema
    return {
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "max_output_tokens": request.max_output_tokens,
        "temperature": float(request.temperature),
        "json_schema": None if schema is None else dict(schema),
        "seed": request.seed,
        "purpose": request.purpose,
    }


def _key(name: str, document: dict[str, Any]) -> str:
    return digest({"model": name, "request": document})


def _lines(name: str, document: dict[str, Any]) -> list[str]:
    """Return the request as short lines, so that a difference shows where it is."""
    lines = [f"model: {name}"]
    for key in sorted(document):
        if key == "messages":
            for message in document[key]:
                role = message["role"]
                lines += [f"{role}: {line}" for line in message["content"].splitlines()]
        else:
            lines.append(f"{key}: {json.dumps(document[key], ensure_ascii=False, sort_keys=True)}")
    return lines


def _read(path: Path) -> Iterator[_Entry]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LlmRequestError(f"The recording {path} cannot be read: {error.strerror}.") from error
    # A last line without its end was being written when the process died; it was never answered.
    whole, _, _ = content.rpartition(b"\n")
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            yield msgspec.json.decode(line, type=_Entry)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise LlmRequestError(f"Line {number} of {path} is damaged: {error}.") from error


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
