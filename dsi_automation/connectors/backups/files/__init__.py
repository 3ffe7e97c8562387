"""Files and applications of a server (procedure D): restic there, our own manifest beside it."""
