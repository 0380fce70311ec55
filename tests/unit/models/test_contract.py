import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import UsageError
from workbench.models import contract as contract_module
from workbench.models.contract import (
    LARGEST_INTEGER,
    LARGEST_NUMBER,
    LONGEST_STRING,
    MOST_PROBLEMS,
    Column,
    Contract,
    RowProblem,
    Threshold,
    find_row_problems,
    parse_contract,
    require_valid,
)
from workbench.records.digest import canonical_json
from workbench.serving.openapi import openapi_document

CONTRACT = Contract(
    "classification",
    (
        Column("radius", "number"),
        Column("count", "integer"),
        Column("smokes", "boolean", True),
        Column("site", "string"),
    ),
    "malignant",
)
ROW: dict[str, Any] = {"radius": 1.5, "count": 3, "smokes": None, "site": "left"}

VALUES = {
    "number": st.floats(-LARGEST_NUMBER, LARGEST_NUMBER, allow_nan=False) | st.integers(-(10**38), 10**38),
    "integer": st.integers(-LARGEST_INTEGER, LARGEST_INTEGER) | st.integers(-(2**53 - 1), 2**53 - 1).map(float),
    "boolean": st.booleans(),
    "string": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50),
}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    names = draw(
        st.lists(st.text(min_size=1, max_size=8).filter(lambda s: s.isprintable()), min_size=1, max_size=6, unique=True)
    )
    columns = tuple(Column(name, draw(st.sampled_from(sorted(VALUES))), draw(st.booleans())) for name in names)  # type: ignore[arg-type]
    return Contract(draw(st.sampled_from(["classification", "regression"])), columns)


@st.composite
def contracts_with_rows(draw: st.DrawFn) -> tuple[Contract, list[dict[str, Any]]]:
    contract = draw(contracts())
    row = st.fixed_dictionaries(
        {c.name: (st.none() | VALUES[c.type]) if c.nullable else VALUES[c.type] for c in contract.columns}
    )
    return contract, draw(st.lists(row, min_size=1, max_size=4))


@pytest.mark.parametrize("names", [[], ["a", "a"], [""]])
def test_a_contract_without_distinct_names_is_refused(names):
    with pytest.raises(UsageError):
        require_valid(Contract("regression", tuple(Column(name, "number") for name in names)))


@pytest.mark.parametrize("unseen", ["\0", "\n", "\x1b", "\x7f", "\x9b", "\u2028", "\u202e", "\u2066"])
def test_a_column_whose_name_hides_something_is_refused_with_what_it_hides(unseen):
    with pytest.raises(UsageError) as caught:
        require_valid(Contract("regression", (Column(f"a{unseen}b", "number"),)))
    assert repr(unseen) in caught.value.reasons[0]
    assert "rename it" in caught.value.reasons[0]


@pytest.mark.parametrize(
    "name", ["Größe in cm", "a\u00a0b", "\ufeffid", "\u0645\u06cc\u200c\u062e\u0648", "x" * 300, "👩\u200d🔬"]
)
def test_a_column_may_be_named_in_any_language(name):
    assert require_valid(Contract("regression", (Column(name, "number"),))).names == (name,)


@given(contracts())
def test_a_contract_survives_its_bytes(contract):
    assert parse_contract(contract.to_bytes()) == contract


@pytest.mark.parametrize(
    "damage",
    [
        {"format": 3},
        {"task": "clustering"},
        {"columns": []},
        {"columns": [{"name": "a", "type": "date", "nullable": False}]},
        {"columns": [{"name": ["a"], "type": "number", "nullable": False}]},
        {"columns": [{"name": "a", "type": "number", "nullable": 1}]},
        {"columns": [{"name": "a", "type": "number"}]},
        {"positive_class": [1]},
        {"classes": ["a"]},
        {"response": "transform"},
        {"colour": "red"},
    ],
    ids=lambda damage: next(iter(damage)),
)
def test_a_damaged_contract_is_refused(damage):
    document = {**json.loads(CONTRACT.to_bytes()), **damage}
    with pytest.raises(UsageError):
        parse_contract(canonical_json(document))


METALS = ("bronze", "gold", "silver")
COLUMN = (Column("x", "number"),)


@pytest.mark.parametrize(
    "contract",
    [
        Contract("multiclass", COLUMN, classes=METALS),
        Contract("multiclass", COLUMN, classes=(1, 2, 3), response="decision_function"),
        Contract("classification", COLUMN, True, (False, True)),
        Contract("classification", COLUMN, "yes", ("no", "yes"), threshold=Threshold("yes", 0.3, "predict_proba")),
    ],
)
def test_classes_their_order_and_a_threshold_survive_the_bytes(contract):
    again = parse_contract(contract.to_bytes())
    assert again == contract
    assert [type(each) for each in again.classes] == [type(each) for each in contract.classes]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"task": "multiclass", "classes": None}, "Several classes must be named"),
        ({"task": "multiclass", "classes": ("a", "b")}, "there are 2 in multiclass"),
        ({"task": "multiclass", "classes": ("a", "b", "b")}, "Two of the classes are the same"),
        ({"task": "multiclass", "classes": tuple(range(101))}, "there are 101 in multiclass"),
        ({"task": "multiclass", "classes": METALS, "positive_class": "gold"}, "none is the positive one"),
        ({"classes": METALS}, "there are 3 in classification"),
        ({"task": "regression", "classes": ("a", "b")}, "there are 2 in regression"),
        ({"classes": ("a", "b"), "positive_class": "c"}, "The positive class 'c' is none of"),
        ({"classes": ("a", "b\u200f\u202e")}, "rename it"),
        ({"classes": ("a", "")}, "rename it"),
        ({"classes": ("a", "b"), "threshold": Threshold("c", 0.5, "predict_proba")}, "no number of one of the classes"),
        ({"classes": ("a", "b"), "threshold": Threshold("b", math.nan, "predict_proba")}, "no number of one of"),
        ({"classes": ("a", "b"), "threshold": Threshold("b", True, "predict_proba")}, "no number of one of"),
        ({"flags_unseen": "no"}, "It must flag what is unseen or not."),
        ({"columns": (Column("at", "number", dtype="datetime64[ns]"),)}, "has type number and dtype 'datetime64[ns]'"),
        ({"columns": (Column("plan", "string", values=(3,)),)}, "no texts and no categories"),
    ],
)
def test_a_contract_that_cannot_be_is_refused(changes, says):
    with pytest.raises(UsageError) as caught:
        require_valid(Contract(**{"task": "classification", "columns": COLUMN, **changes}))
    assert says in " ".join(caught.value.reasons)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"[", CONTRACT.to_bytes() + b"\n"])
