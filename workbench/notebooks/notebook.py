"""A notebook: the source that is run; its digest ignores outputs."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from workbench.errors import UsageError
from workbench.notebooks.execution import Execution
from workbench.notebooks.parameters import Parameter
from workbench.notebooks.parameters_cell import read_parameters
from workbench.records.digest import canonical_json, sha256_hex

# What cells are tagged with. By the last Jupyter's tools are told to go on after a cell that fails.
PARAMETERS, INJECTED, MAY_FAIL = "parameters", "injected-parameters", "raises-exception"
_CELL_TYPES = ("code", "markdown", "raw")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LONGEST_LINE = 80


@dataclass(frozen=True)
class Notebook:
    """A readable notebook with its declared parameters; `document` is nbformat 4 without outputs."""

    name: str
    document: dict[str, Any]
    parameters: tuple[Parameter, ...]
    digest: str


def parse_notebook(name: str, content: bytes) -> Notebook:
    """Read a notebook from its bytes; raises UsageError when it is broken. One without a cell tagged `parameters` takes none."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as exc:
        raise _broken(name, f"It is not JSON: {exc}.") from exc
    fault = find_notebook_fault(document)
    if fault:
        raise _broken(name, fault)
    _require_none_injected(name, document["cells"])
    source = strip_outputs(document)
    if not _code_cells(source):
        raise UsageError(
            f"{name} cannot be used.",
            why="None of its cells holds code.",
            next_step="Write some, save the notebook and run it again.",
        )
    try:
        name.encode()
        digest = _digest(source)
    except UnicodeEncodeError as exc:
        readable = name.encode(errors="replace").decode()
        raise _broken(readable, "Its name or a cell holds half of a character (a lone surrogate).") from exc
    return Notebook(name, source, read_declared(name, source), digest)


def _require_none_injected(name: str, cells: Sequence[Mapping[str, Any]]) -> None:
    # By this tag papermill and everybody who reads what was executed tell the injected cell from those of the author.
    found = next((number for number, cell in enumerate(cells, 1) if INJECTED in tags_of(cell)), None)
    if found is not None:
        raise UsageError(
            f"{name} cannot be used.",
            why=f"Cell {found} of {len(cells)} is tagged `{INJECTED}`: it was written when this notebook was executed before.",
            next_step="Run the notebook it was made from; or delete that cell, or its tag where the code in it is yours.",
        )


def find_notebook_fault(document: Any) -> str | None:
    """Return why a JSON value is no notebook, None when it is one that can be run."""
    if not isinstance(document, dict) or document.get("nbformat") != 4 or not isinstance(document.get("cells"), list):
        return "It is not a notebook of format 4 with a list of cells."
    if type(document.setdefault("nbformat_minor", 4)) is not int:
        return "Its minor format is no number."
    wrong = next((number for number, cell in enumerate(document["cells"], 1) if not _is_cell(cell)), None)
    if wrong is not None:
        return f"Cell {wrong} of {len(document['cells'])} has no type, no source or unreadable tags."
    metadata = document.setdefault("metadata", {})
    kernel = metadata.get("kernelspec", {}) if isinstance(metadata, dict) else None
    if not isinstance(kernel, dict) or not isinstance(kernel.get("name", ""), str):
        return "Its metadata names no kernel that can be read."
    language = kernel.get("language", "python")
    return None if language == "python" else f"Its kernel runs {language}; this version runs Python notebooks."


def _is_cell(cell: Any) -> bool:
    if not isinstance(cell, dict) or cell.get("cell_type") not in _CELL_TYPES:
        return False
    metadata = cell.get("metadata", {})
    tags = metadata.get("tags", []) if isinstance(metadata, dict) else None
    return _is_text(cell.get("source")) and isinstance(tags, list) and _is_text(tags)


def _is_text(value: Any) -> bool:
    """True for a text or a list of texts."""
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def _broken(name: str, why: str) -> UsageError:
    return UsageError(f"{name} cannot be used.", why=why, next_step="Open it in JupyterLab and save it again.")


