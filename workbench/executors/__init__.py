"""Ways to execute a notebook; each is `submit` a job, ask its `status`, `cancel` what runs."""

from __future__ import annotations

from collections.abc import Mapping

# By the name people choose it by: the module that has it, whose `open_executor(jobs, scheduler)` returns one. Another one is a
# line here and a file.
LOCAL = "local"
EXECUTORS: Mapping[str, str] = {"dask": "dask_executor", LOCAL: "papermill_executor"}
