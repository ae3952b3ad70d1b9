"""An embedding model behind HTTP, in whichever wire format."""

import sys
from array import array
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote

import msgspec

from soullink.gateways.llm.bounds import FRAME_TOKENS, MESSAGE_TOKENS
from soullink.gateways.llm.complaints import is_unsupported
from soullink.gateways.llm.http_model import SHIPPED_PRICES, unsent
from soullink.gateways.llm.port import (
    EmbeddingReply,
    EmbeddingRequest,
    LlmError,
    LlmOutputError,
    LlmRequestError,
    LlmTimeoutError,
    Usage,
)
from soullink.gateways.llm.pricing import Price, PriceList
from soullink.gateways.llm.retry import Retry
from soullink.gateways.llm.usage import estimate_tokens
from soullink.gateways.llm.wire import MAX_EMBEDDING_BYTES, Wire, loop_time

Vector = tuple[float, ...]
_ENCODER = msgspec.json.Encoder()


class EmbeddingDialect(Protocol):
    """One wire format for embeddings."""

    @property
    def provider(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def seller(self) -> str | None: ...

    @property
    def path(self) -> str: ...

    def body(self, request: EmbeddingRequest) -> dict[str, Any]: ...

    def read(self, payload: bytes, wire: Wire) -> tuple[list[Vector], str, Usage | None]:
        """Return the vectors in the order of the texts, the model's name and the count."""
        ...

    def adapt(self, complaint: str, sent: Mapping[str, Any]) -> bool:
        """Return whether to send again, now without an optional part that `complaint` names."""
        ...


class HttpEmbeddingModel:
    """Implements EmbeddingModel over a wire and a dialect. prices: None takes the shipped list."""

    def __init__(
        self,
        dialect: EmbeddingDialect,
        wire: Wire,
        retry: Retry,
        prices: PriceList | None = None,
    ) -> None:
        self._dialect = dialect
        self._wire = wire
        self._retry = retry
        self._prices = prices or SHIPPED_PRICES
        self._api_url = str(wire.base_url)

    @property
    def name(self) -> str:
        return f"{self._dialect.provider}:{self._dialect.model}"

    def bound_nano_usd(self, request: EmbeddingRequest) -> int | None:
        price = self._price()
        if price is None:
            return None
        tokens = FRAME_TOKENS
        for text in request.texts:
            tokens += MESSAGE_TOKENS + len(text.encode(errors="surrogatepass"))
        return price.bound(tokens, 0)

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        if not request.texts:
            raise unsent("There is no text to embed.")
        started = self._retry.monotonic()
        deadline = loop_time() + request.timeout_seconds
        attempts = failures = 0
        sent: dict[str, Any] = {}
        while True:
            try:
                try:
                    sent = self._dialect.body(request)
                    body = _ENCODER.encode(sent)
                except UnicodeEncodeError as error:
                    raise unsent(f"The texts cannot be written as JSON: {error}.") from error
                attempts += 1
                payload = await self._wire.post(
                    self._dialect.path,
                    body,
                    deadline,
                    request.request_id,
                    limit=MAX_EMBEDDING_BYTES,
                )
                vectors, model, usage = self._read(payload, request)
                break
            except LlmError as error:
                told = self._told(error, request, deadline)
                told.attempts = attempts
                if isinstance(told, LlmRequestError) and self._dialect.adapt(str(told), sent):
                    continue
                failures += 1
                await self._retry.pause(told, failures, started + request.timeout_seconds)
        if usage is None:
            usage = Usage(sum(estimate_tokens(text) for text in request.texts), 0, estimated=True)
        price = self._price()
        return EmbeddingReply(
            vectors=tuple(vectors),
            model=model or self._dialect.model,
            provider=self._dialect.provider,
            usage=usage,
            cost_nano_usd=None if price is None else price.cost(usage),
            latency_seconds=self._retry.monotonic() - started,
            attempts=attempts,
        )

    async def close(self) -> None:
        await self._wire.close()

    def _read(
        self, payload: bytes, request: EmbeddingRequest
    ) -> tuple[list[Vector], str, Usage | None]:
        try:
            vectors, model, usage = self._dialect.read(payload, self._wire)
        except (
            msgspec.MsgspecError,
            UnicodeDecodeError,
            RecursionError,
            Base64Error,
            ValueError,
        ) as error:
            raise self._wire.unreadable(payload, str(error)) from error
        problem = ""
        if len(vectors) != len(request.texts):
            problem = f"{len(vectors)} vectors for {len(request.texts)} texts"
        elif len({len(vector) for vector in vectors}) != 1 or not vectors[0]:
            problem = "vectors of different lengths"
        elif request.dimensions is not None and len(vectors[0]) != request.dimensions:
            problem = f"vectors of {len(vectors[0])} numbers instead of {request.dimensions}"
        if problem:
            unusable = LlmOutputError(f"{self.name} answered {problem}.")
            unusable.usage = usage
            price = self._price()
            if usage is not None and price is not None:
                unusable.cost_nano_usd = price.cost(usage)
            raise unusable
        return vectors, model, usage

    def _told(self, error: LlmError, request: EmbeddingRequest, deadline: float) -> LlmError:
        if not isinstance(error, LlmTimeoutError) or loop_time() < deadline - 0.002:
            return error
        late = LlmTimeoutError(
            f"{self.name} did not answer within {request.timeout_seconds:g} seconds."
        )
        late.may_be_billed = error.may_be_billed
        late.__cause__ = error.__cause__
        return late

    def _price(self) -> Price | None:
        return self._prices.find(
            provider=self._dialect.provider,
            model=self._dialect.model,
            seller=self._dialect.seller,
            api_url=self._api_url,
            moment=self._retry.clock.now(),
        )


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    total_tokens: int | None = None


class _Embedded(msgspec.Struct):
    embedding: str | list[float]
    index: int | None = None


class _Fault(msgspec.Struct):
    message: str | None = None
    code: str | int | None = None
    type: str | None = None


class _Answer(msgspec.Struct):
    data: list[_Embedded] | None = None
    model: str | None = None
    usage: _Usage | None = None
    error: _Fault | str | None = None


_OPENAI = msgspec.json.Decoder(_Answer)


class OpenAiEmbeddings:
    """POST /embeddings: OpenAI itself, vLLM, Ollama, llama-server and others.

    official: OpenAI itself is asked for base64, a third of the size; others do not all know it.
    """

    path = "/embeddings"

    def __init__(self, model: str, *, provider: str = "openai", official: bool) -> None:
        self.model = model
        self.provider = provider
        self.seller: str | None = "openai" if official else None
        self._encoding = "base64" if official else "float"
        self._without: set[str] = set()

    def body(self, request: EmbeddingRequest) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.model, "input": list(request.texts)}
        if "encoding_format" not in self._without:
            body["encoding_format"] = self._encoding
        if request.dimensions is not None:
            body["dimensions"] = request.dimensions
        return body

    def read(self, payload: bytes, wire: Wire) -> tuple[list[Vector], str, Usage | None]:
        answer = _OPENAI.decode(payload)
        if answer.error is not None:
            fault = answer.error if isinstance(answer.error, _Fault) else _Fault(answer.error)
            status = fault.code if isinstance(fault.code, int) and fault.code >= 400 else 503
            raise wire.error_from(status, f"{fault.message} ({fault.type})", billed=True)
        found = answer.data or []
        if all(entry.index is not None for entry in found):
            found.sort(key=lambda entry: entry.index or 0)
            if [entry.index for entry in found] != list(range(len(found))):
                raise ValueError("the numbers of the vectors have gaps")
        counted = answer.usage
        tokens = None
        if counted is not None:
            tokens = (
                counted.total_tokens if counted.prompt_tokens is None else counted.prompt_tokens
            )
        usage = None if tokens is None else Usage(input_tokens=tokens)
        return [_vector(entry.embedding) for entry in found], answer.model or "", usage

    def adapt(self, complaint: str, sent: Mapping[str, Any]) -> bool:
        # Dimensions are not optional: a vector of another length is of no use to who asked.
        if "encoding_format" in sent and is_unsupported(complaint, "encoding_format"):
            self._without.add("encoding_format")
            return True
        return False


