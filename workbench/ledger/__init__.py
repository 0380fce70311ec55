"""Entries nobody can change unnoticed: what was decided, by whom, in which order."""
