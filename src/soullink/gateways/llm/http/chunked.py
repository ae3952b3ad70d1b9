"""The chunked transfer coding (RFC 9112, section 7.1)."""

from soullink.gateways.llm.http.faults import MalformedError

_MAX_LINE = 4096


class Unchunker:
    """Takes the framing off, wherever the bytes are cut."""

    __slots__ = ("_left", "_rest", "_trailer", "done", "excess")

    def __init__(self) -> None:
        self._rest = b""
        self._left = 0
        self._trailer = False
        self.done = False
        self.excess = False

    def feed(self, data: bytes) -> bytes:
        """Return the content in `data`; `done` says that it was the last of it.

        excess: bytes came after the end. Raises MalformedError.
        """
        if self._rest:
            data = self._rest + data
        pieces: list[bytes] = []
        at = 0
        while at < len(data) and not self.done:
            if self._left > 2:
                # The two last bytes of a chunk are its CR LF.
                piece = data[at : at + self._left - 2]
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                continue
            if self._left:
                if len(data) - at < self._left:
                    break
                if data[at : at + self._left] != b"\r\n":
                    raise MalformedError("a chunk does not end where it should")
                at += self._left
                self._left = 0
                continue
            end = data.find(b"\r\n", at)
            if end < 0:
                if len(data) - at > _MAX_LINE:
                    raise MalformedError("a chunk begins with too long a line")
                break
            self._line(data[at:end])
            at = end + 2
        self._rest = b"" if self.done else data[at:]
        self.excess = self.done and at < len(data)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _line(self, line: bytes) -> None:
        if self._trailer:
            self.done = not line
            return
        size = line.partition(b";")[0].strip()
        if not size or len(size) > 8 or not all(c in b"0123456789abcdefABCDEF" for c in size):
            raise MalformedError("a chunk has no size")
        length = int(size, 16)
        if length:
            self._left = length + 2
        else:
            self._trailer = True
