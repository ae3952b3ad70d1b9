"""From "provider:model" to a model ready to be called."""

from collections.abc import Mapping

from soullink.gateways.llm.anthropic import anthropic_model
from soullink.gateways.llm.gemini import gemini_model
from soullink.gateways.llm.llamacpp import LlamaCppModel
from soullink.gateways.llm.openai import openai_model
from soullink.gateways.llm.port import LanguageModel, LlmAuthError, LlmRequestError, ModelAddress
from soullink.gateways.llm.retry import Retry
from soullink.gateways.llm.wire import Secret, is_local

PROVIDERS: tuple[str, ...] = ("openai", "anthropic", "gemini", "llamacpp")

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
    address: ModelAddress, environ: Mapping[str, str], *, retry: Retry | None = None
) -> LanguageModel:
    """Return the model at `address`; nothing is sent before the first call.

    environ: where keys and base URLs are looked up when the address has none (KEY_VARIABLES,
    BASE_URL_VARIABLES). A base URL on this machine or its private network needs no key.
    Raises LlmRequestError for an unknown provider, LlmAuthError for a missing key.
    """
    provider, _, model = address.spec.partition(":")
    if provider not in PROVIDERS or not model:
        raise LlmRequestError(
            f"{address.spec!r} names no model; write one of "
            + ", ".join(f"{known}:MODEL" for known in PROVIDERS)
            + "."
        )
    if provider == "llamacpp":
        return LlamaCppModel(model, retry=retry)
    base_url = address.base_url or _first(environ, BASE_URL_VARIABLES[provider])
    key = _key(address, environ, provider, base_url)
    return _OPENERS[provider](model, key=key, base_url=base_url, retry=retry)


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
