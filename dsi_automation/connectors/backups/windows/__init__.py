"""Files of Windows servers: restic.exe driven over WS-Management; proofs and restores are made on the controller."""
