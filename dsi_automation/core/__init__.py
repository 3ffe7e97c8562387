"""Values without I/O that every other room shares: errors, texts, plans, results, secrets, clock."""
