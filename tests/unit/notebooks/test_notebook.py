"""A notebook is its source: outputs do not change it, and whatever is broken is refused in words."""

from __future__ import annotations

import copy
import itertools
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workbench.errors import UsageError
from workbench.notebooks.notebook import INJECTED, find_failed_line, parse_notebook, read_execution

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


def parse(value: object):
    return parse_notebook("n.ipynb", json.dumps(value).encode())


def digest(value: object) -> str:
    return parse(value).digest


def error(name: str = "ValueError", value: str = "no") -> dict:
    return {"output_type": "error", "ename": name, "evalue": value, "traceback": []}


# The digest


def with_outputs(cells: list[dict]) -> None:
    cells[2].update(outputs=[{"output_type": "stream", "name": "stdout", "text": "3"}], execution_count=7)


def with_metadata(cells: list[dict]) -> None:
    cells[1]["metadata"] |= {"papermill": {"duration": 3}, "collapsed": True}


def with_ids(cells: list[dict]) -> None:
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"


def with_lines(cells: list[dict]) -> None:
    for cell in cells:
        cell["source"] = cell["source"].splitlines(keepends=True)


@pytest.mark.parametrize("change", [with_outputs, with_metadata, with_ids, with_lines])
def test_the_digest_ignores_what_is_not_source(change):
    changed = copy.deepcopy(SOURCE)
    change(changed["cells"])
    assert changed != SOURCE
    assert digest(changed) == digest(SOURCE)


def test_the_digest_ignores_the_metadata_of_the_whole_notebook():
    metadata = {"language_info": {"version": "3.12.1"}, "papermill": {"parameters": {}}, "widgets": {"state": [None]}}
    assert digest({**SOURCE, "metadata": metadata, "nbformat_minor": 4}) == digest(SOURCE)


def another_source(cells: list[dict]) -> None:
    cells[2]["source"] += " "


def another_comment(cells: list[dict]) -> None:
    cells[0]["source"] = "# title"


def another_tag(cells: list[dict]) -> None:
    cells[2]["metadata"]["tags"] = ["skip-execution"]


def another_type(cells: list[dict]) -> None:
    cells[0]["cell_type"] = "raw"


def another_order(cells: list[dict]) -> None:
    cells[2], cells[3] = cells[3], cells[2]


def one_cell_more(cells: list[dict]) -> None:
    cells.append(code(""))


def one_cell_split(cells: list[dict]) -> None:
    cells[2:3] = [code("print("), code("seed)")]


@pytest.mark.parametrize(
    "change",
    [another_source, another_comment, another_tag, another_type, another_order, one_cell_more, one_cell_split],
)
def test_the_digest_changes_with_the_source(change):
    changed = copy.deepcopy(SOURCE)
    change(changed["cells"])
    assert digest(changed) != digest(SOURCE)


_sources = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=4)


@given(_sources, _sources)
def test_two_notebooks_share_a_digest_exactly_when_they_share_their_cells(first, second):
    digests = [digest(document(SEED, *map(markdown, sources))) for sources in (first, second)]
    assert (digests[0] == digests[1]) is (first == second)


def test_what_is_run_carries_no_outputs_and_no_traces_of_a_former_execution():
    former = document(
        SEED, code("1", 4, outputs=[error()]), metadata={"papermill": {}, "kernelspec": {"name": "python3"}}
    )
    source = parse(former).document
    assert source["metadata"] == {"kernelspec": {"name": "python3"}}
    assert [(cell["outputs"], cell["execution_count"]) for cell in source["cells"]] == [([], None)] * 2


def test_reading_does_not_touch_what_was_read():
    before = json.dumps(SOURCE)
    assert [parameter.name for parameter in parse(SOURCE).parameters] == ["seed"]
    assert json.dumps(SOURCE) == before


# What is refused


def reasons_of(content: bytes) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        parse_notebook("n.ipynb", content)
    assert caught.value.what.startswith("n.ipynb")
    assert caught.value.next_step
    return caught.value.reasons


@pytest.mark.parametrize(
    "cell", [code("train += holdout", tags=[INJECTED]), markdown("x") | {"metadata": {"tags": ["a", INJECTED]}}]
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_no_author_writes_a_cell_that_passes_for_injected_parameters(cell, place):
    cells = [SEED, code("x = 1")]
    cells.insert(place, cell)
    (reason,) = reasons_of(json.dumps(document(*cells)).encode())
    assert reason.startswith(f"Cell {place + 1} of 3 is tagged `{INJECTED}`")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"\x80abc",
        b"{",
        b"null",
        b"[]",
        b"3",
        b'{"nbformat": 3, "worksheets": []}',
        b"import os\n",
        b"PK\x03\x04",
    ],
)
def test_bytes_that_are_no_notebook_are_refused(content):
    assert reasons_of(content)


