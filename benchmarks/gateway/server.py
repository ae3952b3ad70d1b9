"""A server that answers every POST with one chat completion, as fast as it can.

    python -m benchmarks.gateway.server PORT [PORTS] [LATENCY_MS]

It listens on PORT, PORT+1, ... and answers after LATENCY_MS (default 0).
"""

import asyncio
import json
import sys

import uvloop

WORDS = (
    "I heard what you said about Sunday, and I would rather tell you now than later: I need an "
    "evening to myself first. After that I am all yours. Shall we walk to the harbour at ten?"
)
INPUT_TOKENS, CACHED_TOKENS, OUTPUT_TOKENS = 312, 256, 47
BODY = json.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": "gpt-4o-mini",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": WORDS, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": INPUT_TOKENS,
            "completion_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
            "prompt_tokens_details": {"cached_tokens": CACHED_TOKENS, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "system_fingerprint": "fp_bench",
    }
).encode()
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\nx-request-id: req_bench\r\n\r\n" % len(BODY)
) + BODY


class Answering(asyncio.Protocol):
    """Reads just enough HTTP/1.1 to find where a request ends."""

    latency_seconds = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        self._rest = self._rest + data if self._rest else data
        while self._rest:
            end = self._rest.find(b"\r\n\r\n")
            if end < 0:
                return
            total = self._end(end)
            if total is None or len(self._rest) < total:
                return
            self._rest = self._rest[total:]
            if self.latency_seconds:
                loop = asyncio.get_running_loop()
                loop.call_later(self.latency_seconds, self._transport.write, ANSWER)
            else:
                self._transport.write(ANSWER)

    def _end(self, head: int) -> int | None:
        """Return where the request ends; None while a chunked body is not complete."""
        lowered = self._rest[:head].lower()
        at = lowered.find(b"content-length:")
        if at >= 0:
            return head + 4 + int(lowered[at + 15 :].split(b"\r\n", 1)[0])
        if b"transfer-encoding:" in lowered:
            last = self._rest.find(b"0\r\n\r\n", head + 4)
            return None if last < 0 else last + 5
        return head + 4


async def serve(port: int, ports: int, latency_seconds: float) -> None:
    Answering.latency_seconds = latency_seconds
    loop = asyncio.get_running_loop()
    for offset in range(ports):
        await loop.create_server(Answering, "127.0.0.1", port + offset, backlog=4096)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]] + [1, 0][len(sys.argv) - 2 :]
    uvloop.run(serve(numbers[0], numbers[1], numbers[2] / 1000))
