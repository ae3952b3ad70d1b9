"""Matching: whom to meet. Nothing else here is public.

People who have joined (profiles' members) are candidates of each other where what each wants and
what each is allows it, both ways. Candidates are ordered by the chance that both say yes, and each
side is told for itself what counted, how sure that is and what would change it. Nothing that a side
is told holds the other's private answers or the other's chance of a no.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol, TypeAlias
from uuid import UUID

from soullink.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from soullink.kernel.ids import PersonId
from soullink.kernel.language import Language
from soullink.modules.profiles.api import Criterion, Profile

Method: TypeAlias = Literal[
    "random", "one_sided", "product", "tu", "social", "nash", "coordinated", "stable"
]
METHODS: tuple[Method, ...] = (
    "random",
    "one_sided",
    "product",
    "tu",
    "social",
    "nash",
    "coordinated",
    "stable",
)
"""How a round turns chances into lists: see docs/explanation/matching.md."""

Basis: TypeAlias = Literal["stated_preferences", "learned_interest", "simulated_interaction"]
"""What a figure rests on."""

Strength: TypeAlias = Literal["condition", "a_trace", "a_little", "some", "much"]
"""How much a reason counted. condition: without it nobody is suggested. The others are sizes of a
part of the log-odds: up to 0.05, 0.2, 0.5 and above."""

Whose: TypeAlias = Literal["yours", "theirs", "both"]
"""From whose answers a reason comes, seen from whoever reads it."""

Degradation: TypeAlias = Literal[
    "no_interest_model", "no_text_vectors", "no_screening", "no_screening_consent"
]
"""What was left out because something did not answer or was not agreed to."""

MOST_SHOWN: Final = 200
"""The longest list of one recommendation."""
LARGEST_ROUND: Final = 2_000
"""The most people of one round: the reciprocal methods work on whole tables of chances."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that counted.

    code: stable, e.g. "shared_interests". favours: it speaks for meeting. text: one sentence in
    the reader's language, which holds nothing private of the other.
    """

    code: str
    strength: Strength
    favours: bool
    whose: Whose
    text: str


@dataclass(frozen=True, slots=True)
class Sureness:
    """The chance that the reader would say yes to the other, 0.0..1.0, with an 80 % interval.

    Rounded to 0.05, so that nothing exact of the other can be worked out from it.
    """

    low: float
    middle: float
    high: float
    rests_on: tuple[Basis, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one side is told about a suggestion. match: what `challenge` calls it."""

    match: str
    reader: PersonId
    other: PersonId
    language: Language
    reasons: tuple[Reason, ...]
    sureness: Sureness
    would_change: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Somebody to meet, as the reader sees it.

    rank: from 1. distance_km: between the middles of two grid cells, rounded to 20 km; None where
    it is unknown. explored: shown in order to learn, not for its rank.
    """

    rank: int
    person: PersonId
    name: str
    distance_km: int | None
    explored: bool
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Suggestions:
    """A list for one person.

    list_id: of the exposures that were logged. candidates: how many passed every filter.
    degraded: what was left out, each with a sentence.
    """

    list_id: UUID
    person: PersonId
    made_at: datetime
    candidates: int
    suggestions: tuple[Suggestion, ...]
    degraded: Mapping[Degradation, str]


@dataclass(frozen=True, slots=True)
class PairView:
    """What a pair looks like, for each side apart.

    may_meet: both ways of every filter. refusals: by reader, sentences that say why not, as far
    as that reader may know. explanations: by reader; empty where they may not meet.
    """

    first: PersonId
    second: PersonId
    may_meet: bool
    refusals: Mapping[PersonId, tuple[str, ...]]
    explanations: Mapping[PersonId, Explanation]
    degraded: Mapping[Degradation, str]


@dataclass(frozen=True, slots=True)
class RecommendSettings:
    """How a list is made.

    top: 1..MOST_SHOWN. explore: chance, 0.0..0.5, that a place goes to somebody further down,
    whose chance of being shown is logged. diversity: 0.0 or more, what likeness to those already
    chosen costs in log-odds. exposure_limit: nobody who was shown that often in the last seven
    days is shown; 0 is no limit. screen: how many of the head are lived through and reordered,
    where both sides agreed to that; 0 is none. seed: of exploration; None takes the list's id,
    which is logged, so that every list explores anew and can still be made again.
    """

    top: int = 20
    explore: float = 0.0
    diversity: float = 0.0
    exposure_limit: int = 0
    screen: int = 0
    seed: int | None = None
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class RoundSettings:
    """How a round is made. shown: places on each list (capacity: pairs per person in `stable`)."""

    method: Method = "tu"
    shown: int = 5
    capacity: int = 1
    seed: int = 0
    people: tuple[PersonId, ...] = ()


@dataclass(frozen=True, slots=True)
class RoundList:
    """What one person is shown in a round, best first."""

    person: PersonId
    shown: tuple[PersonId, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """A round: lists for everybody and, for `stable`, the pairs.

    expected_matches: pairs in which both look and both say yes, by the model's chances.
    one_sided_matches: the same for one-sided lists. gini: of how often people are shown, 0 equal;
    one_sided_gini: the same for one-sided lists.
    """

    list_id: UUID
    method: Method
    people: int
    allowed_pairs: int
    lists: tuple[RoundList, ...]
    pairs: tuple[tuple[PersonId, PersonId], ...]
    expected_matches: float
    one_sided_matches: float
    gini: float
    one_sided_gini: float
    degraded: Mapping[Degradation, str]


@dataclass(frozen=True, slots=True)
class NearPerson:
    """Somebody who writes alike. rank: from 1. likeness: cosine of what both write, -1.0..1.0."""

    rank: int
    person: PersonId
    name: str
    likeness: float


@dataclass(frozen=True, slots=True)
class NearPeople:
    """Those of whoever fits both ways who write most like `person`, nearest first.

    candidates: how many fit. vectors: how many people the vector gateway holds.
    """

    person: PersonId
    candidates: int
    vectors: int
    people: tuple[NearPerson, ...]


ChallengeState: TypeAlias = Literal["open", "upheld", "dismissed"]

ChallengeField: TypeAlias = Literal[
    "age",
    "gender",
    "location",
    "languages",
    "children",
    "smoking",
    "drinking",
    "religion",
    "goal",
    "interests",
    "essays",
    "history",
]
CHALLENGE_FIELDS: tuple[ChallengeField, ...] = (
    "age",
    "gender",
    "location",
    "languages",
    "children",
    "smoking",
    "drinking",
    "religion",
    "goal",
    "interests",
    "essays",
    "history",
)
"""Inputs of matching that somebody may call wrong about themself."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """ "This is wrong about me." While open or upheld, `field` counts as unknown in matching.

    match: the other side of the suggestion in which it was seen, or None.
    """

    id: UUID
    person: PersonId
    match: PersonId | None
    field: ChallengeField
    text: str
    state: ChallengeState
    made_at: datetime
    resolved_at: datetime | None
    resolved_by: str
    answer: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """Somebody was shown to somebody.

    place: from 1. propensity: the chance, 0.0..1.0, with which this person stood at this place.
    ranker: what made the list, with the version of the interest model.
    """

    list_id: UUID
    viewer: PersonId
    shown: PersonId
    place: int
    propensity: float
    explored: bool
    ranker: str
    shown_at: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """One criterion and how a pair meets it. met: None where it is unknown."""

    criterion: Criterion
    met: bool | None


class PersonNotMatchedError(NotFoundError):
    """Nobody with this id takes part in matching."""

    code = "person_not_matched"


class PersonPausedError(ConflictError):
    """This person pauses, or did not agree to be matched: nobody is suggested either way."""

    code = "person_paused"


class InvalidMatchingError(InvalidInputError):
    """What was asked of matching cannot be done; the message says what to change."""

    code = "invalid_matching"


class ChallengeNotFoundError(NotFoundError):
    """There is no such challenge."""

    code = "challenge_not_found"


class ChallengeResolvedError(ConflictError):
    """The challenge was resolved already."""

    code = "challenge_resolved"


class Agreements(Protocol):
    """Who agreed to what; identity's consents fit."""

    async def holders(
        self,
        people: Collection[PersonId],
        purpose: Literal["matching", "simulation_before_meeting"],
    ) -> frozenset[PersonId]:
        """Return those of `people` who agree to `purpose` now."""
        ...


