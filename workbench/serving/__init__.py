"""The endpoint: what it answers, and the process that answers."""
