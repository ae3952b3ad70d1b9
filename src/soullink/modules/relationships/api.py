"""Relationships: how it goes on between two people. Nothing else here is public."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import ClassVar, Final, Literal, NewType, Protocol, TypeAlias
from uuid import UUID

from soullink.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from soullink.kernel.events import Event
from soullink.kernel.ids import PersonId
from soullink.kernel.language import Language

RelationshipId = NewType("RelationshipId", UUID)

State: TypeAlias = Literal[
    "proposed",
    "accepted",
    "met",
    "dating",
    "together",
    "paused",
    "ended",
    "declined",
    "expired",
    "blocked",
]
STATES: tuple[State, ...] = (
    "proposed",
    "accepted",
    "met",
    "dating",
    "together",
    "paused",
    "ended",
    "declined",
    "expired",
    "blocked",
)
OPEN: Final[frozenset[State]] = frozenset(STATES[:6])
"""States that something can still come after; the others are final."""

TrendDirection: TypeAlias = Literal["rising", "falling", "no_change_seen", "too_few"]
ErasureReason: TypeAlias = Literal["withdrawn", "forgotten"]
Phase: TypeAlias = Literal["before_meeting", "after_meeting"]
AnswerKind: TypeAlias = Literal["said_yes", "would_meet_again", "satisfaction", "tension"]


@dataclass(frozen=True, slots=True)
class Relationship:
    """A relationship as those who run the service see it; members see a RelationshipView.

    people: sorted by id; None in place of somebody who was forgotten. since: of the state.
    expires_at: when the proposal does. archived_at: None unless it is in the archive.
    """

    id: RelationshipId
    people: tuple[PersonId | None, PersonId | None]
    state: State
    since: datetime
    proposed_at: datetime
    expires_at: datetime
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class RelationshipView:
    """A relationship as one of the two may see it.

    state: what this side may know. Who declined a proposal stays hidden: for the other it is
    proposed until it expires. A block looks like an end. other: None once they were forgotten.
    you_want: where you said you want to go, waiting for the other to say the same by themselves;
    what the other wants is never shown before. moves: what this side can do now, each with "one"
    (it happens at once) or "both" (it happens when both have said it).
    """

    id: RelationshipId
    you: PersonId
    other: PersonId | None
    state: State
    since: datetime
    expires_at: datetime | None
    you_want: State | None
    moves: Mapping[State, Literal["one", "both"]]
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One side's answers of one day; nobody but the writer ever reads them.

    satisfaction, tension: 0 (not at all) to 10 (entirely). text: the writer's own words.
    erased: there was a text, and it is gone by the rules of the archive.
    """

    day: date
    satisfaction: int
    tension: int
    text: str
    erased: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class DueCheckIn:
    """Somebody to ask how it goes. due: since when."""

    relationship: RelationshipId
    person: PersonId
    due: datetime


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing in one side's view of a relationship.

    kind: "state" (it changed to `state`), "wish" (you said you want `state`), "check_in" or
    "outcome". by: who did it; None where that is not told, or nobody did.
    """

    at: datetime
    kind: Literal["state", "wish", "check_in", "outcome"]
    by: Literal["you", "other", "both"] | None
    state: State | None = None
    check_in: CheckIn | None = None
    would_meet_again: bool | None = None


@dataclass(frozen=True, slots=True)
class Trend:
    """Whether one side's answers go up or down; never more than the answers can carry.

    answers: how many were counted. per_30_days: median slope in points, None where too few.
    interval: of the slope, at `level`. p_value: how often shuffled answers would look as ordered.
    level: what p_value is held against: .05 shared out over all looks at a growing series, so that
    somebody who looks after every check-in is told of a change in noise at most once in 20 series.
    """

    direction: TrendDirection
    answers: int
    per_30_days: float | None
    interval: tuple[float, float] | None
    p_value: float | None
    level: float | None


@dataclass(frozen=True, slots=True)
class Trends:
    """One side's own trends."""

    satisfaction: Trend
    tension: Trend


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one side said after meeting; private to that side."""

    would_meet_again: bool
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Words:
    """What members read, in one language.

    states: a sentence for each. names: each in a word or two. waiting: has the slot {state}.
    questions: "satisfaction", "tension", "text", "would_meet_again". gone: in place of a name.
    """

    states: Mapping[State, str]
    names: Mapping[State, str]
    waiting: str
    questions: Mapping[str, str]
    trends: Mapping[TrendDirection, str]
    gone: str


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """How long things are kept, in days. `soullink archive run` applies them.

    ended_days: a closed relationship of people who had met is archived so long after its end.
    unmet_days: a proposal that came to nothing, after it expired or would have.
    text_days: the words of a check-in are erased; the numbers stay.
    archive_days: what is archived can be restored for so long, and is then erased for good.
    """

    ended_days: int = 180
    unmet_days: int = 30
    text_days: int = 365
    archive_days: int = 365

    def __post_init__(self) -> None:
        for name, days in asdict(self).items():
            # What was archived a moment ago must still be there to restore.
            least = 1 if name == "archive_days" else 0
            if not least <= days <= 36_500:
                raise InvalidInputError(f"{name} is {least} to 36500 days, not {days}.")


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """What a run did, or would do.

    expired: proposals nobody answered in time; archived: closed relationships put away;
    texts_erased: check-ins whose words were erased; erased: archived relationships deleted for
    good. Counts of a resumed run include what it did before. run: None for a dry run.
    """

    run: UUID | None
    rules: RetentionRules
    started_at: datetime
    finished_at: datetime | None
    expired: int = 0
    archived: int = 0
    texts_erased: int = 0
    erased: int = 0


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """One answer of one person who agreed to training, under a made-up name.

    rater, partner, pair: names that hold within one export. partner: None unless they agreed too.
    kind: "said_yes" (to the proposal, 0 or 1), "would_meet_again" (0 or 1), "satisfaction" or
    "tension" (0..10). answered_on, met_on: UTC days. phase: "before_meeting" only for what was
    answered before the two met, or where they never did. target_only: answered after the meeting,
    so that it may be predicted and is never something to predict from.
    """

    rater: str
    partner: str | None
    pair: str
    kind: AnswerKind
    value: int
    answered_on: date
    met_on: date | None
    phase: Phase
    target_only: bool


@dataclass(frozen=True, slots=True)
class Erasure:
    """Somebody in an earlier export who must be deleted from it, and from what was made of it."""

    export: UUID
    name: str
    reason: ErasureReason
    since: datetime


@dataclass(frozen=True, slots=True)
class FeedbackExport:
    """An export. rows: how many. people: how many names are in them.

    delete: everything to be deleted downstream, oldest first.
    """

    id: UUID
    created_at: datetime
    rows: int
    people: int
    delete: Sequence[Erasure]


class RelationshipNotFoundError(NotFoundError):
    """There is no such relationship, or this person is not in it."""

    code = "relationship_not_found"


class MoveNotPossibleError(ConflictError):
    """The state does not allow this move; the message names those it does."""

    code = "move_not_possible"


class StaleMoveError(ConflictError):
    """The relationship has moved on since this side looked."""

    code = "stale_move"


class ProposalNotPossibleError(ConflictError):
    """No proposal between these two can be made now. Why is not told: it may be a block."""

    code = "proposal_not_possible"


class MissingConsentError(ConflictError):
    """Somebody has not agreed to this use of their data."""

    code = "missing_consent"


class TooEarlyError(ConflictError):
    """This can be answered only after the two have met."""

    code = "too_early"


@dataclass(frozen=True, slots=True)
class Proposed(Event):
    """Two people were proposed to each other. people: sorted."""

    name: ClassVar[str] = "relationships.proposed.v1"
    subject: ClassVar[str] = "relationship_id"
    relationship_id: UUID
    people: tuple[str, str]
    at: datetime


@dataclass(frozen=True, slots=True)
class Moved(Event):
    """A relationship has another state. Who moved it is not told to other modules.

    people: sorted; None in place of somebody who was forgotten.
    """

    name: ClassVar[str] = "relationships.moved.v1"
    subject: ClassVar[str] = "relationship_id"
    relationship_id: UUID
    people: tuple[str | None, str | None]
    before: State
    state: State
    at: datetime


@dataclass(frozen=True, slots=True)
class Answered(Event):
    """Somebody answered a proposal. For modules alone: the other is never to learn of a no."""

    name: ClassVar[str] = "relationships.answered.v1"
    subject: ClassVar[str] = "relationship_id"
    relationship_id: UUID
    person_id: str
    other_id: str
    yes: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Blocked(Event):
    """These two are not to be proposed to each other again. Who wanted that is not told."""

    name: ClassVar[str] = "relationships.blocked.v1"
    subject: ClassVar[str] = "people"
    people: tuple[str, str]
    at: datetime


@dataclass(frozen=True, slots=True)
class Unblocked(Event):
    """One of these two took a block back; the other's may stand (`Relationships.blocked_with`)."""

    name: ClassVar[str] = "relationships.unblocked.v1"
    subject: ClassVar[str] = "people"
    people: tuple[str, str]
    at: datetime


