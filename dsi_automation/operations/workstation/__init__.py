"""Workstations: procedure C of the guide (specifications, name, domain, profile, organisational unit)."""
