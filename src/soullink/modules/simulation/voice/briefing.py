"""The messages of one turn: the prompt's rules, the course so far, the task, within a budget."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from soullink.gateways.llm.port import Message
from soullink.gateways.llm.usage import estimate_tokens
from soullink.modules.prompts.api import (
    Context,
    ContextBudget,
    ContextParts,
    Prompt,
    Prompts,
)
from soullink.modules.simulation.voice.port import Place, SpeechRequest
from soullink.modules.simulation.voice.prompting import Portraits, declared, turn_variables
from soullink.modules.simulation.voice.slots import first_name
from soullink.modules.simulation.voice.telling import MARKS, Telling
from soullink.modules.simulation.voice.text import one_line

TURN_PROMPT: Final = "simulation.turn"
HISTORY_PROMPT: Final = "simulation.history"
APART: Final = "apart"
"""A turn's prompt without this variable tells scene and last turns itself (version 1 does)."""

MOST_TELLINGS: Final = 4
"""Kept at once; a course has two."""

CONTEXT: Final = ContextBudget(tokens=4500)
"""Estimated tokens of one call; persona, scene and task at their longest take less."""

count_tokens = estimate_tokens
"""The counter of budgets: an estimate, so that the same course is told the same everywhere."""


@dataclass(frozen=True, slots=True)
class Briefing:
    """What a model is sent for one turn. context: None where the prompt tells it all itself."""

    messages: tuple[Message, ...]
    reference: str
    context: Context | None


class Briefings:
    """Writes briefings. The same request and prompts give the same messages."""

    def __init__(self, prompts: Prompts, budget: ContextBudget = CONTEXT) -> None:
        self._prompts = prompts
        self._budget = budget
        self._between = lru_cache(maxsize=512)(self._rendered)
        self._portraits = Portraits()
        self._tellings: dict[str, Telling] = {}

    def of(self, request: SpeechRequest) -> Briefing:
        """Return the messages of a turn. Raises ContextTooSmallError, PromptRenderError."""
        turn = self._prompts.get(TURN_PROMPT, request.language)
        variables = turn_variables(request, self._portraits)
        if APART not in turn.variables:
            whole = self._prompts.render_parts(turn, declared(turn, variables))
            system = (Message("system", whole.system),) if whole.system else ()
            messages = (*system, Message("user", whole.user))
            return Briefing(messages, whole.reference, None)
        asked = self._prompts.render_parts(turn, declared(turn, {**variables, "memory": []}))

        def tail(memories: object) -> str:
            if not memories:
                return asked.user
            given = declared(turn, {**variables, "memory": memories})
            return self._prompts.render_parts(turn, given).user

        history = self._prompts.get(HISTORY_PROMPT, request.language)
        partner = first_name(request.listener.name)
        telling = self._telling(request, history)
        parts = ContextParts(
            persona=asked.system,
            history=telling.go_on(request),
            memories=telling.memories(request),
            tail=tail,
            earlier=self._between(history, "earlier"),
            pause=self._between(history, "pause", partner=partner),
            marks=MARKS[request.language],
        )
        context = self._prompts.assemble(parts, self._budget, count_tokens)
        messages = tuple(Message(one.role, one.content) for one in context.messages)
        return Briefing(messages, asked.reference, context)

    def _telling(self, request: SpeechRequest, history: Prompt) -> Telling:
        """Return the course as the speaker was told it last, or one to be told from the start."""
        who = str(request.speaker.id)
        telling = self._tellings.get(who)
        if telling is None or not telling.follows(request):
            if len(self._tellings) >= MOST_TELLINGS:
                self._tellings.clear()
            telling = Telling(request, lambda place: self._between(history, "scene", place))
            self._tellings[who] = telling
        return telling

    def _rendered(
        self, prompt: Prompt, part: str, place: Place | None = None, partner: str = ""
    ) -> str:
        scenario = {
            "title": "" if place is None else one_line(place.title),
            "setting": "" if place is None else one_line(place.setting),
            "goal": "" if place is None else one_line(place.goal),
        }
        variables = {"part": part, "scenario": scenario, "partner": partner}
        return self._prompts.render(prompt, declared(prompt, variables))
