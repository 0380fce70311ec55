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
    """Return what git says in a folder, as words; None where it fails, is not installed or gives no answer in time."""
    said = ask_git_for_bytes(folder, *arguments)
    # A file name, too, is whatever bytes somebody gave it.
    return None if said is None else said.decode(errors="replace").strip()


def ask_git_for_bytes(folder: Path, *arguments: str, text: str = "") -> bytes | None:
    """Return what git says in a folder as it says it, given a text to read; None as `ask_git` does.

    Who has it compare adds `--no-ext-diff --no-textconv`, who has it blame `--no-textconv`: no setting stands for these.
    """
    settings = [part for setting in _RUN_NOTHING for part in ("-c", setting)]
    command = ["git", "--literal-pathspecs", "--no-replace-objects", *settings, "-C", str(folder), *arguments]
    variables = {**os.environ, **_FETCH_NOTHING}
    try:
        done = subprocess.run(
            command, env=variables, capture_output=True, check=False, timeout=_TIMEOUT_S, input=text.encode()
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
