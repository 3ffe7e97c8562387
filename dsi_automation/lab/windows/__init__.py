"""Simulated Windows workstations: a WS-Management server with state and real consequences.

What it can and cannot prove about Windows: `docs/explanation/what-the-simulator-cannot-prove.md`.
"""
