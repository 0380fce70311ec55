"""Proofs at full size: `python -m tests.soak` tries each claim as often as its report says; `make test` tries it less often."""
