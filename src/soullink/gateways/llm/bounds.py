"""The most tokens that a request can be, without a tokenizer.

A token of a byte-level or byte-fallback vocabulary (OpenAI's, Anthropic's, Gemini's, Llama's,
Qwen's, ...) stands for at least one byte of UTF-8. What a provider wraps around the words is
covered by constants, each well above what is documented or seen.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from soullink.gateways.llm.port import ChatRequest, FixedSchema
from soullink.gateways.llm.usage import bytes_of_messages

FRAME_TOKENS = 256
"""The beginning of a chat template, with the system prompt that some models bring along."""
MESSAGE_TOKENS = 16
"""Role and separators of a message: 3 to 5 with OpenAI and Llama."""
CALL_TOKENS = 64
"""The wrapping of a tool call, its id included."""
TOOLS_TOKENS = 1024
"""The instructions for tools: up to 530 with Anthropic's models."""
SCHEMA_TOKENS = 512
"""The instructions for answers that follow a schema."""
SCHEMA_FACTOR = 4
"""A provider may write a schema or a tool out in another syntax, e.g. as TypeScript or XML."""


def most_input_tokens(request: ChatRequest) -> int:
    """Return how many input tokens `request` can be at most."""
    messages = request.messages
    total = FRAME_TOKENS + MESSAGE_TOKENS * len(messages) + bytes_of_messages(messages)
    for message in messages:
        for call in message.tool_calls:
            total += CALL_TOKENS + SCHEMA_FACTOR * _bytes(call.name, call.arguments)
        if message.tool_call_id:
            total += CALL_TOKENS
    if request.tools:
        total += TOOLS_TOKENS
        for tool in request.tools:
            size = _bytes(tool.name, tool.description)
            size += len(msgspec.json.encode(dict(tool.parameters)))
            total += CALL_TOKENS + SCHEMA_FACTOR * size
    if request.json_schema is not None:
        total += _of_schema(request.json_schema)
    return total


_known: tuple[Mapping[str, Any] | None, int] = (None, 0)


def _of_schema(schema: Mapping[str, Any]) -> int:
    global _known  # noqa: PLW0603 - one pair, replaced as a whole: threads may share it
    known = _known
    if known[0] is not schema:
        known = (schema, SCHEMA_TOKENS + SCHEMA_FACTOR * len(msgspec.json.encode(dict(schema))))
        if isinstance(schema, FixedSchema):
            _known = known
    return known[1]


def _bytes(*texts: str) -> int:
    return sum(len(text.encode(errors="surrogatepass")) for text in texts)
