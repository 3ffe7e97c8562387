"""The history of the tables: Alembic, run by `dsi_automation.journal.migrate`."""
