"""The messages of one turn: the prompt's rules, the course so far, the task, within a budget."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from soullink.gateways.llm.port import Message
from soullink.gateways.llm.usage import estimate_tokens
from soullink.kernel.language import Language
from soullink.modules.prompts.api import (
    Context,
    ContextBudget,
    Prompt,
    Prompts,
)
from soullink.modules.simulation.voice.port import Place, SpeechRequest
from soullink.modules.simulation.voice.prompting import Portraits, TurnVariables, declared
from soullink.modules.simulation.voice.slots import first_name
from soullink.modules.simulation.voice.telling import MARKS, Telling
from soullink.modules.simulation.voice.text import one_line

TURN_PROMPT: Final = "simulation.turn"
HISTORY_PROMPT: Final = "simulation.history"
APART: Final = "apart"
"""A turn's prompt without this variable tells scene and last turns itself (version 1 does)."""

ALWAYS: Final = frozenset({"persona", "partner_public", "language", "word_min", "word_max", APART})
"""What is the same in all that one of the two says in a course."""

OF_A_TURN: Final = frozenset({"act", "state", "interrupted", "events", "memory"})
"""What a task is told by, where it tells of no more."""

MOST_TELLINGS: Final = 4
"""Kept at once; a course has two."""

MOST_PARTS: Final = 512
"""Scenes, pauses and summaries rendered and kept at once."""

MOST_TASKS: Final = 2048
"""Tasks rendered and kept at once: one is the same in many courses."""

CONTEXT: Final = ContextBudget(tokens=4500)
"""Estimated tokens of one call; persona, scene and task at their longest take less."""

_PORTRAITS: Final = Portraits()
_TASKS: Final[dict[tuple[object, ...], str]] = {}

count_tokens = estimate_tokens
"""The counter of budgets: an estimate, so that the same course is told the same everywhere."""


@dataclass(frozen=True, slots=True)
class Briefing:
    """What a model is sent for one turn. context: None where the prompt tells it all itself."""

    messages: tuple[Message, ...]
    reference: str
    context: Context | None


class _Between:
    """What stands between turns, each part rendered once.

    Keeps its own: a cache around a method of the briefings would keep these, with all that was
    said, until the garbage collector comes by.
    """

    __slots__ = ("_prompts", "_rendered")

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts
        self._rendered: dict[tuple[Prompt, str, Place | None, str], str] = {}

    def __call__(
        self, prompt: Prompt, part: str, place: Place | None = None, partner: str = ""
    ) -> str:
        key = (prompt, part, place, partner)
        rendered = self._rendered.get(key)
        if rendered is None:
            if len(self._rendered) >= MOST_PARTS:
                self._rendered.clear()
            rendered = self._rendered[key] = self._render(prompt, part, place, partner)
        return rendered

    def _render(self, prompt: Prompt, part: str, place: Place | None, partner: str) -> str:
        scenario = {
            "title": "" if place is None else one_line(place.title),
            "setting": "" if place is None else one_line(place.setting),
            "goal": "" if place is None else one_line(place.goal),
        }
        variables = {"part": part, "scenario": scenario, "partner": partner}
        return self._prompts.render(prompt, declared(prompt, variables))


class Briefings:
    """Writes briefings. The same request and prompts give the same messages."""

    def __init__(self, prompts: Prompts, budget: ContextBudget = CONTEXT) -> None:
        self._prompts = prompts
        self._budget = budget
        self._between = _Between(prompts)
        self._portraits = _PORTRAITS
        self._tellings: dict[str, Telling] = {}
        self._chosen: dict[Language, tuple[Prompt, Prompt, bool, bool]] = {}

    def of(self, request: SpeechRequest) -> Briefing:
        """Return the messages of a turn. Raises ContextTooSmallError, PromptRenderError."""
        turn, history, always, told_by_turn = self._versions(request.language)
        if APART not in turn.variables:
            told = TurnVariables(request, turn.variables, self._portraits)
            whole = self._prompts.render_parts(turn, told)
            system = (Message("system", whole.system),) if whole.system else ()
            messages = (*system, Message("user", whole.user))
            return Briefing(messages, whole.reference, None)
        variables = TurnVariables(request, turn.variables, self._portraits, ())
        telling = self._telling(request, history)
        if telling.system is None or not always:
            asked = self._prompts.render_parts(turn, variables)
            telling.system, user = asked.system, asked.user
        else:
            user = self._task(turn, request, variables, told_by_turn)

        def tail(memories: Sequence[str]) -> str:
            if not memories:
                return user
            return self._prompts.render_user(turn, variables.recalling(memories))

        telling.go_on(request)
        memories = telling.memories(request)
        context = telling.conversation.assemble(telling.system, memories, tail)
        messages = tuple([Message(one.role, one.content) for one in context.messages])
        return Briefing(messages, turn.reference, context)

    def _task(
        self, turn: Prompt, request: SpeechRequest, variables: TurnVariables, told_by_turn: bool
    ) -> str:
        """Return the last part of the prompt, where nothing is recalled."""
        if not told_by_turn:
            return self._prompts.render_user(turn, variables)
        key = (
            turn.content_hash,
            request.language,
            request.act,
            variables.get("state"),  # a version may do without it
            request.interrupted,
            request.events,
        )
        task = _TASKS.get(key)
        if task is None:
            if len(_TASKS) >= MOST_TASKS:
                _TASKS.clear()
            task = _TASKS[key] = self._prompts.render_user(turn, variables)
        return task

    def _versions(self, language: Language) -> tuple[Prompt, Prompt, bool, bool]:
        """Return the prompts of a turn and of what stands between turns: always the same.

        And whether the system part of a turn's is the same in all turns of a course, and whether
        its last part tells of the turn alone.
        """
        found = self._chosen.get(language)
        if found is None:
            names = (TURN_PROMPT, HISTORY_PROMPT)
            turn, history = (self._prompts.get(name, language) for name in names)
            first, last = self._prompts.looked_at(turn)
            found = (turn, history, first <= ALWAYS, last <= OF_A_TURN)
            self._chosen[language] = found
        return found

    def _telling(self, request: SpeechRequest, history: Prompt) -> Telling:
        """Return the course as the speaker was told it last, or one to be told from the start."""
        who = str(request.speaker.id)
        telling = self._tellings.get(who)
        if telling is None or not telling.follows(request):
            if len(self._tellings) >= MOST_TELLINGS:
                self._tellings.clear()
            conversation = self._prompts.conversation(
                self._between(history, "earlier"),
                self._between(history, "pause", partner=first_name(request.listener.name)),
                MARKS[request.language],
                self._budget,
                count_tokens,
            )
            between = self._between  # without the briefings: they keep the telling
            telling = Telling(request, conversation, lambda place: between(history, "scene", place))
            self._tellings[who] = telling
        return telling
