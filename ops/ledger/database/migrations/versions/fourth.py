"""The address of each host, and the moment from which its name has it."""

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Add both columns; an address is unknown until the ledger is told the inventory again."""
    address = sa.Column("address", sa.String, nullable=False, server_default="")
    op.add_column("hosts", address)
    op.add_column("hosts", sa.Column("addressed", sa.BigInteger, nullable=True))
