"""How long two notebooks with sixteen megabytes of outputs take to be held against each other, beside nbdime, in processor time."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from tests.benchmarks.line import Line

MEGABYTES = 16
# By the ids that cells have since format 4.5 nbdime matches them; where they have none it looks into sources and outputs.
CASES = ((40, True), (40, False), (80, False))
_TIMES, _OTHER_TIMES = 5, 1


def measure(folder: Path) -> Iterator[Line]:
    """Both sides read the same two files in a process of their own, and say which cells, lines and outputs differ."""
    nbdime = _install_nbdime(folder / "nbdime")
    for count, has_ids in CASES:
        place = folder / f"{count}{has_ids}"
        place.mkdir()
        before, after = write_notebooks(place, count, has_ids=has_ids)
        ours = [_time(sys.executable, _OURS, before, after, str(count)) for _ in range(_TIMES)]
        theirs = [_time(nbdime, _NBDIME, before, after) for _ in range(_OTHER_TIMES)]
        cells = f"{count} cells {'with' if has_ids else 'without'} ids"
        what, other = f"the difference of two notebooks of {cells}, {MEGABYTES} MB of outputs", "nbdime.diff_notebooks"
        yield Line(f"{what}, processor time", [cpu for cpu, _ in ours], other, [cpu for cpu, _ in theirs])
        yield Line(f"{what}, memory", [peak for _, peak in ours], other, [peak for _, peak in theirs], unit="MB")


def _install_nbdime(place: Path) -> str:
    """Return a Python with nbdime, away from ours: it would come into JupyterLab as an extension."""
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, place], check=True)
    python = str(place / "bin" / "python")
    subprocess.run([*uv, "pip", "install", "-q", "--python", python, "nbdime==4.0.4"], check=True)
    return python


def write_notebooks(folder: Path, count: int, *, has_ids: bool) -> tuple[Path, Path]:
    """Write what two runs of a notebook leave: a few cells are changed, moved and added, and each shows other numbers."""
    random_ = random.Random(7)
    cells = [_make_cell(number, MEGABYTES * 1_000_000 // count, random_) for number in range(count)]
    others = [
        _change_cell(number, cell, MEGABYTES * 1_000_000 // count, random_)
        for number, cell in enumerate(json.loads(json.dumps(cells)))
    ]
    others.insert(5, others.pop(30))
    others.insert(12, nbformat.v4.new_code_cell("print('new')"))
    paths = folder / "before.ipynb", folder / "after.ipynb"
    for path, held in zip(paths, (cells, others), strict=True):
        notebook = dict(nbformat.v4.new_notebook(cells=[nbformat.from_dict(cell) for cell in held]))
        if not has_ids:
            notebook |= {"nbformat_minor": 4, "cells": [{k: v for k, v in cell.items() if k != "id"} for cell in held]}
        path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")
    return paths


def _make_cell(number: int, size: int, random_: random.Random) -> dict[str, Any]:
    lines = [f"value_{number}_{line} = {random_.random()}" for line in range(12)]
    cell = nbformat.v4.new_code_cell(
        "\n".join(lines), execution_count=number + 1, outputs=[_OUTPUTS[number % 4](size, random_)]
    )
    return dict(json.loads(json.dumps(cell)))


def _change_cell(number: int, cell: dict[str, Any], size: int, random_: random.Random) -> dict[str, Any]:
    """Every eighth source is changed in a line; all outputs are others, as those of another seed are."""
    if number % 8 == 0:
        cell["source"] += f"\nmore = {number}"
    cell["outputs"] = [_OUTPUTS[number % 4](size, random_)]
    return cell


def _log(size: int, random_: random.Random) -> dict[str, Any]:
    text = "".join(f"epoch {line}: loss {random_.random():.6f}\n" for line in range(size // 27))
    return dict(nbformat.v4.new_output("stream", name="stdout", text=text))


def _picture(size: int, random_: random.Random) -> dict[str, Any]:
    data = {"image/png": base64.b64encode(random_.randbytes(3 * size // 4)).decode(), "text/plain": "<Figure>"}
    return dict(nbformat.v4.new_output("display_data", data=data))


def _page(size: int, random_: random.Random) -> dict[str, Any]:
    rows = "".join(f"<tr><td>{line}</td><td>{random_.random():.6f}</td></tr>\n" for line in range(size // 42))
    data = {"text/html": f"<table>{rows}</table>", "text/plain": "a table"}
    return dict(nbformat.v4.new_output("display_data", data=data))


def _chart(size: int, random_: random.Random) -> dict[str, Any]:
    data = {"application/vnd.plotly.v1+json": {"data": [{"y": [random_.random() for _ in range(size // 20)]}]}}
    return dict(nbformat.v4.new_output("display_data", data=data))


_OUTPUTS = (_log, _picture, _page, _chart)
# Not what `getrusage` says: that is of the process which started this one, too.
_END = """
took_s = time.process_time() - began
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(took_s, int(peak.split()[1]) / 1024)
"""
_OURS = f"""
import sys, time
from pathlib import Path
from workbench.comparisons.difference.reading import decode_notebook
from tests.unit.comparisons.sides import build_pair
from workbench.comparisons.difference.outputs import compare_outputs
from workbench.comparisons.difference.source import compare_sources
began = time.process_time()
documents = [decode_notebook(Path(path).read_bytes()) for path in sys.argv[1:3]]
pair = build_pair(*documents)
source, outputs = compare_sources(pair), compare_outputs(pair)
count = int(sys.argv[3])
assert len(source.tables[0].rows) == count // 8 + 2 and len(outputs.tables[0].rows) == count, (source, outputs.says)
{_END}"""
_NBDIME = f"""
import sys, time
import nbdime, nbformat
began = time.process_time()
notebooks = [nbformat.read(path, as_version=4) for path in sys.argv[1:]]
assert nbdime.diff_notebooks(*notebooks)
{_END}"""


def _time(python: str, code: str, *given: Path | str) -> tuple[float, float]:
    """Return the processor time, and the most memory in megabytes, of a process of its own."""
    command = [python, "-W", "ignore", "-c", code, *map(str, given)]
    cpu, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(cpu), float(peak)
