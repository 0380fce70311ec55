"""What changed between two versions is named once, in both directions, and no longer than anybody reads."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.evidence.builders import build_datasets, build_evidence, build_identity, build_score
from tests.unit.reviews.builders import build_changes, build_source
from workbench.evidence.evidence import Evidence
from workbench.notebooks.notebook import extract_source
from workbench.reviews.changes import LONGEST_SOURCE, MOST_LINES, WIDEST_LINE, Changed, CodeDiff, find_changes

LINES = st.lists(st.sampled_from(["a = 1", "b = 2", "", "fit(a)", "# note"]), max_size=30)


def compare(before: Evidence, after: Evidence):
    return find_changes(before, after, source_before=build_source(), source_after=build_source())


def diff(before: str, after: str) -> CodeDiff:
    return build_changes(source_before=build_source(before), source_after=build_source(after)).code


def test_a_version_held_against_itself_has_not_changed():
    changes = compare(build_evidence(), build_evidence())
    assert (changes.parameters, changes.datasets, changes.facts, changes.code) == ((), (), (), CodeDiff())


def test_parameters_that_came_went_and_changed_are_all_named():
    before = build_evidence(identity=build_identity(parameters={"gone": 1, "kept": 2, "other": 3}))
    after = build_evidence(identity=build_identity(parameters={"new": None, "kept": 2, "other": 4}))
    found = compare(before, after).parameters
    assert found == (Changed("new", None, "none"), Changed("other", 3, 4), Changed("gone", 1, None))


def test_a_number_that_became_a_truth_value_has_changed():
    before, after = (build_evidence(identity=build_identity(parameters={"x": value})) for value in (1, True))
    assert compare(before, after).parameters == (Changed("x", 1, True),)


def test_a_table_under_another_name_takes_the_place_of_the_one_in_its_role():
    train, holdout = build_datasets()
    renamed = replace(train, name="more_rows", digest="f" * 64)
    changed = compare(build_evidence(), build_evidence(datasets=(renamed, holdout))).datasets
    assert [(item.role, item.before, item.after) for item in changed] == [("train", train, renamed)]


def test_a_table_that_is_gone_is_named():
    train, holdout = build_datasets()
    changed = compare(build_evidence(), build_evidence(datasets=(holdout,))).datasets
    assert [(item.role, item.before, item.after) for item in changed] == [("train", train, None)]


def test_scores_of_different_metrics_are_not_held_side_by_side():
    changes = compare(build_evidence(score=build_score(metric="brier")), build_evidence())
    assert changes.score_before is None
    assert changes.score_after == build_score().value


@pytest.mark.parametrize("missing", ["source_before", "source_after"])
def test_a_source_that_was_not_kept_is_named_by_its_version(missing):
    version = {"source_before": 2, "source_after": 3}[missing]
    assert build_changes(**{missing: None}).code == CodeDiff(fault=f"The code of version {version} was not kept.")


@given(LINES, LINES)
def test_the_lines_of_a_diff_give_back_both_sources(before, after):
    code = diff("\n".join(before), "\n".join(after))
    lines = [line for hunk in code.hunks for line in hunk.lines]
    assert (code.added, code.removed) == (sum(x.mark == "+" for x in lines), sum(x.mark == "-" for x in lines))
    old = [line.text for line in lines if line.mark != "+"]
    new = [line.text for line in lines if line.mark != "-"]
    assert old == new or lines
    joined_before, joined_after = ["# %%", *before], ["# %%", *after]
    for hunk in code.hunks:
        for texts, source in (("+", joined_before), ("-", joined_after)):
            part = [line.text for line in hunk.lines if line.mark != texts]
            assert is_part(part, ["# %% [markdown]", "# Train", *"\n".join(source).splitlines()])


def is_part(part: list[str], whole: list[str]) -> bool:
    return any(whole[at : at + len(part)] == part for at in range(len(whole) - len(part) + 1))


def test_a_hunk_says_in_which_cell_it_begins():
    assert [hunk.cell for hunk in diff("a\nb\nc\nd\ne\nf", "a\nb\nc\nd\ne\ng").hunks] == [1]


def test_a_diff_is_shown_up_to_a_length_and_counted_whole():
    code = diff("", "\n".join(f"x{number} = 1" for number in range(2 * MOST_LINES)))
    assert code.added == 2 * MOST_LINES
    assert sum(len(hunk.lines) for hunk in code.hunks) == MOST_LINES
    assert code.left_out > 0


def test_a_line_nobody_reads_to_its_end_is_cut():
    line = diff("", "x" * 10_000).hunks[0].lines[-1].text
    assert len(line) < WIDEST_LINE + 40
    assert line.endswith("(10,000 characters)")


def test_a_notebook_too_long_to_compare_says_so():
    assert "5,0" in (diff("", "x\n" * (LONGEST_SOURCE + 1)).fault or "")


def test_what_is_frozen_of_an_executed_notebook_is_what_its_author_wrote():
    cells = [
        {"cell_type": "code", "source": ["a = 1"], "metadata": {"tags": ["parameters"]}, "outputs": [{"x": 1}]},
        {"cell_type": "code", "source": "a = 2", "metadata": {"tags": ["injected-parameters"]}, "outputs": []},
        {"cell_type": "markdown", "source": "# Half \ud800", "metadata": {"secret": 1}},
    ]
    frozen = extract_source({"cells": cells, "metadata": {}}).decode()
    assert "a = 1" in frozen
    assert "a = 2" not in frozen
    assert '"x"' not in frozen
    assert "secret" not in frozen
