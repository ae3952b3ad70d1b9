"""Every answer is read before it is handed over: mended where it can be, scored, or refused."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from soullink.gateways.llm.port import (
    ChatReply,
    ChatRequest,
    LlmOutputError,
    LlmRequestError,
    ToolCall,
)
from soullink.gateways.llm.response.port import Judged
from soullink.gateways.llm.response.schema import Schemas, UnreadableError, mended, read, written
from soullink.gateways.llm.response.scores import (
    EARLIER_LOOKED_AT,
    asked_of,
    language_score,
    length_score,
    persona_score,
    repetition_score,
)

MENDED: Final = 0.5
"""schema_valid of an answer that was no JSON before it was mended."""

_SPOKEN: Final = ("words", "text", "answer", "reply", "message", "content")
"""Names of the field that bounds on the length speak of, where there are several."""


class AnswerCheck:
    """Checks the JSON that was asked for and scores the words. Not for several threads.

    Scores, 1.0 is best: schema_valid (1.0 as it came, 0.5 mended, 0.0 a tool's arguments that do
    not follow its parameters, or an answer that only a lenient request takes), language, length
    (0.0 when cut off), persona, repetition. A score that does not apply is left out; a refusal
    has none.
    """

    def __init__(self) -> None:
        self._schemas = Schemas()

    def check(self, request: ChatRequest, reply: ChatReply) -> Judged:
        if reply.finish_reason == "refusal":
            return Judged(reply, {})
        scores: dict[str, float] = {}
        text, calls = reply.text, reply.tool_calls
        spoken: str | None = text
        try:
            if request.json_schema is not None and (text or not calls):
                text, spoken, prose = self._follow_schema(request, text, scores)
            else:
                prose = text
            if calls:
                calls = self._read_calls(request, calls, scores)
        except (LlmOutputError, LlmRequestError) as error:
            error.usage = reply.usage
            error.cost_nano_usd = reply.cost_nano_usd
            raise
        if text:
            _score(request, reply, prose, spoken, scores)
        return Judged(replace(reply, text=text, tool_calls=calls, quality=scores), scores)

    def _follow_schema(
        self, request: ChatRequest, text: str, scores: dict[str, float]
    ) -> tuple[str, str | None, str]:
        """Return the text in order, what bounds on the length speak of, and all words in it."""
        try:
            return self._in_order(request.json_schema or {}, text, scores)
        except LlmOutputError:
            if not request.lenient:
                raise
        scores["schema_valid"] = 0.0
        return text, text, text

    def _in_order(
        self, schema: Mapping[str, Any], text: str, scores: dict[str, float]
    ) -> tuple[str, str | None, str]:
        try:
            value = read(text)
            fault = self._schemas.fault(schema, value)
            scores["schema_valid"] = 1.0
        except UnreadableError:
            value, fault = self._mend(schema, text)
            scores["schema_valid"] = MENDED
            try:
                text = written(value)
            except UnreadableError as error:
                raise LlmOutputError(f"The answer cannot be used: {error}.") from error
        if fault is not None:
            raise LlmOutputError(f"The answer does not follow its schema at {fault}.")
        words = _prose(value)
        return text, _spoken(value, words), " ".join(words)

    def _mend(self, schema: Mapping[str, Any], text: str) -> tuple[Any, str | None]:
        try:
            value = mended(text)
        except UnreadableError as error:
            raise LlmOutputError(f"The answer cannot be used: {error}.") from error
        fault = self._schemas.fault(schema, value)
        if fault is not None and isinstance(value, list):  # several documents in one answer
            for part in value:
                if self._schemas.fault(schema, part) is None:
                    return part, None
        return value, fault

    def _read_calls(
        self, request: ChatRequest, calls: tuple[ToolCall, ...], scores: dict[str, float]
    ) -> tuple[ToolCall, ...]:
        parameters = {tool.name: tool.parameters for tool in request.tools}
        worst = scores.get("schema_valid", 1.0)
        result = []
        for call in calls:
            arguments, value, score = _read_arguments(call)
            schema = parameters.get(call.name)
            if schema and self._schemas.fault(schema, value) is not None:
                score = 0.0
            worst = min(worst, score)
            if arguments is not call.arguments:
                call = ToolCall(call.id, call.name, arguments)  # noqa: PLW2901 - the mended one
            result.append(call)
        scores["schema_valid"] = worst
        return tuple(result)


def _score(
    request: ChatRequest,
    reply: ChatReply,
    prose: str,
    spoken: str | None,
    scores: dict[str, float],
) -> None:
    asked = asked_of(request)
    if prose and asked.language is not None:
        scores["language"] = language_score(prose, asked.language)
    if reply.finish_reason == "length":
        scores["length"] = 0.0
    else:
        scores["length"] = 1.0 if spoken is None else length_score(spoken, asked)
    if not asked.as_assistant:
        scores["persona"] = persona_score(prose)
    messages = request.messages
    earlier = (
        [m.content for m in messages if m.role == "assistant"][-EARLIER_LOOKED_AT:]
        if len(messages) > 2
        else ()
    )
    scores["repetition"] = repetition_score(prose, earlier)


def _read_arguments(call: ToolCall) -> tuple[str, Any, float]:
    """Return a tool's arguments as JSON text of an object, their value and a score."""
    if not call.arguments.strip():
        return "{}", {}, 1.0
    try:
        value, arguments, score = read(call.arguments), call.arguments, 1.0
    except UnreadableError:
        try:
            value = mended(call.arguments)
            arguments, score = written(value), MENDED
        except UnreadableError as error:
            raise LlmOutputError(f"Arguments of a tool cannot be used: {error}.") from error
    if not isinstance(value, dict):
        raise LlmOutputError("Arguments of a tool are no JSON object.")
    return arguments, value, score


def _prose(value: Any) -> list[str]:
    """Return the strings of `value` that are prose: codes such as "ask" are not."""
    found: list[str] = []
    _gather(value, found)
    return found


def _gather(value: Any, found: list[str]) -> None:
    parts = value.values() if isinstance(value, dict) else value
    if isinstance(value, str):
        parts = (value,)
    elif not isinstance(value, dict | list):
        return
    for part in parts:
        if not isinstance(part, str):
            _gather(part, found)
        elif " " in part or not part.isascii():
            found.append(part)


def _spoken(value: Any, words: list[str]) -> str | None:
    if isinstance(value, dict):
        for name in _SPOKEN:
            said = value.get(name)
            if isinstance(said, str):
                return said
    return words[0] if len(words) == 1 else None
