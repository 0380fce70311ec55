"""How two runs differ: one file per thing that is compared, and the table of them in `run_difference`."""
