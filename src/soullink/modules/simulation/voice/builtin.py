"""The voice that needs no model: authored lines, chosen for the act and filled with facts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from soullink.kernel.language import Language
from soullink.modules.simulation.api import Act, Speech
from soullink.modules.simulation.domain.acts import SPECS, ActClass
from soullink.modules.simulation.voice import draws
from soullink.modules.simulation.voice.lines import (
    INTERRUPTION,
    START,
    Line,
    LineBook,
    LinesError,
    Thought,
    line_book,
)
from soullink.modules.simulation.voice.port import SpeechRequest, Spoken
from soullink.modules.simulation.voice.slots import (
    OWN_FACTS,
    Options,
    fill,
    first_name,
    slot_options,
)
from soullink.modules.simulation.voice.text import LENGTHS, count_words, tokens

NAME: Final = "built-in"

SHARPENING: Final = 2.0
"""Power on the style weights: one that leads 2:1 is drawn 4:1, so that people stay themselves."""

LEAST_WEIGHT: Final = 0.03
"""A style below this weight is out of character and used only when nothing else fits."""

SPECIFIC: Final = 5.0
FACTUAL: Final = 3.0
FACT_ACTS: Final = frozenset({Act.DISCLOSE, Act.SMALL_TALK, Act.ASK, Act.PLAN})
TOUCH_SHARE: Final = 0.5
INTERRUPTION_SHARE: Final = 0.6
VARIANTS: Final = 6


@dataclass(frozen=True, slots=True)
class _Candidate:
    line: Line
    words: str
    fit: float  # 1.0 made for what was heard, 0.7 fits anything, 0.3 made for something else


class BuiltInVoice:
    """Speaks authored lines. The same request gives the same words, everywhere.

    The style is drawn first, then a line of that style. When a style has nothing fitting that was
    not yet said in this run, the search widens: to other styles in their drawn order, to lines
    written as answers to something else, then to lines said before with other facts in them.
    """

    def __init__(self, book: Callable[[Language], LineBook] = line_book) -> None:
        self._book = book

    @property
    def name(self) -> str:
        return NAME

    async def speak(self, request: SpeechRequest) -> Spoken:
        return Spoken(self.say(request), 0.0)

    async def close(self) -> None:
        return None

    def say(self, request: SpeechRequest) -> Speech:
        """Return the words for `request`. Raises LinesError where the act has no usable line."""
        book = self._book(request.language)
        order = draws.ranked(
            {style: weight**SHARPENING for style, weight in request.styles.items()},
            request.seed,
            "style",
        )
        chosen = _choose(request, book, order)
        silent = request.act is Act.SILENCE
        words = chosen.words if silent else _touched(request, book, order[0], chosen)
        return Speech(
            words=words,
            inner_thought=_thought(request, book),
            voice=NAME,
            status="silent" if silent else "ok",
            line=chosen.line.id,
            quality=_quality(request, chosen, words),
        )


def occasion(request: SpeechRequest) -> str | None:
    """Return the class that the turn answers, START at the beginning, None when it is open."""
    if request.heard is not None:
        return request.heard
    return START if request.sequence <= 1 else None


def state_name(request: SpeechRequest) -> str:
    """Return which of THOUGHT_STATES the speaker is in; the sorest comes first."""
    state = request.state
    rules = (
        ("hurt", request.heard in {ActClass.HOSTILE, ActClass.DISTANT} and state.mood < 0.1),
        ("stressed", state.stress >= 0.6),
        ("low", state.mood <= -0.3),
        ("drawn", state.closeness >= 0.55 or (state.closeness >= 0.35 and state.mood >= 0.3)),
        ("wary", state.trust <= 0.35),
    )
    return next((name for name, holds in rules if holds), "calm")


def _choose(request: SpeechRequest, book: LineBook, order: Sequence[str]) -> _Candidate:
    options = slot_options(request, book)
    lines = [line for line in book.lines[request.act] if _in_place(line, request)]
    fresh = [line for line in lines if line.id not in request.used_lines]
    near = [s for s in order if s == "plain" or request.styles[s] >= LEAST_WEIGHT]
    far = [style for style in order if style not in near]
    for styles in (near, far):
        for style in styles:
            pool = [line for line in fresh if line.style == style and _fit(line, request) > 0.5]
            if found := _draw(request, options, pool):
                return found
    for style in order:
        if found := _draw(request, options, [line for line in fresh if line.style == style]):
            return found
    for variant in range(1, VARIANTS):  # said before, but with other facts in it
        slotted = [line for line in lines if line.slots]
        if found := _draw(request, options, slotted, variant=variant):
            return found
    everything = lines or list(book.lines[request.act])
    recent = frozenset(words for _, words in request.history)
    for said in (recent, frozenset[str]()):
        if found := _draw(request, options, everything, said=said, any_length=True):
            return found
    raise LinesError(
        f"No line for {request.act} in {request.language!r} can be said; add one without slots."
    )


def _in_place(line: Line, request: SpeechRequest) -> bool:
    return not line.where or request.stage in line.where


def _fit(line: Line, request: SpeechRequest) -> float:
    if not line.after:
        return 0.7
    return 1.0 if occasion(request) in line.after else 0.3


def _draw(
    request: SpeechRequest,
    options: Options,
    lines: Sequence[Line],
    *,
    said: frozenset[str] | None = None,
    variant: int = 0,
    any_length: bool = False,
) -> _Candidate | None:
    """Return one of `lines`, filled, likely by weight; None where none can be said now."""
    said = request.used_words if said is None else said
    few, many = LENGTHS[request.language]
    candidates = []
    for line in lines:
        words = fill(line.text, options, request.language, request.seed, line.id, variant)
        if words is None or words in said:
            continue
        length = count_words(words, request.language)
        if not (any_length or request.act is Act.SILENCE or few <= length <= many):
            continue
        candidate = _Candidate(line, words, _fit(line, request))
        candidates.append((candidate, line.id, _weight(candidate, request, options)))
    return draws.pick(candidates, request.seed, "line", variant)


def _weight(candidate: _Candidate, request: SpeechRequest, options: Options) -> float:
    line = candidate.line
    weight = SPECIFIC if candidate.fit == 1.0 else 1.0
    if line.where:
        weight *= 1.5
    if request.act in FACT_ACTS and OWN_FACTS.intersection(line.slots):
        weight *= FACTUAL
    for slot in line.slots:
        weight *= max(option.weight for option in options[slot])
    return weight


def _touched(request: SpeechRequest, book: LineBook, style: str, chosen: _Candidate) -> str:
    """Return the words, perhaps with a short beginning that is typical of the speaker.

    Only plain lines get one, since a line of another style already says who speaks; and never
    one that the speaker used within the history at hand.
    """
    words = chosen.words
    if request.interrupted and draws.unit(request.seed, "interrupt") < INTERRUPTION_SHARE:
        kind: str = INTERRUPTION
    elif (
        chosen.line.style == "plain"
        and style != "plain"
        and draws.unit(request.seed, "touch") < TOUCH_SHARE
    ):
        kind = SPECS[request.act].act_class
    else:
        return words
    joint = " " if request.language == "en" else ""
    first = tokens(words)[:1]
    usable = []
    for touch in book.touches:
        longer = touch.text + joint + words
        if (
            touch.style == style
            and kind in touch.occasions
            and tokens(touch.text)[:1] != first
            and not any(said.startswith(touch.text) for _, said in request.history)
            and longer not in request.used_words
            and count_words(longer, request.language) <= LENGTHS[request.language][1]
        ):
            usable.append((longer, touch.text, 1.0))
    return draws.pick(usable, request.seed, "which touch") or words


def _thought(request: SpeechRequest, book: LineBook) -> str:
    """Return a thought that fits act and state; each person goes round them in an own order."""
    act_class, state = SPECS[request.act].act_class, state_name(request)

    def fits(thought: Thought) -> bool:
        return (not thought.classes or act_class in thought.classes) and (
            not thought.states or state in thought.states
        )

    fitting = [thought for thought in book.thoughts if fits(thought)]
    if not fitting:
        return ""
    fitting.sort(key=lambda thought: draws.unit(0, request.speaker.id, thought.text))
    turn = fitting[(request.episode * 7 + request.sequence // 2) % len(fitting)]
    return turn.text.replace("{partner}", first_name(request.listener.name))


def _quality(request: SpeechRequest, chosen: _Candidate, words: str) -> dict[str, float]:
    """Return named scores 0.0..1.0 of the words.

    word_count_ok: within LENGTHS. novelty: one less the likeness to the most similar turn so far.
    slot_use: facts put in, two or more are 1.0. answer_fit: written for what was heard.
    style_fit: the line's style against the speaker's strongest.
    """
    few, many = LENGTHS[request.language]
    fits = chosen.line.act is Act.SILENCE or few <= count_words(words, request.language) <= many
    alike = request.likeness(words)
    strongest = max(request.styles.values())
    return {
        "word_count_ok": float(fits),
        "novelty": round(1.0 - alike, 6),
        "slot_use": min(1.0, len(chosen.line.slots) / 2),
        "answer_fit": chosen.fit,
        "style_fit": round(request.styles[chosen.line.style] / strongest, 6),
    }
