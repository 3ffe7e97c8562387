"""Schedules: when what runs by itself, what was missed, and the units and the scheduler that start it."""
