"""What the relay of the outbox keeps, and people's consents."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("stream", sa.Text, server_default="", nullable=False))
    op.add_column(
        "outbox",
        sa.Column(
            "published_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
    )
    op.add_column("outbox", sa.Column("tries", sa.Integer, server_default="0", nullable=False))
    op.add_column(
        "outbox", sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "outbox", sa.Column("set_aside_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("outbox", sa.Column("reason", sa.Text, server_default="", nullable=False))
    op.add_column(
        "outbox", sa.Column("handled", sa.ARRAY(sa.Text), server_default="{}", nullable=False)
    )
    op.execute("UPDATE outbox SET stream = split_part(name, '.', 1)")
    op.create_index("ix_outbox_stream_id", "outbox", ["stream", "id"])
    op.create_table(
        "consent",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("granted", sa.Boolean, nullable=False),
        sa.Column("text_version", sa.Integer, nullable=False),
        sa.Column("text_language", sa.Text, nullable=False),
        sa.Column("text_hash", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
    )
    op.create_index("ix_consent_person_id_purpose_id", "consent", ["person_id", "purpose", "id"])
    # Answers are added and, when a person is forgotten, deleted; nothing rewrites one.
    op.execute(
        "CREATE FUNCTION consent_is_never_changed() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'a consent is never changed'; END $$"
    )
    op.execute(
        "CREATE TRIGGER consent_is_never_changed BEFORE UPDATE ON consent"
        " FOR EACH ROW EXECUTE FUNCTION consent_is_never_changed()"
    )


def downgrade() -> None:
    op.drop_table("consent")
    op.execute("DROP FUNCTION consent_is_never_changed()")
    op.drop_index("ix_outbox_stream_id", "outbox")
    for column in (
        "handled", "reason", "set_aside_at", "next_try_at", "tries", "published_at", "stream",
    ):  # fmt: skip
        op.drop_column("outbox", column)
