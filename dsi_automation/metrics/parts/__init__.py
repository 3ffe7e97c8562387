"""The parts of the exposition: each is read by itself, and one that cannot be read takes no other down."""
