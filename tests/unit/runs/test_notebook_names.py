"""Which notebook is meant by its name."""

from __future__ import annotations

import pytest

from workbench.errors import UsageError
from workbench.runs.finding.notebook_names import find_notebook, name_notebooks, shorten_notebooks

KNOWN = ["notebooks/people.ipynb", "notebooks/old/people.ipynb", "notebooks/wine.ipynb", "train.ipynb"]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("wine", "notebooks/wine.ipynb"),
        ("wine.ipynb", "notebooks/wine.ipynb"),
        ("./notebooks/wine.ipynb", "notebooks/wine.ipynb"),
        ("notebooks/people.ipynb", "notebooks/people.ipynb"),
        ("old/people", "notebooks/old/people.ipynb"),
        ("train", "train.ipynb"),
        ("ine", "ine"),
        ("other/wine.ipynb", "other/wine.ipynb"),
        (".", "."),
    ],
)
def test_a_notebook_is_known_by_as_much_of_the_end_of_its_path_as_names_it_alone(asked, meant):
    assert find_notebook(asked, KNOWN) == meant


def test_a_name_of_several_notebooks_is_refused_with_their_paths():
    with pytest.raises(UsageError, match="'people' names 2 notebooks") as caught:
        find_notebook("people", KNOWN)
    assert caught.value.reasons == ("There are notebooks/old/people.ipynb, notebooks/people.ipynb.",)
    assert find_notebook(caught.value.next_step.rpartition(" ")[2], KNOWN) == "notebooks/old/people.ipynb"


def test_of_many_notebooks_a_few_are_named():
    assert name_notebooks([f"{n}.ipynb" for n in range(7)]).endswith("4.ipynb and 2 more")


def test_notebooks_are_told_apart_by_what_they_do_not_share():
    assert shorten_notebooks(KNOWN[:3]) == ["people", "old/people", "wine"]
    assert shorten_notebooks(KNOWN) == ["notebooks/people", "notebooks/old/people", "notebooks/wine", "train"]
    assert shorten_notebooks([]) == []
