"""Builds the module."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from soullink.gateways.embeddings.port import KeptEmbeddings, TextEmbedder
from soullink.gateways.postgres.database import Database
from soullink.gateways.postgres.outbox import Subscription, subscription
from soullink.gateways.vectors.fake import MemoryIndexes
from soullink.gateways.vectors.port import VectorIndexes
from soullink.kernel.clock import Clock
from soullink.kernel.errors import SoulLinkError
from soullink.modules.identity.api import ConsentWithdrawn
from soullink.modules.matching.api import Agreements, Challenges, Matching, Nearby
from soullink.modules.matching.challenges import StoredChallenges
from soullink.modules.matching.crowd import Crowd, Texts
from soullink.modules.matching.domain.interest.model import InterestModel
from soullink.modules.matching.domain.kinds import Interest
from soullink.modules.matching.handlers import MatchingHandlers, VectorHandlers
from soullink.modules.matching.nearby import PoolNearby
from soullink.modules.matching.nearness import EmbeddingTexts, Nearness
from soullink.modules.matching.people import GivenPeople, StoredPeople
from soullink.modules.matching.screening import ScreenedLives
from soullink.modules.matching.service import PoolMatching
from soullink.modules.matching.texts import ClosingTexts, LazyTexts, PassingTexts
from soullink.modules.profiles.api import (
    Cell,
    Members,
    PersonChanged,
    PersonForgotten,
    PersonJoined,
    Profile,
)
from soullink.modules.simulation.screening.api import Screening


@dataclass(frozen=True, slots=True)
class Built:
    """The module's parts, and the events that it wants."""

    matching: Matching
    nearby: Nearby
    challenges: Challenges
    subscriptions: Sequence[Subscription]


def build(
    database: Database,
    clock: Clock,
    members: Members,
    cell_of: Callable[[Profile], Cell | None],
    interest: Callable[[], Interest | None],
    texts: EmbeddingTexts,
    vectors: Callable[[], VectorIndexes],
    screening: Screening | None,
    agreements: Agreements | None,
) -> Built:
    """Return the module over members in `database`. None: matching does without, and says so.

    interest: opens the model when it is first needed; vectors: the vector gateway.
    """
    source = StoredPeople(database, members, clock, agreements)
    crowd = Crowd(source, interest, texts, cell_of, _today(clock))
    lives = None if screening is None else ScreenedLives(screening)
    matching = PoolMatching(crowd, clock, database, lives, agreements)
    challenges = StoredChallenges(database, members, clock, matching.member_changed)
    handlers = MatchingHandlers(matching)
    nearby = PoolNearby(matching, source, Nearness(vectors, texts), stored=True)
    near = VectorHandlers(nearby)
    wanted = [
        subscription(PersonJoined, "matching.take_in", handlers.on_person_joined),
        subscription(PersonChanged, "matching.follow", handlers.on_person_changed),
        subscription(PersonForgotten, "matching.forget", handlers.on_person_forgotten),
        subscription(ConsentWithdrawn, "matching.heed_consent", handlers.on_consent_withdrawn),
        subscription(PersonJoined, "matching.keep_vector", near.on_person_joined),
        subscription(PersonChanged, "matching.renew_vector", near.on_person_changed),
        subscription(PersonForgotten, "matching.forget_vector", near.on_person_forgotten),
        subscription(ConsentWithdrawn, "matching.drop_vector", near.on_consent_withdrawn),
    ]
    return Built(matching, nearby, challenges, wanted)


def build_given(
    people: Sequence[Profile],
    clock: Clock,
    cell_of: Callable[[Profile], Cell | None],
    interest: Callable[[], Interest | None],
    texts: Texts | None,
    screening: Screening | None = None,
    agreements: Agreements | None = None,
) -> Matching:
    """Return matching over profiles at hand; nothing is stored or logged."""
    crowd = Crowd(GivenPeople(people), interest, texts, cell_of, _today(clock))
    lives = None if screening is None else ScreenedLives(screening)
    return PoolMatching(crowd, clock, None, lives, agreements)


def build_given_nearby(
    people: Sequence[Profile],
    clock: Clock,
    cell_of: Callable[[Profile], Cell | None],
    texts: EmbeddingTexts,
) -> Nearby:
    """Return who writes alike among profiles at hand; the vectors stay in memory."""
    source = GivenPeople(people)
    crowd = Crowd(source, lambda: None, texts, cell_of, _today(clock))
    matching = PoolMatching(crowd, clock, None, None, None)
    return PoolNearby(matching, source, Nearness(MemoryIndexes, texts), stored=False)


def texts_when_needed(
    opening: Callable[[], Awaitable[ClosingTexts]], kept: KeptEmbeddings
) -> LazyTexts:
    """Return texts whose embedder opens with the first text; close it in the end."""
    return LazyTexts(opening, kept)


def passing_texts(embedder: TextEmbedder) -> EmbeddingTexts:
    """Return texts of which nothing is kept."""
    return PassingTexts(embedder)


def shipped_interest(path: Path | None = None) -> Interest | None:
    """Return the interest model in `path`, else the one that comes along; None where neither is.

    Raises InvalidInputError for a file that is no model: whoever names one wants that one.
    """
    if path is not None:
        return InterestModel.load(path)
    try:
        return InterestModel.shipped()
    except (SoulLinkError, OSError):  # a package that was built without it
        return None


def _today(clock: Clock) -> Callable[[], date]:
    return lambda: clock.now().date()
