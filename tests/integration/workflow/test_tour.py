"""The tour, in a project that was just started: from the first run to an answer of what was signed."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from workbench.cli.main import run_command

AUTHOR = "ada@example.org"


def test_the_tour_ends_with_an_answer_of_what_two_people_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("WORKBENCH_") and name != "WORKBENCH_KERNELS_KEPT_MIN"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    project = tmp_path / "toured"
    assert run_command(["init", str(project)]) == 0
    (project / "workbench.toml").write_text(f'author = "{AUTHOR}"\n', encoding="utf-8")
    tour = nbformat.read(project / "notebooks" / "00_tour.ipynb", 4)
    NotebookClient(tour, timeout=600, resources={"metadata": {"path": str(project / "notebooks")}}).execute()
    shown = [out for cell in tour.cells if cell.cell_type == "code" for out in cell.outputs]
    assert [out for out in shown if out.get("name") == "stderr" and "Traceback" in out.text] == []
    assert f"acting as {AUTHOR}" in shown[0].text
    answer = eval(shown[-1].data["text/plain"])
    assert (answer["model"]["name"], answer["model"]["version"], len(answer["scores"])) == ("tour", "1", 1)
    assert "approved by grace@tour.example, linus@tour.example" in shown[-2].data["text/plain"]
    kept = {path.name for path in project.iterdir()}
    assert kept == {"workbench.toml", "notebooks", "runs", ".gitignore"}
