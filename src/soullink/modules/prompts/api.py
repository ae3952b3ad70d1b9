"""Prompts: versioned templates of what is said to language models. Nothing else here is public."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Literal, Protocol, TypeAlias
from uuid import UUID

import msgspec

from soullink.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from soullink.kernel.events import Event

SEPARATOR = "---user---"
"""A line of its own in a template: what stands above is the system part, below the user part."""

FIRST_STORED: Final = 1001
"""Versions that operators add count from here; shipped files stay below, so none ever collide."""

PRODUCTION: Final = "production"
"""The label whose version `get` takes where nobody asks for another."""

Arm: TypeAlias = Literal["A", "B"]
Scale: TypeAlias = Literal["binary", "score"]
Mode: TypeAlias = Literal["paired", "live"]


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """A filled-in prompt. system is empty where the template has no SEPARATOR.

    reference: of the prompt, for the journal; of a composed one its parts', joined by "+".
    """

    system: str
    user: str
    reference: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One immutable version of a template.

    name: e.g. "simulation.turn"; version: counts from 1; content_hash: SHA-256 of the template,
    64 hexadecimal digits; variables: the names that the template may use; language: "en" or "zh".
    """

    name: str
    version: int
    language: str
    description: str
    variables: tuple[str, ...]
    template: str
    content_hash: str

    @property
    def reference(self) -> str:
        """Return e.g. "simulation.turn@1:3f2a91bc", which names exactly these bytes."""
        return f"{self.name}@{self.version}:{self.content_hash[:8]}"

    @property
    def shipped(self) -> bool:
        """Return whether it came with the code; else an operator added it."""
        return self.version < FIRST_STORED


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a composed prompt.

    when: it is left out unless the variable of this name is given and not empty, zero or False.
    unless: it is left out where that one is. Empty means always.
    """

    prompt: Prompt
    when: str = ""
    unless: str = ""


class PromptNotFoundError(NotFoundError):
    """No prompt has this name, language and version."""

    code = "prompt_not_found"


class InvalidPromptError(InvalidInputError):
    """A prompt file cannot be used; the message names the file and what to change."""

    code = "invalid_prompt"


class PromptRenderError(InvalidInputError):
    """A template's variables and the values given do not agree."""

    code = "prompt_render"


class PromptConflictError(ConflictError):
    """What is recorded about prompts does not allow this; the message says what does."""

    code = "prompt_conflict"


class ExperimentNotFoundError(NotFoundError):
    """No experiment has this name."""

    code = "experiment_not_found"


class ContextTooSmallError(InvalidInputError):
    """A budget does not hold what must be said; the message gives the number that would."""

    code = "context_too_small"


Counter: TypeAlias = Callable[[str], int]
"""Returns how many tokens a text has; the same text always has the same number."""


@dataclass(frozen=True, slots=True)
class ContextBudget:
    """How many tokens a call may have, and for what; all by the counter that is passed in.

    tokens: the most of all messages together, each counted with `message` for its structure.
    tail: kept free for what changes from call to call. memory: the most of it for memories.
    summary: the most for what stands in place of condensed history.
    low: share 0..1 of the history's room that a compression leaves filled; what it frees is what
    the history can grow by before the next. block: entries that are condensed together.
    """

    tokens: int
    tail: int = 400
    memory: int = 160
    summary: int = 300
    low: float = 0.5
    block: int = 8
    message: int = 4


class Entry(msgspec.Struct, frozen=True):
    """One thing that happened, as it stands in the history.

    role: "assistant" where the one who is asked did it. text: as it is shown. heading: it holds
    until the next heading (a scene) and is never out of sight while it does. who, did, facts:
    what is told of it once it is condensed; for a heading `did` is its title. facts may be a
    function, which is called then and returns the same each time.
    """

    role: Literal["user", "assistant"]
    text: str
    heading: bool = False
    who: str = ""
    did: str = ""
    facts: tuple[str, ...] | Callable[[], tuple[str, ...]] = ()


