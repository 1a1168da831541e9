"""Migrate a ledger to the newest form."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from ops.errors import LedgerError

NEWEST = "5"
"""The revision of the newest migration, so that Alembic is loaded only where it has work."""
_LOCK = 0x6F70734C


def migrate(connection: Connection) -> None:
    """Migrate the database to the newest form. LedgerError if it has a newer form already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    version = version_of(connection)
    if version == NEWEST:
        return
    if version and int(version) > int(NEWEST):
        raise LedgerError(
            f"the ledger has form {version}, and this ops knows up to {NEWEST}: update ops"
        )
    _upgrade(connection)


def version_of(connection: Connection) -> str:
    """Return the form of the database; empty for a new database."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
