"""Runs are closed: what is booked to its end is not fetched again, however the run ended."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Add the column; runs that were stopped as planned are closed, as they were before."""
    # With a default: a collector that is not yet updated goes on writing rows without it.
    closed = sa.Column("closed", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("runs", closed)
    op.execute(
        sa.text("UPDATE runs SET closed = stopped WHERE ended IS NOT NULL"),
    )
