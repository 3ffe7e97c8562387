"""Ops-as-code for a customs IT department."""
