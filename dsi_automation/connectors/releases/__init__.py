"""Releases of the application's sources: found, checked against checksum and signature, read."""
