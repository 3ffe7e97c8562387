"""Oracle databases: RMAN makes the pieces, its word is held against everything else there is, restic carries them."""