class Memory(msgspec.Struct, frozen=True, gc=False):
    """Something remembered. about: index of the entry it came from; it is told only when that is
    out of sight. salience: the higher, the sooner it is told.
    """

    text: str
    salience: float
    about: int | None = None


class ContextMessage(msgspec.Struct, frozen=True, gc=False):
    """One message of a context."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ContextParts:
    """What a context is made of.

    persona: the system message: rules, who speaks, whom to; the same on every call.
    history: oldest first, only ever longer. tail: what is said last, given the memories that are
    told. earlier: the line above what is condensed. pause: said for the other side where one
    speaks twice in a row. marks: what follows a name, stands between acts, and between people.
    """

    persona: str
    history: Sequence[Entry]
    memories: Sequence[Memory]
    tail: Callable[[Sequence[str]], str]
    earlier: str
    pause: str
    marks: tuple[str, str, str] = (": ", ", ", "; ")


class Context(msgspec.Struct, frozen=True):
    """The messages of one call, and what became of what there was to say.

    total: tokens of all messages. stable: tokens of all that the next call can begin with again
    (everything but the tail). blocks: tokens of persona, scenario, summary, history, memory and
    tail, each text by itself; the rest of `total` is structure.
    kept, condensed, dropped: entries of the history word for word, in a summary, left out.
    told, untold: memories.
    """

    messages: tuple[ContextMessage, ...]
    total: int
    stable: int
    blocks: Mapping[str, int] = msgspec.field(default_factory=dict)
    kept: int = 0
    condensed: int = 0
    dropped: int = 0
    told: int = 0
    untold: int = 0

    @property
    def prefix_share(self) -> float:
        """Return the share of this call, 0..1, that stands before what changes every time."""
        return self.stable / self.total


class Conversation(Protocol):
    """One history that only grows, told in call after call: what was made of it once is kept."""

    def add(self, entry: Entry) -> None:
        """Take in what happened next."""
        ...

    def assemble(
        self, persona: str, memories: Sequence[Memory], tail: Callable[[Sequence[str]], str]
    ) -> Context:
        """Return the messages of one call, as `Prompts.assemble` does of the same parts."""
        ...


class Prompts(Protocol):
    """Keeps templates and fills them in. What it knows never changes while it is held."""

    def list_prompts(self) -> list[Prompt]:
        """Return every version of every prompt, sorted by name, language, version."""
        ...

    def get(self, name: str, language: str, version: int | None = None) -> Prompt:
        """Return the version asked for; else production's, else the newest shipped one.

        Raises PromptNotFoundError.
        """
        ...

    def references(self, language: str) -> tuple[str, ...]:
        """Return the references of what `get` takes in `language`, sorted: one a name."""
        ...

    def pinned(self, references: Iterable[str]) -> "Prompts":
        """Return the same prompts, where `get` takes the versions of `references`.

        A course keeps its versions so, whatever labels do meanwhile. Raises PromptNotFoundError
        where a reference's version is not here, or has other content by now, and
        InvalidPromptError where it needs variables that this code does not give any more.
        """
        ...

    def render(self, prompt: Prompt, variables: Mapping[str, object]) -> str:
        """Return the filled-in template, in a sandbox, every variable declared and given.

        Values are plain data: text, numbers, booleans, None, lists and mappings of them. They are
        put in as they are and never read as templates. A SEPARATOR becomes an empty line.
        What the newest shipped version declares may be given to any version.
        Raises PromptRenderError.
        """
        ...

    def render_parts(self, prompt: Prompt, variables: Mapping[str, object]) -> RenderedPrompt:
        """Return the system and the user part, split where the template says SEPARATOR.

        A value that holds the same line splits nothing. Raises PromptRenderError.
        """
        ...

    def render_user(self, prompt: Prompt, variables: Mapping[str, object]) -> str:
        """Return the user part of `render_parts` alone, where the system part is known already."""
        ...

    def looked_at(self, prompt: Prompt) -> tuple[frozenset[str], frozenset[str]]:
        """Return the variables that the system part looks at, and those of the user part."""
        ...

    def compose(self, blocks: Sequence[Block], variables: Mapping[str, object]) -> RenderedPrompt:
        """Return the blocks whose conditions hold, one after the other, parted by empty lines.

        System parts go to the system part, the rest to the user part. The reference names every
        block that was taken. Raises PromptRenderError, also when none was.
        """
        ...

    def assemble(self, parts: ContextParts, budget: ContextBudget, count: Counter) -> Context:
        """Return the messages of one call within `budget`, what is stable first.

        The same parts give the same messages. Raises ContextTooSmallError.
        """
        ...

    def conversation(
        self,
        earlier: str,
        pause: str,
        marks: tuple[str, str, str],
        budget: ContextBudget,
        count: Counter,
    ) -> Conversation:
        """Return an empty history; earlier, pause, marks: see ContextParts."""
        ...


@dataclass(frozen=True, slots=True)
class LabelMove:
    """One move of a label. version: None where it points nowhere: the newest shipped one counts.

    reason: "label", "rollback" or "experiment NAME".
    """

    prompt: str
    language: str
    label: str
    version: int | None
    previous: int | None
    reason: str
    moved_by: str
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class LabelMoved(Event):
    """A label points to another version. version and previous: None is nowhere."""

    name: ClassVar[str] = "prompts.label_moved.v1"
    prompt: str
    language: str
    label: str
    version: int | None
    previous: int | None
    reason: str
    moved_by: str
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class TurnCounts:
    """How turns went that were spoken by a prompt. reference: of one version, or several by "+".

    repaired: the first answer had a fault. fallback: the built-in voice spoke in the end.
    """

    reference: str
    turns: int
    repaired: int
    fallback: int


class SpokenTurns(Protocol):
    """Counts turns by prompt; implemented by whoever records them."""

    async def counts_by_prompt(self) -> list[TurnCounts]:
        """Return the counts, one row a reference."""
        ...


@dataclass(frozen=True, slots=True)
class Performance:
    """How one version has done. Rates are 0.0..1.0, None where nothing was counted.

    language: empty for a version that is no longer known. calls, tokens, cost: of the ledger;
    unpriced: attempts whose price is not known, which are no part of the cost. failure_rate:
    attempts without an answer. quality: means by name. turns: of courses; repair_rate and
    fallback_rate: over those.
    """

    reference: str
    language: str
    calls: int
    failure_rate: float | None
    input_tokens: int
    output_tokens: int
    cost_nano_usd: int
    quality: Mapping[str, float]
    turns: int
    repair_rate: float | None
    fallback_rate: float | None
    unpriced: int = 0


class PromptStore(Protocol):
    """Versions that operators add, and labels. All methods may raise UnavailableError."""

    async def snapshot(self, unit: str = "") -> Prompts:
        """Return shipped and added prompts with labels as they stand now.

        unit: who is served, e.g. a run's id; a live experiment assigns it one arm for good.
        Raises InvalidPromptError when production points to a version that this code cannot fill
        in, PromptNotFoundError when it points to one that is gone.
        """
        ...

    async def add_version(
        self,
        name: str,
        language: str,
        template: str,
        variables: Sequence[str] | None = None,
        description: str = "",
        *,
        by: str = "",
    ) -> Prompt:
        """Keep a template for good and return it; one that exists already is returned as it is.

        variables: what it declares, at most what the newest shipped version does, since the code
        supplies those; None takes them all. description: empty takes the shipped one.
        Raises InvalidPromptError, PromptNotFoundError for a prompt that the code does not have.
        """
        ...

    async def label(
        self, name: str, language: str, label: str, version: int, *, by: str = ""
    ) -> LabelMove:
        """Point the label to the version; where it points there already, nothing changes.

        Raises PromptNotFoundError, InvalidPromptError, InvalidInputError for no lower-case name.
        """
        ...

    async def rollback(self, name: str, language: str, label: str, *, by: str = "") -> LabelMove:
        """Point the label to where it pointed before; again, and it goes back one further.

        Raises PromptConflictError when there is nothing before.
        """
        ...

    async def labels(self, name: str | None = None) -> list[LabelMove]:
        """Return the last move of every label, of one prompt or all."""
        ...

    async def label_history(self, name: str, language: str, label: str) -> list[LabelMove]:
        """Return every move of a label, oldest first."""
        ...

    async def performance(self, name: str) -> list[Performance]:
        """Return how each version of a prompt has done. Raises PromptNotFoundError."""
        ...


@dataclass(frozen=True, slots=True)
class Experiment:
    """Two versions of one prompt, compared.

    metric: what is measured, in a word; larger is better. scale: "binary" (0 or 1) or "score"
    (0.0..1.0). mode: "paired" runs both arms on each unit, "live" serves each unit one arm.
    alpha: how often two equal versions may end with a winner, however often one looks.
    """

    id: UUID
    name: str
    prompt: str
    language: str
    arms: tuple[int, int]
    metric: str
    scale: Scale
    mode: Mode
    alpha: float
    status: Literal["running", "concluded"]
    winner: Arm | None
    started_by: str
    started_at: datetime
    concluded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which arm a unit is served."""

    arm: Arm
    version: int


