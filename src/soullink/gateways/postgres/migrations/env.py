"""Run by alembic; the connection, its transaction and its lock come from schema.py."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
