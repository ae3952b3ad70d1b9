"""Small settings, one class per gateway, read once from the environment by bootstrap."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from soullink.kernel.errors import InvalidInputError
from soullink.modules.relationships.api import RetentionRules


@dataclass(frozen=True, slots=True)
class PostgresSettings:
    """Where runs are kept: a database of yours (`url`), or our own server under `data_dir`.

    data_dir: None takes SOULLINK_DATA_DIR or the user's data home.
    """

    url: str | None = None
    data_dir: Path | None = None

    @staticmethod
    def read(environ: Mapping[str, str]) -> "PostgresSettings":
        """Read SOULLINK_DATABASE_URL and SOULLINK_DATA_DIR."""
        folder = environ.get("SOULLINK_DATA_DIR")
        url = environ.get("SOULLINK_DATABASE_URL") or None
        return PostgresSettings(url, Path(folder).expanduser() if folder else None)


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """How language models are reached.

    config: the gateway's file of routes, limits and prices. base_url: of an OpenAI-compatible
    server. cassette: file of recorded calls; mode "record" or "replay". environ: where the keys
    are looked up.
    """

    config: Path | None = None
    base_url: str | None = None
    cassette: Path | None = None
    cassette_mode: str = "record"
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    @staticmethod
    def read(environ: Mapping[str, str]) -> "LlmSettings":
        """Read SOULLINK_LLM_CONFIG, _BASE_URL, _CASSETTE and _CASSETTE_MODE.

        Raises InvalidInputError.
        """
        mode = environ.get("SOULLINK_LLM_CASSETTE_MODE", "record")
        if mode not in {"record", "replay"}:
            raise InvalidInputError(
                f"SOULLINK_LLM_CASSETTE_MODE is record or replay, not {mode!r}."
            )
        cassette = environ.get("SOULLINK_LLM_CASSETTE")
        config = environ.get("SOULLINK_LLM_CONFIG")
        return LlmSettings(
            config=Path(config).expanduser() if config else None,
            base_url=environ.get("SOULLINK_LLM_BASE_URL") or None,
            cassette=Path(cassette).expanduser() if cassette else None,
            cassette_mode=mode,
            environ=dict(environ),
        )


def read_retention(environ: Mapping[str, str]) -> RetentionRules:
    """Read SOULLINK_RETAIN_ENDED_DAYS, _UNMET_DAYS, _TEXT_DAYS and _ARCHIVE_DAYS.

    Raises InvalidInputError.
    """
    days = asdict(RetentionRules())
    for name in days:
        variable = f"SOULLINK_RETAIN_{name.upper()}"
        given = environ.get(variable, "")
        if given and not given.isdecimal():
            raise InvalidInputError(f"{variable} is a whole number of days, not {given!r}.")
        days[name] = int(given) if given else days[name]
    return RetentionRules(**days)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the environment decides."""

    postgres: PostgresSettings
    llm: LlmSettings

    @staticmethod
    def read(environ: Mapping[str, str]) -> "Settings":
        """Read all settings. Raises InvalidInputError."""
        return Settings(PostgresSettings.read(environ), LlmSettings.read(environ))
