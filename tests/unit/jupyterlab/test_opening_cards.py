"""Cards: what each opens in a folder, what is made on the way, and whose cells are run because somebody clicked."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from workbench.errors import UsageError
from workbench.executors.warm_kernels import KERNEL_NAME
from workbench.jupyterlab.opening_cards import CARDS, open_card


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in no project, of somebody whose home is elsewhere."""
    for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "shop").mkdir()
    return tmp_path / "shop"


def kernel_of(path: Path) -> str:
    return str(json.loads(path.read_text(encoding="utf-8"))["metadata"]["kernelspec"]["name"])


@pytest.mark.parametrize(
    ("name", "notebook", "runs"),
    [
        ("new", "experiment.ipynb", False),
        ("compare", "20_compare_runs.ipynb", True),
        ("review", "30_review_nominee.ipynb", True),
        ("tour", "00_tour.ipynb", False),
    ],
)
def test_in_a_fresh_folder_a_card_makes_a_project_and_says_so(
    folder: Path, name: str, notebook: str, runs: bool
) -> None:
    opened = open_card(name, folder)
    assert opened.path == folder / "notebooks" / notebook
    assert (opened.runs, kernel_of(opened.path)) == (runs, KERNEL_NAME)
    assert opened.said == f"{folder} is a project now; what its runs keep lies in runs."
    assert (folder / "workbench.toml").is_file()
    again = open_card(name, folder / "notebooks")
    assert (again.path == opened.path, again.said) == (name != "new", "")


def test_a_new_experiment_never_takes_anothers_place(folder: Path) -> None:
    made = [open_card("new", folder).path.name for _ in range(3)]
    assert made == ["experiment.ipynb", "experiment-2.ipynb", "experiment-3.ipynb"]


def test_in_a_repository_a_card_makes_its_own_notebook_alone(folder: Path) -> None:
    (folder / ".git").mkdir()
    opened = open_card("compare", folder)
    assert opened.said == f"Made notebooks/20_compare_runs.ipynb in {folder}."
    assert sorted(path.name for path in folder.iterdir()) == [".git", "notebooks"]
    assert [path.name for path in (folder / "notebooks").iterdir()] == ["20_compare_runs.ipynb"]


def test_cells_that_somebody_changed_are_not_run_because_a_card_was_clicked(folder: Path) -> None:
    path = open_card("compare", folder).path
    document = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    code[0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "shown before"}]
    path.write_text(json.dumps(document), encoding="utf-8")
    assert open_card("compare", folder).runs
    code[1]["source"] = "import os; os.system('true')"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert not open_card("compare", folder).runs
    path.write_text("no notebook", encoding="utf-8")
    assert not open_card("compare", folder).runs


def test_nobodys_home_becomes_a_project_and_what_to_do_is_done_in_jupyterlab() -> None:
    with pytest.raises(UsageError, match="cannot be a project") as caught:
        open_card("tour", Path("/"))
    assert caught.value.next_step.startswith("In the file browser make a folder")


def test_what_is_no_card_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_card("../tour", folder)
    assert caught.value.reasons == (f"There are: {', '.join(CARDS)}.",)
    assert list(folder.iterdir()) == []
