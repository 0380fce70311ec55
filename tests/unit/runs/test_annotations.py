"""What may be said of a run, and how a change of it comes out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import UsageError
from workbench.runs.finding.annotations import (
    LONGEST_NOTE,
    MOST_TAGS,
    NOTHING_SAID,
    Change,
    begin_annotations,
    can_name,
    parse_tags,
    spell_tags,
)
from workbench.runs.logged_calls import can_be_named
from workbench.runs.run import is_run_prefix, new_run_id

NOW, LATER = "2026-11-20T09:00:00+00:00", "2026-11-21T09:00:00+00:00"


def say(before=NOTHING_SAID, **change):
    return Change(**change).apply(before, by="ada@example.org", at=NOW)


def test_what_is_not_mentioned_stays_and_an_empty_text_removes():
    first = say(name="best", note="line one\nline two", tags={"team": "blue", "quick": ""})
    second = Change(note="", tags={"team": "red"}, untag=["quick", "never-there"]).apply(first, by="grace", at=LATER)
    assert (second.name, second.note, second.tags) == ("best", None, {"team": "red"})
    assert (second.by, second.at) == ("grace", LATER)
    assert (first.note, first.tags) == ("line one\nline two", {"team": "blue", "quick": ""})


def test_nothing_said_is_said_by_nobody():
    assert begin_annotations(None, "", {}, by="ada", at=NOW) is NOTHING_SAID
    assert begin_annotations("a try", None, {}, by="ada", at=NOW).by == "ada"


@given(st.text("0123456789abcdef", min_size=1, max_size=12))
def test_a_name_is_never_what_could_begin_an_id(text):
    assert is_run_prefix(text)
    assert not can_name(text)


def test_an_id_is_no_name_and_a_name_no_beginning_of_one():
    assert not can_name(new_run_id())
    for name in ("best", "face-1", "Cafe", "2026 november", "größe", "0123456789abc"):
        assert say(name=name).name == name
        assert not is_run_prefix(name)


@pytest.mark.parametrize("name", ["cafe", "7", "x" * 101, "a\nb", "\x00", "--json", "\ud800"])
def test_what_cannot_be_a_name_is_refused_with_what_to_write(name):
    with pytest.raises(UsageError) as caught:
        say(name=name)
    assert len(caught.value.reasons) == 1


@pytest.mark.parametrize(
    "tags", [{"mlflow.user": "x"}, {"workbench.run": "x"}, {"MLflow.x": ""}, {"": "x"}, {"a//b": ""}, {"../a": ""},
             {"k" * 251: ""}, {"k": "v" * 5_001}, {"k": "a\nb"}, {"a\nb": ""}, {"a,b": ""}],
)  # fmt: skip
def test_what_cannot_be_a_tag_is_refused(tags):
    with pytest.raises(UsageError):
        say(tags=tags)


def test_all_that_cannot_be_said_is_told_at_once():
    with pytest.raises(UsageError) as caught:
        say(name="cafe", note="x" * (LONGEST_NOTE + 1), tags={"mlflow.a": "", "b": "\x00"})
    assert len(caught.value.reasons) == 4


def test_a_run_has_so_many_tags_at_most():
    full = say(tags={f"k{number}": "" for number in range(MOST_TAGS)})
    with pytest.raises(UsageError, match="cannot be said"):
        say(full, tags={"one more": ""})
    assert len(say(full, tags={"one more": ""}, untag=["k0"]).tags) == MOST_TAGS


@given(st.text(max_size=30))
def test_whatever_key_is_taken_mlflow_takes(key):
    try:
        say(tags={key: "x"})
    except UsageError:
        return
    assert can_be_named(key)


def test_tags_are_read_as_they_are_typed():
    assert parse_tags(["team=blue", "quick", "formula=a=b", " spaced = out "]) == {
        "team": "blue",
        "quick": "",
        "formula": "a=b",
        "spaced": "out",
    }
    assert spell_tags({"team": "blue", "quick": ""}) == "quick, team=blue"
    with pytest.raises(UsageError, match="cannot be said"):
        parse_tags(["team=blue", "team=red"])


def test_runs_of_a_sweep_are_named_with_their_number():
    said = say(name="grid", tags={"team": "blue"})
    assert [said.number(each).name for each in (1, 12)] == ["grid-1", "grid-12"]
    assert can_name(say(name="x" * 100).number(100_000).name)
    assert NOTHING_SAID.number(3) is NOTHING_SAID


def test_the_last_number_of_a_sweep_is_found_where_runs_of_it_were_deleted_or_renamed():
    said = say(name="a+b")
    others = [said.number(7), said.number(2), say(name="best"), say(name="aab-9"), say(name="a+b-x"), NOTHING_SAID]
    assert said.find_last_number(others) == 7
    assert said.find_last_number([]) == 0
