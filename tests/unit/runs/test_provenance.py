"""Provenance says what a run used, and nothing it could not read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.records.digest import canonical_json, sha256_hex
from workbench.runs.provenance import read_provenance


def git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.email=ada@example.org", "-c", "user.name=Ada", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *settings, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def project(tmp_path) -> Path:
    """A committed project with one notebook and a lock file."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "train.ipynb").write_text("{}", encoding="utf-8")
    (tmp_path / "requirements.lock").write_text("numpy==2.4.6\n", encoding="utf-8")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def read(project: Path, name: str = "train.ipynb") -> dict:
    return read_provenance(project / "notebooks" / name, project)


def test_a_committed_notebook_is_known_by_its_commit(project):
    found = read(project)
    assert found["git_commit"] == git(project, "rev-parse", "HEAD")
    assert found["git_dirty"] is False
    assert found["notebook_path"] == "notebooks/train.ipynb"


@pytest.mark.parametrize("name", ["notebooks/train.ipynb", "requirements.lock"])
def test_a_changed_file_makes_it_dirty(project, name):
    (project / name).write_text("changed", encoding="utf-8")
    assert read(project)["git_dirty"] is True


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_so_does_a_changed_notebook_that_git_was_told_to_look_away_from(project, flag):
    git(project, "update-index", flag, "notebooks/train.ipynb")
    (project / "notebooks" / "train.ipynb").write_text("[]", encoding="utf-8")
    assert read(project)["git_dirty"] is True


def test_a_staged_change_makes_it_dirty(project):
    (project / "notebooks" / "train.ipynb").write_text("[]", encoding="utf-8")
    git(project, "add", ".")
    assert read(project)["git_dirty"] is True


def test_an_untracked_file_beside_it_does_not(project):
    (project / "notes.txt").write_text("x", encoding="utf-8")
    assert read(project)["git_dirty"] is False


@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize("name", ["new.ipynb", "tra*n.ipynb", ":(glob)train.ipynb"])
def test_a_notebook_that_git_does_not_track_is_not_in_the_commit(project, name, ignored):
    if ignored:
        (project / ".git" / "info" / "exclude").write_text("*.ipynb", encoding="utf-8")
    (project / "notebooks" / name).write_text("{}", encoding="utf-8")
    assert read(project, name)["git_dirty"] is True


def test_outside_of_git_nothing_is_claimed(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    found = read_provenance(tmp_path / "train.ipynb", tmp_path)
    assert (found["git_commit"], found["git_dirty"], found["lock_file"], found["lock_digest"]) == (None,) * 4


def test_without_git_installed_nothing_is_claimed(project, monkeypatch):
    monkeypatch.setenv("PATH", str(project))
    assert (read(project)["git_commit"], read(project)["git_dirty"]) == (None, None)


def test_a_repository_without_a_commit_has_none(tmp_path):
    git(tmp_path, "init", "-q")
    assert read_provenance(tmp_path / "train.ipynb", tmp_path)["git_commit"] is None


def test_the_lock_file_is_known_by_its_bytes(project):
    found = read(project)
    assert (found["lock_file"], found["lock_digest"]) == ("requirements.lock", sha256_hex(b"numpy==2.4.6\n"))


def test_a_notebook_from_elsewhere_is_named_by_its_whole_path(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "train.ipynb"
    assert read_provenance(elsewhere, project)["notebook_path"] == str(elsewhere)


def test_the_packages_and_the_machine_are_named(project):
    found = read(project)
    assert found["packages"]["scikit-learn"] == __import__("sklearn").__version__
    assert found["python"] == sys.version.split()[0]
    assert set(found["machine"]) == {"system", "architecture", "processors"}
    assert len(found["packages_digest"]) == 64


def test_provenance_is_plain_json_and_the_same_when_read_again(project):
    found = read(project)
    assert json.loads(canonical_json(found)) == found == read(project)


def test_a_file_name_that_is_no_text_is_a_change_like_any_other(project):
    git(project, "config", "core.quotepath", "false")
    odd = Path(os.fsdecode(os.fsencode(project) + b"/x\xe4y"))
    odd.touch()
    git(project, "add", ".")
    assert read(project)["git_dirty"] is True
