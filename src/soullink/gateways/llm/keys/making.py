"""How keys are made and checked, wherever they are kept."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from soullink.gateways.llm.keys.port import ApiKey, NewKey
from soullink.gateways.llm.limits.port import RateLimit
from soullink.kernel.errors import InvalidInputError
from soullink.kernel.ids import new_uuid7_text

_MARK: Final = "sl-"
_RANDOM_BYTES: Final = 32
_LENGTH: Final = len(_MARK) + 43  # 32 bytes in base64 without padding
_SHOWN: Final = len(_MARK) + 6
_LONGEST_NAME: Final = 128
_LARGEST_LIMIT: Final = 2**31 - 1


def could_be(secret: str) -> bool:
    """Return whether `secret` has the form of a key, so that asking about it makes sense."""
    return len(secret) == _LENGTH and secret.startswith(_MARK) and secret.isascii()


def hash_of(secret: str) -> bytes:
    """Return the SHA-256 of an ASCII secret, 32 bytes.

    Looking keys up by it takes no time that depends on how much of a guess was right; a slow hash
    adds nothing to 256 random bits.
    """
    return hashlib.sha256(secret.encode("ascii")).digest()


def new_key(
    tenant: str,
    name: str,
    models: Sequence[str],
    limit: RateLimit | None,
    expires_at: datetime | None,
    now: datetime,
) -> NewKey:
    """Return a new key. Raises InvalidInputError."""
    check_name("tenant", tenant)
    check_name("name of the key", name)
    for model in models:
        check_name("model", model)
    limit = limit or RateLimit()
    for number in (limit.requests_per_minute, limit.tokens_per_minute):
        if number is not None and not 1 <= number <= _LARGEST_LIMIT:
            raise InvalidInputError(f"A limit a minute is from 1 to {_LARGEST_LIMIT}.")
    if expires_at is not None and expires_at <= now:
        raise InvalidInputError("The key would have expired already; choose a later moment.")
    secret = _MARK + secrets.token_urlsafe(_RANDOM_BYTES)
    key = ApiKey(
        id=new_uuid7_text(),
        tenant=tenant,
        name=name,
        prefix=secret[:_SHOWN],
        created_at=now,
        expires_at=expires_at,
        models=tuple(dict.fromkeys(models)),
        limit=limit,
    )
    return NewKey(key, secret)


def check_name(what: str, text: str) -> None:
    """Raise InvalidInputError unless `text` can stand in a ledger and in a table."""
    if not text.strip() or len(text) > _LONGEST_NAME or not text.isprintable():
        raise InvalidInputError(
            f"The {what} has 1 to {_LONGEST_NAME} printable characters; {text[:20]!r} does not."
        )
