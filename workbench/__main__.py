"""The command `workbench`, also as `python -m workbench`."""

# Until the current folder is left, a module that is imported might be a file in it, pathlib too.
# ruff: noqa: PTH100, PTH117, PTH120

from __future__ import annotations

import atexit
import gc
import os
import sys

# Imports make a million objects that stay: looking for garbage among them took a sixth of a short run, and as much at its end.
_SELDOM = (50_000, 30, 30)


def main() -> None:
    """Run the command line and exit with its code."""
    gc.set_threshold(*_SELDOM)
    atexit.register(gc.freeze)  # called last, for it is registered first
    leave_current_folder()
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    from workbench.cli.kept_command import is_kept_command, prepare_kept, run_kept

    environment = dict(os.environ) if is_kept_command(arguments) else None
    if environment and (code := run_kept(arguments, environment)) is not None:
        return code
    from workbench.cli.main import run_command

    code = run_command(arguments)
    if environment:
        prepare_kept(arguments, environment)
    return code


def leave_current_folder() -> None:
    """Search no modules where the command is typed: `python -m` puts that folder first, and so do relative ones of PYTHONPATH."""
    typed = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if not os.path.isabs(part)]
    moving = {os.path.abspath(part) for part in (".", *typed)}
    library = sys.path.index(os.path.dirname(os.__file__))
    sys.path[:library] = [folder for folder in sys.path[:library] if folder and folder not in moving]


if __name__ == "__main__":
    main()
