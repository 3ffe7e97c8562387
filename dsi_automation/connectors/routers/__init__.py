"""Routers and their packet filters, over SSH: one port, a driver for each platform."""
