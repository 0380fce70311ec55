"""Everything a notebook can see of its kernel is the same in a warm and in a cold one, but for what one list names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.conftest import own_environment
from tests.integration.started_kernels import CellFailed, Kernel
from workbench.executors import warm_parents

pytestmark = pytest.mark.usefixtures("kept_parents")
LIBRARIES = ("matplotlib.pyplot", "numpy.random", "pandas")
README = Path(warm_parents.__file__).parent / "README.md"
PROBES = yaml.safe_load(Path(__file__).with_name("kernel_probes.yaml").read_text(encoding="utf-8"))
MAY_DIFFER = {name: reason for reason, names in PROBES["may_differ"].items() for name in names}
_ASK = """
def _answer(code):
    try:
        return repr(eval(code))
    except Exception as exc:
        return repr(exc)
print(__import__('json').dumps({{name: _answer(code) for name, code in {probes!r}.items()}}))
"""


def test_a_warm_kernel_differs_from_a_cold_one_in_nothing_that_is_not_listed(start, tmp_path):
    environment = own_environment(IPYTHONDIR=str(tmp_path / "ipython"))
    for name in ("PYTHONHASHSEED", "PYTEST_CURRENT_TEST"):  # chance may have its way, and ipykernel shows what C prints
        environment.pop(name, None)
    cold, warm = (
        ask_everything(kernel) for kernel in (start.cold(env=environment), start.warm(LIBRARIES, env=environment))
    )
    different = {name: (cold[name], warm[name]) for name in cold if cold[name] != warm[name]}
    assert {name: answers for name, answers in different.items() if name not in MAY_DIFFER} == {}
    assert [name for name in MAY_DIFFER if name not in different] == []


def ask_everything(kernel: Kernel) -> dict[str, str]:
    """Return what each probe shows in a kernel that has done nothing yet, as a text that another kernel may have too."""
    answers = show_cells(kernel, PROBES["first_cells"])
    kernel.run(PROBES["names"])
    answers |= evaluate(kernel, PROBES["fresh"]) | show_cells(kernel, PROBES["cells"])
    kernel.run(PROBES["imports"])
    answers |= evaluate(kernel, PROBES["imported"]) | show_cells(kernel, PROBES["last_cells"])
    return {name: mask(text, kernel) for name, text in answers.items()}


def evaluate(kernel: Kernel, probes: Mapping[str, str]) -> dict[str, str]:
    kernel.run(_ASK.format(probes=dict(probes)))
    return dict(json.loads(read_stream(kernel, "stdout")))


def show_cells(kernel: Kernel, cells: Mapping[str, str]) -> dict[str, str]:
    return {name: show_cell(kernel, code) for name, code in cells.items()}


def show_cell(kernel: Kernel, code: str) -> str:
    """Return all that is shown below a cell; each stream in one piece, for it comes in pieces by chance."""
    try:
        kernel.run(code)
    except CellFailed as exc:
        kernel.outputs.append({"failed": str(exc)})
    shown = [output for output in kernel.outputs if {"data", "traceback", "failed"} & output.keys()]
    return json.dumps([read_stream(kernel, "stdout"), read_stream(kernel, "stderr"), shown], sort_keys=True)


def read_stream(kernel: Kernel, name: str) -> str:
    return "".join(output["text"] for output in kernel.outputs if output.get("name") == name)


def mask(text: str, kernel: Kernel) -> str:
    """Hide what names one process: its id, its connection, where objects lie, the ids of what it shows."""
    text = text.replace(kernel.manager.connection_file, "CONNECTION")
    return re.sub(r"0x[0-9a-f]+|[0-9a-f]{32}", "ID", re.sub(rf"(?<!\d){kernel.pid}(?!\d)", "PID", text))


def test_the_list_names_probes_and_its_reasons_are_in_the_readme():
    probes = [name for part in ("first_cells", "fresh", "cells", "imported", "last_cells") for name in PROBES[part]]
    assert len(probes) == len(set(probes)) >= 100
    assert set(MAY_DIFFER) <= set(probes)
    text = README.read_text(encoding="utf-8")
    assert [reason for reason in PROBES["may_differ"] if reason not in text] == []