class Matching(Protocol):
    """Suggests people. `recommend` and `round` work on members; nothing is written without them."""

    async def refresh(self) -> int:
        """Read every member anew and return how many take part. The first call does it anyway."""
        ...

    async def member_changed(self, person: PersonId) -> None:
        """Bring what is kept for matching up to date after `person` joined, changed or paused.

        Idempotent. Raises nothing for somebody who is not there any more.
        """
        ...

    async def forget(self, person: PersonId) -> None:
        """Remove everything of `person`: from the pool, vectors, exposures, challenges, blocks.

        Idempotent.
        """
        ...

    async def recommend(
        self, person: PersonId, settings: RecommendSettings | None = None
    ) -> Suggestions:
        """Return whom `person` may want to meet, best first, and log who was shown.

        Where the interest model, the text vectors or the screening do not answer, the list is made
        without them and says so. Raises PersonNotMatchedError, PersonPausedError,
        InvalidMatchingError.
        """
        ...

    async def pair(
        self, first: PersonId, second: PersonId, language: Language | None = None
    ) -> PairView:
        """Return what the two would be told, each for itself. Nothing is logged.

        language: of both texts; each one's own when left out.
        Raises PersonNotMatchedError, InvalidMatchingError (the same person twice).
        """
        ...

    async def round(self, settings: RoundSettings | None = None) -> Round:
        """Return lists for everybody at once, and log who is shown to whom.

        Raises InvalidMatchingError for nobody or too many, PersonNotMatchedError.
        """
        ...

    async def block(self, person: PersonId, other: PersonId) -> None:
        """Never suggest the two to each other again. Twice does no harm."""
        ...

    async def unblock(self, person: PersonId, other: PersonId) -> None:
        """Take back one's own block."""
        ...

    async def keep_apart(self, first: PersonId, second: PersonId) -> None:
        """Never suggest the two to each other, by order of another module. Idempotent.

        Apart from `block`: taking back the one leaves the other as it is.
        """
        ...

    async def keep_apart_no_longer(self, first: PersonId, second: PersonId) -> None:
        """Take `keep_apart` back; blocks of the two stay. Idempotent."""
        ...

    async def record_meeting(self, first: PersonId, second: PersonId) -> None:
        """The two know each other now and are not suggested to each other any more. Idempotent."""
        ...

    async def record_answer(
        self, person: PersonId, other: PersonId, yes: bool, at: datetime
    ) -> None:
        """Keep what `person` said to the suggestion of `other`; the first answer stays.

        Answers tell how choosy and how liked people are, in the order in which they were given.
        """
        ...

    async def exposures(
        self, person: PersonId | None = None, limit: int = 1_000
    ) -> Sequence[Exposure]:
        """Return who was shown to whom, newest first; person: as viewer."""
        ...


