"""Who looks on reads whole notebooks without secrets, and keeping them costs and harms the run nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from workbench.executors.folder_usage import FolderMeter, FolderUse
from workbench.executors.limit_watch import Watched
from workbench.executors.limits import Limits
from workbench.executors.live_notebook import LiveNotebook, pause_after
from workbench.executors.process_usage import ProcessTree

SECRET = "sk-4f9aQ7zLx81"


def executed(*texts: str) -> dict[str, Any]:
    outputs = [{"output_type": "stream", "name": "stdout", "text": text} for text in texts]
    cells = [
        {"cell_type": "code", "metadata": {}, "source": "x", "execution_count": 1, "outputs": [each]}
        for each in outputs
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def live_of(folder: Path, *documents: Any) -> LiveNotebook:
    folder.mkdir(exist_ok=True)
    states = list(documents)
    return LiveNotebook(folder / "notebook.ipynb", [SECRET], lambda: states.pop(0) if len(states) > 1 else states[0])


def texts_in(folder: Path) -> list[str]:
    document = json.loads((folder / "notebook.ipynb").read_bytes())
    return [output["text"] for cell in document["cells"] for output in cell["outputs"]]


def test_only_what_changed_is_written_and_in_whole_files_that_a_reader_keeps(tmp_path: Path) -> None:
    live = live_of(tmp_path, executed("one"), executed("one", "two"))
    live._keep_changed()
    assert list(tmp_path.iterdir()) == []
    live.note()
    live._keep_changed()
    with (tmp_path / "notebook.ipynb").open(encoding="utf-8") as reader:
        live.note()
        live._keep_changed()
        assert "two" not in reader.read()
    assert texts_in(tmp_path) == ["one", "two"]
    assert [path.name for path in tmp_path.iterdir()] == ["notebook.ipynb"]


def test_half_a_secret_is_held_back_until_it_is_told_to_be_one_or_the_notebook_is_over(tmp_path: Path) -> None:
    halves = executed(f"key {SECRET[:8]}"), executed(f"key {SECRET[:8]}", SECRET[8:]), executed("key sk-4f9a!")
    live = live_of(tmp_path, *halves, executed("key sk-4"))
    shown = []
    for _ in halves:
        live._write(goes_on=True)
        shown.append(texts_in(tmp_path))
    live._write(goes_on=False)
    assert shown == [["key "], ["key [secret]", ""], ["key sk-4f9a!"]]
    assert texts_in(tmp_path) == ["key sk-4"]


def test_what_cannot_be_written_is_tried_again_and_raises_nothing(tmp_path: Path) -> None:
    live = live_of(tmp_path / "run", {"cells": None}, executed("one"))
    for _ in range(2):
        live.note()
        live._keep_changed()
    assert texts_in(tmp_path / "run") == ["one"]


def test_nothing_is_written_where_a_notebook_put_a_link_in_the_place_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    live = live_of(tmp_path / "run", executed("one"))
    (tmp_path / "run").rmdir()
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    with live.keeping(to_the_end=lambda: True):
        live.note()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_in_the_place_of_the_notebook_is_replaced_and_not_followed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine", encoding="utf-8")
    live = live_of(tmp_path / "run", executed("one"))
    for name in ("notebook.ipynb", ".notebook.ipynb"):
        (tmp_path / "run" / name).symlink_to(mine)
    live._write(goes_on=True)
    assert (mine.read_text(encoding="utf-8"), texts_in(tmp_path / "run")) == ("mine", ["one"])


def test_the_pauses_grow_with_what_writing_costs() -> None:
    assert [pause_after(cost_s) for cost_s in (0.0, 0.01, 0.5)] == [1.0, 1.0, 10.0]


def test_the_notebook_that_is_kept_is_not_what_a_disk_limit_is_about(tmp_path: Path) -> None:
    live = live_of(tmp_path, executed("x" * 5000))
    live._write(goes_on=True)
    tree = ProcessTree(os.getpid() + 10**7, "NAME=none")
    for own_bytes, is_over in ((lambda: 0, True), (lambda: live.bytes, False)):
        watched = Watched(tree, FolderMeter([tmp_path]), Limits(disk_bytes=4000), own_bytes)
        watched.tree.kill = lambda: None  # of this very process
        watched._judge_disk(FolderUse(live.bytes, 1, is_complete=True), 0)
        assert (watched.breach is not None) == is_over
