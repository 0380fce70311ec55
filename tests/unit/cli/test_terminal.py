"""Nothing that was logged can do anything to a terminal, and what is said there is short, whole and its own channel's."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.text import Text

from tests.unit.cli.printing import _eighty_columns, build_run, printed, widths  # noqa: F401 - a fixture
from tests.unit.comparisons.builders import build_compared_run, build_comparison
from tests.unit.evidence.builders import build_evidence
from tests.unit.people import ENDED
from tests.unit.reviews.builders import build_review
from workbench.cli import compared_runs, terminal
from workbench.cli import records as terminal_views
from workbench.cli import reviews as terminal_reviews
from workbench.errors import Refused, WorkbenchError
from workbench.ledger.ledger import Event, seal_entry
from workbench.nominations.obstacles import Obstacle
from workbench.releases.release import Release
from workbench.reviews.changes import Changed
from workbench.reviews.decision import decide
from workbench.runs.run import RunState
from workbench.runs.written_files import Overwritten

HOSTILE = [
    "[red]red[/]",
    "[/]",
    "[bold",
    "[link=https://evil.example]click[/link]",
    "\\[red]",
    "\\",
    "a\\\\\\",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x1b[2J\x1b[H",
    "a\rb",
    "a\nb",
    "a\tb",
    "\x00\x07\x08\x7f\x9b31m",
    "\u202egnihton",
    "\u200b\ufeff",
    ":warning: :smile:",
    "\ud800",
    "$ rm -rf /",
]


# Texts from elsewhere


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("shape", ["{}", "[bold]{}[/] after", "before {}[dim]after[/]"])
def test_a_text_from_elsewhere_is_printed_as_it_is(text, shape):
    clean = "".join(character if character.isprintable() else " " for character in text)
    shown = Text.from_markup(shape.format(terminal.escape(text)), emoji=False)
    assert shown.plain == re.sub(r"\[/?(bold|dim|)\]", "", shape).format(clean)


@given(st.text(max_size=30) | st.text("[]/\\a:=\x1b", max_size=12))
def test_whatever_a_text_holds_it_is_only_itself(text):
    shown = Text.from_markup(f"[bold]{terminal.escape(text)}[/] end", emoji=False)
    clean = "".join(character if character.isprintable() else " " for character in text)
    assert shown.plain == f"{clean} end"
    assert all(span.style in ("bold", "none") for span in shown.spans)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_logged_text_reaches_the_terminal_as_a_command(capsys, text):
    run = build_run(
        notebook=text,
        parameters={text: text, "x": [text]},
        author=text,
        error=text,
        state=RunState.FAILED,
        record={"metrics": {text: 0.5}, "datasets": []},
        provenance={"git_commit": text},
    )
    other = build_run(1, parameters={text: "other", "x": 2})
    review = build_review()
    question = replace(review.questions[0], name=text, text=text, answer=text, answered_by=text)
    changes = replace(review.changes, parameters=(Changed(text, text, [text]),))
    review = replace(review, policy_name=text, questions=(question, replace(question, answer=None)), changes=changes)
    comparison = build_comparison(reference=text, runs=(build_compared_run(parameters={text: text}),))
    kept = text.replace("\ud800", "")
    entry = seal_entry(None, time=ENDED, event=Event.NOMINATED, actor=kept, subject=kept, body={"run": kept})
    terminal_views.print_runs([run, other])
    terminal_views.print_run(run, text)
    compared_runs.print_comparison(comparison)
    terminal_reviews.print_review(review)
    terminal_views.print_ledger([entry], [text])
    terminal_views.print_release(Release(None, "", decide("serve", text, [text]), ()), text)
    terminal.print_facts({text: text})
    terminal.say(text)
    terminal.print_error(Refused(text, why=[text], next_step=text))
    out, err = capsys.readouterr()
    assert set(out + err) <= {character for character in out + err if character.isprintable()} | {"\n"}
    assert "⚠" not in out + err


# What is said


def test_without_runs_the_next_command_is_told(capsys):
    assert "workbench run " in printed(capsys, terminal_views.print_runs, [])


def test_what_is_the_same_in_all_runs_is_said_once(capsys):
    assert "The newest 1 run of" in printed(capsys, partial(terminal_views.print_runs, is_cut=True), [build_run(0)])
    text = printed(capsys, terminal_views.print_runs, [build_run(0), build_run(1)])
    assert "newest" not in text
    assert text.splitlines()[0] == "2 runs of notebooks/01_train.ipynb; the same in all: seed=7"
    assert "seed" not in text.partition("\n")[2]


def test_among_runs_of_several_notebooks_each_says_whose_it_is(capsys):
    runs = [build_run(0), build_run(1, notebook="notebooks/02_compare.ipynb")]
    table = printed(capsys, terminal_views.print_runs, runs).partition("\n")[2]
    assert all(name in table for name in ("notebook", "01_train", "02_compare"))
    assert max(widths(table)) <= 80
    assert "01_train" not in printed(capsys, terminal_views.print_runs, runs[:1]).partition("\n")[2]


@pytest.mark.parametrize("view", ["runs", "comparison", "the same in all"])
def test_a_number_that_a_search_drew_is_shown_with_four_digits(capsys, view):
    drawn = [{"rate": 0.0123456789012345}, {"rate": 0.0123456789012345 if view == "the same in all" else 0.5}]
    if view == "comparison":
        runs = tuple(build_compared_run(run_id=f"{n:012x}", parameters=values) for n, values in enumerate(drawn))
        text = printed(capsys, compared_runs.print_comparison, build_comparison(runs=runs))
    else:
        text = printed(capsys, terminal_views.print_runs, [build_run(n, parameters=drawn[n]) for n in (0, 1)])
    assert "0.01235" in text
    assert "0.012345" not in text


def test_a_repository_without_a_commit_is_told_from_none_and_a_refusal_is_said_once(capsys):
    for dirty, said in ((None, "git none"), (True, "git without a commit")):
        run = build_run(provenance={"git_commit": None, "git_dirty": dirty})
        assert said in " ".join(printed(capsys, terminal_views.print_run, run, "x").split())
    refused = build_run(record={"refused": {"what": "No model.", "why": ["Why."], "next_step": "Next."}})
    assert "No model. Why. Next." in printed(capsys, terminal_views.print_run, refused, "x")
    assert "No model" not in printed(capsys, partial(terminal_views.print_run, is_refusal_told=True), refused, "x")


def test_one_run_shows_results_source_and_folder(capsys):
    text = " ".join(printed(capsys, terminal_views.print_run, build_run(), "runs/by-id/3f9a1c27d05b").split())
    for words in (
        "roc_auc 0.9952",
        "1,430 rows, 31 columns",
        "with uncommitted changes",
        "folder runs/by-id/3f9a1c27d05b",
    ):
        assert words in text


def test_a_release_that_verifies_names_who_approved_it(capsys):
    release = Release(build_evidence(), "cd" * 32, decide("serve", "tumour/3", []), ("grace", "linus"))
    text = printed(capsys, terminal_views.print_release, release, "tumour/3")
    assert text == "✓ tumour/3 verifies: digest cdcdcdcdcdcd, approved by grace, linus\n"


def test_a_notebook_shows_the_three_parts_of_an_error_and_no_traceback():
    # IPython asks an exception for this method before it prints the stack.
    shown = WorkbenchError("It broke.", why="one", next_step="Mend it.")._render_traceback_()
    assert shown == ["It broke.", "  - one", "  Next: Mend it."]


def test_an_error_has_three_parts_on_the_error_channel(capsys):
    terminal.print_error(WorkbenchError("It broke.", why=["one", "two"], next_step="Mend it."))
    out, err = capsys.readouterr()
    assert (out, err) == ("", "It broke.\n  - one\n  - two\n  Next: Mend it.\n")


def test_while_only_commands_are_shown_nothing_else_is_but_errors(capsys):
    with terminal.only_commands():
        terminal.say("a result")
        terminal.print_command(["$ workbench runs"])
        terminal.print_heading("Step", 1.0)
        terminal.print_error(WorkbenchError("It broke."))
    terminal.say("again")
    out, err = capsys.readouterr()
    assert (out, err) == ("$ workbench runs\nagain\n", "It broke.\n")


def test_a_suggestion_is_only_for_people(capsys):
    terminal.suggest("workbench compare")
    assert capsys.readouterr() == ("", "")


# Numbers, times and JSON


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (0.123456, "0.1235"), (-1.0, "-1"), (1234.5678, "1235"), (12345.678, "12,346"), (-1e6, "-1,000,000"),
        (1e-7, "1e-07"), (1e15, "1e+15"), (math.nan, "nan"), (-math.inf, "-inf"), (9999.9999, "1e+04"),
    ],
)  # fmt: skip
def test_a_number_is_short_and_keeps_what_matters(value, text):
    assert terminal.format_number(value) == text


@given(st.floats())
def test_no_number_needs_more_than_fifteen_columns(value):
    assert len(terminal.format_number(value)) <= 15


def test_an_age_is_told_in_its_largest_unit():
    assert terminal.format_age(None) == ""
    assert terminal.format_age("2001-01-01T00:00:00+00:00").endswith(" d ago")
    assert terminal.format_age("2999-01-01T00:00:00+00:00") == "just now"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, ""), (-1, "0.0 s"), (0.44, "0.4 s"), (58.2, "58 s"), (119, "119 s"), (179, "3 min"), (9_000, "2.5 h")],
)
def test_how_long_something_took_is_told_as_exactly_as_anybody_asks(seconds, said):
    assert terminal.format_duration(seconds) == said


def test_json_is_complete_strict_and_keeps_records_apart_from_text(capsys):
    comparison = build_comparison(reference_value=math.nan, runs=(build_compared_run(value=math.inf),))
    text = printed(capsys, terminal.print_json, comparison)
    found = json.loads(text, parse_constant=pytest.fail)
    assert found["reference_value"] is None
    assert found["runs"][0]["value"] is None
    assert found["runs"][0]["advantage"]["low"] == 0.4871
    assert set(found) == set(comparison.__dataclass_fields__)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3).map(MappingProxyType),
        max_leaves=8,
    )
)
def test_whatever_a_record_holds_becomes_plain_json(value):
    json.dumps(terminal.to_plain({"value": value, "more": (value,)}), allow_nan=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.text(max_size=40))
def test_saying_a_text_prints_exactly_one_line(capsys, text):
    assert printed(capsys, terminal.say, text).count("\n") == 1


def test_what_stands_in_the_way_is_said_once_with_how_many_runs_it_is_about(capsys):
    found = [Obstacle("model", "It logged none. Log [one].", ("1", "2")), Obstacle("data_known", "No table.", ("3",))]
    terminal_views.print_obstacles(found, 3)
    assert capsys.readouterr().out.splitlines() == [
        "Before one of them is compared or nominated:",
        "  - model (2 of 3 runs): It logged none. Log [one].",
        "  - data_known (1 of 3 runs): No table.",
    ]
    terminal_views.print_obstacles(found[1:], 1, beside=True)
    said = capsys.readouterr()
    assert (said.out, said.err.splitlines()[0]) == ("", "Before it is compared or nominated:")
    terminal_views.print_obstacles([], 3)
    assert capsys.readouterr().out == ""


def test_what_a_run_kept_and_wrote_beside_it_is_listed(capsys):
    kept = [{"path": f"plots/{number}.png", "bytes": 1200, "digest": "ab" * 32} for number in range(7)]
    written = [
        {"path": "log.txt", "bytes": 3, "appended": True, "seen_by": "the kernel"},
        {"path": "rows.parquet", "bytes": 4, "appended": False, "seen_by": "the system"},
    ]
    said = printed(
        capsys, terminal_views.print_run, build_run(record={"kept_files": kept, "written_files": written}), "runs/x"
    )
    assert "plots/0.png, 1,200 bytes, abababababab" in said
    assert "2 files more; --json names them" in said
    assert "log.txt, 3 bytes, added to" in said
    assert "rows.parquet, 4 bytes, by a native writer" in said
    assert max(widths(said)) <= 80


def test_files_that_several_runs_wrote_are_told_with_what_to_do(capsys):
    files = [Overwritten(f"{number}.csv", ("a", "b"), in_turn=True, is_told=True) for number in range(7)]
    said = printed(capsys, terminal_views.print_overwritten, files)
    assert said.startswith("Several of these runs wrote the same file. What is written below wb.folder is kept")
    assert "- 0.csv, by 2 runs, one after the other: what is left is of the last, run b\n" in said
    assert "and 2 more" in said
    assert printed(capsys, terminal_views.print_overwritten, []) == ""
