"""Identity: what people agreed to. Nothing else here is public."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, Protocol, TypeAlias

from soullink.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from soullink.kernel.events import Event
from soullink.kernel.ids import PersonId
from soullink.kernel.language import Language

Purpose: TypeAlias = Literal["matching", "simulation_before_meeting", "training", "research"]
PURPOSES: tuple[Purpose, ...] = ("matching", "simulation_before_meeting", "training", "research")
"""What personal data may be used for. Each is asked for by itself; none implies another.

matching: a profile is compared with others', and shown to those it fits. simulation_before_meeting:
the agents of two people live through situations before the two meet, and both read the report.
training: answers after meetings improve the models. research: the same for published figures.
"""


@dataclass(frozen=True, slots=True)
class ConsentText:
    """What somebody reads and agrees to: one immutable version in one language.

    version: counts from 1, the same for all languages. asks_again: consents to earlier versions
    do not hold any more. content_hash: SHA-256 of title and body, 64 hexadecimal digits.
    """

    purpose: Purpose
    version: int
    language: Language
    title: str
    body: str
    asks_again: bool
    content_hash: str


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """One answer of one person, as it was given; nothing changes it.

    granted: else withdrawn, or refused from the beginning. version, language, content_hash: of the
    text that was shown. by: who wrote it down, where it was not the person.
    """

    person_id: PersonId
    purpose: Purpose
    granted: bool
    version: int
    language: Language
    content_hash: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class ConsentStanding:
    """Where a person stands with one purpose.

    holds: the use is allowed now. answer: the last one; None where nobody ever asked.
    """

    purpose: Purpose
    holds: bool
    answer: ConsentAnswer | None


class UnknownPurposeError(InvalidInputError):
    """Nothing is done for this purpose; the message names those there are."""

    code = "unknown_purpose"


class ConsentTextNotFoundError(NotFoundError):
    """There is no such version of the text."""

    code = "consent_text_not_found"


class InvalidConsentTextError(InvalidInputError):
    """A text's file cannot be used; the message names the file and what to change."""

    code = "invalid_consent_text"


class OutdatedConsentTextError(ConflictError):
    """A newer text asks everybody again; consent to this version would not hold."""

    code = "outdated_consent_text"


@dataclass(frozen=True, slots=True)
class ConsentWithdrawn(Event):
    """A person no longer agrees to a use. Uses stop at once; this tells who keeps copies."""

    name: ClassVar[str] = "identity.consent_withdrawn.v1"
    subject: ClassVar[str] = "person_id"
    person_id: str
    purpose: str
    withdrawn_at: datetime


class Consents(Protocol):
    """Asks, keeps and tells what people agreed to. Async methods may raise UnavailableError."""

    def text(self, purpose: Purpose, language: Language, version: int | None = None) -> ConsentText:
        """Return a version of the text, the newest when left out.

        Raises UnknownPurposeError, ConsentTextNotFoundError.
        """
        ...

    async def grant(
        self,
        person_id: PersonId,
        purpose: Purpose,
        *,
        language: Language = "en",
        version: int | None = None,
        by: str = "",
    ) -> ConsentAnswer:
        """Record that the person agreed to the text in `language`, the newest when left out.

        Where the same consent holds already, that is returned and nothing is recorded.
        Raises UnknownPurposeError, InvalidInputError, ConsentTextNotFoundError,
        OutdatedConsentTextError.
        """
        ...

    async def withdraw(
        self, person_id: PersonId, purpose: Purpose, *, language: Language = "en", by: str = ""
    ) -> ConsentAnswer:
        """Record that the person does not agree, and publish ConsentWithdrawn where they did.

        It holds from the moment this returns. Withdrawn already: nothing is recorded. Never asked:
        a refusal is. Raises UnknownPurposeError, InvalidInputError.
        """
        ...

    async def has(self, person_id: PersonId, purpose: Purpose, at: datetime | None = None) -> bool:
        """Return whether the use is allowed, now or by the answers up to `at`.

        Raises UnknownPurposeError.
        """
        ...

    async def holders(self, people: Collection[PersonId], purpose: Purpose) -> frozenset[PersonId]:
        """Return those of `people` for whom the use is allowed now, in one query.

        Raises UnknownPurposeError.
        """
        ...

    async def standing(self, person_id: PersonId) -> list[ConsentStanding]:
        """Return where the person stands with every purpose, in the order of PURPOSES."""
        ...

    async def history(
        self, person_id: PersonId, purpose: Purpose | None = None
    ) -> list[ConsentAnswer]:
        """Return the answers of a person, oldest first. Raises UnknownPurposeError."""
        ...

    async def forget(self, person_id: PersonId) -> int:
        """Delete every answer of the person, and return how many; nothing holds afterwards."""
        ...
