"""Profiles of members; blocks, meetings, answers, exposures and challenges of matching."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "member",
        sa.Column("person_id", sa.Text, nullable=False),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_member"),
    )
    op.create_table(
        "matching_block",
        sa.Column("person_id", sa.Text, nullable=False),
        sa.Column("other_id", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "other_id", name="pk_matching_block"),
    )
    op.create_index("ix_matching_block_other_id", "matching_block", ["other_id"])
    op.create_table(
        "matching_meeting",
        sa.Column("first_id", sa.Text, nullable=False),
        sa.Column("second_id", sa.Text, nullable=False),
        sa.Column("met_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("first_id", "second_id", name="pk_matching_meeting"),
    )
    op.create_index("ix_matching_meeting_second_id", "matching_meeting", ["second_id"])
    op.create_table(
        "matching_answer",
        sa.Column("person_id", sa.Text, nullable=False),
        sa.Column("other_id", sa.Text, nullable=False),
        sa.Column("yes", sa.Boolean, nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "other_id", name="pk_matching_answer"),
    )
    op.create_index("ix_matching_answer_other_id", "matching_answer", ["other_id"])
    op.create_table(
        "matching_exposure",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("list_id", sa.Uuid, nullable=False),
        sa.Column("viewer_id", sa.Text, nullable=False),
        sa.Column("shown_id", sa.Text, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("propensity", sa.Double, nullable=False),
        sa.Column("explored", sa.Boolean, nullable=False),
        sa.Column("ranker", sa.Text, nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_matching_exposure"),
    )
    op.create_index("ix_matching_exposure_viewer_id_id", "matching_exposure", ["viewer_id", "id"])
    op.create_index("ix_matching_exposure_shown_id", "matching_exposure", ["shown_id"])
    op.create_index("ix_matching_exposure_shown_at", "matching_exposure", ["shown_at"])
    op.create_table(
        "matching_challenge",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("person_id", sa.Text, nullable=False),
        sa.Column("match_id", sa.Text, nullable=True),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_matching_challenge"),
    )
    op.create_index("ix_matching_challenge_person_id", "matching_challenge", ["person_id"])
    op.create_index("ix_matching_challenge_match_id", "matching_challenge", ["match_id"])
    # One open challenge for a field of a person, also when two arrive at once.
    op.create_index(
        "uq_matching_challenge_open",
        "matching_challenge",
        ["person_id", "field"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    op.drop_table("matching_challenge")
    op.drop_table("matching_exposure")
    op.drop_table("matching_answer")
    op.drop_table("matching_meeting")
    op.drop_table("matching_block")
    op.drop_table("member")
