"""A cell declares parameters in literals; it is never run, and whatever else it holds is refused in words."""

from __future__ import annotations

import ast
import json
import keyword

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.notebooks.test_parameters import JSON, is_refused
from workbench.errors import UsageError
from workbench.notebooks.parameters import Code, Parameter, bind_parameters, spell_values
from workbench.notebooks.parameters_cell import read_parameters
from workbench.notebooks.value_types import Bound


def declare(line: str) -> Parameter:
    (parameter,) = read_parameters(line)
    return parameter


def problems_of(source: str) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        read_parameters(source)
    assert caught.value.next_step
    return caught.value.reasons


# What a cell may declare


@pytest.mark.parametrize(
    ("line", "kind", "default"),
    [
        ("x = 3", "int", 3),
        ("x = -1", "int", -1),
        ("x = 0.5", "float", 0.5),
        ("x = True", "bool", True),
        ("x = 'a'", "str", "a"),
        ("x = 'a' 'b'", "str", "ab"),
        ("x = []", "list", []),
        ("x = (1, 2)", "tuple", [1, 2]),
        ("x = [(1, 2)]", "list", [[1, 2]]),
        ("x = {'a': (1, 2)}", "dict", {"a": [1, 2]}),
        ("x: list[int] = [1]", "list", [1]),
        ("x: List[int] = [1]", "list", [1]),
        ("x: typing.List[int] = [1]", "list", [1]),
        ("x: Sequence[float] = [1]", "list", [1]),
        ("x: list[list[int]] = [[1], []]", "list", [[1], []]),
        ("x: list[int | None] = [1, None]", "list", [1, None]),
        ("x: list[Literal['a', 'b']] = ['b']", "list", ["b"]),
        ("x: list[Any] = [1, 'a', None]", "list", [1, "a", None]),
        ("x: Dict[str, float] = {'a': 1}", "dict", {"a": 1}),
        ("x: Mapping[str, list[int]] = {'a': [1]}", "dict", {"a": [1]}),
        ("x: tuple[int, ...] = (64, 32)", "tuple", [64, 32]),
        ("x: Tuple[int, str] = (64, 'a')", "tuple", [64, "a"]),
        ("x: date = date(2026, 1, 31)", "date", "2026-01-31"),
        ("x = dt.date(year=2026, month=1, day=31)", "date", "2026-01-31"),
        ("x: date = date.fromisoformat('2026-01-31')", "date", "2026-01-31"),
        ("x: datetime = datetime(2026, 1, 31, 12, 30)", "datetime", "2026-01-31T12:30:00"),
        ("x = datetime(2026, 1, 31, tzinfo=timezone.utc)", "datetime", "2026-01-31T00:00:00+00:00"),
        ("x: Path = Path('data/birds.csv')", "path", "data/birds.csv"),
        ("x = pathlib.Path('data', 'birds.csv')", "path", "data/birds.csv"),
        ("x = Path('data') / 'birds.csv'", "path", "data/birds.csv"),
        ("x = [Path('a'), Path('b')]", "list", ["a", "b"]),
        ("x = {'a': [1, None]}", "dict", {"a": [1, None]}),
        ("x: float = 1", "float", 1),
        ("x: Any = 'anything'", None, "anything"),
        ("x: list[str] = ['a']", "list", ["a"]),
        ("x: dict[str, float] = {'a': 1}", "dict", {"a": 1}),
        ("x = 1  # type: str", "int", 1),
        ("x = 1;", "int", 1),
    ],
)
def test_a_literal_declares_its_type(line, kind, default):
    parameter = declare(line)
    assert (parameter.type.kind, parameter.default, parameter.type.optional) == (kind, default, False)


@pytest.mark.parametrize(
    "line",
    [
        "x = None",
        "x: int | None = 3",
        "x: None | int = 3",
        "x: Optional[int] = 3",
        "x: Annotated[int | None, Ge(0)] = 3",
        "x: Annotated[Optional[int], Ge(0)] = None",
        "x: Optional[Annotated[int, Ge(0)]] = 3",
        "x: Literal[1, None] = None",
        "x: int = None",
        "x: Union[int, None] = 3",
        "x: typing.Optional[typing.List[int]] = None",
        "x: Optional[date] = None",
        "x: Path | None = Path('a')",
    ],
)
def test_a_parameter_that_may_be_absent_takes_null(line):
    assert bind_parameters((declare(line),), {"x": None}) == {"x": None}


def test_a_parameter_that_must_be_there_refuses_null():
    assert is_refused(declare("x: int = 3"), None)


def test_a_cell_may_be_empty_or_hold_comments_imports_and_a_docstring_only():
    assert read_parameters("") == ()
    assert read_parameters("# nothing to set\n\n") == ()
    assert read_parameters('"""Words."""\nimport os.path\nfrom typing import Literal as L\n...\n') == ()


def test_declarations_keep_their_order():
    assert [parameter.name for parameter in read_parameters("b = 1\na = 2; c = 3")] == ["b", "a", "c"]


