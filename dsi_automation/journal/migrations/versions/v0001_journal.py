"""The record and the leases, and the triggers that keep the record append-only."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXTS = ("at", "kind", "subject", "actor", "prev", "hash", "line")


def upgrade() -> None:
    """Make the tables, their indexes and their triggers."""
    op.create_table(
        "entries",
        sa.Column("seq", _SEQUENCE, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in _TEXTS),
    )
    op.create_index("entries_subject", "entries", ["subject", "seq"])
    op.create_index("entries_kind", "entries", ["kind", "seq"])
    op.create_table(
        "leases",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("fence", _SEQUENCE, nullable=False),
        sa.Column("run_id", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("person", sa.Text),
        sa.Column("expires_at", sa.Double, nullable=False),
    )
    triggers = Path(__file__).with_name(f"v0001_{op.get_bind().dialect.name}.sql").read_text()
    for statement in triggers.split("\n\n")[1:]:
        op.execute(statement)
