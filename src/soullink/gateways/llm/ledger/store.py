"""The ledger's tables.

Intents and settlements are only ever added, but for one case: a settlement that was booked as
lost is corrected when the truth turns up. No foreign keys: they would cost every call two look-ups
to guard what one statement in `batch` already guarantees.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Identity,
    Index,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from soullink.gateways.postgres.database import metadata

holders = Table(
    "llm_holder",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("batch", BigInteger, nullable=False),
    Column("open_from_batch", BigInteger, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True), nullable=True),
    Index("ix_llm_holder_open", "id", postgresql_where=text("closed_at IS NULL")),
)
"""One row a ledger instance. batch: the last one committed; no intent before open_from_batch is
open. closed_at: it left in order, or was found dead and its open intents were booked as lost."""

budgets = Table(
    "llm_budget",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("limit_nano_usd", BigInteger, nullable=False),
    Column("spent_nano_usd", BigInteger, nullable=False),
    Column("reserved_nano_usd", BigInteger, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
)

intents = Table(
    "llm_intent",
    metadata,
    Column("attempt_id", Uuid, primary_key=True),
    Column("call_id", Text, nullable=False),
    Column("holder_id", BigInteger, nullable=False),
    Column("batch", BigInteger, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("bound_nano_usd", BigInteger, nullable=True),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Index("ix_llm_intent_holder_id_batch", "holder_id", "batch"),
    Index("ix_llm_intent_run", "run", postgresql_where=text("run <> ''")),
    Index("ix_llm_intent_started_at", "started_at", postgresql_using="brin"),
)

settlements = Table(
    "llm_settlement",
    metadata,
    Column("attempt_id", Uuid, primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cached_input_tokens", BigInteger, nullable=False),
    Column("usage_estimated", Boolean, nullable=False),
    Column("cost_nano_usd", BigInteger, nullable=True),
    Column("estimated", Boolean, nullable=False),
    Column("latency_seconds", Double, nullable=False),
    Column("error_code", Text, nullable=False),
    Column("quality", JSONB, nullable=True),
    Column("settled_at", DateTime(timezone=True), nullable=False),
    Column("corrected_at", DateTime(timezone=True), nullable=True),
)
"""One row an attempt. settled_at decides the budget's period. corrected_at: it was booked as lost
first, and the truth came later."""
