"""What is measured of a run: one fact a file, with what it means; `evidence/measuring.py` has the table of all.

A fact that could not be measured is None, never a number that stands for it.
"""
