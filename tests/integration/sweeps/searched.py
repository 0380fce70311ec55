"""A notebook whose score is searched for, and a project with it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import AUTHOR
from workbench.config import Settings
from workbench.runs.run import Run
from workbench.workflow import Workbench

# A guard against hanging, not a promise: ending a process takes long where many others run.
_PATIENCE_S = 240

PARAMETERS = """
from typing import Annotated
from annotated_types import Ge, Le

number: Annotated[int, Ge(0), Le(100)] = 0
gate: str = ""
mode: str = "square"
"""


# Number 0 never waits; the others do while there is a gate to wait for.
BODY = """
import time
from pathlib import Path

import workbench as wb

while number and gate and not Path(gate).exists():
    time.sleep(0.05)
if mode == "fail" and number % 2 and not Path(gate or "nowhere").exists():
    raise ValueError(f"{number} is odd")
wb.log_metrics({"score": -(number - 30) ** 2})
"""


def write_notebook(folder: Path, body: str = BODY) -> Path:
    tagged = {"cell_type": "code", "source": PARAMETERS, "metadata": {"tags": ["parameters"]}, "outputs": []}
    code = {"cell_type": "code", "source": body, "metadata": {}, "outputs": []}
    document = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [tagged, code]}
    path = folder / "scores.ipynb"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def open_bench(project: Path) -> Workbench:
    return Workbench.open(Settings(project, author=AUTHOR))


def numbers(runs: list[Run]) -> list[int]:
    return [run.parameters["number"] for run in runs]
