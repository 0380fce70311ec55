"""A notebook is its source: outputs do not change it, and whatever is broken is refused in words."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.notebooks.builders import SEED, SOURCE, code, digest, document, error, markdown, parse
from workbench.errors import UsageError
from workbench.notebooks.notebook import INJECTED, parse_notebook

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
        ([SEED, SEED], "2 cells are"),
        ([SEED, {**markdown("x = 1"), "metadata": {"tags": ["parameters"]}}], "2 cells are"),
        ([code("1"), {**markdown("x = 1"), "metadata": {"tags": ["parameters"]}}], "a markdown cell is"),
    ],
)
def test_at_most_one_cell_declares_the_parameters_and_is_code(cells, found):
    (reason,) = reasons_of(json.dumps(document(*cells)).encode())
    assert reason.startswith(f"{found} tagged `parameters`;")


@pytest.mark.parametrize("tags", [[], ["parameters-old"], ["Parameters"]])
def test_a_notebook_without_such_a_cell_takes_no_parameters(tags):
    assert parse(document(code("x = 1", tags=tags))).parameters == ()


@pytest.mark.parametrize("cells", [[], [markdown("x = 1")], [code(" ")]])
def test_a_notebook_without_code_is_refused(cells):
    assert reasons_of(json.dumps(document(*cells)).encode()) == ("None of its cells holds code.",)


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
