"""Server-sent events, as far as model providers use them (WHATWG HTML, section 9.2)."""

import codecs
from dataclasses import dataclass

from soullink.gateways.llm.port import LlmOutputError

MAX_EVENT_CHARACTERS = 1_000_000
"""A single event longer than this is no answer of a model."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event. name: "message" where the server gave none."""

    name: str
    data: str


class EventDecoder:
    """Turns bytes, cut anywhere, into events."""

    def __init__(self) -> None:
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, piece: bytes) -> list[ServerEvent]:
        """Return the events that `piece` completes. Raises LlmOutputError for a huge one."""
        self._rest += self._text.decode(piece)
        events: list[ServerEvent] = []
        # A trailing CR may be the first half of a CR LF, so it waits for the next piece.
        *lines, self._rest = _lines(self._rest)
        for line in lines:
            self._take(line, events)
        if self._size + len(self._rest) > MAX_EVENT_CHARACTERS:
            raise LlmOutputError("The provider sent an event too long to be an answer.")
        return events

    def _take(self, line: str, events: list[ServerEvent]) -> None:
        if line == "":
            if self._data:
                events.append(ServerEvent(self._name or "message", "\n".join(self._data)))
            self._name, self._data, self._size = "", [], 0
            return
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
            self._size += len(value)
        elif field == "event":
            self._name = value


def _lines(text: str) -> list[str]:
    """Split at CR LF, LF or CR; the last item is what has no end yet."""
    held = "\r" if text.endswith("\r") else ""
    body = text[:-1] if held else text
    parts = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    parts[-1] += held
    return parts
