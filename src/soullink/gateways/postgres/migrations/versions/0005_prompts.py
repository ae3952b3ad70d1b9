"""Versions of prompts that operators add, labels, experiments and their outcomes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "prompt_version",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("variables", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", "language", "version", name="pk_prompt_version"),
        sa.UniqueConstraint(
            "name", "language", "content_hash", name="uq_prompt_version_name_language_content_hash"
        ),
    )
    op.create_table(
        "prompt_label_move",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=True),
        sa.Column("previous", sa.Integer, nullable=True),
        sa.Column("before", sa.BigInteger, nullable=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_prompt_label_move"),
    )
    op.create_index(
        "ix_prompt_label_move_name_language_label_id",
        "prompt_label_move",
        ["name", "language", "label", "id"],
    )
    op.create_table(
        "prompt_experiment",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("version_a", sa.Integer, nullable=False),
        sa.Column("version_b", sa.Integer, nullable=False),
        sa.Column("metric", sa.Text, nullable=False),
        sa.Column("scale", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("alpha", sa.Double, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("winner", sa.Text, nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.Text, nullable=False),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("concluded_by", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_prompt_experiment"),
        sa.UniqueConstraint("name", name="uq_prompt_experiment_name"),
    )
    op.create_table(
        "prompt_outcome",
        sa.Column("experiment_id", sa.Uuid, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("outcome_a", sa.Double, nullable=True),
        sa.Column("outcome_b", sa.Double, nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "unit", name="pk_prompt_outcome"),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["prompt_experiment.id"],
            name="fk_prompt_outcome_experiment_id_prompt_experiment",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    op.drop_table("prompt_outcome")
    op.drop_table("prompt_experiment")
    op.drop_table("prompt_label_move")
    op.drop_table("prompt_version")
