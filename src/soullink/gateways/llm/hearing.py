"""What has arrived of one answer so far, in whichever wire format."""

from soullink.gateways.llm.port import FinishReason, ToolCall, ToolCallPiece, Usage
from soullink.kernel.ids import new_uuid7


class _Draft:
    """A tool call that is still being written. place: its number among the answer's calls."""

    __slots__ = ("arguments", "id", "name", "place")

    def __init__(self, place: int, call_id: str, name: str) -> None:
        self.place = place
        self.id = call_id
        self.name = name
        self.arguments: list[str] = []


class Heard:
    """What has arrived of one answer so far.

    words: of the answer, in order. pieces: of tool calls, not yet handed over.
    finish: None until the provider says it ended. declined: the sentence for a content filter
    that stopped the answer, empty where none did. usage: the latest count; labelled estimated
    while it is not the provider's last word on the whole answer.
    """

    __slots__ = (
        "cache_write_tokens",
        "declined",
        "drafts",
        "finish",
        "model",
        "pieces",
        "places",
        "usage",
        "words",
    )

    def __init__(self) -> None:
        self.words: list[str] = []
        self.model = ""
        self.finish: FinishReason | None = None
        self.declined = ""
        self.usage: Usage | None = None
        self.cache_write_tokens = 0
        self.drafts: list[_Draft] = []
        self.places: dict[int, _Draft] = {}
        self.pieces: list[ToolCallPiece] = []

    @property
    def final_usage(self) -> Usage | None:
        """Return what the provider counted, where it counted the answer to its end."""
        if self.usage is None or self.usage.estimated:
            return None
        return self.usage if self.finish is not None or self.declined else None

    def take_call(self, index: int, call_id: str, name: str, arguments: str) -> None:
        """Take a piece of the tool call that the provider numbers `index`.

        Another id under the same number begins another call: some servers number every call 0.
        A call without an id gets one, because answers refer to it.
        """
        draft = self.places.get(index)
        if draft is None or (call_id and call_id != draft.id and name):
            draft = _Draft(len(self.drafts), call_id or f"call_{new_uuid7().hex}", name)
            self.drafts.append(draft)
            self.places[index] = draft
            draft.arguments.append(arguments)
            self.pieces.append(ToolCallPiece(draft.place, draft.id, name, arguments))
            return
        new_name = name if not draft.name else ""
        draft.name = draft.name or name
        if arguments or new_name:
            draft.arguments.append(arguments)
            self.pieces.append(ToolCallPiece(draft.place, "", new_name, arguments))

    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Return the calls; one without arguments has an empty object of them."""
        return tuple(
            ToolCall(draft.id, draft.name, "".join(draft.arguments) or "{}")
            for draft in self.drafts
        )
