"""What a notebook declares is what it takes, and nothing that is given becomes code."""

from __future__ import annotations

import ast
import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from papermill.translators import PythonTranslator

from workbench.errors import UsageError
from workbench.notebooks.parameters import (
    MOST_COMBINATIONS,
    Parameter,
    bind_parameters,
    expand_grid,
    parse_value,
    parse_values,
    split_values,
)
from workbench.notebooks.parameters_cell import read_parameters
from workbench.notebooks.value_types import DEEPEST_VALUE, LONGEST_VALUE, ValueType

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
_plain = st.none() | st.booleans() | _numbers | _text
JSON = st.recursive(
    _plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4), max_leaves=12
)


def is_refused(parameter: Parameter, value: object) -> bool:
    try:
        bind_parameters((parameter,), {parameter.name: value})
    except UsageError as exc:
        assert exc.reasons
        assert exc.next_step
        return True
    return False


# What may be given


@given(JSON)
def test_an_accepted_value_comes_back_as_it_was_given(value):
    assert bind_parameters((Parameter("x", ValueType(optional=True), 0),), {"x": value}) == {"x": value}


@given(st.sampled_from(["int", "float", "str", "bool", "list", "dict"]), JSON)
def test_a_value_is_taken_exactly_when_it_has_the_type(kind, value):
    kinds = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,), "list": (list,), "dict": (dict,)}
    fits = isinstance(value, kinds[kind]) and (kind == "bool" or not isinstance(value, bool))
    assert is_refused(Parameter("x", ValueType(kind), None), value) is not fits


@given(
    st.fixed_dictionaries({}, optional={"seed": st.integers(-9, 9), "rate": st.integers(-9, 9) | st.floats(-9, 9)}),
    st.dictionaries(st.sampled_from(["seed", "rate"]) | _text, JSON, max_size=1),
)
def test_only_declared_names_are_ever_bound(fitting, other):
    declared, values = read_parameters("seed = 0\nrate = 0.5"), fitting | other
    try:
        bound = bind_parameters(declared, values)
    except UsageError:
        assert values
        return
    assert bound == {"seed": 0, "rate": 0.5, **values}
    assert set(bound) == {"seed", "rate"}


@pytest.mark.parametrize(
    "name",
    ["x\nimport os", "x; import os", "x=1)#", "__import__('os')", "../x", "{x}", "x.y", "", " x", "X", "ｘ"],  # noqa: RUF001
)
def test_a_name_that_was_not_declared_is_refused_whatever_it_looks_like(name):
    with pytest.raises(UsageError, match="not a parameter of this notebook"):
        bind_parameters((Parameter("x", ValueType("int"), 1),), {name: 1})


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


def endless() -> list:
    value: list = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        [math.nan],
        {"a": {"b": math.inf}},
        10**400,
        10**5000,
        [-(10**5000)],
        "\ud800",
        {"\udfff": 1},
        {1: 2},
        (1, 2),
        {1, 2},
        b"a",
        1j,
        object(),
        nested(DEEPEST_VALUE + 1),
        endless(),
        "x" * LONGEST_VALUE,
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("kind", [None, "float", "str", "list"])
def test_whatJSON_cannot_hold_is_refused(kind, value):
    assert is_refused(Parameter("x", ValueType(kind), None), value)


def test_a_value_may_be_as_deep_and_as_long_as_the_limit():
    parameter = Parameter("x", ValueType(), 0)
    assert not is_refused(parameter, nested(DEEPEST_VALUE - 1))
    assert not is_refused(parameter, "x" * (LONGEST_VALUE - 2))


def test_one_error_lists_everything_that_does_not_fit():
    declared = read_parameters("seed = 0\nrate: Annotated[float, Gt(0)] = 0.5\nname = 'a'")
    with pytest.raises(UsageError) as caught:
        bind_parameters(declared, {"seed": 1.5, "rate": 0, "nmae": "b", "name": "c"})
    assert caught.value.what == "3 parameters do not fit the notebook."
    assert caught.value.reasons == (
        "'nmae' is not a parameter of this notebook; it has seed, rate, name. Did you mean name?",
        "rate is 0; expected a number above 0.",
        "seed is 1.5; expected a whole number.",
    )


def test_a_long_value_is_shown_in_short():
    with pytest.raises(UsageError) as caught:
        bind_parameters((Parameter("x", ValueType("int"), 0),), {"x": "y" * 500})
    assert len(caught.value.reasons[0]) < 120


