"""The form of a notebook's parameters: the control each type gets, and that what is left as it is says what the notebook says."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest

from workbench.jupyterlab.parameter_fields import describe_fields
from workbench.notebooks.notebook import Notebook, parse_notebook
from workbench.notebooks.parameters import bind_parameters, parse_value
from workbench.sweeps.search import parse_axis, require_space

CELL = """\
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal
from annotated_types import Ge, Gt, Le
import workbench as wb
family: Literal["forest", "linear"] = "linear"
depth: Annotated[int, Ge(1), Le(50)] = 3
steps: Annotated[int, Ge(0.5)] = 2
rate: Annotated[float, Ge(0.001), Le(10)] = 0.1
above: Annotated[float, Gt(0)] = 1e-3
title: str = "a, b"
quoted: str = '"so"'
span: str = "0..4"
empty: str = ""
note: str | None = None
until: date | None = None
since: date = date(2026, 1, 31)
at: datetime = datetime(2026, 1, 31, 12, 30)
columns: list[str] = ["age", "income"]
pair: tuple[int, int] = (1, 2)
shuffle: bool = True
maybe: bool | None = None
level: Literal[1, 2] | None = None
place: Path = Path("data/rows.csv")
token: wb.Secret = "env:API_TOKEN"
limit: int | None = None
anything = None
"""


def read(cell: str) -> Notebook:
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell, metadata={"tags": ["parameters"]})])
    return parse_notebook("train.ipynb", nbformat.writes(document).encode())


NOTEBOOK = read(CELL)
FIELDS: dict[str, dict[str, Any]] = {field["name"]: field for field in describe_fields(NOTEBOOK.parameters)}
DECLARED = {each.name: each for each in NOTEBOOK.parameters}


@pytest.mark.parametrize(
    ("name", "control", "value", "empty"),
    [
        ("family", "select", "linear", None),
        ("depth", "number", "3", None),
        ("rate", "number", "0.1", None),
        ("title", "text", "a, b", ""),
        ("note", "text", "none", ""),
        ("until", "date", "", "none"),
        ("since", "date", "2026-01-31", None),
        ("at", "datetime-local", "2026-01-31T12:30:00", None),
        ("columns", "text", '["age", "income"]', None),
        ("shuffle", "select", "true", None),
        ("place", "text", "data/rows.csv", None),
        ("token", "text", "env:API_TOKEN", None),
        ("limit", "number", "", "none"),
    ],
)
def test_a_parameter_is_asked_for_by_its_type(name: str, control: str, value: str, empty: str | None) -> None:
    field = FIELDS[name]
    assert (field["control"], field["value"], field["empty"]) == (control, value, empty)


def test_a_choice_lists_what_there_is_and_nothing_where_that_fits() -> None:
    assert [FIELDS[name]["options"] for name in ("family", "shuffle", "maybe", "level", "depth")] == [
        ["forest", "linear"], ["true", "false"], ["true", "false", "none"], ["1", "2", "none"], []
    ]  # fmt: skip


def test_a_number_carries_the_limits_its_control_can_hold_it_against() -> None:
    assert FIELDS["depth"]["attributes"] == {"step": "1", "min": "1", "max": "50"}
    assert FIELDS["rate"]["attributes"]["max"] == "10"
    assert float(FIELDS["rate"]["attributes"]["min"]) == 0.001
    assert FIELDS["above"]["attributes"] == {"step": "any"}
    assert FIELDS["steps"]["attributes"] == {"step": "1"}
    assert FIELDS["limit"]["attributes"] == {"placeholder": "none", "step": "1"}
    assert not any("placeholder" in FIELDS[name]["attributes"] for name in ("maybe", "note"))
    assert FIELDS["rate"]["expects"] == "A number at least 0.001 and at most 10"


@pytest.mark.parametrize("name", list(FIELDS))
def test_a_field_left_as_it_is_gives_the_notebooks_own_value(name: str) -> None:
    field, parameter = FIELDS[name], DECLARED[name]
    text = field["value"] or (field["empty"] if field["control"] != "text" else field["value"])
    assert bind_parameters((parameter,), {name: parse_value(parameter, text)}) == bind_parameters((parameter,), {})


@pytest.mark.parametrize("name", list(FIELDS))
def test_a_field_left_as_it_is_in_a_sweep_is_one_value_the_notebooks_own(name: str) -> None:
    parameter = DECLARED[name]
    axis = parse_axis(parameter, FIELDS[name]["axis"])
    require_space([parameter], {name: axis}, "grid")
    assert isinstance(axis, list)
    assert [bind_parameters((parameter,), {name: value}) for value in axis] == [bind_parameters((parameter,), {})]


def test_a_secret_is_asked_for_by_reference_and_never_by_value() -> None:
    assert FIELDS["token"]["attributes"] == {"placeholder": "env:NAME"}
    assert FIELDS["token"]["expects"].startswith("A reference to a secret")
