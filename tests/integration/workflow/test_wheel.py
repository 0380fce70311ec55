"""The installed wheel is whole: in an environment and a folder of its own, without the checkout, a new notebook runs."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.conftest import own_environment
from tests.installed import ROOT


def test_the_wheel_holds_code_templates_notebooks_and_the_bentofile(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    shared = {name.partition(".data/data/")[2] for name in names if ".data/data/" in name}
    assert shared == {
        "etc/jupyter/jupyter_server_config.d/workbench.json", "share/jupyter/kernels/workbench-warm/kernel.json",
        "share/jupyter/labextensions/workbench/package.json", "share/jupyter/labextensions/workbench/static/remoteEntry.js",
    }  # fmt: skip
    folders = {"templates": ROOT / "templates", "templates/notebooks": ROOT / "notebooks"}
    expected = {
        f"workbench/{below}/{path.relative_to(folder)}"
        for below, folder in folders.items()
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }
    assert expected - names == set()
    assert "workbench/templates/bentofile.yaml" in names
    assert {name for name in names if name.endswith(".js")}
    assert [name for name in names if not name.startswith(("workbench/", "workbench-"))] == []
    assert [name for name in names if "__pycache__" in name or name.endswith(".db")] == []


def run_installed(environment: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(environment / "bin" / "workbench"), *arguments],
        cwd=folder,
        env=own_environment(WORKBENCH_AUTHOR="ada@example.org"),
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_in_an_empty_folder_a_new_notebook_runs(environment: Path, tmp_path: Path) -> None:
    where = [str(environment / "bin" / "python"), "-c", "import workbench; print(workbench.__file__)"]
    imported = subprocess.run(where, cwd=tmp_path, env=own_environment(), capture_output=True, text=True, check=True)
    assert imported.stdout.startswith(str(environment))
    run_installed(environment, tmp_path, "new", "x")
    run = json.loads(run_installed(environment, tmp_path, "run", "notebooks/x.ipynb", "--json").stdout)
    assert run["state"] == "FINISHED"
    assert run["notebook"] == "notebooks/x.ipynb"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notebooks", "runs", "workbench.toml"]
    policy = run_installed(environment, tmp_path, "policy", "show", "standard", "--json")
    assert json.loads(policy.stdout)["name"] == "standard"
    assert "unknown is never green" in run_installed(environment, tmp_path, "help", "checks").stdout


@pytest.mark.soak
def test_what_was_run_in_an_empty_folder_can_be_nominated(environment: Path, tmp_path: Path) -> None:
    run_installed(environment, tmp_path, "new", "x")
    run = json.loads(run_installed(environment, tmp_path, "run", "notebooks/x.ipynb", "--json").stdout)
    review = run_installed(environment, tmp_path, "nominate", run["id"], "--model", "x", "--json")
    assert json.loads(review.stdout)["policy_name"] == "standard"
