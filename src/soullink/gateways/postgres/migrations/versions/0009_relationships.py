"""Relationships, check-ins, outcomes, blocks, the archive's runs and exports of feedback."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"


def _time(name: str, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "relationship",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("person_0", sa.Text, nullable=True),
        sa.Column("person_1", sa.Text, nullable=True),
        sa.Column("state", sa.Text, nullable=False),
        _time("since"),
        _time("proposed_at"),
        _time("expires_at"),
        sa.Column("wish_0", sa.Text, nullable=True),
        sa.Column("wish_1", sa.Text, nullable=True),
        _time("wished_at_0", nullable=True),
        _time("wished_at_1", nullable=True),
        sa.Column("closed_from", sa.Text, nullable=True),
        sa.Column("paused_from", sa.Text, nullable=True),
        _time("met_at", nullable=True),
        _time("archived_at", nullable=True),
        _time("restored_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_relationship"),
    )
    op.create_index(
        "uq_relationship_open_pair",
        "relationship",
        ["person_0", "person_1"],
        unique=True,
        postgresql_where=sa.text("closed_from IS NULL AND state <> 'expired'"),
    )
    op.create_index("ix_relationship_person_0_person_1", "relationship", ["person_0", "person_1"])
    op.create_index("ix_relationship_person_1", "relationship", ["person_1"])
    op.create_index("ix_relationship_state_since", "relationship", ["state", "since"])
    op.create_index("ix_relationship_archived_at", "relationship", ["archived_at"])
    op.create_table(
        "relationship_move",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("relationship_id", sa.Uuid, nullable=False),
        _time("at"),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("side", sa.SmallInteger, nullable=True),
        sa.Column("both", sa.Boolean, nullable=False),
        sa.Column("before", sa.Text, nullable=True),
        sa.Column("state", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_relationship_move"),
        sa.ForeignKeyConstraint(
            ["relationship_id"],
            ["relationship.id"],
            name="fk_relationship_move_relationship_id_relationship",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_relationship_move_relationship_id_id", "relationship_move", ["relationship_id", "id"]
    )
    op.create_table(
        "relationship_check_in",
        sa.Column("relationship_id", sa.Uuid, nullable=False),
        sa.Column("side", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("satisfaction", sa.SmallInteger, nullable=False),
        sa.Column("tension", sa.SmallInteger, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("erased", sa.Boolean, nullable=False),
        _time("at"),
        sa.PrimaryKeyConstraint("relationship_id", "side", "day", name="pk_relationship_check_in"),
        sa.ForeignKeyConstraint(
            ["relationship_id"],
            ["relationship.id"],
            name="fk_relationship_check_in_relationship_id_relationship",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_relationship_check_in_at", "relationship_check_in", ["at"])
    op.create_table(
        "relationship_outcome",
        sa.Column("relationship_id", sa.Uuid, nullable=False),
        sa.Column("side", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("would_meet_again", sa.Boolean, nullable=False),
        _time("answered_at"),
        sa.PrimaryKeyConstraint("relationship_id", "side", name="pk_relationship_outcome"),
        sa.ForeignKeyConstraint(
            ["relationship_id"],
            ["relationship.id"],
            name="fk_relationship_outcome_relationship_id_relationship",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "relationship_block",
        sa.Column("blocker", sa.Text, nullable=False),
        sa.Column("blocked", sa.Text, nullable=False),
        _time("since"),
        sa.PrimaryKeyConstraint("blocker", "blocked", name="pk_relationship_block"),
    )
    op.create_index("ix_relationship_block_blocked", "relationship_block", ["blocked"])
    op.create_table(
        "relationship_archive_run",
        sa.Column("id", sa.Uuid, nullable=False),
        _time("started_at"),
        _time("finished_at", nullable=True),
        sa.Column("rules", JSONB, nullable=False),
        sa.Column("counts", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_relationship_archive_run"),
    )
    op.create_table(
        "feedback_export",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        _time("created_at"),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feedback_export"),
    )
    op.create_table(
        "feedback_export_name",
        sa.Column("export_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("export_id", "name", name="pk_feedback_export_name"),
        sa.ForeignKeyConstraint(
            ["export_id"],
            ["feedback_export.id"],
            name="fk_feedback_export_name_export_id_feedback_export",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "feedback_erasure",
        sa.Column("export_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        _time("since"),
        sa.PrimaryKeyConstraint("export_id", "name", name="pk_feedback_erasure"),
        sa.ForeignKeyConstraint(
            ["export_id"],
            ["feedback_export.id"],
            name="fk_feedback_erasure_export_id_feedback_export",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    for table in (
        "feedback_erasure",
        "feedback_export_name",
        "feedback_export",
        "relationship_archive_run",
        "relationship_block",
        "relationship_outcome",
        "relationship_check_in",
        "relationship_move",
        "relationship",
    ):
        op.drop_table(table)
