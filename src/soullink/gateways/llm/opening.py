"""From "provider:model" to a model ready to be called."""

from collections.abc import Mapping

from soullink.gateways.llm.anthropic import anthropic_model
from soullink.gateways.llm.embedding import (
    GeminiEmbeddings,
    HttpEmbeddingModel,
    OpenAiEmbeddings,
)
from soullink.gateways.llm.gemini import gemini_model, gemini_wire
from soullink.gateways.llm.llamacpp import LlamaCppEmbedder, LlamaCppModel
from soullink.gateways.llm.openai import is_official, openai_model, openai_wire
from soullink.gateways.llm.port import (
    EmbeddingModel,
    LanguageModel,
    LlmAuthError,
    LlmRequestError,
    ModelAddress,
)
from soullink.gateways.llm.pricing import PriceList
from soullink.gateways.llm.retry import Retry
from soullink.gateways.llm.wire import CONNECTIONS, Secret, is_local

PROVIDERS: tuple[str, ...] = ("openai", "anthropic", "gemini", "llamacpp")
EMBEDDERS: tuple[str, ...] = ("openai", "gemini", "llamacpp")
"""Providers with embedding models."""

KEY_VARIABLES: Mapping[str, tuple[str, ...]] = {
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
}
"""Where the key of each provider is looked for, in this order."""

BASE_URL_VARIABLES: Mapping[str, tuple[str, ...]] = {
    "openai": ("SOULLINK_LLM_BASE_URL", "OPENAI_BASE_URL"),
    "anthropic": ("SOULLINK_LLM_BASE_URL", "ANTHROPIC_BASE_URL"),
    "gemini": ("SOULLINK_LLM_BASE_URL", "GOOGLE_GEMINI_BASE_URL"),
}

_OPENERS = {"openai": openai_model, "anthropic": anthropic_model, "gemini": gemini_model}


def open_model(
    address: ModelAddress,
    environ: Mapping[str, str],
    *,
    retry: Retry | None = None,
    prices: PriceList | None = None,
    connections: int = CONNECTIONS,
) -> LanguageModel:
    """Return the model at `address`; nothing is sent before the first call.

    environ: where keys and base URLs are looked up when the address has none (KEY_VARIABLES,
    BASE_URL_VARIABLES). A base URL on this machine or its private network needs no key.
    prices: None takes the shipped list. connections: at least the calls in flight at once.
    Raises LlmRequestError for an unknown provider, LlmAuthError for a missing key.
    """
    provider, model = _split(address.spec, PROVIDERS)
    if provider == "llamacpp":
        return LlamaCppModel(model, retry=retry)
    base_url = address.base_url or _first(environ, BASE_URL_VARIABLES[provider])
    key = _key(address, environ, provider, base_url)
    return _OPENERS[provider](
        model, key=key, base_url=base_url, retry=retry, prices=prices, connections=connections
    )


def open_embedder(
    address: ModelAddress,
    environ: Mapping[str, str],
    *,
    retry: Retry | None = None,
    prices: PriceList | None = None,
    connections: int = CONNECTIONS,
) -> EmbeddingModel:
    """Return the embedding model at `address`; otherwise as `open_model`.

    Anthropic has no embedding models: LlmRequestError says so.
    """
    provider, model = _split(address.spec, EMBEDDERS)
    if provider == "llamacpp":
        return LlamaCppEmbedder(model, retry=retry)
    base_url = address.base_url or _first(environ, BASE_URL_VARIABLES[provider])
    key = _key(address, environ, provider, base_url)
    patience = retry or Retry()
    if provider == "gemini":
        wire = gemini_wire(key, base_url, patience, connections)
        return HttpEmbeddingModel(GeminiEmbeddings(model), wire, patience, prices)
    wire = openai_wire(key, base_url, patience, connections)
    dialect = OpenAiEmbeddings(model, official=is_official(base_url))
    return HttpEmbeddingModel(dialect, wire, patience, prices)


def check_address(
    address: ModelAddress, environ: Mapping[str, str], *, embedding: bool = False
) -> None:
    """Raise what opening the model would raise for its name or a missing key; open nothing."""
    provider, _ = _split(address.spec, EMBEDDERS if embedding else PROVIDERS)
    if provider != "llamacpp":
        base_url = address.base_url or _first(environ, BASE_URL_VARIABLES[provider])
        _key(address, environ, provider, base_url)


def _split(spec: str, providers: tuple[str, ...]) -> tuple[str, str]:
    """Return provider and model. Raises LlmRequestError with what to write instead."""
    provider, colon, model = spec.partition(":")
    if provider in providers and model:
        return provider, model
    why = "names no model"
    if colon and model and provider not in PROVIDERS:
        why = f"cannot be called: there is no provider {provider!r}"
    if provider in PROVIDERS and provider not in providers:
        why = f"cannot embed: {provider} has no embedding models"
    raise LlmRequestError(
        f"{spec!r} {why}; write one of " + ", ".join(f"{known}:MODEL" for known in providers) + "."
    )


def _key(
    address: ModelAddress, environ: Mapping[str, str], provider: str, base_url: str | None
) -> Secret | None:
    variables = KEY_VARIABLES[provider]
    text = (address.api_key or _first(environ, variables) or "").strip()
    if not text:
        if base_url is not None and is_local(base_url):
            return None
        raise LlmAuthError(
            f"{address.spec} needs an API key: set {variables[0]}, "
            "or name a server of your own with SOULLINK_LLM_BASE_URL."
        )
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise LlmAuthError(
            f"The API key of {provider} holds characters that no key has; copy it again."
        )
    return Secret(text)


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((environ[name] for name in names if environ.get(name)), None)
