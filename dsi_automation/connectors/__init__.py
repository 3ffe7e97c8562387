"""How to talk to equipment."""
