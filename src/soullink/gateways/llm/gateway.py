"""The gateway as its callers see it: names of models, everything else behind them."""

from dataclasses import dataclass
from typing import Literal, Protocol

from soullink.gateways.llm.ledger.port import Accounts
from soullink.gateways.llm.port import EmbeddingModel, LanguageModel, LlmRequestError
from soullink.gateways.llm.routing.port import DeploymentState


class TooManyModelsError(LlmRequestError):
    """More models were named directly than one gateway keeps open."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One name that can be called."""

    name: str
    kind: Literal["chat", "embedding"]


class Gateway(Protocol):
    """All models behind one door: routed, limited, paid for, checked."""

    @property
    def accounts(self) -> Accounts:
        """Return budgets and usage."""
        ...

    def model(self, name: str) -> LanguageModel:
        """Return the route `name`, or "provider:model" directly.

        Raises LlmRequestError for an unknown name, TooManyModelsError, LlmAuthError for a missing
        key.
        """
        ...

    def embedder(self, name: str) -> EmbeddingModel:
        """Return the embedding route `name`, or "provider:model"; raises as `model` does."""
        ...

    def models(self) -> list[ModelCard]:
        """Return the configured names."""
        ...

    def check(self) -> None:
        """Open every configured route.

        Raises LlmAuthError, LlmRequestError that tell of every missing key and wrong name.
        """
        ...

    def states(self) -> list[DeploymentState]:
        """Return how every deployment does that was opened so far."""
        ...

    async def close(self) -> None:
        """Book what is open and let go of everything; calling it twice does no harm."""
        ...
