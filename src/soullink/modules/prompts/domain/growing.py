"""A history told in call after call, without counting and joining anew what has not changed.

While all of it fits, nothing is condensed and every call begins with the whole of the one before.
Then only what is new is looked at; else `context.assemble` does it all, and both say the same.
"""

from collections.abc import Callable, Sequence

from soullink.modules.prompts.api import (
    Context,
    ContextBudget,
    ContextMessage,
    ContextParts,
    Counter,
    Entry,
    Memory,
)
from soullink.modules.prompts.domain.context import append, assemble, memories_to_tell


class Growing:
    """Implements Conversation."""

    def __init__(
        self,
        earlier: str,
        pause: str,
        marks: tuple[str, str, str],
        budget: ContextBudget,
        count: Counter,
    ) -> None:
        self._earlier = earlier
        self._pause = pause
        self._marks = marks
        self._budget = budget
        self._count = count
        self._history: list[Entry] = []
        self._scenes = self._said = 0
        self._spoken = 0
        self._messages: list[ContextMessage] = []
        # Tokens of the messages but the last, and of the last.
        self._closed = self._last = 0
        self._persona: tuple[str, int] = ("", count(""))

    def add(self, entry: Entry) -> None:
        self._history.append(entry)
        size = self._count(entry.text)
        if entry.heading:
            self._scenes += size
        else:
            self._said += size
            self._spoken += 1
        known = len(self._messages)
        append(self._messages, entry, self._pause)
        for message in self._messages[known:]:
            self._closed += self._last
            self._last = self._count(message.content) + self._budget.message
        if len(self._messages) == known:
            self._last = self._count(self._messages[-1].content) + self._budget.message

    def assemble(
        self, persona: str, memories: Sequence[Memory], tail: Callable[[Sequence[str]], str]
    ) -> Context:
        budget, count = self._budget, self._count
        if persona is not self._persona[0]:
            self._persona = (persona, count(persona))
        fixed = self._persona[1] + budget.message
        room = budget.tokens - budget.tail - fixed - budget.message
        if self._scenes + self._said + budget.message * len(self._history) <= room:
            context = self._whole(persona, fixed, memories, tail)
            if context.total <= budget.tokens:
                return context
        parts = ContextParts(
            persona, self._history, memories, tail, self._earlier, self._pause, self._marks
        )
        return assemble(parts, budget, count)

    def _whole(
        self,
        persona: str,
        fixed: int,
        memories: Sequence[Memory],
        tail: Callable[[Sequence[str]], str],
    ) -> Context:
        """Return a context in which all that happened stands word for word."""
        budget, count = self._budget, self._count
        told: tuple[Memory, ...] = ()
        if memories:
            left = min(budget.memory, budget.tail - count(tail(())))
            told = memories_to_tell(memories, range(len(self._history)), left, count)
        last_words = tail([memory.text for memory in told])
        messages, before = self._messages, self._closed + self._last
        if not messages:
            shown = [ContextMessage("system", persona), ContextMessage("user", last_words)]
        elif messages[-1].role == "user":
            last = ContextMessage("user", f"{messages[-1].content}\n\n{last_words}")
            shown = [ContextMessage("system", persona), *messages[:-1], last]
            before = self._closed
        else:
            last = ContextMessage("user", f"{self._pause}\n\n{last_words}")
            shown = [ContextMessage("system", persona), *messages, last]
        remembered = sum(count(memory.text) for memory in told)
        return Context(
            messages=tuple(shown),
            total=fixed + before + count(shown[-1].content) + budget.message,
            stable=fixed + self._closed + self._last,
            blocks={
                "persona": self._persona[1],
                "scenario": self._scenes,
                "summary": 0,
                "history": self._said,
                "memory": remembered,
                "tail": count(last_words) - remembered,
            },
            kept=self._spoken,
            told=len(told),
            untold=len(memories) - len(told),
        )