def read_declared(name: str, document: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """Return the parameters a notebook declares in its cell tagged `parameters`; raises UsageError where it cannot be read."""
    tagged = [cell for cell in document["cells"] if PARAMETERS in tags_of(cell)]
    if not tagged:
        return ()
    if len(tagged) == 1 and tagged[0]["cell_type"] == "code":
        return read_parameters(cell_source(tagged[0]))
    found = f"{len(tagged)} cells are" if len(tagged) > 1 else f"a {tagged[0]['cell_type']} cell is"
    raise UsageError(
        f"{name} cannot be used.",
        why=f"{found} tagged `parameters`; which values it takes is told by one code cell.",
        next_step="Keep that tag on the code cell that declares them (JupyterLab: right sidebar, property inspector, cell tags).",
    )


def cell_source(cell: Mapping[str, Any]) -> str:
    """Return a cell's source as one text (the format allows a list of lines)."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def strip_outputs(document: dict[str, Any]) -> dict[str, Any]:
    """Return a copy without outputs, execution counts and what a previous execution left in the metadata."""
    source = copy.deepcopy(document)
    source["metadata"] = {key: value for key, value in source.get("metadata", {}).items() if key == "kernelspec"}
    for cell in source["cells"]:
        cell["metadata"] = {key: value for key, value in cell.get("metadata", {}).items() if key == "tags"}
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return source


def extract_source(executed: dict[str, Any]) -> bytes:
    """Return the notebook that was executed as its author wrote it: without outputs and injected parameters, as JSON bytes."""
    cells = [
        {"cell_type": cell["cell_type"], "metadata": {}, "source": cell_source(cell)}
        for cell in strip_outputs(executed)["cells"]
        if INJECTED not in tags_of(cell)
    ]
    for cell in cells:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}, indent=1).encode()


def _digest(document: dict[str, Any]) -> str:
    cells = [
        {"type": cell["cell_type"], "source": cell_source(cell), "tags": cell["metadata"].get("tags", [])}
        for cell in document["cells"]
    ]
    return sha256_hex(canonical_json(cells))


def written_cells(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the cells as their author counts them, from 1: code that somebody wrote, neither empty nor injected parameters."""
    return [cell for cell in _code_cells(document) if INJECTED not in tags_of(cell)]


def number_cells(document: Mapping[str, Any]) -> list[int]:
    """Return the number that each cell of a document counts as: its own, that of the written cell before, at least 1."""
    written = {id(cell) for cell in written_cells(document)}
    return [max(number, 1) for number in accumulate(int(id(cell) in written) for cell in document["cells"])]


def _code_cells(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in document["cells"] if cell["cell_type"] == "code" and cell_source(cell).strip()]


def find_failed_cell(document: Mapping[str, Any]) -> int | None:
    """Return which written cell shows an error: rather one that nobody said may fail, for such a cell ended the execution."""
    failures = [(number, cell) for number, cell in enumerate(written_cells(document), 1) if _errors_of(cell)]
    return min(failures, key=lambda each: MAY_FAIL in tags_of(each[1]), default=(None, {}))[0]


def read_execution(document: Mapping[str, Any], *, completed: bool) -> Execution:
    """Say what an executed notebook shows; a non-empty code cell without an execution count was never run."""
    cells = _code_cells(document)
    counts = [count for cell in cells if (count := cell.get("execution_count")) is not None]
    failed_cell = find_failed_cell(document)
    return Execution(
        code_cells=len(cells),
        executed_cells=len(counts),
        in_order=counts == sorted(counts) and len(set(counts)) == len(counts),
        error=_error_of(written_cells(document)[failed_cell - 1]) if failed_cell else None,
        failed_cell=failed_cell,
        completed=completed,
    )


def find_failed_line(document: Mapping[str, Any], failed_cell: int) -> str | None:
    """Return the line at which a written cell failed, as `line 3: fit(rows)`; None when nothing tells."""
    cell = written_cells(document)[failed_cell - 1]
    traceback, lines = _errors_of(cell)[0].get("traceback"), cell_source(cell).splitlines()
    told = _COLOUR.sub("", "\n".join(map(str, traceback))) if isinstance(traceback, list) else ""
    found = re.search(rf"In\[{cell.get('execution_count')}\], line ([0-9]{{1,6}})\b", told)
    if found is None or not 1 <= int(found[1]) <= len(lines):
        return None
    line = lines[int(found[1]) - 1].strip()
    return f"line {found[1]}: {line if len(line) <= _LONGEST_LINE else f'{line[: _LONGEST_LINE - 1]}…'}"


def tags_of(cell: Mapping[str, Any]) -> Sequence[str]:
    """Return what a cell is tagged with."""
    tags: Sequence[str] = cell.get("metadata", {}).get("tags", ())
    return tags


def _error_of(cell: Mapping[str, Any]) -> str:
    error = _errors_of(cell)[0]
    return f"{error.get('ename')}: {error.get('evalue')}"


def _errors_of(cell: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [output for output in cell.get("outputs", []) if output.get("output_type") == "error"]
