"""External media: disks known by the UUID of their filesystem, tapes by their label."""
