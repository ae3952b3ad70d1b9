"""Record the calls of a model to a file, and replay them without it."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Self, TypeVar

from soullink.gateways.llm.port import (
    ChatChunk,
    ChatReply,
    ChatRequest,
    EmbeddingModel,
    EmbeddingReply,
    EmbeddingRequest,
    LanguageModel,
    LlmError,
    ToolCallPiece,
)
from soullink.gateways.llm.reuse.cache import chunks_of
from soullink.gateways.llm.reuse.key import embedding_key, request_key
from soullink.gateways.llm.reuse.recording import (
    Entry,
    Recording,
    Writer,
    chat_document,
    embedding_document,
)

Inner = TypeVar("Inner")


@dataclass(frozen=True, slots=True)
class _Recorder(Generic[Inner]):
    """What is asked, and where its answers go."""

    inner: Inner
    writer: Writer


class CassetteModel:
    """A LanguageModel that records another one to a JSONL file, or replays what was recorded.

    A call is found by `request_key`: the whole request and the model's name, but neither the time
    allowed, nor on whose account it is made, nor its id. Equal requests are replayed in the order
    they were recorded, failures included. The file holds prompts and answers, never keys; it is
    readable by its owner only. Use `recording` or `replaying`.
    """

    def __init__(self, name: str, tape: Recording | _Recorder[LanguageModel]) -> None:
        self._name = name
        self._tape = tape

    @classmethod
    def recording(cls, inner: LanguageModel, path: Path) -> Self:
        """Call `inner` and append every call to `path`, on disk before the answer is returned."""
        return cls(inner.name, _Recorder(inner, Writer(path)))

    @classmethod
    def replaying(cls, path: Path, name: str | None = None) -> Self:
        """Answer from `path` alone.

        name: the model's name; None takes that of the first recorded conversation.
        Raises LlmRequestError when the file is missing, empty or damaged.
        """
        recorded = Recording.read(path)
        return cls(name or recorded.first_model(embedding=False), recorded)

    @property
    def name(self) -> str:
        return self._name

    def bound_nano_usd(self, request: ChatRequest) -> int | None:
        tape = self._tape
        return 0 if isinstance(tape, Recording) else tape.inner.bound_nano_usd(request)

    async def complete(self, request: ChatRequest) -> ChatReply:
        tape = self._tape
        if isinstance(tape, Recording):
            return self._replayed(tape, request)[0]
        try:
            reply = await tape.inner.complete(request)
        except LlmError as error:
            await tape.writer.append(self._failed(request, error))
            raise
        await tape.writer.append(self._answered(request, reply))
        return reply

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        tape = self._tape
        if isinstance(tape, Recording):
            _, chunks = self._replayed(tape, request)
            for chunk in chunks:
                yield chunk
            return
        pieces: list[str | ToolCallPiece] = []
        try:
            async for chunk in tape.inner.stream(request):
                if chunk.text:
                    pieces.append(chunk.text)
                if chunk.tool_call is not None:
                    pieces.append(chunk.tool_call)
                if chunk.reply is not None:
                    await tape.writer.append(self._answered(request, chunk.reply, pieces))
                yield chunk
        except LlmError as error:
            await tape.writer.append(self._failed(request, error))
            raise

    async def close(self) -> None:
        if isinstance(self._tape, _Recorder):
            await self._tape.inner.close()

    def _replayed(
        self, tape: Recording, request: ChatRequest
    ) -> tuple[ChatReply, Iterable[ChatChunk]]:
        key = request_key(self._name, request).hex()
        entry = tape.next(key, self._name, chat_document(request))
        if entry.reply is None:
            raise entry.failure()
        if entry.chunks is None:
            return entry.reply, chunks_of(entry.reply)
        chunks = [
            ChatChunk(piece) if isinstance(piece, str) else ChatChunk("", None, piece)
            for piece in entry.chunks
        ]
        return entry.reply, [*chunks, ChatChunk("", entry.reply)]

    def _answered(
        self,
        request: ChatRequest,
        reply: ChatReply,
        chunks: list[str | ToolCallPiece] | None = None,
    ) -> Entry:
        key = request_key(self._name, request).hex()
        return Entry(key, self._name, chat_document(request), reply=reply, chunks=chunks)

    def _failed(self, request: ChatRequest, error: LlmError) -> Entry:
        key = request_key(self._name, request).hex()
        document = chat_document(request)
        return Entry(key, self._name, document, error=error.code, message=str(error))


class CassetteEmbedder:
    """An EmbeddingModel that records another one, or replays it, as CassetteModel does.

    Both may use one file, one after the other or from one process.
    """

    def __init__(self, name: str, tape: Recording | _Recorder[EmbeddingModel]) -> None:
        self._name = name
        self._tape = tape

    @classmethod
    def recording(cls, inner: EmbeddingModel, path: Path) -> Self:
        """Call `inner` and append every call to `path`, on disk before the answer is returned."""
        return cls(inner.name, _Recorder(inner, Writer(path)))

    @classmethod
    def replaying(cls, path: Path, name: str | None = None) -> Self:
        """Answer from `path` alone; see CassetteModel.replaying."""
        recorded = Recording.read(path)
        return cls(name or recorded.first_model(embedding=True), recorded)

    @property
    def name(self) -> str:
        return self._name

    def bound_nano_usd(self, request: EmbeddingRequest) -> int | None:
        tape = self._tape
        return 0 if isinstance(tape, Recording) else tape.inner.bound_nano_usd(request)

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        key = embedding_key(self._name, request).hex()
        document = embedding_document(request)
        tape = self._tape
        if isinstance(tape, Recording):
            entry = tape.next(key, self._name, document)
            if entry.vectors is None:
                raise entry.failure()
            return entry.vectors
        try:
            reply = await tape.inner.embed(request)
        except LlmError as error:
            failed = Entry(key, self._name, document, error=error.code, message=str(error))
            await tape.writer.append(failed)
            raise
        await tape.writer.append(Entry(key, self._name, document, vectors=reply))
        return reply

    async def close(self) -> None:
        if isinstance(self._tape, _Recorder):
            await self._tape.inner.close()
