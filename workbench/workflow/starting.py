"""Starting: a folder becomes a project; what is there already stays as it is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from workbench.config import (
    MARKER,
    find_notebook,
    find_project,
    find_template,
    is_home_given,
    is_marked,
    read_settings,
)
from workbench.errors import UsageError
from workbench.files.disk import disk_answers

_MARK = """\
# This folder is a project of the workbench: what it keeps lies in runs/. Settings are lines such as these:
# author = "ada@example.org"
# policy = "strict"
# `workbench help workflow` lists them.
"""
_SIGNERS = """\
# Who may sign as what, a line for each person and key: `workbench signer add NAME --key FILE --role ROLE`.
"""
_NOTEBOOKS = ("00_tour.ipynb", "20_compare_runs.ipynb", "30_review_nominee.ipynb")
# As `warm_kernels` names it, which is not loaded for a name.
_WARM_KERNEL = "workbench-warm"
_IGNORED = ("/runs/", ".ipynb_checkpoints/", "__pycache__/")


@dataclass(frozen=True)
class Started:
    """A project that was started: which files were made in it, and which were there; paths from it."""

    project: str
    made: tuple[str, ...]
    kept: tuple[str, ...]


def start_project(folder: Path) -> Started:
    """Make a folder a project, with the tour, the views of comparison and review, and a file for its signers.

    Raises UsageError where it is a file, or lies in another project, whose runs and signers it would not share.
    """
    folder = folder.resolve()
    _require_place(folder)
    with disk_answers(folder):
        folder.mkdir(parents=True, exist_ok=True)
        marker = {folder / MARKER: _MARK.encode()}
        contents = marker if not is_marked(folder) or (folder / MARKER).is_file() else {}
        contents |= {
            folder / "notebooks" / name: give_warm_kernel(find_notebook(name).read_bytes()) for name in _NOTEBOOKS
        }
        made = [path for path, content in contents.items() if _write_new(path, content)]
        settings = read_settings(folder)
        contents[settings.signers_file] = _SIGNERS.encode()
        made += [settings.signers_file] if _write_new(settings.signers_file, _SIGNERS.encode()) else []
        made += [folder / ".gitignore"] if _ignore(folder / ".gitignore") else []
    kept = [path for path in (*contents, folder / ".gitignore") if path not in made]
    return Started(
        str(folder), tuple(_name(path, folder) for path in made), tuple(_name(path, folder) for path in kept)
    )


def write_experiment(project: Path, name: str, template: str = "classification") -> Path:
    """Copy an experiment from the templates to notebooks/NAME.ipynb of a project and return its path."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        raise UsageError(f"{name!r} cannot name a notebook.", why="Use letters, digits, - and _.")
    path = project / "notebooks" / f"{name}.ipynb"
    if path.exists():
        raise UsageError(f"{path} exists already.", next_step="Choose another name.")
    content = give_warm_kernel(find_template("experiments", f"{template}.ipynb").read_bytes())
    with disk_answers(path.parent):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return path


def give_warm_kernel(content: bytes) -> bytes:
    """Return a notebook of ours that starts with the warm kernel when it is opened by hand; a run of it does in any case."""
    text = content.decode()
    document = json.loads(text)
    document["metadata"]["kernelspec"] = _read_warm_kernel()
    indent = len(match[1]) if (match := re.match(r"\{\n( +)", text)) else None
    return (json.dumps(document, indent=indent, ensure_ascii=False) + "\n").encode()


def _read_warm_kernel() -> dict[str, str]:
    said = json.loads(find_template("kernels", _WARM_KERNEL, "kernel.json").read_text(encoding="utf-8"))
    return {"display_name": said["display_name"], "language": said["language"], "name": _WARM_KERNEL}


def _require_place(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file.", next_step="Name a folder, or one that is to be made.")
    around = find_project(folder)
    if around is not None and around != folder and is_marked(around):
        raise UsageError(
            f"{folder} lies in the project {around}.",
            why="What is inside of a project is run and reviewed there; a second one would keep its runs and signers apart.",
            next_step=f"Go on in {around}, or start a project outside of it.",
        )


def _write_new(path: Path, content: bytes) -> bool:
    """Write a file that is not there yet; False when it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return False
    return True


def _ignore(path: Path) -> bool:
    """Keep out of git what is no source; False when it is kept out already."""
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    missing = [line for line in _IGNORED if line not in before.split()]
    if missing:
        path.write_text("\n".join([*before.splitlines(), *missing, ""]), encoding="utf-8")
    return bool(missing)


def _name(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def mark_project(beside: Path, here: Path | None = None) -> Path | None:
    """Make a folder a project where `beside`, where a notebook lies, is in none; None where it is in one, or home is given.

    It is the folder one is in (`here`, default: the current one), or the one with the notebook where that is everybody's (the home
    folder, the root); never one that only holds notebooks. Raises UsageError where both are everybody's.
    """
    here = here or Path.cwd()
    if find_project(beside) or find_project(here) or is_home_given():
        return None
    shared = (Path.home(), Path(here.anchor))
    folder = beside if here in shared else here
    folder = folder.parent if folder.name == "notebooks" else folder
    if folder in shared:
        raise UsageError(
            f"{folder} cannot be a project.",
            why="Whatever lies below would belong to it.",
            next_step="Make a folder for it: `workbench init FOLDER && cd FOLDER`.",
        )
    with disk_answers(folder):
        _write_new(folder / MARKER, _MARK.encode())
    return folder
