"""How a simulated workstation finds out who asks, and seals what is said."""
