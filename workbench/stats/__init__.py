"""Statistics that do not fool anyone: one method per file, and the table of metrics."""
