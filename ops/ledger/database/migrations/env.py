"""Alembic runs this file to migrate the connection in its config."""

from alembic import context

from ops.ledger.database.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
