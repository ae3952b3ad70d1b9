"""The ledger's tables, and what its own connection says to them.

Intents and settlements are only ever added, but for one case: a settlement that was booked as
lost is corrected when the truth turns up. No foreign keys: they would cost every call two look-ups
to guard what one statement in `batch` already guarantees.
"""

from typing import Final

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

HOLDER_LOCKS: Final = 0x4C_45_44_47
"""The upper half of every holder's advisory lock, "LEDG"; the lower half is its id."""

NEW_HOLDER: Final = """
    INSERT INTO llm_holder (batch, open_from_batch, opened_at) VALUES (0, 0, $1) RETURNING id
"""

HOLD: Final = "SELECT pg_advisory_lock(($1::bigint << 32) | $2::bigint)"

TRY_HOLD: Final = "SELECT pg_try_advisory_xact_lock(($1::bigint << 32) | $2::bigint)"

# Only the session that holds this lock: a server that restarted gives process ids anew.
END_OLD_SESSION: Final = """
    SELECT pg_terminate_backend(pid, 2000) FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid = $1 AND classid = $2::bigint::oid
      AND objid = $3::bigint::oid
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

REOPEN_HOLDER: Final = "UPDATE llm_holder SET closed_at = NULL WHERE id = $1 RETURNING batch"

OTHER_HOLDERS: Final = "SELECT id FROM llm_holder WHERE closed_at IS NULL AND id <> $1 ORDER BY id"

# Also waits for a batch of that holder that is still being committed.
HOLDER_TO_CLOSE: Final = "SELECT id FROM llm_holder WHERE id = $1 AND closed_at IS NULL FOR UPDATE"

CLOSE_HOLDER: Final = "UPDATE llm_holder SET closed_at = $2 WHERE id = $1"

OPEN_INTENTS: Final = """
    SELECT i.attempt_id::text, i.call_id, i.tenant, i.key, i.run, i.prompt, i.purpose,
           i.provider, i.model, i.bound_nano_usd, i.started_at
    FROM llm_holder h
    JOIN llm_intent i ON i.holder_id = h.id AND i.batch >= h.open_from_batch
    WHERE h.id = $1
      AND NOT EXISTS (SELECT FROM llm_settlement s WHERE s.attempt_id = i.attempt_id)
    ORDER BY i.attempt_id
"""

BOOKED_AS_LOST: Final = """
    SELECT s.attempt_id::text, s.settled_at
    FROM jsonb_array_elements_text($1::jsonb) AS e(id)
    JOIN llm_settlement s ON s.attempt_id = e.id::uuid
    WHERE s.outcome = 'lost'
"""

# First in every transaction: its row is locked until the end, so that another session of the same
# holder can tell afterwards whether this batch was committed.
BEGIN_BATCH: Final = """
    UPDATE llm_holder SET batch = $2::bigint, open_from_batch = $3::bigint
    WHERE id = $1::bigint AND batch = $2::bigint - 1
    RETURNING id
"""

# The same, and that there is no budget to look at; else an error (22012) undoes all of it. With it
# a batch that no budget touches is one round trip.
BEGIN_FREE_BATCH: Final = """
    WITH held AS (
        UPDATE llm_holder SET batch = $2::bigint, open_from_batch = $3::bigint
        WHERE id = $1::bigint AND batch = $2::bigint - 1
        RETURNING id
    )
    SELECT 1 / count(*) FILTER (
        WHERE NOT EXISTS (
            SELECT FROM jsonb_array_elements($4::jsonb) AS e
            JOIN llm_budget b ON b.scope = e->>0 AND b.subject = e->>1
        )
    )
    FROM held
"""

# Always in the order of the primary key: two transactions never wait for each other.
LOCK_BUDGETS: Final = """
    SELECT b.scope, b.subject, b.period, b.limit_nano_usd::text, b.spent_nano_usd::text,
           b.reserved_nano_usd::text,
           to_char(b.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
    FROM jsonb_array_elements($1::jsonb) AS e
    JOIN llm_budget b ON b.scope = e->>0 AND b.subject = e->>1
    ORDER BY b.scope, b.subject, b.period
    FOR UPDATE OF b
"""

WRITE: Final = """
    WITH asked AS (
        INSERT INTO llm_intent
            (attempt_id, call_id, holder_id, batch, tenant, key, run, prompt, purpose, provider,
             model, bound_nano_usd, started_at)
        SELECT (e->>0)::uuid, e->>1, $1::bigint, $2::bigint, e->>2, e->>3, e->>4, e->>5, e->>6,
               e->>7, e->>8, (e->>9)::bigint, (e->>10)::timestamptz
        FROM jsonb_array_elements($3::jsonb) AS e
    ), answered AS (
        INSERT INTO llm_settlement
            (attempt_id, outcome, input_tokens, output_tokens, cached_input_tokens,
             usage_estimated, cost_nano_usd, estimated, latency_seconds, error_code, quality,
             settled_at)
        SELECT (e->>0)::uuid, e->>1, (e->>2)::bigint, (e->>3)::bigint, (e->>4)::bigint,
               (e->>5)::boolean, (e->>6)::bigint, (e->>7)::boolean,
               COALESCE((e->>8)::float8, 0), e->>9, NULLIF(e->10, '{}'), $5::timestamptz
        FROM jsonb_array_elements($4::jsonb) AS e
    )
    UPDATE llm_budget AS b
    SET spent_nano_usd = (e->>3)::bigint, reserved_nano_usd = (e->>4)::bigint,
        since = (e->>5)::timestamptz
    FROM jsonb_array_elements($6::jsonb) AS e
    WHERE b.scope = e->>0 AND b.subject = e->>1 AND b.period = e->>2
"""

CORRECT: Final = """
    UPDATE llm_settlement AS s
    SET outcome = e->>1, input_tokens = (e->>2)::bigint, output_tokens = (e->>3)::bigint,
        cached_input_tokens = (e->>4)::bigint, usage_estimated = (e->>5)::boolean,
        cost_nano_usd = (e->>6)::bigint, estimated = (e->>7)::boolean,
        latency_seconds = COALESCE((e->>8)::float8, 0), error_code = e->>9,
        quality = NULLIF(e->10, '{}'), corrected_at = $2::timestamptz
    FROM jsonb_array_elements($1::jsonb) AS e
    WHERE s.attempt_id = (e->>0)::uuid AND s.outcome = 'lost'
"""