@dataclass(frozen=True, slots=True)
class ExperimentStatus:
    """Where an experiment stands.

    means: of A and B. discordant: pairs in which the arms differ; wins: of A and B among them.
    e_value: the evidence now; peak: the most it has been. decided_after: pairs after which it
    reached 1/alpha. interval: valid at every look at once, 1 - alpha: of B's share of the
    discordant pairs (binary, equal arms give 0.5), or of the mean of B minus A (score).
    """

    experiment: Experiment
    pairs: int
    discordant: int
    wins: tuple[int, int]
    means: tuple[float, float]
    e_value: float
    peak: float
    decided_after: int | None
    winner: Arm | None
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class ExperimentConcluded(Event):
    """An experiment was ended. winner: None where nothing was decided."""

    name: ClassVar[str] = "prompts.experiment_concluded.v1"
    experiment: str
    prompt: str
    language: str
    winner: Arm | None
    version: int | None
    pairs: int
    concluded_at: datetime


class Experiments(Protocol):
    """A/B tests that may be looked at and stopped at any time. All may raise UnavailableError."""

    async def start_experiment(
        self,
        name: str,
        prompt: str,
        language: str,
        arms: tuple[int, int],
        metric: str = "accepted",
        *,
        scale: Scale = "binary",
        mode: Mode = "paired",
        alpha: float = 0.05,
        by: str = "",
    ) -> Experiment:
        """Raises InvalidInputError, PromptNotFoundError, and PromptConflictError for a name that
        is taken or a second live experiment on the prompt.
        """
        ...

    async def assign(self, experiment: str, unit: str) -> Assignment:
        """Return the arm of a unit, always the same. Raises ExperimentNotFoundError."""
        ...

    async def record_pair(
        self, experiment: str, unit: str, outcome_a: float, outcome_b: float
    ) -> bool:
        """Record what both arms did on one unit; False when the same was recorded before.

        Raises ExperimentNotFoundError, InvalidInputError, and PromptConflictError when something
        else was recorded for the unit, or the experiment is concluded or live.
        """
        ...

    async def record(self, experiment: str, unit: str, outcome: float) -> bool:
        """Record what a unit's own arm did, in a live experiment; raises as record_pair does.

        The n-th unit of A and the n-th of B make a pair.
        """
        ...

    async def units(self, experiment: str) -> frozenset[str]:
        """Return the units that have outcomes. Raises ExperimentNotFoundError."""
        ...

    async def status(self, experiment: str) -> ExperimentStatus:
        """Return where it stands. Raises ExperimentNotFoundError."""
        ...

    async def conclude(self, experiment: str, *, by: str = "") -> ExperimentStatus:
        """End it and, where it is decided, point production to the winner, all or nothing.

        Raises ExperimentNotFoundError, PromptConflictError when it is concluded.
        """
        ...

    async def list_experiments(self) -> list[Experiment]:
        """Return all, newest first."""
        ...
