"""Notebooks in a few lines, and what is found in them."""

from __future__ import annotations

from pathlib import Path

from workbench.config import Settings
from workbench.notebooks.parameters import Parameter
from workbench.readiness.hindrance import Hindrance
from workbench.readiness.kinds import find_hindrances
from workbench.readiness.notebook_code import NotebookCode
from workbench.readiness.surroundings import Surroundings
from workbench.readiness.surveying import survey

SEED = Parameter("seed", "int", 0)
IMPORTS = """import numpy as np
import pandas as pd
import workbench as wb
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
"""
# What every call of a notebook that can be nominated needs.
WHOLE = """wb.log_dataset(train, role="train")
wb.log_dataset(holdout, role="holdout", target="y")
wb.log_predictions(holdout.index, holdout["y"], score)
wb.log_model(model, holdout[features])
"""


def code(source: str, *, tags: tuple[str, ...] = (), shown: str = "") -> dict:
    outputs = [{"output_type": "stream", "name": "stdout", "text": shown}] if shown else []
    return {
        "cell_type": "code",
        "source": source,
        "metadata": {"tags": list(tags)},
        "outputs": outputs,
        "execution_count": None,
    }


def notebook(*cells: str | dict) -> dict:
    written = [cell if isinstance(cell, dict) else code(cell) for cell in cells]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": {"kernelspec": kernel}, "cells": written}


def find(
    *cells: str | dict, around: Surroundings | None = None, parameters: tuple[Parameter, ...] = (SEED,)
) -> list[Hindrance]:
    """Return what is found where nothing is missing."""
    return list(find_hindrances(NotebookCode(notebook(*cells), parameters), around or Surroundings()))


def find_here(folder: Path, *cells: str | dict) -> list[Hindrance]:
    """Return what is found with what is really there: installed packages, kernels, the files of a folder."""
    document = notebook(*cells)
    read = NotebookCode(document, (SEED,))
    return list(find_hindrances(read, survey(document, read, folder, Settings(folder))))


def places(found: list[Hindrance], kind: str) -> list[tuple[int | None, int | None]]:
    return [(each.cell, each.line) for each in found if each.kind == kind]


def kinds(found: list[Hindrance]) -> set[str]:
    return {each.kind for each in found}
