"""What is known of collections, and vectors in plain bytes for who searches them in memory."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)

from soullink.gateways.postgres.database import metadata

collections = Table(
    "vector_collection",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kept_by", Text, nullable=False),
    Column("dimensions", Integer, nullable=False),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    # Another one after every drop, so that nobody takes the new collection for the old one.
    Column("made", Uuid, nullable=False),
    # Both count up within the transactions that write, which therefore queue up behind this row.
    Column("changes", BigInteger, nullable=False),
    Column("deletions", BigInteger, nullable=False),
)

entries = Table(
    "vector_entry",
    metadata,
    Column(
        "collection",
        Text,
        ForeignKey("vector_collection.name", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("id", Text, primary_key=True),
    # 32-bit floats, little-endian.
    Column("vector", LargeBinary, nullable=False),
    # The collection's `changes` when this was put in.
    Column("change", BigInteger, nullable=False),
    Index(None, "collection", "change"),
)
