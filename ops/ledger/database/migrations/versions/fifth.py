"""The name of the person that ruled out doubts about a host."""

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    """Add the column; nobody has ruled anything out yet."""
    op.add_column("hosts", sa.Column("ruled", sa.String, nullable=False, server_default=""))
