"""Folders as bytes, whole-file writes and what the disk says."""