class Relationships(Protocol):
    """Follows what becomes of two people. All methods may raise UnavailableError.

    Methods that take a person act for that person, and raise RelationshipNotFoundError for anybody
    who is not in the relationship.
    """

    async def propose(
        self, first: PersonId, second: PersonId, *, by: PersonId | None = None
    ) -> Relationship:
        """Propose two people to each other; by: one of them, who thereby accepts.

        A proposal that is open already is returned. Raises InvalidInputError, MissingConsentError
        unless both agreed to `matching`, ProposalNotPossibleError.
        """
        ...

    async def move(
        self,
        relationship: RelationshipId,
        person: PersonId,
        to: State,
        *,
        seen: State | None = None,
    ) -> RelationshipView:
        """Move the relationship, or say that you want to, where it takes both.

        A move to where it stands changes nothing, and takes back what you wanted instead. seen: the
        state that the person saw; where it is another by now the move is refused, unless it ends
        or blocks: that always works. Raises MoveNotPossibleError, StaleMoveError.
        """
        ...

    async def block(self, person: PersonId, other: PersonId) -> None:
        """Never propose these two to each other again, and close what is open between them."""
        ...

    async def unblock(self, person: PersonId, other: PersonId) -> None:
        """Take back one's own block. Without one, or beside the other's, it changes nothing.

        Nothing is opened again: the two can be proposed as after any end.
        """
        ...

    async def blocked_with(self, person: PersonId) -> frozenset[PersonId]:
        """Return everybody whom this person blocked, or who blocked them."""
        ...

    async def knows(self, person: PersonId, other: PersonId) -> bool:
        """Return whether there is or was anything between two who are both still here."""
        ...

    async def view(self, relationship: RelationshipId, person: PersonId) -> RelationshipView:
        """Return the relationship as this person may see it."""
        ...

    async def list_views(
        self, person: PersonId, *, archived: bool = False
    ) -> list[RelationshipView]:
        """Return the person's relationships, newest first; archived: those in the archive."""
        ...

    async def list_all(
        self, limit: int = 100, before: RelationshipId | None = None, state: State | None = None
    ) -> list[Relationship]:
        """Return relationships, newest first, a page at a time, for those who run the service."""
        ...

    async def check_in(
        self,
        relationship: RelationshipId,
        person: PersonId,
        satisfaction: int,
        tension: int,
        text: str = "",
    ) -> CheckIn:
        """Keep one side's answers of today (UTC); later answers of one day replace earlier ones.

        Raises InvalidInputError, TooEarlyError, MoveNotPossibleError where it is over.
        """
        ...

    async def due_check_ins(self, person: PersonId | None = None) -> list[DueCheckIn]:
        """Return who should be asked now, one person or everybody, the longest due first."""
        ...

    async def tell_outcome(
        self, relationship: RelationshipId, person: PersonId, would_meet_again: bool
    ) -> Outcome:
        """Keep whether this side would meet the other again; the last answer counts.

        Raises TooEarlyError.
        """
        ...

    async def timeline(self, relationship: RelationshipId, person: PersonId) -> list[TimelineEntry]:
        """Return what this side may know of how it went, oldest first."""
        ...

    async def trends(self, relationship: RelationshipId, person: PersonId) -> Trends:
        """Return the trends in this side's own check-ins."""
        ...

    def words(self, language: Language) -> Words:
        """Return what members read."""
        ...

    async def forget(self, person: PersonId) -> int:
        """Delete everything about the person, and return how many relationships they were in.

        The other keeps the row and their own answers, without the person. What is open ends.
        """
        ...


