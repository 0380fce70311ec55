"""A view whose runs can be acted on: what is wished is done by callbacks, and what became of it is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import traitlets

from workbench.errors import WorkbenchError
from workbench.widgets.snapshot_view import SnapshotView


@dataclass(frozen=True)
class Deeds:
    """What can be done with runs of this project, as callbacks, each of which returns what is to be said.

    `nominate` takes a run and a model's name; `spell_command` returns the command that makes a run again. `reports` are the
    paths of the runs' reports: where JupyterLab serves them a run leads to its own.
    """

    archive: Callable[[Sequence[str]], str]
    nominate: Callable[[str, str], str]
    spell_command: Callable[[str], str]
    reports: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}))


class ActingView(SnapshotView):
    """Does what is wished of runs; without `deeds` they are only looked at.

    `reply` says what became of a wish, with a number that rises, so that the same words are heard again; `copy` in it is a text
    for the clipboard.
    """

    reply = traitlets.Dict().tag(sync=True)
    reports = traitlets.Dict().tag(sync=True)
    is_ours = traitlets.Bool().tag(sync=True)

    def __init__(self, deeds: Deeds | None, **traits: Any) -> None:
        self._deeds = deeds
        paths = {run_id: str(path) for run_id, path in deeds.reports.items()} if deeds else {}
        super().__init__(reports={"home": str(Path.home()), "paths": paths}, is_ours=deeds is not None, **traits)
        self.on_msg(self._receive)

    def look_again(self) -> None:
        """Show what is there now."""
        raise NotImplementedError

    def _receive(self, _view: Any, content: Any, buffers: Any) -> None:
        try:
            if isinstance(content, Mapping):
                self._do(content, buffers or ())
        except WorkbenchError as exc:
            self._say(str(exc), is_refused=True)
        except Exception as exc:  # one that leaves this function is lost to who pressed the button
            self._say(f"{type(exc).__name__}: {exc}", is_refused=True)

    def _do(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        match content.get("kind"):
            case "archive" if self._deeds:
                self._archive(read_runs(content["runs"]), self._deeds)
            case "nominate" if self._deeds:
                self._say(self._deeds.nominate(str(content["run"]), str(content["model"])))
            case "spell command" if self._deeds:
                self._say(
                    "Copied the command that makes it again.", copy=self._deeds.spell_command(str(content["run"]))
                )

    def _archive(self, runs: Sequence[str], deeds: Deeds) -> None:
        said = deeds.archive(runs)
        try:
            self.look_again()
        except WorkbenchError as exc:
            # What is done stays so, also where too little is left to be shown.
            said = f"{said} {exc.in_one_line}"
        self._say(said)

    def _say(self, text: str, *, is_refused: bool = False, copy: str = "") -> None:
        number = self.reply.get("number", 0) + 1
        self.reply = {"number": number, "text": text, "is_refused": is_refused, "copy": copy}


def read_runs(given: Any) -> list[str]:
    """Return the ids of runs that a view sent; raises TypeError for what is no list."""
    if not isinstance(given, list | tuple):
        raise TypeError("The runs are no list.")  # of a text each letter would be the beginning of an id
    return [str(run) for run in given]
