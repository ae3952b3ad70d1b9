"""Collections of vectors and kept embeddings, in plain types: pgvector need not be there."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "vector_collection",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kept_by", sa.Text, nullable=False),
        sa.Column("dimensions", sa.Integer, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("made", sa.Uuid, nullable=False),
        sa.Column("changes", sa.BigInteger, nullable=False),
        sa.Column("deletions", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_vector_collection"),
    )
    op.create_table(
        "vector_entry",
        sa.Column("collection", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("collection", "id", name="pk_vector_entry"),
        sa.ForeignKeyConstraint(
            ["collection"],
            ["vector_collection.name"],
            name="fk_vector_entry_collection_vector_collection",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_vector_entry_collection_change", "vector_entry", ["collection", "change"])
    op.create_table(
        "kept_embedding",
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("embedder", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("owner", "embedder", "digest", name="pk_kept_embedding"),
    )


def downgrade() -> None:
    op.drop_table("kept_embedding")
    op.drop_table("vector_entry")
    op.drop_table("vector_collection")
