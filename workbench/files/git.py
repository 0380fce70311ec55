"""Git, asked about a folder whose own settings may name programs: it answers without running them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_TIMEOUT_S = 30
# What a repository's settings may have git run when it is only asked: monitors, hooks, verifiers of signatures, and whoever fetches
# what a partial clone lacks. Filters of files stay: without them nobody could tell whether a file was changed.
_RUN_NOTHING = ("core.fsmonitor=false", f"core.hooksPath={os.devnull}", "log.showSignature=false")
_FETCH_NOTHING = {"GIT_ALLOW_PROTOCOL": "none"}


def ask_git(folder: Path, *arguments: str) -> str | None:
    """Return what git says in a folder; None where it fails, is not installed or gives no answer in time.

    Who has it compare or blame adds `--no-ext-diff --no-textconv`, which no setting stands for.
    """
    settings = [part for setting in _RUN_NOTHING for part in ("-c", setting)]
    command = ["git", "--literal-pathspecs", *settings, "-C", str(folder), *arguments]
    variables = {**os.environ, **_FETCH_NOTHING}
    try:
        done = subprocess.run(command, env=variables, capture_output=True, check=False, timeout=_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return None
    # A file name, too, is whatever bytes somebody gave it.
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None
