"""The database of the ledger: schema, engine, migrations, export."""
