"""A run from its start to its record: its folder, what was logged, where it is kept."""
