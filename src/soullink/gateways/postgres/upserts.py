"""Rows that may be there already."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert

from soullink.gateways.postgres.session import Session


async def add(session: Session, table: Table, **row: Any) -> bool:
    """Insert a row unless one with its key is there; return whether there was none.

    Its key: the primary key, or what another unique index of the table names.
    """
    some_column = next(iter(table.primary_key))
    query = insert(table).values(row).on_conflict_do_nothing().returning(some_column)
    return (await session.execute(query)).first() is not None


async def put(
    session: Session, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Insert the row with the primary key `key`, or give the one that is there `values`."""
    row = insert(table).values({**key, **values})
    await session.execute(row.on_conflict_do_update(index_elements=list(key), set_=dict(values)))