@pytest.mark.parametrize(
    "changes",
    [
        {"nbformat": 3},
        {"nbformat": "4"},
        {"nbformat_minor": "5"},
        {"cells": {}},
        {"cells": None},
        {"cells": [None]},
        {"cells": [[]]},
        {"cells": [{"source": "x = 1"}]},
        {"cells": [{"cell_type": "code"}]},
        {"cells": [{**SEED, "cell_type": "heading"}]},
        {"cells": [{**SEED, "cell_type": ["code"]}]},
        {"cells": [{**SEED, "source": None}]},
        {"cells": [{**SEED, "source": ["x", 1]}]},
        {"cells": [{**SEED, "source": {"a": "x"}}]},
        {"cells": [{**SEED, "metadata": None}]},
        {"cells": [{**SEED, "metadata": {"tags": "parameters"}}]},
        {"cells": [{**SEED, "metadata": {"tags": ["parameters", float("nan")]}}]},
        {"cells": [{**SEED, "source": "x = 1 # \ud800"}]},
        {"cells": [SEED, markdown("\udfff")]},
        {"metadata": []},
        {"metadata": None},
        {"metadata": {"kernelspec": "python3"}},
        {"metadata": {"kernelspec": None}},
        {"metadata": {"kernelspec": {"name": 3}}},
        {"metadata": {"kernelspec": {"name": "ir", "language": "R"}}},
        {"metadata": {"kernelspec": {"name": "x", "language": ["python"]}}},
    ],
    ids=str,
)
def test_a_document_of_the_wrong_shape_is_refused(changes):
    assert reasons_of(json.dumps({**SOURCE, **changes}).encode())


@pytest.mark.parametrize("missing", ["nbformat", "cells"])
def test_a_document_without_its_parts_is_refused(missing):
    assert reasons_of(json.dumps({key: value for key, value in SOURCE.items() if key != missing}).encode())


def test_a_document_may_lack_what_carries_no_meaning():
    bare = {"nbformat": 4, "cells": [{"cell_type": "code", "source": "s = 1", "metadata": {"tags": ["parameters"]}}]}
    assert parse(bare).document["cells"][0]["outputs"] == []


def test_a_name_that_no_file_system_could_hold_is_refused():
    with pytest.raises(UsageError, match="half of a character"):
        parse_notebook("\udcff.ipynb", json.dumps(SOURCE).encode())


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ([code("x = 1")], "no cell is"),
        ([SEED, SEED], "2 cells are"),
        ([{**markdown("x = 1"), "metadata": {"tags": ["parameters"]}}], "a markdown cell is"),
        ([code("x = 1", tags=["parameters-old"])], "no cell is"),
        ([code("x = 1", tags=["Parameters"])], "no cell is"),
    ],
)
def test_exactly_one_code_cell_declares_the_parameters(cells, found):
    assert reasons_of(json.dumps(document(*cells)).encode()) == (f"{found} tagged `parameters`.",)


_keys = st.sampled_from(["cells", "metadata", "source", "tags", "cell_type", "kernelspec", "language", "name"])
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=8,
)
_cells = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown"]) | _json, "source": st.text(max_size=9) | _json},
    optional={"metadata": st.fixed_dictionaries({"tags": st.just(["parameters"]) | _json}) | _json, "outputs": _json},
)
_documents = st.fixed_dictionaries(
    {"nbformat": st.just(4), "cells": st.lists(_cells | _json, max_size=3) | _json},
    optional={"metadata": st.fixed_dictionaries({"kernelspec": _json}) | _json, "nbformat_minor": _json},
)
_readable = st.text(max_size=9)
_readable_cells = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw"]), "source": _readable | st.lists(_readable, max_size=3)},
    optional={
        "metadata": st.fixed_dictionaries({}, optional={"tags": st.lists(_readable, max_size=2), "name": _json}),
        "outputs": _json,
    },
)
_parameters = st.sampled_from(["seed = 0", ["seed = 0\n", "rate: float = 0.5"], '"nothing"', ""])
_notebooks = st.builds(
    lambda declared, cells, place, metadata: document(*cells[:place], declared, *cells[place:], metadata=metadata),
    _parameters.map(lambda source: {**SEED, "source": source}),
    st.lists(_readable_cells, max_size=3),
    st.integers(0, 3),
    st.sampled_from([{}, {"kernelspec": {"name": "x"}}, {"kernelspec": {}, "widgets": [None]}]),
)


@given(st.booleans().flatmap(lambda usual: _notebooks if usual else _documents | _json))
@example(document({**SEED, "source": "x = 0x" + "f" * 5000}))
@example(document({**SEED, "source": "x: Literal[()] = 1"}))
def test_whatever_json_it_is_it_is_read_or_refused(value):
    try:
        notebook = parse(value)
    except UsageError as exc:
        assert exc.reasons
        return
    assert len(notebook.digest) == 64
    assert parse(notebook.document).digest == notebook.digest


