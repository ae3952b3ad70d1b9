"""Content filters by name: what is taken out of requests and answers, and what is refused."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from soullink.gateways.llm.port import (
    ChatReply,
    ChatRequest,
    LlmRefusedError,
    Message,
    ToolCall,
)
from soullink.gateways.llm.response.injection import marks
from soullink.gateways.llm.response.masks import Contacts, Mask, Secrets, Terms, masked
from soullink.gateways.llm.response.port import ContentFilter
from soullink.gateways.llm.response.schema import UnreadableError, read, written
from soullink.kernel.errors import InvalidInputError

BLOCKLIST: Final = "blocklist:"


class MaskFilter:
    """Takes what `mask` finds out of every message and out of the answer."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask

    def before(self, request: ChatRequest) -> ChatRequest:
        messages = tuple(self._message(message) for message in request.messages)
        if all(new is old for new, old in zip(messages, request.messages, strict=True)):
            return request
        return replace(request, messages=messages)

    def after(self, request: ChatRequest, reply: ChatReply) -> ChatReply:
        wants_json = request.json_schema is not None
        text = self._json(reply.text) if wants_json else masked(self.mask, reply.text)
        calls = self._calls(reply.tool_calls)
        if text is reply.text and calls is reply.tool_calls:
            return reply
        return replace(reply, text=text, tool_calls=calls)

    def _message(self, message: Message) -> Message:
        content = masked(self.mask, message.content)
        calls = self._calls(message.tool_calls)
        if content is message.content and calls is message.tool_calls:
            return message
        return replace(message, content=content, tool_calls=calls)

    def _calls(self, calls: tuple[ToolCall, ...]) -> tuple[ToolCall, ...]:
        if not calls:
            return calls
        new = tuple(ToolCall(c.id, c.name, self._json(c.arguments)) for c in calls)
        return calls if new == calls else new

    def _json(self, text: str) -> str:
        """Mask inside the strings of JSON, so that it stays JSON and escapes hide nothing."""
        try:
            value = read(text)
            clean = self._value(value)
            return text if clean == value else written(clean)
        except UnreadableError:
            return masked(self.mask, text)

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return masked(self.mask, value)
        if isinstance(value, dict):
            return {masked(self.mask, name): self._value(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self._value(part) for part in value]
        if isinstance(value, int) and not isinstance(value, bool) and self.mask.spans(str(value)):
            return 0  # a number stays one
        return value


class BlocklistFilter(MaskFilter):
    """Refuses what a user says with a listed term in it, and takes such terms out of answers."""

    def __init__(self, terms: Iterable[str]) -> None:
        super().__init__(Terms(terms))

    def before(self, request: ChatRequest) -> ChatRequest:
        for message in request.messages:
            if message.role == "user" and self.mask.spans(message.content):
                raise _refused("A message holds a word that is not allowed here; leave it out.")
        return request


class InjectionFilter:
    """Refuses what a user says to override what the model was told, or to have it told back."""

    def before(self, request: ChatRequest) -> ChatRequest:
        for message in request.messages:
            if message.role == "user":
                kinds = marks(message.content)
                if kinds:
                    found = ", ".join(kinds)
                    raise _refused(f"A message tries to steer the model ({found}); reword it.")
        return request

    def after(self, request: ChatRequest, reply: ChatReply) -> ChatReply:  # noqa: ARG002
        return reply


_NAMED: Final[Mapping[str, Callable[[], ContentFilter]]] = {
    "contact": lambda: MaskFilter(Contacts()),
    "injection": InjectionFilter,
    "secrets": lambda: MaskFilter(Secrets()),
}


def filter_from(name: str) -> ContentFilter:
    """Return the filter called `name`: secrets, contact, injection or blocklist:FILE.

    FILE has one term a line in UTF-8; lines that begin with # are remarks. Raises
    InvalidInputError for an unknown name or a file that cannot be used.
    """
    if name.startswith(BLOCKLIST):
        return BlocklistFilter(_terms(Path(name.removeprefix(BLOCKLIST)).expanduser()))
    make = _NAMED.get(name)
    if make is None:
        known = ", ".join([*sorted(_NAMED), f"{BLOCKLIST}FILE"])
        raise InvalidInputError(f"There is no filter {name!r}; known are {known}.")
    return make()


def filters_from(names: Sequence[str]) -> tuple[ContentFilter, ...]:
    """Return the filters called `names`, in their order; raises as `filter_from` does."""
    return tuple(filter_from(name) for name in names)


def _terms(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InvalidInputError(f"The blocklist {path} cannot be read: {reason}.") from error
    terms = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not terms:
        raise InvalidInputError(f"The blocklist {path} holds no term; write one a line.")
    return terms


def _refused(sentence: str) -> LlmRefusedError:
    error = LlmRefusedError(sentence)
    error.elsewhere = False  # no other model will be asked
    error.may_be_billed = False
    return error
