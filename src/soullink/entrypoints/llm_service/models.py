"""The lists of models, as each protocol writes them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from soullink.entrypoints.llm_service.faults import Protocol, UnknownModelError
from soullink.gateways.llm.gateway import ModelCard


def write_models(cards: Sequence[ModelCard], protocol: Protocol, since: datetime) -> bytes:
    """Return the body of a list. since: when this process began, for want of better."""
    rows = [_row(card, protocol, since) for card in cards]
    if protocol == "openai":
        return msgspec.json.encode({"object": "list", "data": rows})
    ends = {
        "first_id": cards[0].name if cards else None,
        "last_id": cards[-1].name if cards else None,
    }
    return msgspec.json.encode({"data": rows, "has_more": False, **ends})


def write_model(
    name: str, cards: Sequence[ModelCard], protocol: Protocol, since: datetime
) -> bytes:
    """Return the body for one model. Raises UnknownModelError."""
    for card in cards:
        if card.name == name:
            return msgspec.json.encode(_row(card, protocol, since))
    raise UnknownModelError(
        f"The model {name[:100]!r} does not exist; GET /v1/models lists those that you can call."
    )


def _row(card: ModelCard, protocol: Protocol, since: datetime) -> dict[str, Any]:
    if protocol == "openai":
        created = int(since.timestamp())
        return {"id": card.name, "object": "model", "created": created, "owned_by": "soullink"}
    moment = since.isoformat().replace("+00:00", "Z")
    return {"type": "model", "id": card.name, "display_name": card.name, "created_at": moment}
