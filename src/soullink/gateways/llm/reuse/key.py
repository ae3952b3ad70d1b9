"""One name for one request: what the cache, shared calls and recordings go by."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from soullink.gateways.llm.port import ChatRequest, EmbeddingRequest, LlmRequestError

KEY_BYTES = 32


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a request holds a {type(value).__name__}")


_ENCODER = msgspec.msgpack.Encoder(order="deterministic", enc_hook=_plain)


def request_key(model_name: str, request: ChatRequest) -> bytes:
    """Return 32 bytes (BLAKE2b) that stand for all that can change the answer, and the purpose.

    Left out: the time allowed, on whose account the call is made, and its id. Whoever shares
    answers puts the tenant beside the key. Raises LlmRequestError for what cannot be written.
    """
    top_p = request.top_p
    return _digest(
        (
            "chat",
            model_name,
            request.messages,
            request.max_output_tokens,
            float(request.temperature),
            request.json_schema,
            request.seed,
            request.purpose,
            None if top_p is None else float(top_p),
            request.stop,
            request.tools,
            request.tool_choice,
        )
    )


def embedding_key(model_name: str, request: EmbeddingRequest) -> bytes:
    """Return 32 bytes as `request_key` does, for texts to be embedded."""
    return _digest(("embedding", model_name, request.texts, request.dimensions, request.purpose))


def is_deterministic(request: ChatRequest) -> bool:
    """Tell whether the caller asked for the one answer: temperature 0, or a seed."""
    return request.seed is not None or request.temperature == 0


def _digest(parts: tuple[Any, ...]) -> bytes:
    try:
        encoded = _ENCODER.encode(parts)
    except (TypeError, ValueError, OverflowError) as error:  # e.g. half a surrogate pair
        raise LlmRequestError(f"The request cannot be written down: {error}.") from error
    return hashlib.blake2b(encoded, digest_size=KEY_BYTES).digest()
