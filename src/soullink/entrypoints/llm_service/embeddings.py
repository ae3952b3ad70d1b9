"""OpenAI's embeddings. Source: https://platform.openai.com/docs/api-reference/embeddings."""

import base64
import struct
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from soullink.entrypoints.llm_service.access import Caller
from soullink.entrypoints.llm_service.faults import BadCallError
from soullink.entrypoints.llm_service.reading import read_json
from soullink.gateways.llm.port import EmbeddingReply, EmbeddingRequest

_MOST_TEXTS: Final = 2048
_MOST_DIMENSIONS: Final = 100_000


class _Body(msgspec.Struct):
    model: str
    input: str | list[Any]
    encoding_format: str | None = None
    dimensions: int | None = None


class _Row(msgspec.Struct):
    index: int
    embedding: tuple[float, ...] | str
    object: str = "embedding"


class _Usage(msgspec.Struct):
    prompt_tokens: int
    total_tokens: int


class _List(msgspec.Struct):
    data: list[_Row]
    model: str
    usage: _Usage
    object: str = "list"


_DECODER: Final = msgspec.json.Decoder(_Body)


@dataclass(frozen=True, slots=True)
class Embedding:
    """Vectors that are asked for. in_base64: each as little-endian 32-bit floats, not numbers."""

    model: str
    request: EmbeddingRequest
    in_base64: bool


def read_embedding(body: bytes, caller: Caller, timeout_seconds: float) -> Embedding:
    """Return what is asked for. Raises BadCallError."""
    asked = read_json(_DECODER, body)
    if asked.encoding_format not in {None, "float", "base64"}:
        raise BadCallError("encoding_format is float or base64.", "encoding_format")
    if asked.dimensions is not None and not 1 <= asked.dimensions <= _MOST_DIMENSIONS:
        raise BadCallError(f"dimensions is from 1 to {_MOST_DIMENSIONS}.", "dimensions")
    request = EmbeddingRequest(
        texts=_texts(asked.input),
        dimensions=asked.dimensions,
        timeout_seconds=timeout_seconds,
        purpose=caller.purpose,
        attribution=caller.attribution,
        request_id=caller.call_id,
    )
    return Embedding(asked.model, request, asked.encoding_format == "base64")


def write_embedding(reply: EmbeddingReply, asked: Embedding) -> bytes:
    """Return the body of an answer."""
    rows = [
        _Row(at, _packed(vector) if asked.in_base64 else vector)
        for at, vector in enumerate(reply.vectors)
    ]
    tokens = reply.usage.input_tokens
    return msgspec.json.encode(_List(rows, asked.model, _Usage(tokens, tokens)))


def _texts(given: str | list[Any]) -> tuple[str, ...]:
    texts = (given,) if isinstance(given, str) else tuple(given)
    if any(not isinstance(text, str) for text in texts):
        raise BadCallError(
            "input is a text or a list of texts; token arrays are not taken, because every model "
            "counts in tokens of its own.",
            "input",
        )
    if not 1 <= len(texts) <= _MOST_TEXTS or "" in texts:
        raise BadCallError(f"input is 1 to {_MOST_TEXTS} texts, none of them empty.", "input")
    return texts


def _packed(vector: tuple[float, ...]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")
