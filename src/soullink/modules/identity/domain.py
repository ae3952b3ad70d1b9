"""When a consent holds."""

from collections.abc import Iterable, Sequence

from soullink.kernel.errors import InvalidInputError
from soullink.kernel.ids import PersonId
from soullink.modules.identity.api import (
    PURPOSES,
    ConsentAnswer,
    ConsentText,
    Purpose,
    UnknownPurposeError,
)

_LONGEST_PERSON = 200


def oldest_that_holds(texts: Iterable[ConsentText]) -> int:
    """Return the version of the last text that asks everybody again; consents before do not hold.

    texts: of one purpose, in any language.
    """
    return max((text.version for text in texts if text.asks_again), default=1)


def holds(last: ConsentAnswer | None, oldest: int) -> bool:
    """Return whether the last answer allows the use; `oldest` as above."""
    return last is not None and last.granted and last.version >= oldest


def known_purpose(purpose: str) -> Purpose:
    """Return the purpose. Raises UnknownPurposeError."""
    for known in PURPOSES:
        if known == purpose:
            return known
    raise UnknownPurposeError(f"{purpose!r} is no purpose; there are {', '.join(PURPOSES)}.")


def known_person(person_id: str) -> PersonId:
    """Return the id. Raises InvalidInputError where it cannot be one."""
    if not person_id.strip() or "\0" in person_id or len(person_id) > _LONGEST_PERSON:
        raise InvalidInputError(f"A person's id has 1 to {_LONGEST_PERSON} characters.")
    return PersonId(person_id)


def newest(texts: Sequence[ConsentText]) -> int:
    """Return the newest version among `texts`, which are not empty."""
    return max(text.version for text in texts)
