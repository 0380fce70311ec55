"""A file is written whole or not at all, wherever something lies in the way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workbench.files.whole_files import write_file


def test_a_link_is_kept_and_the_rights_of_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("older", encoding="utf-8")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    write_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert ((tmp_path / "real").read_bytes(), (tmp_path / "real").stat().st_mode & 0o777) == (b"new", 0o640)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


def test_a_link_where_something_temporary_could_lie_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("somebody else's", encoding="utf-8")
    for name in (".runs.csv.new", ".runs.csv", "runs.csv.new"):
        (tmp_path / name).symlink_to("other")
    write_file(tmp_path / "runs.csv", b"new")
    assert (tmp_path / "other").read_text("utf-8") == "somebody else's"
    assert (tmp_path / "runs.csv").stat().st_mode & 0o777 == 0o666 & ~_umask()


def test_what_cannot_be_written_is_named_as_it_was_asked_for_and_nothing_stays(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").mkdir()
    with pytest.raises(OSError) as caught:
        write_file(tmp_path / "runs.csv", b"new")
    assert caught.value.filename == str(tmp_path / "runs.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]
    with pytest.raises(FileNotFoundError) as missing:
        write_file(tmp_path / "gone" / "runs.csv", b"new")
    assert missing.value.filename == str(tmp_path / "gone" / "runs.csv")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
