"""A command that is told: started without a shell, with the notice as JSON on its standard input."""

from __future__ import annotations

import json
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from workbench.notifying.notice import Notice, NotTold, Ways

_TIMEOUT_S = 30
_LONGEST_ANSWER = 500


def tell_command(notice: Notice, ways: Ways) -> bool:
    """Start the command in the project's folder; `{title}` and `{text}` in its arguments are what they say."""
    if not ways.command:
        return False
    try:
        words = shlex.split(ways.command)
    except ValueError as exc:
        raise NotTold(f"{ways.command!r} is no command.", why=str(exc)) from exc
    arguments = [word.replace("{title}", notice.title).replace("{text}", notice.text) for word in words]
    run_told(arguments, ways.project, json.dumps(notice.record, ensure_ascii=False))
    return True


def run_told(arguments: Sequence[str], folder: Path, given: str = "") -> None:
    """Run a program to its end; raises NotTold when it cannot be started, fails, or takes more than half a minute."""
    # To a file: a child that goes on would keep a pipe open, and us waiting.
    with tempfile.TemporaryFile() as said:
        try:
            done = subprocess.run(
                arguments, cwd=folder, input=given.encode(), stdout=said, stderr=said, timeout=_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as exc:
            raise NotTold(f"{arguments[0]} did not end within {_TIMEOUT_S} s.") from exc
        except OSError as exc:
            raise NotTold(f"{arguments[0]} could not be started.", why=str(exc)) from exc
        said.seek(0)
        answer = said.read(_LONGEST_ANSWER).decode(errors="replace").strip()
    if done.returncode:
        raise NotTold(f"{arguments[0]} ended with {done.returncode}.", why=answer)
