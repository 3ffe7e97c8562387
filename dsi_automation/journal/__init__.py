"""The append-only record: chained, signed, verifiable without this software."""
