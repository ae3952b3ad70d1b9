"""Budgets, and the ledger of what was asked of language models and what it cost."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "llm_holder",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("batch", sa.BigInteger, nullable=False),
        sa.Column("open_from_batch", sa.BigInteger, nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_llm_holder"),
    )
    op.create_index(
        "ix_llm_holder_open", "llm_holder", ["id"], postgresql_where=sa.text("closed_at IS NULL")
    )
    op.create_table(
        "llm_budget",
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("limit_nano_usd", sa.BigInteger, nullable=False),
        sa.Column("spent_nano_usd", sa.BigInteger, nullable=False),
        sa.Column("reserved_nano_usd", sa.BigInteger, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "subject", "period", name="pk_llm_budget"),
    )
    op.create_table(
        "llm_intent",
        sa.Column("attempt_id", sa.Uuid, nullable=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("holder_id", sa.BigInteger, nullable=False),
        sa.Column("batch", sa.BigInteger, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("bound_nano_usd", sa.BigInteger, nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("attempt_id", name="pk_llm_intent"),
    )
    op.create_index("ix_llm_intent_holder_id_batch", "llm_intent", ["holder_id", "batch"])
    op.create_index(
        "ix_llm_intent_run", "llm_intent", ["run"], postgresql_where=sa.text("run <> ''")
    )
    op.create_index(
        "ix_llm_intent_started_at", "llm_intent", ["started_at"], postgresql_using="brin"
    )
    op.create_table(
        "llm_settlement",
        sa.Column("attempt_id", sa.Uuid, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("input_tokens", sa.BigInteger, nullable=False),
        sa.Column("output_tokens", sa.BigInteger, nullable=False),
        sa.Column("cached_input_tokens", sa.BigInteger, nullable=False),
        sa.Column("usage_estimated", sa.Boolean, nullable=False),
        sa.Column("cost_nano_usd", sa.BigInteger, nullable=True),
        sa.Column("estimated", sa.Boolean, nullable=False),
        sa.Column("latency_seconds", sa.Double, nullable=False),
        sa.Column("error_code", sa.Text, nullable=False),
        sa.Column("quality", JSONB, nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("attempt_id", name="pk_llm_settlement"),
    )


def downgrade() -> None:
    op.drop_table("llm_settlement")
    op.drop_table("llm_intent")
    op.drop_table("llm_budget")
    op.drop_table("llm_holder")
