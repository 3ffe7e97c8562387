"""The WS-Management envelope: reading requests strictly, writing answers and faults as Windows does."""
