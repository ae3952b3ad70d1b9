"""Who calls, on whose account, and which models they may name."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from soullink.entrypoints.llm_service.faults import (
    BadCallError,
    UnknownKeyError,
    UnknownModelError,
)
from soullink.gateways.llm.gateway import Gateway, ModelCard, TooManyModelsError
from soullink.gateways.llm.keys.port import ApiKey, Keys
from soullink.gateways.llm.port import (
    Attribution,
    EmbeddingModel,
    LanguageModel,
    LlmRequestError,
)

RUN, PROMPT, PURPOSE = "X-SoulLink-Run", "X-SoulLink-Prompt", "X-SoulLink-Purpose"
_LONGEST_LABEL: Final = 128
_LONGEST_MODEL: Final = 256
_BEARER: Final = "Bearer "


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whose key works, with one call.

    call_id: UUIDv7 text of ours; the request id that is echoed may be of the caller's choice.
    """

    key: ApiKey
    attribution: Attribution
    purpose: str
    call_id: str


class Access:
    """Lets callers in, and opens the models that their key allows.

    direct_providers: providers whose "provider:model" may be called without being configured.
    """

    def __init__(
        self, gateway: Gateway, keys: Keys, direct_providers: Collection[str] = ()
    ) -> None:
        self._gateway = gateway
        self._keys = keys
        self._direct = frozenset(direct_providers)
        self._cards = {card.name: card for card in gateway.models()}
        self._models: dict[str, LanguageModel] = {}
        self._embedders: dict[str, EmbeddingModel] = {}

    async def caller(self, headers: Mapping[str, str], call_id: str) -> Caller:
        """Return who calls. Raises UnknownKeyError, BadCallError, UnavailableError."""
        given = headers.get("Authorization")
        if given is not None and given.startswith(_BEARER):
            secret = given[len(_BEARER) :].strip()
        else:
            secret = headers.get("x-api-key", "")
        if not secret:
            raise UnknownKeyError(
                "Send a key of this gateway: Authorization: Bearer sl-..., or x-api-key: sl-...."
            )
        key = await self._keys.find(secret)
        if key is None:
            raise UnknownKeyError("This key is unknown, revoked or expired.")
        attribution = Attribution(key.tenant, key.id, _label(headers, RUN), _label(headers, PROMPT))
        return Caller(key, attribution, _label(headers, PURPOSE), call_id)

    def model(self, name: str, caller: Caller) -> LanguageModel:
        """Return the model to chat with. Raises UnknownModelError, BadCallError, LlmAuthError."""
        self._check(name, caller, "chat")
        found = self._models.get(name)
        if found is None:
            try:
                found = self._gateway.model(name)
            except TooManyModelsError:
                raise
            except LlmRequestError as error:
                raise _unknown(name) from error
            if name in self._cards:
                self._models[name] = found
        return found

    def embedder(self, name: str, caller: Caller) -> EmbeddingModel:
        """Return the model that embeds; raises as `model` does."""
        self._check(name, caller, "embedding")
        found = self._embedders.get(name)
        if found is None:
            try:
                found = self._gateway.embedder(name)
            except TooManyModelsError:
                raise
            except LlmRequestError as error:
                raise _unknown(name) from error
            if name in self._cards:
                self._embedders[name] = found
        return found

    def cards(self, caller: Caller) -> list[ModelCard]:
        """Return the models that the caller may know of."""
        allowed = caller.key.models
        return [card for name, card in self._cards.items() if not allowed or name in allowed]

    def serves_something(self) -> bool:
        """Return whether there is any model to be called."""
        return bool(self._cards or self._direct)

    def _check(self, name: str, caller: Caller, kind: Literal["chat", "embedding"]) -> None:
        allowed = caller.key.models
        if allowed and name not in allowed:
            raise _unknown(name)
        card = self._cards.get(name)
        if card is None:
            provider, colon, _ = name.partition(":")
            named = colon and len(name) <= _LONGEST_MODEL and name.isprintable()
            if not named or provider not in self._direct:
                raise _unknown(name)
        elif card.kind != kind:
            use = "/v1/embeddings" if card.kind == "embedding" else "/v1/chat/completions"
            raise BadCallError(f"The model {name!r} is for {use}.", "model")


def _label(headers: Mapping[str, str], name: str) -> str:
    text = headers.get(name)
    if text is None:
        return ""
    if len(text) > _LONGEST_LABEL or not (text.isascii() and text.isprintable()):
        raise BadCallError(f"{name} has at most {_LONGEST_LABEL} printable ASCII characters.")
    return text


def _unknown(name: str) -> UnknownModelError:
    return UnknownModelError(
        f"The model {name[:100]!r} does not exist or your key may not use it; GET /v1/models "
        "lists those that you can call."
    )
