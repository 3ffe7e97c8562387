"""Backups that are proven: servers, databases, verification, restores, media off site (procedures D and R)."""
