"""What a notebook wants kept is copied as bytes under a safe name, and made plain files when it ended, whatever it left there."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path

import pytest

import workbench as wb
from workbench.errors import Refused, UsageError
from workbench.runs import filing
from workbench.runs.filing import digest_kept, settle_kept
from workbench.runs.folder import KEPT
from workbench.runs.kept_files import KeptFile


@pytest.fixture
def here(tmp_path_factory, monkeypatch) -> Path:
    """The folder a notebook works in."""
    folder = tmp_path_factory.mktemp("work")
    monkeypatch.chdir(folder)
    return folder


def kept(folder: Path) -> dict[str, bytes]:
    inside = folder / KEPT
    return {path.relative_to(inside).as_posix(): path.read_bytes() for path in inside.rglob("*") if path.is_file()}


def test_a_file_is_kept_under_its_relative_path_its_last_part_or_a_name_that_is_given(run_folder, here):
    (here / "plots").mkdir()
    (here / "plots" / "roc.png").write_bytes(b"a")
    wb.log_file("plots/roc.png")
    wb.log_file(here / "plots" / "roc.png")
    wb.log_file("plots/roc.png", name="a/b.png")
    assert kept(run_folder) == {"plots/roc.png": b"a", "roc.png": b"a", "a/b.png": b"a"}
    wb.log_file(wb.folder / "a" / "b.png")  # it is kept already
    assert len(kept(run_folder)) == 3


def test_the_folder_of_a_run_is_there_and_a_folder_is_kept_with_all_below_it(run_folder, here):
    (wb.folder / "direct.txt").write_text("x", encoding="utf-8")
    (here / "out" / "deep").mkdir(parents=True)
    (here / "out" / "deep" / "x.csv").write_bytes(b"1")
    wb.log_file("out")
    wb.log_file("out", name="again")
    assert sorted(kept(run_folder)) == ["again/deep/x.csv", "direct.txt", "out/deep/x.csv"]


def test_a_later_file_of_a_name_counts_and_the_notebook_shows_that_it_is_another(run_folder, here, caplog):
    with caplog.at_level(logging.WARNING):
        for content in (b"1", b"1", b"2"):
            (here / "x.csv").write_bytes(content)
            wb.log_file("x.csv")
    assert kept(run_folder) == {"x.csv": b"2"}
    assert caplog.messages == ["x.csv takes the place of what was kept under this name; name=… keeps both."]


@pytest.mark.parametrize("name", ["../x", "/x", "a/../x", "", "a//b", "a\\b", "a\nb", "a/" + "x" * 256])
def test_a_name_that_leads_elsewhere_or_cannot_be_shown_is_refused(run_folder, here, name):
    (here / "x.csv").touch()
    with pytest.raises(UsageError, match="cannot name a kept file") as caught:
        wb.log_file("x.csv", name=name)
    assert caught.value.reasons
    assert 'name="plots/roc.png"' in caught.value.next_step
    assert kept(run_folder) == {}


def test_what_is_no_plain_file_is_refused_with_what_to_do(run_folder, here):
    os.mkfifo(here / "pipe")
    (here / "x.csv").touch()
    wb.log_file("x.csv", name="folder/x.csv")
    for path, name, says in [
        ("nowhere", None, "There is no file"),
        ("pipe", None, "pipe, a socket or a device"),
        (run_folder.parent, None, "the run's own folder"),
        ("x.csv", "folder", "A folder is kept under this name"),
        ("x.csv", "folder/x.csv/y", "A folder is kept under this name"),
    ]:
        with pytest.raises(UsageError, match=says) as caught:
            wb.log_file(path, name)
        assert caught.value.next_step


def test_links_of_a_folder_are_followed_within_it_alone_and_the_rest_is_told(run_folder, here, caplog):
    (here / "out").mkdir()
    (here / "out" / "x").write_bytes(b"x")
    (here / "secret").write_bytes(b"s")
    (here / "out" / "in").symlink_to("x")
    (here / "out" / "up").symlink_to(here / "secret")
    (here / "out" / "gone").symlink_to("nowhere")
    (here / "out" / "there").symlink_to(here)
    with caplog.at_level(logging.WARNING):
        wb.log_file("out")
    assert kept(run_folder) == {"out/x": b"x", "out/in": b"x"}
    assert [message.split(" ")[0] for message in caplog.messages] == ["out/gone", "out/up", "out:"]


def test_a_file_that_changes_while_it_is_copied_is_kept_as_far_and_that_is_told(run_folder, here, monkeypatch, caplog):
    (here / "train.log").write_bytes(b"1")
    copy = filing.shutil.copyfileobj

    def copy_and_write(*arguments):
        copy(*arguments)
        (here / "train.log").write_bytes(b"12")

    monkeypatch.setattr(filing.shutil, "copyfileobj", copy_and_write)
    with caplog.at_level(logging.WARNING):
        wb.log_file("train.log")
    assert kept(run_folder) == {"train.log": b"1"}
    assert "train.log changed while it was copied" in caplog.text


# When the notebook ended


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / KEPT / "deep").mkdir(parents=True)
    (tmp_path / KEPT / "deep" / "x").write_bytes(b"x")
    return tmp_path


def test_what_is_left_are_plain_files_and_what_was_not_is_told(folder, tmp_path_factory):
    outside, inside = tmp_path_factory.mktemp("outside"), folder / KEPT
    (outside / "secret").write_bytes(b"s")
    (inside / "in").symlink_to("deep/x")
    (inside / "out").symlink_to(outside / "secret")
    (inside / "folder").symlink_to(outside)
    os.mkfifo(inside / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(inside / "socket"))
    (inside / "empty" / "er").mkdir(parents=True)
    (inside / "deep" / "odd\nname").write_bytes(b"o")
    (inside / "deep" / "odd_name").write_bytes(b"p")
    Path(os.fsdecode(os.fsencode(inside) + b"/\xff")).write_bytes(b"f")
    (inside / ".copying-00").write_bytes(b"half")
    os.link(outside / "secret", inside / "named twice")
    (inside / "locked").write_bytes(b"l")
    (inside / "locked").chmod(0)
    notes = settle_kept(folder)
    assert kept(folder) == {
        "deep/x": b"x", "in": b"x", "deep/odd_name-2": b"o", "deep/odd_name": b"p", "_": b"f", "named twice": b"s", "locked": b"l",
    }  # fmt: skip
    told = [
        "odd_name-2",
        "half copied",
        "it was a link to what lies elsewhere",
        "pipe is not kept",
        "socket is not kept",
        "as _",
    ]
    assert all(any(part in note for note in notes) for part in told)
    assert len(notes) == 7
    assert list(outside.iterdir()) == [outside / "secret"]
    (inside / "named twice").write_bytes(b"another")
    assert (outside / "secret").read_bytes() == b"s"
    assert settle_kept(folder) == []


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_is_no_folder_is_not_kept(tmp_path, kind):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x").touch()
    put = {"link": lambda path: path.symlink_to(tmp_path / "elsewhere"), "file": Path.touch}[kind]
    put(tmp_path / KEPT)
    assert settle_kept(tmp_path) == ["files was no folder, and is not kept."]
    assert (digest_kept(tmp_path), (tmp_path / "elsewhere" / "x").exists()) == ([], True)


def test_a_folder_nothing_was_written_to_leaves_nothing(tmp_path):
    (tmp_path / KEPT).mkdir()
    assert (settle_kept(tmp_path), list(tmp_path.iterdir())) == ([], [])


def test_of_many_changes_the_first_are_told_and_the_others_counted(folder):
    for number in range(30):
        (folder / KEPT / f"{number}").symlink_to("nowhere")
    notes = settle_kept(folder)
    assert (len(notes), notes[-1]) == (21, "The same is true of 10 more of the files.")


def test_files_are_known_by_size_and_digest_and_very_many_are_refused(folder, monkeypatch):
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert digest_kept(folder) == [KeptFile("deep/x", 1, digest)]
    monkeypatch.setattr(filing, "MOST_KEPT", 1)
    (folder / KEPT / "y").touch()
    with pytest.raises(Refused, match=r"more than 1 files\. Pack them into an archive"):
        digest_kept(folder)