def _vector(given: str | list[float]) -> Vector:
    """Return a vector: numbers, or little-endian 32-bit floats in base64."""
    if not isinstance(given, str):
        return tuple(given)
    numbers = array("f")
    numbers.frombytes(b64decode(given, validate=True))
    if sys.byteorder == "big":
        numbers.byteswap()
    return tuple(numbers)


class _Values(msgspec.Struct):
    values: list[float]


class _Counts(msgspec.Struct, rename="camel"):
    prompt_token_count: int | None = None


class _GeminiFault(msgspec.Struct):
    code: int = 503
    message: str = ""
    status: str = ""


class _Batch(msgspec.Struct, rename="camel"):
    embeddings: list[_Values] | None = None
    usage_metadata: _Counts | None = None
    error: _GeminiFault | None = None


_GEMINI = msgspec.json.Decoder(_Batch)


class GeminiEmbeddings:
    """Gemini's batchEmbedContents: up to 100 texts a call."""

    provider = "gemini"
    seller: str | None = "google"

    def __init__(self, model: str) -> None:
        self.model = model.removeprefix("models/")
        self.path = f"/models/{quote(self.model, safe='')}:batchEmbedContents"

    def body(self, request: EmbeddingRequest) -> dict[str, Any]:
        return {"requests": [self._one(text, request.dimensions) for text in request.texts]}

    def read(self, payload: bytes, wire: Wire) -> tuple[list[Vector], str, Usage | None]:
        answer = _GEMINI.decode(payload)
        if answer.error is not None:
            fault = answer.error
            raise wire.error_from(fault.code, f"{fault.message} ({fault.status})", billed=True)
        counted = answer.usage_metadata.prompt_token_count if answer.usage_metadata else None
        usage = None if counted is None else Usage(input_tokens=counted)
        return [tuple(one.values) for one in answer.embeddings or ()], "", usage

    def adapt(self, complaint: str, sent: Mapping[str, Any]) -> bool:  # noqa: ARG002 - all is needed
        return False

    def _one(self, text: str, dimensions: int | None) -> dict[str, Any]:
        one: dict[str, Any] = {
            "model": f"models/{self.model}",
            "content": {"parts": [{"text": text}]},
        }
        if dimensions is not None:
            one["outputDimensionality"] = dimensions
        return one
