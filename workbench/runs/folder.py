"""What stands in a run's folder: the one place of the names of its files."""

from __future__ import annotations

from workbench.models.predictions import PREDICTIONS as PREDICTIONS  # noqa: PLC0414 - beside the others

# What is there before the notebook starts.
PARAMETERS, PROVENANCE, KERNEL_LOG = "parameters.json", "provenance.json", "kernel.log"
# What the notebook logs.
LOGGED_METRICS, DATASETS, MODEL, LOOKS = "metrics.jsonl", "datasets", "model", "looks.jsonl"
FEATURES, HOLDOUT, TRAINING = "features.parquet", "holdout.parquet", "training.parquet"
CODE_AUTHORS, REFUSAL, FIRST_ANSWERS = "code_authors.json", "refusal.json", "first_answers.json"
# What the notebook keeps besides, under names of its own.
KEPT = "files"
# What its kernel says of the local code that ran, and of the files that were read and written.
JOURNAL = "local_files.jsonl"
# Of a notebook that is run by hand: which it is, and since when; and that it was deleted, where something of it still counts.
DRAFT, DELETED_DRAFT = "draft.json", "deleted.json"
# What is written when it ended; the record is the last.
NOTEBOOK, REPORT, RECORD = "notebook.ipynb", "report.html", "record.json"
