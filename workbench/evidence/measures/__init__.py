"""What is measured of a run: one fact a file, with what it means; `evidence/measuring.py` has the table of all."""
