"""A command that is told is read by the terminal as what it was told of."""

from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st

from workbench.cli.comparing import compare
from workbench.words.commands import spell_comparison

TEXT = st.text(st.characters(exclude_characters="\0`,", exclude_categories=["Cs"]), max_size=8).map(str.strip)


@given(TEXT, TEXT, TEXT, st.lists(TEXT.filter(bool), max_size=2))
def test_a_comparison_is_asked_for_again_as_it_was(reference, where, within, names):
    command = spell_comparison((), reference, "", where, names, within, ["mae", "rmse"])
    program, verb, *words = shlex.split(command)
    asked = compare.make_context("compare", words).params
    assert (program, verb, asked["metric"]) == ("workbench", "compare", ("mae", "rmse"))
    assert [asked[name] or "" for name in ("reference", "where", "within")] == [reference, where, within]
    assert asked["all_but"] == tuple(names)
