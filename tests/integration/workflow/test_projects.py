"""A folder becomes a project, and what a notebook asks is asked of the project it lies in, wherever it was started from."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.conftest import NOTEBOOKS
from tests.unit.policies.builders import STANDARD_POLICY
from workbench.cli.main import run_command
from workbench.executors.warm_kernels import KERNEL_NAME
from workbench.signing.ssh_signatures import make_key

ASKS = nbformat.v4.new_notebook(
    cells=[
        nbformat.v4.new_code_cell("seed = 0", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(
            "import os\nimport workbench as wb\nos.chdir('/')\nprint(wb.compare().comparison.holdout_digest)"
        ),
    ],
    metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
)


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, in no project, of somebody whose home is elsewhere."""
    for name in [name for name in os.environ if name.startswith("WORKBENCH_") and name != "WORKBENCH_KERNELS_KEPT_MIN"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "home").mkdir()
    folder = tmp_path / "shop"
    (folder / "notebooks").mkdir(parents=True)
    monkeypatch.chdir(folder)
    yield folder


def test_a_folder_becomes_a_project_and_what_is_there_stays(outside: Path, capsys) -> None:
    (outside / ".gitignore").write_text("*.csv\n__pycache__/", encoding="utf-8")
    assert run_command(["init", "--json"]) == 0
    started = json.loads(capsys.readouterr().out)
    made = [
        "workbench.toml",
        *(f"notebooks/{name}.ipynb" for name in ("00_tour", "20_compare_runs", "30_review_nominee")),
    ]
    assert started == {
        "project": str(outside), "made": [*made, "runs/trust/allowed_signers", ".gitignore"], "kept": []
    }  # fmt: skip
    assert all((outside / name).is_file() for name in started["made"])
    tour = json.loads((outside / "notebooks" / "00_tour.ipynb").read_bytes())
    assert tour["metadata"]["kernelspec"]["name"] == KERNEL_NAME
    assert (outside / ".gitignore").read_text().splitlines() == [
        "*.csv",
        "__pycache__/",
        "/runs/",
        ".ipynb_checkpoints/",
    ]
    (outside / "workbench.toml").write_text('author = "ada@example.org"\n', encoding="utf-8")
    assert run_command(["init", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["kept"] == started["made"]
    assert run_command(["init"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert ("there already workbench.toml, notebooks/00_tour.ipynb," in said, "nothing" in said) == (True, False)
    assert (again["made"], (outside / "workbench.toml").read_text()) == ([], 'author = "ada@example.org"\n')


def test_a_project_inside_of_another_is_refused_and_a_file_too(outside: Path, capsys) -> None:
    assert run_command(["init"]) == 0
    assert run_command(["init", "notebooks/deep"]) == 2
    assert f"Next: Go on in {outside}, or start a project outside of it." in capsys.readouterr().err
    assert not (outside / "notebooks" / "deep").exists()
    assert run_command(["init", "workbench.toml"]) == 2


def test_a_repository_around_is_no_project_in_the_way(outside: Path) -> None:
    (outside / ".git").mkdir()
    assert run_command(["init", "notebooks/deep"]) == 0
    assert (outside / "notebooks" / "deep" / "workbench.toml").is_file()


def test_a_signer_is_added_once_and_a_key_of_two_people_is_refused(outside: Path, tmp_path: Path, capsys) -> None:
    for name in ("grace", "linus"):
        make_key(tmp_path / name, name)
    assert run_command(["init"]) == 0
    add = ["signer", "add", "grace@example.org", "--key", str(tmp_path / "grace.pub"), "--role"]
    assert [run_command([*add, "validator, owner"]), run_command([*add, "validator,owner"])] == [0, 0]
    said = capsys.readouterr().out
    assert "grace@example.org may sign as validator and owner, by runs/trust/allowed_signers." in said
    assert "grace@example.org could sign already as validator and owner" in said
    before = (outside / "runs/trust/allowed_signers").read_text()
    assert before.count("grace@example.org") == 1
    assert run_command(["signer", "add", "linus@example.org", "--key", str(tmp_path / "grace"), "--role", "owner"]) == 3
    assert "grace@example.org and linus@example.org share one key" in capsys.readouterr().err
    assert run_command(["signer", "add", "linus@example.org", "--key", str(tmp_path / "none"), "--role", "owner"]) == 2
    assert f"ssh-keygen -t ed25519 -f {tmp_path / 'none'}" in capsys.readouterr().err
    assert (outside / "runs/trust/allowed_signers").read_text() == before
    assert run_command(["signer", "list"]) == 0
    assert "approval as validator, waiver as validator, objection, approval as owner" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_role_that_no_policy_asks_for_is_told_when_it_is_granted_and_by_policy_check_and_doctor(
    outside: Path, tmp_path: Path, capsys
) -> None:
    make_key(tmp_path / "nora", "nora")
    assert run_command(["init"]) == 0
    note = "No policy here asks for the role valdator (did you mean validator?); asked for are owner, risk_officer, validator."
    granted = ["signer", "add", "nora@example.org", "--key", str(tmp_path / "nora"), "--role"]
    assert run_command([*granted, "owner,valdator"]) == 0
    assert f"Warning. {note}" in capsys.readouterr().out
    assert run_command(["policy", "check"]) == 0
    assert f"standard: Warning. {note}" in capsys.readouterr().out
    own = outside / "own.yaml"
    own.write_text(STANDARD_POLICY.read_text(encoding="utf-8").replace("validator:", "valdator:"), encoding="utf-8")
    assert run_command(["policy", "check", "./own.yaml"]) == 0
    assert note not in capsys.readouterr().out
    run_command(["doctor"])
    assert note in " ".join(capsys.readouterr().out.split())


def test_a_public_half_that_is_not_there_is_made_under_the_name_of_the_private_one(
    outside: Path, tmp_path: Path, capsys
) -> None:
    assert run_command(["init"]) == 0
    key = tmp_path / "grace.pub"
    add = ["signer", "add", "grace@example.org", "--key", str(key), "--role", "owner"]
    assert run_command(add) == 2
    said = capsys.readouterr().err
    assert f"There is no file {key}." in said
    assert f"`ssh-keygen -t ed25519 -f {key.with_suffix('')}`" in said
    key.write_text("no key", encoding="utf-8")
    assert run_command(add) == 2
    assert f"{key} is no SSH key." in capsys.readouterr().err
    key.unlink()
    make_key(key.with_suffix(""), "grace")
    assert run_command(add) == 0


def test_what_a_notebook_asks_is_asked_of_the_project_it_lies_in_wherever_it_works(outside: Path, capsys) -> None:
    assert run_command(["new", "train"]) == 0
    assert f"{outside} is a project now (workbench.toml); what it keeps lies in runs." in capsys.readouterr().err
    assert run_command(["run", "notebooks/train.ipynb"]) == 0
    nbformat.write(ASKS, outside / "notebooks" / "asks.ipynb")
    os.chdir(outside / "notebooks")
    capsys.readouterr()
    assert run_command(["run", "asks.ipynb", "--json"]) == 0
    run = json.loads(capsys.readouterr().out)
    shown = nbformat.read(outside / "runs/by-id" / run["id"] / "notebook.ipynb", 4)
    assert len(shown.cells[-1].outputs[0].text.strip()) == 64
    assert [path.parent for path in outside.rglob("workbench.db")] == [outside / "runs"]


def test_a_first_run_makes_the_current_folder_a_project_and_says_so(outside: Path, capsys) -> None:
    shutil.copy(NOTEBOOKS / "finishes.ipynb", outside / "notebooks")
    assert run_command(["run", "notebooks/missing.ipynb"]) == 2
    assert not (outside / "workbench.toml").exists()
    assert run_command(["run", "notebooks/finishes.ipynb"]) == 0
    assert f"{outside} is a project now (workbench.toml)" in capsys.readouterr().err
    os.chdir(outside.parent)
    assert run_command(["run", "shop/notebooks/finishes.ipynb"]) == 0
    assert f"The notebook lies in the project {outside}, and is run there." in capsys.readouterr().err
    assert not (outside.parent / "runs").exists()


def test_where_home_is_given_no_project_is_made(outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(outside.parent / "elsewhere"))
    assert run_command(["new", "churn"]) == 0
    assert not (outside / "workbench.toml").exists()


def test_what_an_older_version_kept_marks_a_project(outside: Path, capsys) -> None:
    (outside / "runs").mkdir()
    (outside / "runs" / "workbench.db").touch()
    code = "from workbench.runs.spool import read_own_settings; print(read_own_settings().project)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=outside / "notebooks", capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(outside)


def test_nobodys_home_becomes_a_project(outside: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    home = Path(os.environ["HOME"])
    monkeypatch.chdir(home)
    assert run_command(["new", "churn"]) == 2
    assert "Next: Make a folder for it: `workbench init FOLDER && cd FOLDER`." in capsys.readouterr().err
    assert not {"notebooks", "workbench.toml"} & {path.name for path in home.iterdir()}
