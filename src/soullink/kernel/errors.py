"""Errors a caller can expect. Each has a stable `code`; entrypoints map the category."""

from typing import ClassVar


class SoulLinkError(Exception):
    """Something the caller may cause and can handle. Bugs raise other exceptions.

    The message is one sentence for the person who can act on it.
    """

    code: ClassVar[str] = "error"


class InvalidInputError(SoulLinkError):
    """What was given cannot be used; nothing was changed."""

    code = "invalid_input"


class NotFoundError(SoulLinkError):
    """The thing does not exist, or the caller may not know that it does."""

    code = "not_found"


class ConflictError(SoulLinkError):
    """The thing exists but its state does not allow this."""

    code = "conflict"


class UnavailableError(SoulLinkError):
    """Something we depend on does not answer; trying later may help."""

    code = "unavailable"
