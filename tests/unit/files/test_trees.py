import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import Refused, Unavailable
from workbench.files import trees
from workbench.files.trees import read_tree, write_tree

NAMES = st.text(st.characters(categories=["Ll", "Nd"], include_characters=".-_ é"), min_size=1, max_size=6).filter(
    lambda name: name not in (".", "..") and name.strip()
)
TREES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.binary(max_size=20), min_size=1, max_size=5
).filter(lambda files: not any(a != b and b.startswith(a + "/") for a in files for b in files))


@given(files=TREES)
def test_what_was_written_is_read_back(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("tree") / "release"
    write_tree(files, folder)
    assert read_tree(folder) == files


def test_hidden_files_and_bytecode_are_not_ignored(tmp_path):
    files = {".hidden": b"1", ".git/config": b"2", "__pycache__/a.pyc": b"3", ".DS_Store": b"4"}
    write_tree(files, tmp_path / "release")
    assert read_tree(tmp_path / "release") == files


@pytest.mark.parametrize(
    "path",
    ["../a", "/a", "a//b", "a/../b", "./a", "", "a/", "a\0b", "a\nb", "a\\b", "a/./b", "..", "\ud800"],
    ids=ascii,
)
def test_a_path_that_leads_elsewhere_is_never_written(tmp_path, path):
    with pytest.raises(Refused):
        write_tree({"good": b"1", path: b"2"}, tmp_path / "release")
    assert list(tmp_path.iterdir()) == []


def test_a_file_below_a_file_is_refused(tmp_path):
    with pytest.raises(Refused, match="is a file"):
        write_tree({"a": b"1", "a/b": b"2"}, tmp_path / "release")


def test_an_existing_folder_is_never_overwritten(tmp_path):
    write_tree({"a": b"old"}, tmp_path / "release")
    with pytest.raises(Refused):
        write_tree({"a": b"new"}, tmp_path / "release")
    assert read_tree(tmp_path / "release") == {"a": b"old"}


def test_a_failure_while_writing_leaves_nothing(tmp_path):
    too_long = "x" * 300
    with pytest.raises(Unavailable):
        write_tree({"a": b"1", too_long: b"2"}, tmp_path / "release")
    assert list(tmp_path.iterdir()) == []


def test_a_symbolic_link_is_refused_by_name(tmp_path):
    (tmp_path / "secret").write_bytes(b"s")
    folder = tmp_path / "release"
    write_tree({"a": b"1", "b/c": b"2"}, folder)
    (folder / "b" / "link").symlink_to(tmp_path / "secret")
    (folder / "loop").symlink_to(folder)
    with pytest.raises(Refused) as caught:
        read_tree(folder)
    assert [reason.split()[0].strip("'") for reason in caught.value.reasons] == ["b/link", "loop"]


def test_pipes_and_empty_folders_are_refused(tmp_path):
    write_tree({"a": b"1"}, tmp_path / "release")
    os.mkfifo(tmp_path / "release" / "pipe")
    (tmp_path / "release" / "empty").mkdir()
    with pytest.raises(Refused) as caught:
        read_tree(tmp_path / "release")
    assert len(caught.value.reasons) == 2


def test_a_folder_that_is_a_link_is_not_followed_below(tmp_path):
    outside = tmp_path / "outside"
    write_tree({"secret": b"s"}, outside)
    write_tree({"a": b"1"}, tmp_path / "release")
    (tmp_path / "release" / "b").symlink_to(outside, target_is_directory=True)
    with pytest.raises(Refused, match="symbolic link"):
        read_tree(tmp_path / "release")


def test_more_bytes_than_allowed_are_refused_in_total(tmp_path):
    write_tree({"a": b"12345", "b": b"12345"}, tmp_path / "release")
    assert len(read_tree(tmp_path / "release", largest_bytes=10)) == 2
    with pytest.raises(Refused, match="more than may be read"):
        read_tree(tmp_path / "release", largest_bytes=9)


def test_a_small_file_is_read_without_room_for_the_largest_and_a_larger_one_not_at_all(tmp_path):
    """Python makes room for as much as is asked for, before it reads: asking for the limit took 2 GiB for every file."""
    write_tree({"a": b"12345"}, tmp_path / "release")
    tracemalloc.start()
    assert read_tree(tmp_path / "release", largest_bytes=8 * 1024**2) == {"a": b"12345"}
    (tmp_path / "release" / "larger").write_bytes(bytes(4 * 1024**2))
    tracemalloc.reset_peak()
    with pytest.raises(Refused, match="more than may be read"):
        read_tree(tmp_path / "release", largest_bytes=2 * 1024**2)
    largest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert largest < 1024**2


def test_more_files_than_allowed_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(trees, "MOST_FILES", 2)
    write_tree({"a": b"", "b": b"", "c": b""}, tmp_path / "release")
    with pytest.raises(Refused, match="more than 2 files"):
        read_tree(tmp_path / "release")


def test_a_missing_folder_is_unavailable(tmp_path):
    with pytest.raises(Unavailable):
        read_tree(tmp_path / "nothing")


def test_a_name_that_is_not_unicode_is_refused(tmp_path):
    write_tree({"a": b"1"}, tmp_path / "release")
    Path(os.fsdecode(os.fsencode(tmp_path / "release") + b"/\xff")).write_bytes(b"2")
    with pytest.raises(Refused, match="not plain text"):
        read_tree(tmp_path / "release")


@pytest.mark.parametrize("kind", ["link", "file", "pipe"])
def test_a_folder_that_is_itself_no_folder_is_refused_and_not_read_as_empty(tmp_path, kind):
    write_tree({"a": b"1"}, tmp_path / "release")
    path = tmp_path / "instead"
    {"link": lambda: path.symlink_to(tmp_path / "release"), "file": path.touch, "pipe": lambda: os.mkfifo(path)}[kind]()
    with pytest.raises(Refused, match="It is a link or a file itself"):
        read_tree(path)
