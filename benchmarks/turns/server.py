"""A model server that answers every subject with what it needs to go on, at once or after a while.

    python -m benchmarks.turns.server PORT

GET /stats counts since the last POST /reset; POST /latency?ms=N delays what comes after it.
The same words go to everybody: as they are, as the JSON of a turn where the prompt ends by naming
the act, as the action that sotopia asks for, or as the letter that concordia does.
"""

import asyncio
import json
import re
import sys
from typing import Any

import uvloop

_BEGINNINGS = (
    "The noise in here is kinder than I expected",
    "Waiting outside made me braver somehow",
    "Nobody warned me that soup could be this loud",
    "This table wobbles whenever somebody laughs",
    "Half of what I planned to say has vanished",
    "Rain always makes an evening feel longer",
    "Every question you ask turns the light up",
    "Music like this belongs in an empty kitchen",
    "Long menus frighten me a little",
    "Small talk usually wears me out by nine",
    "Whoever painted that wall was in love",
    "Tea first and courage afterwards",
    "Quiet people notice how a room breathes",
)
_MIDDLES = (
    "so tell me what a perfect Sunday looks like",
    "and honesty seems easier with warm hands",
    "though patience was never given to me freely",
    "because curiosity beats good manners tonight",
    "which is why slow answers suit me better",
    "yet something about this feels familiar",
    "while everyone else pretends to read",
    "if you can bear a clumsy compliment",
    "or perhaps we simply order everything",
    "but please keep going, it sounds lovely",
    "unless you would rather walk a while",
)
_ENDS = (
    "before the candles give up.",
    "with plenty of pepper.",
    "under that crooked lamp.",
    "until somebody throws us out.",
    "as far as the bridge.",
    "like thieves after closing time.",
    "between two trams.",
    "without looking at a clock.",
    "at our own foolish speed.",
    "from the very beginning.",
    "in plain simple words.",
    "through all seven courses.",
    "beside the open window.",
    "over one shared dessert.",
    "against every sensible rule.",
    "past the last streetlight.",
    "near the noisy coffee machine.",
)


_AFTERTHOUGHTS = (
    "Cheers to that.",
    "Mind the step.",
    "Your scarf suits you.",
    "Who chose this playlist?",
    "Four spoons, please.",
    "Blame the moon.",
    "Never trust humming waiters.",
    "Honestly, it does.",
    "Guess my favourite smell.",
    "Two minutes more.",
    "Oops, wrong glass.",
    "Fresh air would help.",
    "Just kidding.",
    "Keep the change.",
    "Ask me tomorrow.",
    "Look, it snows.",
    "Victory is ours.",
    "Zebras would agree.",
    "Have my umbrella.",
)


def words(number: int) -> str:
    """Return the words of answer `number`.

    Of 2,431 in a row no two have more than two of their four parts in common: whoever looks for
    repetitions, as models' answers seldom are, finds none.
    """
    banks = (_BEGINNINGS, _MIDDLES, _ENDS, _AFTERTHOUGHTS)
    beginning, middle, end, afterthought = (bank[number % len(bank)] for bank in banks)
    return f"{beginning}, {middle} {end} {afterthought}"


_ACT = b'\\"act\\" is \\"'
"""How the prompt of a turn ends, inside a JSON body."""


_DECLINE = re.compile(rb"\((\w)\) No\\n")
"""concordia's game master asks with letters whether it should end the scene: no, it goes on."""


def content(body: bytes, number: int) -> str:
    """Return what the model says to a request: a turn's JSON, sotopia's action, or words."""
    said = words(number)
    if b"Respond EXACTLY with one of the following" in body:
        declined = _DECLINE.findall(body)
        return declined[-1].decode() if declined else "a"
    at = body.rfind(_ACT)
    if at >= 0:
        act = body[at + len(_ACT) : body.index(b"\\", at + len(_ACT))].decode()
        turn = {"inner_thought": "This goes better than I feared.", "words": said, "act": act}
        return json.dumps(turn)
    if b'"model":"sotopia"' in body or b'"model": "sotopia"' in body:
        return json.dumps({"action_type": "speak", "argument": said, "to": []})
    return said


class Counts:
    """What the server has seen since it was last asked to forget."""

    calls = 0
    sent = 0
    connections = 0


class Answering(asyncio.Protocol):
    """Reads just enough HTTP/1.1 to find where a request ends."""

    counts = Counts()
    latency_seconds = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        self._rest = b""
        self.counts.connections += 1

    def data_received(self, data: bytes) -> None:
        self._rest = self._rest + data if self._rest else data
        while (end := self._rest.find(b"\r\n\r\n")) >= 0:
            lowered = self._rest[:end].lower()
            at = lowered.find(b"content-length:")
            length = int(lowered[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            total = end + 4 + length
            if len(self._rest) < total:
                return
            line, body = self._rest[:80].split(b"\r\n", 1)[0], self._rest[end + 4 : total]
            self._rest = self._rest[total:]
            self._answer(line.split()[1].decode(), body)

    def _answer(self, path: str, body: bytes) -> None:
        counts = self.counts
        if path == "/stats":
            self._send({"calls": counts.calls, "sent": counts.sent, "open": counts.connections})
        elif path == "/reset":
            counts.calls = counts.sent = counts.connections = 0
            self._send({})
        elif path.startswith("/latency"):
            Answering.latency_seconds = float(path.partition("ms=")[2]) / 1000
            self._send({})
        else:
            counts.calls += 1
            counts.sent += len(body)
            reply = completion(content(body, counts.calls), len(body))
            if self.latency_seconds:
                loop = asyncio.get_running_loop()
                loop.call_later(self.latency_seconds, self._send, reply)
            else:
                self._send(reply)

    def _send(self, document: dict[str, Any]) -> None:
        if self._transport.is_closing():
            return
        body = json.dumps(document).encode()
        head = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % len(body)
        )
        self._transport.write(head + body)


def completion(text: str, sent: int) -> dict[str, Any]:
    """Return a chat completion that says `text`; sent: bytes asked, for the count of tokens."""
    message = {"role": "assistant", "content": text, "refusal": None}
    asked, said = sent // 4, len(text) // 4
    return {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said},
    }


async def serve(port: int) -> None:
    await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", port, backlog=4096)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
