"""What one call tells a model, in an order that caches like, within a number of tokens.

Providers charge little for the part of a call that begins as an earlier one did. So what never
changes stands first (the persona), then what only grows (the history), and last what is new on
every call (memories, state, task). The history is compressed in blocks: once it outgrows its room
the oldest blocks become one line each until only `ContextBudget.low` of the room is filled, and
then nothing before its end changes until it has grown full again.

Everything here is a function of what is passed in. Which blocks are condensed follows from the
history alone, by going through it from its beginning, so that a resumed course is told the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from soullink.modules.prompts.api import (
    Context,
    ContextBudget,
    ContextMessage,
    ContextParts,
    ContextTooSmallError,
    Counter,
    Entry,
    Memory,
)


@dataclass(frozen=True, slots=True)
class _Block:
    """Neighbouring entries of one scene, end excluded; heading: index of the scene, or None."""

    start: int
    end: int
    heading: int | None


@dataclass(frozen=True, slots=True)
class _Window:
    """What is shown word for word: all behind `condensed` blocks and `cut` entries more."""

    blocks: Sequence[_Block]
    condensed: int
    cut: int = 0

    def first(self, until: int) -> int:
        """Return the index of the first entry shown, of those before `until`."""
        if self.cut:
            return self.blocks[self.condensed].start + self.cut
        return 0 if self.condensed == 0 else min(self.blocks[self.condensed - 1].end, until)

    def heading(self, history: Sequence[Entry], first: int) -> int | None:
        """Return the index of the heading to say again: it holds and is out of sight."""
        if self.cut:
            return self.blocks[self.condensed].heading
        if self.condensed == 0 or (first < len(history) and history[first].heading):
            return None
        return self.blocks[self.condensed - 1].heading

    def left_out(self, lines: int) -> tuple[int, int]:
        """Return how many entries are told by the newest `lines` of a summary, and by none."""
        sizes = [block.end - block.start for block in self.blocks[: self.condensed]]
        told = sum(sizes[len(sizes) - lines :])
        return told, sum(sizes) - told + self.cut


def assemble(parts: ContextParts, budget: ContextBudget, count: Counter) -> Context:
    """Return the messages of one call, never more than `budget.tokens` of them.

    What gives way, in this order: old history (condensed), memories (least salient first), lines
    of the summary (oldest first), the last thing that was said. Raises ContextTooSmallError where
    the persona, the scene in force and the tail alone are more.
    """
    blocks = _blocks(parts.history, budget.block)
    condensed = _due(parts, blocks, budget, count)
    lines = _summary(parts, blocks[:condensed], budget.summary, count)
    room = min(budget.memory, budget.tail - count(parts.tail(())))
    first = _Window(blocks, condensed).first(len(parts.history))
    told = memories_to_tell(parts.memories, range(first, len(parts.history)), room, count)
    cut = 0
    while True:
        made = _made(parts, _Window(blocks, condensed, cut), lines, told, budget, count)
        if made.total <= budget.tokens:
            return made
        # Only where a tail is larger than its reserve, or joints cost more than was counted.
        if condensed < len(blocks) - 1:
            condensed += 1
            lines = _summary(parts, blocks[:condensed], budget.summary, count)
        elif condensed < len(blocks) and cut < blocks[-1].end - blocks[-1].start - 1:
            cut += 1
        elif told:
            told = told[:-1]
        elif lines:
            lines = lines[1:]
        elif condensed < len(blocks):
            condensed, cut = condensed + 1, 0
        else:
            raise ContextTooSmallError(
                f"The persona, the scene and the turn take {made.total} tokens, but the context's"
                f" budget is {budget.tokens}; give at least {made.total}."
            )


def common_prefix(
    before: Sequence[ContextMessage],
    after: Sequence[ContextMessage],
    count: Counter,
    message: int = 4,
) -> int:
    """Return with how many tokens `after` begins as `before` does.

    message: tokens of a message's structure; counted where the whole message is the same. Of the
    first that differs the text that both begin with counts, if it is of the same role.
    """
    tokens = 0
    for one, other in zip(before, after, strict=False):
        if one == other:
            tokens += count(one.content) + message
            continue
        if one.role == other.role:
            pairs = enumerate(zip(one.content, other.content, strict=False))
            least = min(len(one.content), len(other.content))
            same = next((place for place, (a, b) in pairs if a != b), least)
            tokens += count(one.content[:same])
        break
    return tokens


def _blocks(history: Sequence[Entry], size: int) -> list[_Block]:
    """Return the entries in blocks of at most `size`; headings open one and are in none."""
    blocks: list[_Block] = []
    heading: int | None = None
    start = 0
    for index, entry in enumerate(history):
        if entry.heading or index - start == size:
            if index > start:
                blocks.append(_Block(start, index, heading))
            start = index + entry.heading
        if entry.heading:
            heading = index
    if len(history) > start:
        blocks.append(_Block(start, len(history), heading))
    return blocks


def _due(
    parts: ContextParts, blocks: Sequence[_Block], budget: ContextBudget, count: Counter
) -> int:
    """Return how many blocks are condensed, by living through the history once."""
    history = parts.history
    room = budget.tokens - budget.tail - count(parts.persona) - 2 * budget.message
    sizes = [count(entry.text) + budget.message for entry in history]
    ends = [0]
    for size in sizes:
        ends.append(ends[-1] + size)
    done, base = 0, 0

    def used(until: int) -> int:
        window = _Window(blocks, done)
        first = window.first(until)
        heading = window.heading(history, first)
        again = 0 if heading is None else sizes[heading]
        return base + again + ends[until] - ends[first]

    for until in range(1, len(history) + 1):
        if used(until) <= room:
            continue
        while used(until) > room * budget.low and _closed(blocks, done, until):
            done += 1
            base = _cost(_summary(parts, blocks[:done], budget.summary, count), parts, count)
    return done


def _closed(blocks: Sequence[_Block], number: int, until: int) -> bool:
    """Tell whether the block can be condensed: something has come after it."""
    return number < len(blocks) and blocks[number].end < until


def _cost(lines: Sequence[str], parts: ContextParts, count: Counter) -> int:
    return count("\n".join((parts.earlier, *lines))) if lines else 0


def _summary(
    parts: ContextParts, blocks: Sequence[_Block], room: int, count: Counter
) -> tuple[str, ...]:
    """Return one line a block, the newest that fit into `room` tokens."""
    lines: list[str] = []
    for block in reversed(blocks):
        lines.insert(0, _line(parts, block))
        if _cost(lines, parts, count) > room:
            return tuple(lines[1:])
    return tuple(lines)


def _line(parts: ContextParts, block: _Block) -> str:
    """Return who did what in the block, and the facts that came up."""
    after, between, apart = parts.marks
    done: dict[str, dict[str, None]] = {}
    for entry in parts.history[block.start : block.end]:
        if entry.did:
            told = entry.facts() if callable(entry.facts) else entry.facts
            facts = f" ({between.join(told)})" if told else ""
            done.setdefault(entry.who, {})[entry.did + facts] = None
    acts_of_all = apart.join(f"{who} {between.join(acts)}" for who, acts in done.items())
    title = "" if block.heading is None else parts.history[block.heading].did
    return f"> {title}{after}{acts_of_all}" if title else f"> {acts_of_all}"


def memories_to_tell(
    memories: Sequence[Memory], shown: range, room: int, count: Counter
) -> tuple[Memory, ...]:
    """Return the memories to tell, most salient first, as many as `room` holds."""
    hidden = [m for m in memories if m.about is None or m.about not in shown]
    told: list[Memory] = []
    for memory in sorted(hidden, key=lambda memory: -memory.salience):
        cost = count(memory.text) + 1
        if cost <= room:
            told.append(memory)
            room -= cost
    return tuple(told)


def _made(
    parts: ContextParts,
    window: _Window,
    lines: tuple[str, ...],
    told: tuple[Memory, ...],
    budget: ContextBudget,
    count: Counter,
) -> Context:
    history = parts.history
    first = window.first(len(history))
    heading = window.heading(history, first)
    shown = history[first:]
    opening = [Entry("user", "\n".join((parts.earlier, *lines)))] if lines else []
    if heading is not None:
        opening.append(history[heading])
    grown: list[ContextMessage] = []
    for entry in (*opening, *shown):
        append(grown, entry, parts.pause)
    tail = parts.tail([memory.text for memory in told])
    stable = _tokens(grown, count, budget.message)
    messages = [*grown, ContextMessage("user", tail)]
    if grown and grown[-1].role == "user":
        messages[-2:] = [ContextMessage("user", f"{grown[-1].content}\n\n{tail}")]
    elif grown:
        messages[-1] = ContextMessage("user", f"{parts.pause}\n\n{tail}")
    persona = ContextMessage("system", parts.persona)
    fixed = count(persona.content) + budget.message
    scenes = [entry for entry in (*opening, *shown) if entry.heading]
    remembered = sum(count(memory.text) for memory in told)
    condensed, dropped = window.left_out(len(lines))
    return Context(
        messages=(persona, *messages),
        total=fixed + _tokens(messages, count, budget.message),
        stable=fixed + stable,
        blocks={
            "persona": count(parts.persona),
            "scenario": sum(count(entry.text) for entry in scenes),
            "summary": _cost(lines, parts, count),
            "history": sum(count(entry.text) for entry in shown if not entry.heading),
            "memory": remembered,
            "tail": count(tail) - remembered,
        },
        kept=sum(not entry.heading for entry in shown),
        condensed=condensed,
        dropped=dropped,
        told=len(told),
        untold=len(parts.memories) - len(told),
    )


def append(messages: list[ContextMessage], entry: Entry, pause: str) -> None:
    """Put `entry` behind messages of the user and the assistant by turns, the user first."""
    if entry.role == "assistant":
        if not messages or messages[-1].role == "assistant":
            messages.append(ContextMessage("user", pause))
        messages.append(ContextMessage("assistant", entry.text))
    elif messages and messages[-1].role == "user":
        joint = "\n\n" if entry.heading else "\n"
        messages[-1] = ContextMessage("user", f"{messages[-1].content}{joint}{entry.text}")
    else:
        messages.append(ContextMessage("user", entry.text))


def _tokens(messages: Sequence[ContextMessage], count: Counter, message: int) -> int:
    return sum(count(one.content) + message for one in messages)
