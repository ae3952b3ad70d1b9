"""Where the database is, and what to say when it does not answer. Passwords are never said."""

import re
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from soullink.kernel.errors import InvalidInputError, UnavailableError

CONNECT_TIMEOUT_SECONDS: Final = 5
STATEMENT_TIMEOUT_SECONDS: Final = 60
IDLE_IN_TRANSACTION_TIMEOUT_SECONDS: Final = 300

# https://www.postgresql.org/docs/18/errcodes-appendix.html
_SERVER_WENT_AWAY: Final = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03", "25P04"})
_STATEMENT_TOOK_TOO_LONG: Final = "57014"
_NO_ROOM: Final = {
    "53100": "its disk is full",
    "53200": "it is out of memory",
    "53300": "it has no connection left",
}

_SESSION: Final = (
    "-c synchronous_commit=on"
    f" -c statement_timeout={STATEMENT_TIMEOUT_SECONDS}s"
    f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_SECONDS}s"
)
_SHAPE: Final = (
    "postgresql://USER:PASSWORD@HOST:PORT/NAME or postgresql:///NAME?host=/SOCKET/FOLDER"
)


def connection_parameters(url: str) -> dict[str, Any]:
    """Return libpq's connection parameters for `url`, ours filled in where it says nothing.

    Takes postgres://, postgresql:// and postgresql+DRIVER:// in every form libpq knows.
    Raises InvalidInputError, without a word of the URL, as it may hold a password.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in {"postgres", "postgresql"}:
        raise InvalidInputError(f"The database URL must look like {_SHAPE}.")
    authority, _, path = rest.partition("/")
    if authority.count("@") > 1 or "@" in path.partition("?")[0]:
        # libpq would take half of the password for a host and print it.
        raise InvalidInputError(
            "The database URL has an @ or / too many: percent-encode the special characters"
            " of its user and password."
        )
    try:
        given = conninfo_to_dict(f"postgresql://{rest}")
    except (psycopg.Error, UnicodeError):
        # No cause: libpq quotes the part that it could not read.
        raise InvalidInputError(
            f"The database URL cannot be read; it must look like {_SHAPE}."
        ) from None
    if not re.fullmatch(r"[0-9,]*", str(given.get("port") or "")):
        raise InvalidInputError("The port in the database URL must be a number.")
    defaults = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "application_name": "soullink",
        "tcp_user_timeout": 30_000,
    }
    return defaults | given | {"options": f"{_SESSION} {given.get('options') or ''}".strip()}


def connect(parameters: dict[str, Any]) -> psycopg.Connection[Any]:
    """Open one connection in autocommit mode. Raises UnavailableError."""
    try:
        return psycopg.connect(**parameters, autocommit=True)
    except psycopg.OperationalError as error:
        raise no_connection(error, parameters) from None


def failure(
    error: BaseException, parameters: Mapping[str, Any], *, broken: bool
) -> UnavailableError | None:
    """Return what to raise where `error` means that the database cannot be used, else None.

    broken: the connection that the error came from is known to be.
    """
    state: str | None = getattr(error, "sqlstate", None)
    if state in _NO_ROOM:
        return UnavailableError(f"The database cannot take more: {_NO_ROOM[state]}.")
    if state == _STATEMENT_TOOK_TOO_LONG:
        return UnavailableError(
            "The database took too long over one statement"
            f" (more than {STATEMENT_TIMEOUT_SECONDS} seconds); try again."
        )
    if broken or state in _SERVER_WENT_AWAY:
        return lost_connection(error, parameters)
    # Without a state the words come from the client library: it never got through.
    if state is None and type(error).__name__ in {"OperationalError", "ConnectionTimeout"}:
        return no_connection(error, parameters)
    if (state or "").startswith(("08", "28", "3D")):
        return no_connection(error, parameters)
    return None


def no_connection(error: BaseException, parameters: Mapping[str, Any]) -> UnavailableError:
    """Return the sentence for a connection that could not be opened."""
    return UnavailableError(
        f"Cannot connect to the database {_place(parameters)}: {_reason(error, parameters)}."
    )


def lost_connection(error: BaseException, parameters: Mapping[str, Any]) -> UnavailableError:
    """Return the sentence for a connection that broke in the middle of work."""
    return UnavailableError(
        f"The database {_place(parameters)} went away in the middle of work"
        f" ({_reason(error, parameters)}); what was not committed is not kept."
    )


def _place(parameters: Mapping[str, Any]) -> str:
    host = parameters.get("host") or "of libpq's default host"
    port = parameters.get("port")
    where = f"at {host}:{port}" if port and not str(host).startswith("/") else f"at {host}"
    return f"{parameters['dbname']} {where}" if parameters.get("dbname") else where


def _reason(error: BaseException, parameters: Mapping[str, Any]) -> str:
    first = str(error).strip().partition("\n")[0]
    reason = re.sub(r"\s*\b(FATAL|ERROR):\s*", " ", first.rsplit("failed: ", 1)[-1])
    password = str(parameters.get("password") or "")
    if password:
        reason = reason.replace(password, "***")
    return " ".join(reason.split()).rstrip(".") or type(error).__name__
