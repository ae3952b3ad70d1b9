"""What the process says in the end: one code and one sentence for every way to fail."""

import errno
from enum import IntEnum
from typing import Final

from soullink.gateways.llm.port import LlmCassetteMissError, LlmRequestError
from soullink.kernel.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    SoulLinkError,
    UnavailableError,
)


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    INPUT = 2
    NOT_FOUND = 3
    CONFLICT = 4
    UNAVAILABLE = 5
    INTERRUPTED = 130
    BROKEN_PIPE = 141


MEANINGS: Final[dict[ExitCode, str]] = {
    ExitCode.OK: "It worked.",
    ExitCode.FAILED: "A bug in SoulLink; or some pairs of `simulate --pairs` failed.",
    ExitCode.INPUT: "The command or what it was given cannot be used; nothing was changed.",
    ExitCode.NOT_FOUND: "There is no such run, scenario, prompt, person, relationship or event.",
    ExitCode.CONFLICT: (
        "It exists already, changed meanwhile, or a replay came out differently from the record."
    ),
    ExitCode.UNAVAILABLE: (
        "Something SoulLink depends on is missing or does not answer: the database, a language "
        "model, a key, room on the disk."
    ),
    ExitCode.INTERRUPTED: "Interrupted (Ctrl-C or SIGTERM). What was lived is kept.",
    ExitCode.BROKEN_PIPE: "Whoever read the output stopped reading.",
}
"""Every exit code of every command; docs/reference/cli.md shows them."""

FULL_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
FULL_DISK_SENTENCE: Final = (
    "The output cannot be written, because the disk is full; make room and try again."
)

_CODES: Final[tuple[tuple[type[SoulLinkError], ExitCode], ...]] = (
    (InvalidInputError, ExitCode.INPUT),
    (NotFoundError, ExitCode.NOT_FOUND),
    (ConflictError, ExitCode.CONFLICT),
    (UnavailableError, ExitCode.UNAVAILABLE),
    (LlmRequestError, ExitCode.INPUT),
    (LlmCassetteMissError, ExitCode.CONFLICT),
)


class Interrupted(Exception):  # noqa: N818  (nothing went wrong: somebody said stop)
    """Somebody pressed Ctrl-C or sent SIGTERM, and everything has been put away since."""


def code_of(error: SoulLinkError) -> ExitCode:
    """Return the exit code for an expected error."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return ExitCode.UNAVAILABLE