Progress: TypeAlias = Callable[[ArchiveReport], None]
"""Told after every batch."""


class Archive(Protocol):
    """Puts away, brings back and erases. All methods may raise UnavailableError."""

    async def plan(self, rules: RetentionRules) -> ArchiveReport:
        """Return what a run would do now, and do nothing."""
        ...

    async def run(
        self, rules: RetentionRules, *, batch: int = 500, progress: Progress | None = None
    ) -> ArchiveReport:
        """Apply the rules, a batch a transaction.

        A run that was broken off is gone on with, whatever rules it began with.
        """
        ...

    async def restore(self, relationship: RelationshipId) -> Relationship:
        """Take a relationship out of the archive. It counts as closed today from then on.

        Not archived: nothing changes. Raises RelationshipNotFoundError, also when it was erased.
        """
        ...

    async def reports(self, limit: int = 20) -> list[ArchiveReport]:
        """Return what runs did, newest first."""
        ...


RowWriter: TypeAlias = Callable[[Sequence[FeedbackRow]], None]
"""Takes the next rows of an export."""


class Feedback(Protocol):
    """Gives answers back to training, with consent. All methods may raise UnavailableError."""

    async def export(self, write: RowWriter, *, page: int = 2_000) -> FeedbackExport:
        """Give the answers of those who agree to `training` to `write`, under new names.

        page: relationships read at once. Consent is asked for every page; a name is on record
        before `write` sees it, so that whoever takes consent back meanwhile is called back.
        """
        ...

    async def erasures(self) -> list[Erasure]:
        """Return who must be deleted from earlier exports, oldest first."""
        ...

    async def withdraw(self, person: PersonId, reason: ErasureReason) -> int:
        """Note that the person must be deleted from every export they are in.

        Returns in how many that was not noted before.
        """
        ...
