"""Plan, gate, run, resume, locks: knows no operation by name."""