class Nearby(Protocol):
    """Who writes alike, by the vector gateway. Likeness is no forecast: `recommend` weighs more."""

    async def near(self, person: PersonId, top: int = 20) -> NearPeople:
        """Return who writes most like `person` among those who fit both ways. Logs nothing.

        Raises PersonNotMatchedError, PersonPausedError, InvalidMatchingError, UnavailableError,
        and OtherEmbedderError where the vectors kept are another embedder's: `rebuild` then.
        """
        ...

    async def follow(self, person: PersonId) -> None:
        """Bring the vector of `person` up to date, or remove it. Idempotent."""
        ...

    async def rebuild(self) -> int:
        """Make the vectors of all who take part anew; return how many there are."""
        ...

    async def close(self) -> None:
        """Let go of what was opened."""
        ...


class Challenges(Protocol):
    """ "This is wrong about me", said by members of what matching made of them."""

    async def challenge(
        self,
        person: PersonId,
        field: ChallengeField,
        text: str,
        match: PersonId | None = None,
    ) -> Challenge:
        """Record it, and take `field` of `person` out of matching until it is dismissed.

        The same field again while one is open returns that one. Raises PersonNotMatchedError,
        InvalidMatchingError (an unknown field; a text that is empty or over 2,000 characters).
        """
        ...

    async def list_challenges(
        self, person: PersonId | None = None, state: ChallengeState | None = None
    ) -> list[Challenge]:
        """Return challenges, newest first."""
        ...

    async def resolve(
        self, challenge: UUID, *, upheld: bool, answer: str, by: str = ""
    ) -> Challenge:
        """Close it. Dismissed: the field counts again. Upheld: it stays out.

        An upheld field counts again as soon as the person's profile changes.
        Raises ChallengeNotFoundError, ChallengeResolvedError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody as matching takes them in, stored or not.

    paused: or did not agree to be matched. left_out: fields that were challenged.
    said_yes, decided: the person's own yeses and decisions; got_yes, was_decided: others' about
    the person.
    """

    profile: Profile
    paused: bool = False
    left_out: frozenset[ChallengeField] = frozenset()
    said_yes: int = 0
    decided: int = 0
    got_yes: int = 0
    was_decided: int = 0
