"""Runs, episodes and turns of the simulation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "simulation_run",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("people", JSONB, nullable=False),
        sa.Column("personas", JSONB, nullable=False),
        sa.Column("settings", JSONB, nullable=False),
        sa.Column("scenarios", JSONB, nullable=False),
        sa.Column("versions", JSONB, nullable=False),
        sa.Column("fork", JSONB, nullable=True),
        sa.Column("overrides", JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_simulation_run"),
    )
    op.create_index("ix_simulation_run_created_at", "simulation_run", ["created_at"])
    op.create_table(
        "simulation_episode",
        sa.Column("run_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("scenario", sa.Text, nullable=False),
        sa.Column("day", sa.Double, nullable=False),
        sa.Column("turns", sa.SmallInteger, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("agents", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_simulation_episode"),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["simulation_run.id"],
            name="fk_simulation_episode_run_id_simulation_run",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "simulation_turn",
        sa.Column("run_id", sa.Uuid, nullable=False),
        sa.Column("episode", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("sequence", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("speaker", sa.SmallInteger, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("distribution", JSONB, nullable=False),
        sa.Column("state_before", JSONB, nullable=False),
        sa.Column("state_after", JSONB, nullable=False),
        sa.Column("appraisal", JSONB, nullable=False),
        sa.Column("detail", JSONB, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("voice", sa.Text, nullable=False),
        sa.Column("voice_status", sa.Text, nullable=False),
        sa.Column("faults", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("model", sa.Text, nullable=True),
        sa.Column("prompt_version", sa.Text, nullable=True),
        sa.Column("input_tokens", sa.Integer, nullable=False),
        sa.Column("output_tokens", sa.Integer, nullable=False),
        sa.Column("calls", sa.SmallInteger, nullable=False),
        sa.Column("cost_nano_usd", sa.BigInteger, nullable=True),
        sa.Column("speech", JSONB, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("latency_seconds", sa.Double, nullable=False),
        sa.Column("cpu_seconds", sa.Double, nullable=False),
        sa.Column("memory_mb", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "episode", "sequence", name="pk_simulation_turn"),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["simulation_run.id"],
            name="fk_simulation_turn_run_id_simulation_run",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    op.drop_table("simulation_turn")
    op.drop_table("simulation_episode")
    op.drop_table("simulation_run")
