"""PostgreSQL: base backups with pg_basebackup, archived logs beside them, proofs by starting what was brought back."""
