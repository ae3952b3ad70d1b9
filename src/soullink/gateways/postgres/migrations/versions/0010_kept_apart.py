"""Pairs that another module keeps apart, beside the blocks that members make in matching."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "matching_apart",
        sa.Column("first_id", sa.Text, nullable=False),
        sa.Column("second_id", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("first_id", "second_id", name="pk_matching_apart"),
    )
    op.create_index("ix_matching_apart_second_id", "matching_apart", ["second_id"])


def downgrade() -> None:
    op.drop_table("matching_apart")
