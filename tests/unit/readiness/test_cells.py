"""A cell is read as IPython reads it: magics are understood wherever they stand, and lines keep their numbers."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from tests.unit.readiness.builders import code, notebook
from workbench.readiness import cells
from workbench.readiness.cells import read_cells, read_code

PYTHON = [
    "x = 1",
    "%matplotlib inline\nx = 1",
    "    x = 1\n    y = 2",
    "\n\n%time x = 1",
    "files = !ls -l | wc",
    "!pip install \\\n  nothing",
    "if True:\n    !ls\n    x = 1",
    "%%time\nx = 1\n%timeit -n 3 x + 1",
    "%%bash\necho 'no Python here",
    "%%html\n<b>(</b>",
    "%%nobody_knows_this\nfor",
    "x = 1\nx?",
    "?print",
    "print??",
    ">>> x = 1\n>>> for i in range(2):\n...     print(i)",
    "text = '''\n%no magic\n!none\n'''",
    "await something()",
    "async for x in y:\n    pass",
    "out = %sql select 1",
    "%cd ..\n%env A=1\nf(\n    x,\n)",
    "a, b = %magic two",
    "%alias_magic t timeit",
    "!echo \"it's\"\n!echo (",
]  # fmt: skip
NO_PYTHON = [
    "x = ",
    "for i in",
    "return 1",
    "print 'x'",
    "x = 1\n  y = 2",
    "break",
    "f(\n",
    "%time x = 1\ny = (",
    "if x:\n%time y\nz",
]


def is_python_for_ipython(source: str) -> bool:
    try:
        text = TransformerManager().transform_cell(source)
        compile(text, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError:
        return False
    return True


@pytest.mark.parametrize("source", [*PYTHON, *NO_PYTHON])
def test_a_cell_is_python_where_ipython_says_so(source):
    assert (read_code(source)[2] is None) is is_python_for_ipython(source)
    assert (read_code(source)[2] is None) is (source in PYTHON)


LINES = st.lists(
    st.sampled_from(
        ["x = 1", "%time x", "    %time x", "!ls", "if x:", "    pass", "x?", "'''", "y = !ls \\", "# a", ""]
    ),
    max_size=6,
)


@given(LINES)
def test_whatever_lines_follow_each_other_ipython_agrees(lines):
    source = "\n".join(lines)
    # Within a string IPython takes a line for a command where the next goes on with it; then no line is what it looks like.
    is_taken_apart = {"'''", "y = !ls \\"} <= {*lines}
    if source.strip() and not is_taken_apart:
        assert (read_code(source)[2] is None) is is_python_for_ipython(source)


def test_lines_keep_the_numbers_they_have_in_the_cell():
    tree, magics, fault = read_code("%matplotlib inline\n!pip install \\\n    nothing\nx = (1,\n  2)\n%time y = 1")
    assert fault is None
    assert [(magic.line, magic.name, magic.rest.split()) for magic in magics] == [
        (1, "matplotlib", ["inline"]), (2, "!", ["pip", "install", "nothing"]), (6, "time", ["y", "=", "1"]),
    ]  # fmt: skip
    named = {node.id: node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert named == {"x": 4, "y": 6}


def test_a_fault_says_its_line():
    assert read_code("%matplotlib inline\nx = 1\nfor")[2][0] == 3


def test_cells_are_numbered_as_where_a_run_says_which_one_failed():
    empty, text = code("  \n"), {"cell_type": "markdown", "source": "# x", "metadata": {}}
    injected = code("seed = 1", tags=("injected-parameters",))
    found = read_cells(notebook(text, "a", empty, injected, "b"))
    assert [(cell.number, cell.source) for cell in found] == [(1, "a"), (2, "b")]


def test_what_python_gives_up_on_is_no_python(monkeypatch):
    def give_up(code):
        raise RecursionError("too deep")

    monkeypatch.setattr(cells, "_parse_python", give_up)
    assert read_code("x")[2] == (1, "too deep")


def test_many_magics_are_read_in_one_go():
    _, magics, fault = read_code("\n".join(["!ls"] * 3000))
    assert len(magics) == 3000
    assert fault is None
