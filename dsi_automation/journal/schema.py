"""The tables as SQLAlchemy describes them; migrations make them, and a test holds both together."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, MetaData, Table, Text

metadata = MetaData()

# SQLite only treats INTEGER, not BIGINT, as the row's own number.
_sequence = BigInteger().with_variant(Integer(), "sqlite")

entries = Table(
    "entries",
    metadata,
    Column("seq", _sequence, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("prev", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("line", Text, nullable=False),
    Index("entries_subject", "subject", "seq"),
    Index("entries_kind", "kind", "seq"),
)
"""The record. `line` is what is hashed; the other columns repeat members of it, to be searched."""

leases = Table(
    "leases",
    metadata,
    Column("target", Text, primary_key=True),
    Column("fence", _sequence, nullable=False),
    Column("run_id", Text),
    Column("owner", Text),
    Column("person", Text),
    Column("expires_at", Double, nullable=False),
)
"""Who holds what. A row stays when its lease is given back (`owner` is null), so that numbers only grow.

`expires_at` is in seconds since 1970-01-01 UTC.
"""
