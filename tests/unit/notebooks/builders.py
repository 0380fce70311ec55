"""Cells and notebooks as JSON."""

from __future__ import annotations

import json

from workbench.notebooks.notebook import Notebook, parse_notebook

SEED = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "seed = 0", "outputs": []}


def code(source: str, count: int | None = None, *, outputs: list | None = None, tags: list | None = None) -> dict:
    metadata = {"tags": tags} if tags else {}
    return {
        "cell_type": "code",
        "source": source,
        "execution_count": count,
        "metadata": metadata,
        "outputs": outputs or [],
    }


def markdown(source: str) -> dict:
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def document(*cells: dict, **changes: object) -> dict:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **changes}


SOURCE = document(markdown("# Title"), SEED, code("print(seed)"), code("seed + 1"))


def parse(value: object) -> Notebook:
    return parse_notebook("n.ipynb", json.dumps(value).encode())


def digest(value: object) -> str:
    return parse(value).digest


def error(name: str = "ValueError", value: str = "no") -> dict:
    return {"output_type": "error", "ename": name, "evalue": value, "traceback": []}