def test_choices_may_mix_types_but_never_mistake_one_for_another():
    parameter = declare("x: Literal['auto', 1, True] = 'auto'")
    for choice in ("auto", 1, True):
        assert bind_parameters((parameter,), {"x": choice}) == {"x": choice}
    for other in (0, False, 1.0, "1", "True", None, 2):
        assert is_refused(parameter, other)


def test_true_is_no_number_and_one_is_not_true():
    assert is_refused(declare("x: int = 0"), True)
    assert is_refused(declare("x: float = 0.0"), False)
    assert is_refused(declare("x: bool = False"), 1)
    assert problems_of("x: Literal[1] = True")


def test_a_whole_number_given_for_a_float_becomes_one_everywhere():
    declared = read_parameters("x: float = 1\ny: list[float] = [1]\nz: dict[str, float] = {'a': 1}")
    bound = bind_parameters(declared, {})
    assert json.dumps(bound) == '{"x": 1.0, "y": [1.0], "z": {"a": 1.0}}'


def test_a_float_choice_may_be_written_as_a_whole_number():
    assert bind_parameters((declare("x: Literal[0.5, 1.0] = 0.5"),), {"x": 1}) == {"x": 1.0}


@given(value=st.floats(-10, 10), low=st.floats(-5, 0), high=st.floats(0.5, 5))
def test_limits_are_kept_exactly(value, low, high):
    parameter = declare(f"x: Annotated[float, Ge({low!r}), Lt({high!r})] = {low!r}")
    assert is_refused(parameter, value) is not (low <= value < high)


@given(st.sampled_from(["Ge", "Gt", "Le", "Lt"]), st.floats(-3, 3))
def test_a_bound_and_its_opposite_never_agree(kind, value):
    opposite = {"Ge": "Lt", "Lt": "Ge", "Gt": "Le", "Le": "Gt"}[kind]
    assert Bound(kind, 0.5).holds(value) is not Bound(opposite, 0.5).holds(value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("x: Annotated[float, Ge(0.001), Le(1000)] = 1.0", "a number at least 0.001 and at most 1000"),
        ("x: Literal['a', 1] = 1", 'one of "a", 1'),
        ("x: int | None = 1", "a whole number or none"),
        ("x: list[int] = []", "a list, each item a whole number"),
        ("x = None", "a JSON value or none"),
        ("x: list[list[float]] = []", "a list, each item a list, each item a number"),
        ("x: tuple[int, str] = (1, 'a')", "a list of 2: a whole number, text"),
        ("x: date = date(2026, 1, 31)", "a date such as 2026-01-31"),
    ],
)
def test_what_a_parameter_expects_is_said_in_words(line, words):
    assert declare(line).type.expects == words


@pytest.mark.parametrize(
    ("line", "given", "code"),
    [
        ("x: date = date(2026, 1, 31)", "20260201", "date.fromisoformat('2026-02-01')"),
        ("x = dt.datetime(2026, 1, 31)", "2026-02-01T10:00Z", "dt.datetime.fromisoformat('2026-02-01T10:00:00+00:00')"),
        ("x: pathlib.Path = pathlib.Path('a')", "it's/b", """pathlib.Path("it's/b")"""),
        ("x = (64, 32)", [8], "(8,)"),
        ("x: tuple[int, ...] = ()", [], "()"),
        ("x: Optional[list[Path]] = None", ["a", "b"], "[Path('a'), Path('b')]"),
        ("x: dict[str, date] = {}", {"a'": "2026-02-01"}, """{"a'": date.fromisoformat('2026-02-01')}"""),
        ("x = [(1, 2)]", [[1, 1], [1, 3]], "[(1, 1), (1, 3)]"),
        ("x: list[date | None] = []", [None], "[None]"),
    ],
)
def test_what_json_cannot_hold_is_given_as_text_and_stands_in_the_notebook_as_it_is_written_there(line, given, code):
    declared = read_parameters(line)
    written = spell_values(declared, bind_parameters(declared, {"x": given}))["x"]
    assert (written, type(written)) == (code, Code)


def test_nothing_and_plain_values_stand_in_the_notebook_as_json_has_them():
    declared = read_parameters("a: date | None = None\nb: list[int] = [1]\nc: float = 1")
    assert spell_values(declared, bind_parameters(declared, {})) == {"a": None, "b": [1], "c": 1.0}


@given(st.text(max_size=20))
def test_no_text_that_is_given_for_a_path_becomes_code(text):
    declared = read_parameters("x: Path = Path('a')")
    if is_refused(declared[0], text):
        return
    call = ast.parse(spell_values(declared, {"x": text})["x"], mode="eval").body
    assert isinstance(call, ast.Call)
    assert [ast.literal_eval(part) for part in call.args] == [text]


def test_a_default_that_is_text_where_its_type_says_path_is_told_how_to_write_it():
    (problem,) = problems_of("table: Path = 'data/birds.csv'")
    assert problem.endswith("write `Path('data/birds.csv')`.")


# What a cell may not declare


