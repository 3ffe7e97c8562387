"""Routers and accesses (procedures A, step 8, and F): what changes the network without ever cutting the branch."""
