"""Runs beside each other, with how sure the difference is."""
