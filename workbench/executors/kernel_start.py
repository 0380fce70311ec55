"""How a run's kernel starts: in a private IPython folder, without hooks of Python that no package brought, and with a witness."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from workbench.executors import kernel_imports, kernel_witness
from workbench.executors.jobs import Job
from workbench.executors.kept_parents import KERNEL_PARENT, is_kept_here, tell_keeper
from workbench.executors.kernel_witness import END, is_of_packages
from workbench.executors.preloads import find_preloads

# Run by Python when it starts, wherever they are found first.
_HOOKS = ("sitecustomize", "usercustomize")
_STARTUP = "PYTHONSTARTUP"
_OWN = "WORKBENCH_"
# By no name the notebook may have taken.
_WATCH = "__import__('builtins').exec(__import__('builtins').compile({source!r}, '<workbench>', 'exec'), {{'__name__': 'witness'}})"


def clean_environment(environment: Mapping[str, str], roots: Iterable[Path], scratch: Path) -> dict[str, str]:
    """Return the environment a kernel starts in: what IPython would run of its user is not there, nor are foreign hooks.

    `roots` are the folders of the project: what lies in them no package brought.
    """
    kept = {name: value for name, value in environment.items() if name != _STARTUP}
    others, foreign = _split(environment, roots)
    path = {"PYTHONPATH": os.pathsep.join(others)} if foreign else {}
    return {**kept, **path, "IPYTHONDIR": str(scratch / "ipython")}


def find_later_path(environment: Mapping[str, str], roots: Iterable[Path]) -> str | None:
    """Return the PYTHONPATH a kernel gets only after its start, because a folder in it has a hook; None where none has."""
    return environment["PYTHONPATH"] if _split(environment, roots)[1] else None


def _split(environment: Mapping[str, str], roots: Iterable[Path]) -> tuple[list[str], list[str]]:
    """Return the folders of PYTHONPATH without a foreign hook, and those with one."""
    given = environment.get("PYTHONPATH", "")
    entries = given.split(os.pathsep) if given else []
    within = [str(root) for root in roots]
    foreign = [entry for entry in entries if _has_hook(entry) and not is_of_packages(entry, within)]
    return [entry for entry in entries if entry not in foreign], foreign


def _has_hook(entry: str) -> bool:
    folder = Path(entry).absolute()
    names = [name for hook in _HOOKS for name in (f"{hook}.py", f"{hook}.pyc", f"{hook}/__init__.py")]
    return any((folder / name).is_file() for name in names)


def prepare_kernel(source: Mapping[str, Any], roots: Iterable[Path], kept_min: int) -> None:
    """Let what a run's kernel is forked from be started now, so that it imports while the command still does."""
    within, environment = list(roots), {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
    if not kept_min or not is_kept_here() or find_later_path(environment, within) is not None:
        return
    request = {"do": "find", "program": KERNEL_PARENT, "modules": list(find_preloads(source))}
    with suppress(OSError):  # then it is started when the kernel is
        tell_keeper(request, clean_environment(environment, within, Path("/")), kept_min=kept_min)


@cache
def _read_witness() -> str:
    return Path(kernel_witness.__file__).read_text(encoding="utf-8")


_PACKAGE = Path(__file__).parents[1]


def spell_timing(file: Path) -> str:
    """Return the code by which a kernel measures its imports, and writes them into a file when it ends."""
    source = Path(kernel_imports.__file__).read_text(encoding="utf-8")
    return _WATCH.format(source=f"{source}\ntime_imports({str(file)!r}, {END!r})\n")


def spell_watch(job: Job) -> str:
    """Return the code by which a kernel is watched from its first cell on."""
    wanted = {
        "journal": str(job.journal),
        "roots": [str(root) for root in job.roots],
        # Of a checkout its templates, too: the workbench runs and reads them, as it does its modules.
        "own": [str(_PACKAGE), str(_PACKAGE.parent / "templates")],
        "path": find_later_path(job.environment, job.roots),
    }
    return _WATCH.format(source=f"{_read_witness()}\nwatch(**{wanted!r})\n")
