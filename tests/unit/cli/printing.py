"""What is printed on a terminal of 80 columns, and a run to print."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.unit.people import AUTHOR, ENDED, RUN_ID
from workbench.runs.run import Run, RunState


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)


def build_run(number: int = 0, **changes) -> Run:
    facts = {
        "id": f"{int(RUN_ID, 16) + number:012x}",
        "notebook": "notebooks/01_train.ipynb",
        "notebook_digest": "ab" * 32,
        "parameters": {"strength": 0.1 * number, "seed": 7},
        "provenance": {"git_commit": "9c1d2f7b6a5e4c3d", "git_dirty": True},
        "author": AUTHOR,
        "created": ENDED,
        "state": RunState.FINISHED,
        "record": {
            "metrics": {"roc_auc": 0.99517},
            "datasets": [{"name": "holdout", "role": "holdout", "rows": 1430, "columns": 31, "digest": "ef" * 32}],
        },
    }
    return Run(**{**facts, **changes})


def printed(capsys, call, *arguments) -> str:
    call(*arguments)
    return capsys.readouterr().out


def widths(text: str) -> list[int]:
    return [cell_len(line) for line in text.splitlines()]
