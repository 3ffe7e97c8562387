"""Backup engines behind one port: files with restic, PostgreSQL with pg_basebackup and its archived logs, Oracle."""
