"""Run by Alembic: bring the ledger that it was handed to the newest form."""

from alembic import context

from ops.ledger.database.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
