"""The system tells which files of a project are opened for reading, native readers among those that do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from workbench.executors import opened_files
from workbench.executors.jobs import Opened
from workbench.executors.opened_files import OpenedFiles


@pytest.fixture
def project(tmp_path) -> Path:
    for folder in ("data/deep", "runs/by-id", ".git", "env", "node_modules"):
        (tmp_path / folder).mkdir(parents=True)
        pyarrow.parquet.write_table(pyarrow.table({"a": [1]}), tmp_path / folder / "rows.parquet")
    (tmp_path / "env" / "pyvenv.cfg").touch()
    return tmp_path


def read_all(project: Path) -> None:
    for path in project.rglob("*.parquet"):
        pyarrow.parquet.read_table(path)


def test_native_readers_are_seen_but_not_in_hidden_folders_environments_and_the_workbenchs_own(project):
    watch = OpenedFiles([project, project / "data"], project / "runs")
    read_all(project)
    assert watch.close() == Opened((f"{project}/data/deep/rows.parquet",), ())
    read_all(project)
    assert watch.close().files == (f"{project}/data/deep/rows.parquet",)


def test_native_writers_are_seen_too(project):
    watch = OpenedFiles([project], project / "runs")
    for folder in ("data/deep", "runs/by-id"):
        pyarrow.parquet.write_table(pyarrow.table({"a": [1]}), project / folder / "new.parquet")
    assert watch.close() == Opened((), (), (f"{project}/data/deep/new.parquet",))


def test_settings_that_our_own_commands_read_meanwhile_are_not_what_the_notebook_read(project):
    watch = OpenedFiles([project], None)
    for name in ("workbench.toml", "pyproject.toml", "settings.toml"):
        (project / name).write_text("author = 'ada@example.org'\n", encoding="utf-8")
        (project / name).read_bytes()
    assert watch.close().files == (f"{project}/settings.toml",)


def test_a_file_that_is_mapped_is_seen_once_it_is_let_go(project):
    watch = OpenedFiles([project], None)
    mapped = pyarrow.memory_map(f"{project}/data/deep/rows.parquet")
    watch.drain()
    mapped.close()
    assert watch.close().files == (f"{project}/data/deep/rows.parquet",)


def test_a_linked_folder_is_seen_and_a_ring_of_links_ends(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "x.bin").touch()
    (elsewhere / "ring").symlink_to(elsewhere)
    (project / "linked").symlink_to(elsewhere)
    watch = OpenedFiles([project], None)
    (elsewhere / "x.bin").read_bytes()
    assert [Path(name).resolve() for name in watch.close().files] == [elsewhere / "x.bin"]


def test_what_is_written_is_not_told_as_read(project):
    watch = OpenedFiles([project], None)
    (project / "new.bin").write_bytes(b"x")
    sqlite3.connect(project / "new.db").execute("create table t (x)").connection.close()
    assert watch.close().files == ()


@pytest.mark.parametrize("limit", ["MOST_FOLDERS", "MOST_ENTRIES"])
def test_where_there_are_too_many_folders_it_is_said(project, monkeypatch, limit):
    monkeypatch.setattr(opened_files, limit, 2)
    (unseen,) = OpenedFiles([project], None).close().unseen
    assert "too many" in unseen


def test_more_than_can_be_named_is_said(project, monkeypatch):
    monkeypatch.setattr(opened_files, "MOST_FILES", 1)
    watch = OpenedFiles([project], project / "runs")
    (project / "other.bin").touch()
    read_all(project)
    (project / "other.bin").read_bytes()
    assert (len(watch.close().files), watch.close().unseen) == (1, ("more than 1 files that native readers opened",))


def test_where_the_system_does_not_tell_it_is_said(project, monkeypatch):
    monkeypatch.setattr(opened_files, "_LIBC", object())
    (unseen,) = OpenedFiles([project], None).close().unseen
    assert unseen.startswith("what native readers open (")