@given(st.binary(max_size=60))
def test_whatever_bytes_they_are_they_are_read_or_refused(content):
    assert reasons_of(content)


# What an executed notebook shows


def test_a_notebook_that_ran_top_to_bottom_is_clean():
    execution = read_execution(document(SEED | {"execution_count": 1}, markdown("x"), code("1", 2)), completed=True)
    assert execution.is_clean
    assert (execution.code_cells, execution.executed_cells, execution.failed_cell) == (2, 2, None)


@pytest.mark.parametrize(
    "cells",
    [
        [code("1", 1), code("2", None)],
        [code("1", 1), code("2", None, outputs=[{"output_type": "stream", "name": "stdout", "text": "stale"}])],
        [code("1", 2), code("2", 1)],
        [code("1", 1), code("2", 1)],
        [code("1", 1), code("2", 2, outputs=[error()])],
        [code("", 1, outputs=[]), code("2", None)],
    ],
    ids=["never ran", "stale output", "out of order", "one count twice", "error", "only an empty cell ran"],
)
def test_a_notebook_with_a_cell_that_did_not_run_in_its_place_is_not_clean(cells):
    assert not read_execution(document(*cells), completed=True).is_clean


def test_a_notebook_the_kernel_did_not_confirm_is_not_clean():
    assert not read_execution(document(code("1", 1)), completed=False).is_clean


def test_empty_cells_are_not_expected_to_run():
    execution = read_execution(document(code("1", 1), code(" \n\t", None), code("2", 2)), completed=True)
    assert execution.is_clean
    assert execution.code_cells == 2


def test_a_jump_in_the_counts_is_in_order():
    assert read_execution(document(code("1", 3), code("2", 9)), completed=True).in_order


def test_a_failed_cell_is_numbered_as_its_author_sees_it():
    cells = [markdown("x"), SEED | {"execution_count": 1}, code("seed = 3", 2, tags=[INJECTED])]
    execution = read_execution(
        document(*cells, code("1 / 0", 3, outputs=[error("ZeroDivisionError", "division by zero")])), completed=True
    )
    assert (execution.failed_cell, execution.error) == (2, "ZeroDivisionError: division by zero")
    assert execution.code_cells == 3


def test_the_first_error_is_the_one_that_is_told():
    cells = [code("a", 1, outputs=[error("First")]), code("b", 2, outputs=[error("Second")])]
    assert read_execution(document(*cells), completed=True).error == "First: no"


def test_a_cell_that_was_expected_to_fail_is_not_told_in_place_of_the_one_that_ended_the_run():
    expected = code("a", 1, outputs=[error("Expected")], tags=["raises-exception"])
    execution = read_execution(document(expected, code("b", 2, outputs=[error("Real")])), completed=True)
    assert (execution.failed_cell, execution.error) == (2, "Real: no")
    alone = read_execution(document(expected), completed=True)
    assert (alone.failed_cell, alone.error) == (1, "Expected: no")


TOLD = [
    "\x1b[31mZeroDivisionError\x1b[39m  Traceback (most recent call last)",
    "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[4]\x1b[39m\x1b[32m, line 3\x1b[39m",
    "Cell In[2], line 2, in ratio(a, b)",
]


def fail(source: str, traceback: object) -> str | None:
    cells = [code("a", 2), code("seed = 3", 3, tags=[INJECTED]), code(source, 4)]
    cells[2]["outputs"] = [error() | {"traceback": traceback}]
    return find_failed_line(document(*cells), 2)


def test_the_line_that_failed_is_that_of_the_cell_and_not_of_a_function_it_called():
    assert fail("x = 1\n\n  y = ratio(x, 0)\n", TOLD) == "line 3: y = ratio(x, 0)"


def test_a_long_line_is_cut():
    line = fail("\n\n" + "x" * 200, TOLD)
    assert line == f"line 3: {'x' * 79}…"


@pytest.mark.parametrize(
    ("source", "traceback"),
    [("one line", TOLD), ("a\nb\nc", []), ("a\nb\nc", None), ("a\nb\nc", 7), ("a\nb\nc", ["In[4], line 0"])],
)
def test_what_tells_no_line_of_the_cell_gives_none(source, traceback):
    assert fail(source, traceback) is None


@given(st.lists(st.none() | st.integers(1, 6), min_size=1, max_size=6))
def test_a_clean_notebook_has_rising_counts_in_every_cell(counts):
    execution = read_execution(document(*(code("x", count) for count in counts)), completed=True)
    rises = None not in counts and all(a < b for a, b in itertools.pairwise(counts))
    assert execution.is_clean is rises
