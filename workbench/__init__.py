"""Workbench: from notebook to signed, served model.

In a notebook: `import workbench as wb`, then `wb.log_metrics`, `wb.log_dataset`, `wb.log_predictions`, `wb.log_model`,
`wb.log_file` and `wb.params`, or `wb.log_evaluation` for all that is asked of a fitted model; what is written to `wb.folder` is
kept with the run; `wb.secret` returns what a parameter declared as `wb.Secret` refers to. To look at results: `wb.runs()`,
`wb.compare()`, `wb.diff(a, b)`, `wb.follow()` and `wb.review("model/3")`. Everything else is a verb of `wb.Workbench.open()`.
Nothing heavy is imported until it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.interactive import compare, diff, follow, log_dataset, log_evaluation, review
    from workbench.runs.spool import log_file, log_metrics, log_model, log_predictions, secret
    from workbench.secrets.references import Secret
    from workbench.workflow import Workbench

    folder: Path
    params: dict[str, Any]

__all__ = [
    "Secret",
    "Workbench",
    "compare",
    "diff",
    "follow",
    "log_dataset",
    "log_evaluation",
    "log_file",
    "log_metrics",
    "log_model",
    "log_predictions",
    "review",
    "runs",
    "secret",
]
_HOMES = {
    "Secret": "workbench.secrets.references",
    "Workbench": "workbench.workflow",
    "compare": "workbench.interactive",
    "diff": "workbench.interactive",
    "follow": "workbench.interactive",
    "log_dataset": "workbench.interactive",
    "log_evaluation": "workbench.interactive",
    "review": "workbench.interactive",
}
# What is another thing in every run is asked for whenever it is named. `from workbench import *` leaves these out: a folder is made
# for whoever asks for it, and without a run around it that would be a draft of nothing.
_COMPUTED = {"folder": "run_folder", "params": "run_parameters"}


def __getattr__(name: str) -> Any:
    known = [*__all__, *_COMPUTED]
    if name not in known:
        near = import_module("difflib").get_close_matches(name, known, n=2)
        meant = f". Did you mean {' or '.join(f'wb.{each}' for each in near)}?" if near else ""
        raise AttributeError(f"module 'workbench' has no attribute {name!r}{meant}")
    if name in _COMPUTED:
        return getattr(import_module("workbench.runs.spool"), _COMPUTED[name])()
    if name == "runs":
        return import_module("workbench.runs")  # the chapter has the name of its view, and shows it when it is called
    return getattr(import_module(_HOMES.get(name, "workbench.runs.spool")), name)
