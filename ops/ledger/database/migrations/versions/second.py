"""Closed runs: a run that ended and is booked completely is not fetched again."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Add the column. Runs that ended by a planned stop are closed, as before."""
    # The default lets an older collector go on writing rows without the column.
    closed = sa.Column("closed", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("runs", closed)
    op.execute(
        sa.text("UPDATE runs SET closed = stopped WHERE ended IS NOT NULL"),
    )
