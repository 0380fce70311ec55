"""A Python process of ours: it finds modules where they are installed, and searches neither the project nor the current folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

SAFE_PATH = "PYTHONSAFEPATH"
SEARCHED = "PYTHONPATH"


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs an installed module, whatever files of its name lie where it is started.

    The option is this process's alone: a kernel it starts for somebody's notebook finds the modules beside the notebook.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def python_variables(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return variables with which a Python process, and each that it starts, searches installed modules only.

    Folders somebody added to `PYTHONPATH` are searched; a relative one would be another in each folder, and is left out.
    """
    others = {name: value for name, value in inherited.items() if name != SEARCHED}
    folders = list(filter(os.path.isabs, inherited.get(SEARCHED, "").split(os.pathsep)))
    return {**others, **({SEARCHED: os.pathsep.join(folders)} if folders else {}), SAFE_PATH: "1"}
