"""Commands started from the panel: each a process of its own that goes on when page and server are closed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from workbench.files.python_processes import python_command
from workbench.records.clock import utc_now

# What lets its holder into the server is none of a notebook's business.
_OF_THE_SERVER = frozenset({"JUPYTER_TOKEN", "JPY_API_TOKEN", "JUPYTERHUB_API_TOKEN", "JPY_SESSION_NAME"})
_STYLE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_MOST_SAID = 20_000


@dataclass(eq=False)
class StartedCommand:
    """A command that runs, or ran: of which notebook, the sweep where it runs one, when it was started (ISO 8601 UTC)."""

    notebook: Path
    sweep: str
    started: str
    process: subprocess.Popen[bytes]
    output: IO[bytes] = field(repr=False)
    is_interrupted: bool = False

    @property
    def is_over(self) -> bool:
        """True when the process has ended."""
        return self.process.poll() is not None

    @property
    def has_failed(self) -> bool:
        """True when it ended by itself, with anything but success."""
        return self.process.poll() not in (None, 0) and not self.is_interrupted

    def read_said(self) -> str:
        """Return what it said on its standard error, the end of it where that is long."""
        size = self.output.seek(0, os.SEEK_END)
        self.output.seek(max(size - _MOST_SAID, 0))
        return _STYLE.sub("", self.output.read().decode(errors="replace")).strip()

    def interrupt(self) -> None:
        """End it as Ctrl-C does: what finished is kept."""
        self.is_interrupted = True
        if not self.is_over:
            self.process.send_signal(signal.SIGINT)


class StartedCommands:
    """What was started here, the newest first; what ended well is forgotten."""

    def __init__(self) -> None:
        self._started: list[StartedCommand] = []

    def start(self, notebook: Path, arguments: Sequence[str], *, folder: Path, sweep: str = "") -> StartedCommand:
        """Start `workbench` with these arguments in a folder, in a session of its own."""
        output = tempfile.TemporaryFile()  # noqa: SIM115 - it is read for as long as the command is known
        started = utc_now()
        process = subprocess.Popen(
            python_command("workbench", *arguments),
            cwd=folder,
            env=_environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=output,
            start_new_session=True,
        )
        command = StartedCommand(notebook, sweep, started, process, output)
        self._started.insert(0, command)
        return command

    def list_of(self, notebook: Path) -> list[StartedCommand]:
        """Return the commands of a notebook that go on or failed."""
        self._keep(lambda each: not each.is_over or each.has_failed)
        return [each for each in self._started if each.notebook == notebook]

    def forget_failed(self, notebook: Path) -> None:
        """Forget what failed of a notebook: something new is started."""
        self._keep(lambda each: each.notebook != notebook or not each.has_failed)

    def _keep(self, is_kept: Callable[[StartedCommand], bool]) -> None:
        kept = [each for each in self._started if is_kept(each)]
        for each in self._started:
            if each not in kept:
                each.output.close()
        self._started = kept


def _environment(inherited: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in inherited.items() if name not in _OF_THE_SERVER}
