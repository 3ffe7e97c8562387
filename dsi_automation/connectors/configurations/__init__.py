"""Where configurations of equipment are kept, version by version."""
