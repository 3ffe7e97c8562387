"""What the toolkit can do: facts, plan, act, verify, one module or folder per operation."""
