"""Opens the gateway for commands, and reads what names its keys."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from soullink import bootstrap
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.opening import check_tables, environment, postgres_settings
from soullink.entrypoints.cli.text import shortened
from soullink.gateways.llm.keys.port import ApiKey, Keys
from soullink.gateways.llm.port import LanguageModel
from soullink.kernel.errors import InvalidInputError, NotFoundError
from soullink.settings import Settings

_SHORTEST = 4


@asynccontextmanager
async def gateway_opened(
    invocation: Invocation, config: Path | None = None, wait_seconds: float | None = None
) -> AsyncIterator["bootstrap.OpenGateway"]:
    """Yield the gateway and its keys, on the database that is named or our own.

    wait_seconds: how long calls wait for their turn, None as long as they have.
    Raises InvalidInputError, LlmAuthError for what the configuration names, UnavailableError.
    """
    database = postgres_settings(invocation)
    if database.url is not None:
        await asyncio.to_thread(check_tables, database.url)
    settings = Settings(database, environment().llm)
    async with AsyncExitStack() as stack:
        with invocation.interruption.held():
            opened = await stack.enter_async_context(
                bootstrap.open_gateway(settings, config, wait_seconds)
            )
        await asyncio.sleep(0)  # where a signal that waited comes through
        yield opened


@asynccontextmanager
async def model_opened(invocation: Invocation, name: str) -> AsyncIterator[LanguageModel]:
    """Yield one model through the gateway, recorded or replayed where the environment says so.

    Raises InvalidInputError, LlmAuthError, LlmRequestError, UnavailableError.
    """
    settings = environment().llm
    async with gateway_opened(invocation) as opened:
        model = bootstrap.recorded(settings, name, opened.gateway.model)
        try:
            yield model
        finally:
            await model.close()


async def find_key(keys: Keys, text: str) -> ApiKey:
    """Return the key that `text` means: an id, its end, or how the secret begins.

    Raises InvalidInputError, NotFoundError.
    """
    wanted = text.strip()
    if len(wanted) < _SHORTEST:
        raise InvalidInputError(
            f"{shortened(text)!r} is no key: give its id, at least {_SHORTEST} characters of the "
            "end of it, or the prefix that `soullink llm keys list` shows."
        )
    found = [
        key
        for key in await keys.list_keys()
        if key.id.endswith(wanted) or wanted.startswith(key.prefix) or key.prefix == wanted
    ]
    if not found:
        raise NotFoundError(
            f"There is no key {shortened(text, 12)!r}; see `soullink llm keys list`."
        )
    if len(found) > 1:
        raise InvalidInputError(f"{len(found)} keys fit {shortened(text, 12)!r}; give more of it.")
    return found[0]


def read_moment(text: str | None, option: str) -> datetime | None:
    """Return a day or a moment, in UTC where no zone is given. Raises InvalidInputError."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError(
            f"{option} is a day or a moment, e.g. 2026-05-01 or 2026-05-01T12:00Z, not "
            f"{shortened(text)!r}."
        ) from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
