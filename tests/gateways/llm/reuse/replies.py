"""Replies for tests, with what a test cares about changed."""

from soullink.gateways.llm.port import ChatReply, Usage


def reply(text: str = "Hello there.", **changes: object) -> ChatReply:
    values: dict[str, object] = {
        "model": "gpt-5-mini",
        "provider": "openai",
        "finish_reason": "stop",
        "usage": Usage(10, 4),
        "cost_nano_usd": 1200,
        "latency_seconds": 0.5,
        "attempts": 1,
        **changes,
    }
    return ChatReply(text, **values)  # type: ignore[arg-type]
