"""The database behind an application: who holds locks, statements and scripts in one transaction."""