# From the command line


@given(JSON)
def test_a_value_written_asJSON_is_read_back(value):
    assert parse_value(Parameter("x", ValueType(), 0), json.dumps(value)) == value


@given(_text)
def test_text_for_a_text_parameter_stands_as_it_is(text):
    assert parse_value(Parameter("x", ValueType("str"), ""), text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [("True", True), ("FALSE", False), ("None", None), ("null", None), ("-1", -1), ("1e-3", 0.001), ("auto", "auto")],
)
def test_words_of_python_andJSON_are_both_understood(text, value):
    assert parse_value(Parameter("x", ValueType(), 0), text) == value


def test_null_is_absence_only_where_a_text_may_be_absent():
    assert parse_value(Parameter("x", ValueType("str", optional=True), ""), "null") is None
    assert parse_value(Parameter("x", ValueType("str"), ""), "null") == "null"


@pytest.mark.parametrize("text", ["1" * 5000, "NaN", "-Infinity", '{"a": 1, "a": 2}', "[1", "\udcff", "0x10", "1_000"])
def test_what_is_noJSON_is_kept_as_text_to_be_refused(text):
    parameter = Parameter("x", ValueType("float"), 0.0)
    assert parse_value(parameter, text) == text
    assert is_refused(parameter, text)


# Sweeps


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2", ["1", "2"]),
        ("1, 2", ["1", "2"]),
        ("0..4", ["0", "1", "2", "3", "4"]),
        ("-1..1, 5", ["-1", "0", "1", "5"]),
        ("3..3", ["3"]),
        ("[1,2],[3]", ["[1,2]", "[3]"]),
        ('{"a":[1,2],"b":"]"},2', ['{"a":[1,2],"b":"]"}', "2"]),
        ('"a,b",c', ['"a,b"', "c"]),
        ('"a\\",b",c', ['"a\\",b"', "c"]),
        ('["a\\",b"],c', ['["a\\",b"]', "c"]),
        ("a],b", ["a]", "b"]),
        ('5" pipe,6" pipe', ['5" pipe', '6" pipe']),
        ("", [""]),
        ("1..", ["1.."]),
    ],
)
def test_values_are_split_at_commas_that_separate_them(text, values):
    assert split_values(text) == values


@given(
    st.lists(st.recursive(_numbers | _text | st.booleans(), lambda i: st.lists(i, max_size=3)), min_size=1, max_size=5)
)
def test_values_written_asJSON_are_split_where_they_were_joined(values):
    text = ",".join(json.dumps(value) for value in values)
    assert parse_values(Parameter("x", ValueType(), 0), text) == values


def test_a_text_with_a_comma_is_swept_in_quotes():
    parameter = Parameter("x", ValueType("str"), "")
    assert parse_values(parameter, 'plain,"a, b","","unclosed') == ["plain", "a, b", "", '"unclosed']


@pytest.mark.parametrize("text", ["4..0", "0..10000", "-999999999..999999999"])
def test_a_range_that_falls_or_never_ends_is_refused(text):
    with pytest.raises(UsageError, match="must rise"):
        split_values(text)


def test_a_grid_holds_every_combination_once_the_last_axis_fastest():
    grid = list(expand_grid({"a": [1, 2], "b": ["x", "y"]}))
    assert grid == [{"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 2, "b": "x"}, {"a": 2, "b": "y"}]


def test_a_grid_without_axes_is_one_run():
    assert list(expand_grid({})) == [{}]


@pytest.mark.parametrize("sizes", [(0,), (3, 0), (MOST_COMBINATIONS + 1,), (10_000, 10_000, 10_000)])
def test_a_sweep_of_nothing_or_of_far_too_much_is_not_started(sizes):
    axes = {f"p{number}": list(range(size)) for number, size in enumerate(sizes)}
    with pytest.raises(UsageError, match="is not started"):
        next(expand_grid(axes))


# What reaches the kernel


@given(JSON)
@example("'''\n__import__('os')\n'''")
@example('"; import os #')
@example("\\")
def test_a_value_that_papermill_writes_into_the_notebook_is_read_as_the_same_value(value):
    written = PythonTranslator.codify(bind_parameters((Parameter("x", ValueType(optional=True), 0),), {"x": value}))
    (statement,) = ast.parse(written).body
    assert ast.literal_eval(statement.value) == value