def test_bytes_that_are_no_contract_are_refused(content):
    with pytest.raises(UsageError):
        parse_contract(content)


@given(contracts_with_rows())
def test_rows_made_for_a_contract_have_no_problems(made):
    contract, rows = made
    assert find_row_problems(contract, rows) == []


@given(contracts(), JSON_VALUES)
def test_anything_json_can_say_is_judged_without_an_error(contract, rows):
    problems = find_row_problems(contract, rows)
    assert all(isinstance(problem, RowProblem) for problem in problems)


@given(contracts_with_rows(), st.data())
def test_a_row_without_one_of_its_columns_has_exactly_that_problem(made, data):
    contract, rows = made
    column = data.draw(st.sampled_from(contract.columns))
    del rows[-1][column.name]
    assert find_row_problems(contract, rows) == [RowProblem(len(rows) - 1, column.name, column.expected, "nothing")]


@pytest.mark.parametrize(
    ("column", "value", "got"),
    [
        ("radius", math.nan, "a number that is not finite"),
        ("radius", math.inf, "a number that is not finite"),
        ("radius", True, "a boolean"),
        ("radius", None, "null"),
        ("radius", "1", "a string"),
        ("radius", 10**309, "a number"),
        ("count", 1.5, "a number"),
        ("count", True, "a boolean"),
        ("count", 2**53, "a number"),
        ("count", math.inf, "a number that is not finite"),
        ("smokes", 1, "a number"),
        ("site", 1, "a number"),
        ("site", "x" * (LONGEST_STRING + 1), "a string"),
        ("site", "\ud800", "a string"),
        ("site", "a\0b", "a string"),
        ("site", ["left"], "an array"),
        ("site", {}, "an object"),
    ],
)
def test_a_wrong_value_is_named_with_its_row_and_column(column, value, got):
    problems = find_row_problems(CONTRACT, [ROW, {**ROW, column: value}])
    assert [(p.row, p.column, p.got) for p in problems] == [(1, column, got)]


def test_an_unknown_column_is_a_problem():
    assert find_row_problems(CONTRACT, [{**ROW, "age": 3}]) == [RowProblem(0, "age", "no such column", "a value")]


def test_an_unknown_column_is_found_where_another_is_missing():
    row = {**{name: value for name, value in ROW.items() if name != "site"}, "Site": "left"}
    assert [p.column for p in find_row_problems(CONTRACT, [row])] == ["site", "Site"]


@pytest.mark.parametrize("rows", [None, {}, "rows", 3, []])
def test_what_is_not_an_array_of_rows_is_one_problem(rows):
    assert len(find_row_problems(CONTRACT, rows)) == 1


def test_more_rows_than_allowed_are_refused_before_they_are_looked_at():
    assert find_row_problems(CONTRACT, [None] * 6, most_rows=5) == [
        RowProblem(None, None, "an array of 1 to 5 rows", "an array of 6")
    ]


def test_problems_are_capped():
    assert len(find_row_problems(CONTRACT, [{}] * 900)) == MOST_PROBLEMS


def test_the_openapi_document_describes_every_column():
    document = openapi_document(CONTRACT, name="tumour", version="3", digest="d" * 64)
    row = document["components"]["schemas"]["Row"]
    assert row["required"] == ["radius", "count", "smokes", "site"]
    assert row["properties"]["smokes"]["type"] == ["boolean", "null"]
    assert row["additionalProperties"] is False
    assert document["info"]["x-model-digest"] == "d" * 64
    canonical_json(document)


def test_every_reference_in_the_openapi_document_leads_somewhere():
    document = openapi_document(CONTRACT, name="tumour", version="3", digest="d" * 64)
    wanted = {part.split('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]}
    assert wanted == set(document["components"]["schemas"])


def test_a_contract_too_large_to_be_told_to_callers_is_refused_before_it_is_read(monkeypatch):
    content = CONTRACT.to_bytes()
    monkeypatch.setattr(contract_module, "LARGEST_CONTRACT", len(content))
    assert parse_contract(content) == CONTRACT
    monkeypatch.setattr(contract_module, "LARGEST_CONTRACT", len(content) - 1)
    monkeypatch.setattr(contract_module, "strict_json", pytest.fail)
    with pytest.raises(UsageError) as caught:
        parse_contract(content)
    assert f"the limit is {len(content) - 1:,}" in caught.value.reasons[0]


def test_a_contract_with_half_a_character_is_refused_in_words():
    document = {
        "columns": [{"name": "\ud800", "nullable": False, "type": "number"}],
        "format": 1,
        "positive_class": None,
    }
    with pytest.raises(UsageError, match="cannot be read"):
        parse_contract(json.dumps({**document, "task": "classification"}).encode())