@pytest.mark.parametrize(
    "line",
    [
        "x",
        "x: int",
        "x = y = 1",
        "x, y = 1, 2",
        "*x, y = [1, 2]",
        "x += 1",
        "(x := 1)",
        "x = (y := 1)",
        "x.y = 1",
        "x[0] = 1",
        "del x",
        "print(1)",
        "x = f'{1}'",
        "x = 10**2",
        "x = 1 + 1",
        "x = [y for y in ()]",
        "x = lambda: 0",
        "x = __import__('os').system('id')",
        "x = open('a')",
        "x = [].__class__",
        "x = {**{}}",
        "x = {[]: 1}",
        "x = {1: 2}",
        "x = {1, 2}",
        "x = ...",
        "x = b'a'",
        "x = 1j",
        "x = 1e999",
        "x = -1e999",
        "x = [Path('a'), 1]",
        "x = date(2026, 2, 30)",
        "x = date.today()",
        "x = Path(name)",
        "x = Path.home()",
        "x: date = '2026-01-31'",
        "x: date = datetime(2026, 1, 31)",
        "x: Path = 'data/birds.csv'",
        "x: str = Path('a')",
        "x: list[Path] = ['a']",
        "x: dict[int, int] = {}",
        "x: list[complex] = []",
        "x: Union[int, str] = 1",
        "x: np.int64 = 1",
        "x: list[wb.Secret] = []",
        "x: Optional[tuple[Secret, int]] = None",
        "x: tuple[int, int] = (1, 2, 3)",
        "x = 0x" + "f" * 5000,
        "x = 1" + "0" * 400,
        "x = '\ud800'",
        "x = '\\ud800'",
        "x: complex = 1",
        "x: 'int' = 1",
        "x: int = 'a'",
        "x: int = 1.0",
        "x: bool = 1",
        "x: int | str = 1",
        "x: None = None",
        "x: Literal[()] = 1",
        "x: Literal[y] = 1",
        "x: Literal[b'a'] = 1",
        "x: Literal[None] = None",
        "x: Literal[[1]] = 1",
        "x: Literal[1, 2] = 3",
        "x: Annotated[str, Ge(1)] = 'a'",
        "x: Annotated[bool, Ge(0)] = True",
        "x: Annotated[int] = 1",
        "x: Annotated[int, Multiple(2)] = 2",
        "x: Annotated[int, Ge('a')] = 2",
        "x: Annotated[int, Ge(1e999)] = 2",
        "x: Annotated[int, Ge(True)] = 2",
        "x: Annotated[int, Ge(ge=1)] = 2",
        "x: Annotated[int, Ge(3)] = 2",
        "x: list[int] = ['a']",
        "x: dict[int, str] = {}",
        "x: tuple[int] = ()",
        "__x = 1",
        "__builtins__ = 1",
        "ѕeed = 1",  # noqa: RUF001 - a Cyrillic letter that looks like a Latin one
        "x" * 65 + " = 1",
        "if True: x = 1",
        "def x(): pass",
        "class x: pass",
        "from os import *",
        "try:\n    import os\nexcept ImportError:\n    x = 1",
        "%matplotlib inline",
        "!ls",
        "x = 1\n%%time",
        "x = ",
        "class = 1",
        "None = 1",
        "x: int = = 1",
        "a\x00b = 1",
        "\ufeffx = 1",
        "x = " + "[" * 60 + "]" * 60,
        "x = 1+1+1",
        "x: int | int | int = 1",
        "x: a.b.c = 1",
        "x = a.b.c",
    ],
)
def test_a_line_that_is_no_declaration_is_refused_in_words(line):
    reasons = problems_of(line)
    assert reasons
    assert all(reason.endswith(".") and "object at 0x" not in reason for reason in reasons)


def test_one_error_lists_every_problem_with_its_line():
    reasons = problems_of("a = 1\nb = f()\nc: int = 'x'\na = 2\nimport a\n")
    assert [reason.partition(":")[0] for reason in reasons[:2]] == ["Line 2", "Line 3"]
    assert reasons[2:] == ("a is declared more than once.", "a is declared and imported.")


def test_a_magic_command_is_told_where_it_belongs():
    assert problems_of("x = 1\n%matplotlib inline") == (
        "Line 2: a magic command is not Python; move it to another cell.",
    )


def test_names_that_python_takes_for_the_same_are_the_same():
    assert problems_of("seed = 1\n\uff53eed = 2") == ("seed is declared more than once.",)


@pytest.mark.parametrize("word", [*keyword.kwlist, "__class__", "__import__"])
def test_no_keyword_and_no_dunder_is_a_name(word):
    assert problems_of(f"{word} = 1")


@given(st.text(max_size=60) | st.text("x=:[]{}()'\"-1., |\n\\#%", max_size=60))
@example("x = '\\d'")
def test_whatever_a_cell_holds_it_is_read_or_refused(source):
    try:
        declared = read_parameters(source)
    except UsageError as exc:
        assert exc.reasons
        return
    assert bind_parameters(declared, {}) is not None


@given(JSON)
def test_everyJSON_value_can_be_a_default(value):
    assert declare(f"x = {value!r}").default == value
    assert bind_parameters((declare(f"x: Any = {value!r}"),), {}) == {"x": value}
