"""Searches: one way to choose what a sweep tries per file."""
