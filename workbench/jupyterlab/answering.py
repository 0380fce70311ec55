"""Answering the panel: a notebook that is open is looked at, run, swept and stopped, each by the verbs that commands use."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.config import Settings, find_project, find_project_of, read_settings
from workbench.errors import NotFound, UsageError, WorkbenchError
from workbench.jupyterlab.panel_state import GoingSweep, Outlook, Panel
from workbench.jupyterlab.started_commands import StartedCommand, StartedCommands
from workbench.nominations.obstacles import Obstacle
from workbench.notebooks.locating import name_notebook
from workbench.notebooks.notebook import Notebook, parse_notebook
from workbench.notebooks.parameters import bind_parameters, parse_value
from workbench.runs.run import FINAL_STATES, Run, RunState
from workbench.sweeps import sweeping
from workbench.sweeps.search import SEARCHES, parse_axis, require_space
from workbench.widgets.follow_state import FollowedRun, Tail

if TYPE_CHECKING:
    from workbench.runs.following import Follower
    from workbench.workflow import Workbench

_MOST_RUNS, _MOST_FOLLOWED = 30, 4
# What the list of runs says as well.
_TOLD = re.compile(r"Run [0-9a-f]{8,12} |[\d,]+ of [\d,]+ runs failed")


@dataclass
class _Watched:
    """A run that is followed, and the last lines it printed."""

    follower: Follower
    tail: Tail = field(default_factory=Tail)

    def look(self) -> FollowedRun:
        self.tail.add(self.follower.read_new())
        seen, values = self.follower.notebook, self.follower.metrics.values
        return FollowedRun(self.follower.run, seen.cell, seen.cells, time.time(), dict(values), tuple(self.tail.lines))


class Panels:
    """Answers for every notebook below a server's root; to be asked by one thread at a time.

    Nothing is made by looking: where no store is yet there are no runs.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._commands = StartedCommands()
        self._benches: dict[Settings, Workbench] = {}
        self._watched: dict[str, _Watched] = {}
        self._outlooks: dict[str, Future[tuple[Obstacle, ...] | str]] = {}
        self._notebook: tuple[object, Notebook] | None = None
        self._foreseeing = ThreadPoolExecutor(1, thread_name_prefix="workbench-outlook")

    def find_path(self, path: str) -> Path:
        """Return what a path of JupyterLab means; raises UsageError for one that leads out of what the server shows.

        A link is followed wherever it leads, as the server itself does.
        """
        if ".." in path.split("/") or "\0" in path:
            raise UsageError(f"{path!r} leads out of what JupyterLab shows.", next_step=f"Open one below {self._root}.")
        return self._root / path.strip("/")

    def name_path(self, file: Path) -> str:
        """Return what JupyterLab calls a file; raises UsageError for one that lies outside of what it shows."""
        if file.is_relative_to(self._root):
            return file.relative_to(self._root).as_posix()
        raise UsageError(
            f"{file} lies outside of what JupyterLab shows.",
            why=f"It shows what lies below {self._root}, which is a part of a project.",
            next_step="Start JupyterLab in the project's folder: `workbench lab`.",
        )

    def look(self, path: str) -> Panel:
        """Return what there is to be seen of a notebook."""
        file = self.find_path(path).resolve()
        settings = _read_settings(file)
        notebook = self._read_notebook(file, settings)
        commands = self._commands.list_of(file)
        bench = self._find_bench(settings)
        runs = bench.list_runs(notebook=notebook.name, limit=_MOST_RUNS) if bench else []
        sweeps = tuple(self._list_sweeps(bench, runs, commands)) if bench else ()
        return Panel(
            notebook=notebook,
            project=str(settings.project),
            home=str(settings.home_folder),
            runs=tuple(runs),
            followed=self._follow(bench, runs) if bench else (),
            sweeps=sweeps,
            starting=tuple(_say_starting(commands, runs)),
            failed=tuple(_read_failures(commands)),
            outlook=self._look_ahead(bench, runs) if bench else None,
            metrics=tuple(bench.list_deciding()) if bench else (),
            drafts=bench.count_drafts() if bench else 0,
        )

    def run(self, path: str, texts: Mapping[str, str]) -> None:
        """Run a notebook once, in the background; raises UsageError before anything is started for values that do not fit."""
        file = self.find_path(path).resolve()
        declared = {each.name: each for each in _read_notebook(file, _read_settings(file)).parameters}
        values = {name: parse_value(declared.get(name), text) for name, text in texts.items()}
        bind_parameters(tuple(declared.values()), values)
        self._start(file, ["run", str(file), *_spell_options(texts), "--json"])

    def sweep(self, path: str, texts: Mapping[str, str], *, search: str, trials: int | None) -> None:
        """Plan a sweep and run it in the background; raises UsageError before anything is started for what does not fit."""
        file = self.find_path(path).resolve()
        kind = next((each for each in SEARCHES if each == search), None)
        if kind is None:
            raise UsageError(f"There is no search {search!r}.", why=f"There are: {', '.join(SEARCHES)}.")
        notebook = _read_notebook(file, _read_settings(file))
        declared = {each.name: each for each in notebook.parameters}
        space = {name: parse_axis(declared.get(name), text) for name, text in texts.items()}
        require_space(notebook.parameters, space, kind)
        bench = self._open(_mark_project(file))
        notebook = _read_notebook(file, bench.settings)
        goal = sweeping.find_goal(notebook, lambda: bench.read_policy()[0], None, None, bench.settings.project)
        plan = sweeping.plan_sweep(
            notebook, space, search=kind, trials=trials if SEARCHES[kind].draws else None, seed=0, goal=goal
        )
        sweeping.write_plan(plan, bench.settings)
        self._start(file, ["sweep", "--resume", plan.id, "--json"], sweep=plan.id)

    def stop_run(self, path: str, run_id: str) -> None:
        """Ask whoever runs a run to end it."""
        self._require_bench(path).request_stop(run_id)

    def stop_sweep(self, path: str, sweep: str) -> None:
        """End a sweep that was started here, as Ctrl-C does; raises UsageError for any other."""
        found = [each for each in self._commands.list_of(self.find_path(path).resolve()) if each.sweep == sweep]
        if not found:
            raise UsageError(
                f"Sweep {sweep} was not started from this panel.",
                why="Or the server was started anew since.",
                next_step=f"Press Ctrl-C where it was started; `workbench sweep --resume {sweep}` goes on later.",
            )
        found[0].interrupt()

    def find_report(self, path: str, run_id: str) -> Path:
        """Return the report of a run."""
        bench = self._require_bench(path)
        return bench.settings.runs_folder / bench.show(run_id).id / "report.html"

    def _start(self, file: Path, arguments: list[str], *, sweep: str = "") -> None:
        self._commands.forget_failed(file)
        folder = find_project(file.parent) or file.parent
        self._commands.start(file, arguments, folder=folder, sweep=sweep)

    def _find_bench(self, settings: Settings) -> Workbench | None:
        """Return the workbench of a project that keeps something; None where opening it would make its store."""
        if not settings.store_url and not (settings.home_folder / "workbench.db").is_file():
            return None
        return self._open(settings)

    def _read_notebook(self, file: Path, settings: Settings) -> Notebook:
        """Return a notebook; one that is as it was when it was read is not read again: it may hold large outputs."""
        found = file.stat() if file.is_file() else None
        seen = (file, settings.project, found and (found.st_ino, found.st_size, found.st_mtime_ns))
        if self._notebook is None or self._notebook[0] != seen:
            self._notebook = seen, _read_notebook(file, settings)
        return self._notebook[1]

    def _require_bench(self, path: str) -> Workbench:
        settings = _read_settings(self.find_path(path).resolve())
        if found := self._find_bench(settings):
            return found
        raise NotFound(f"No run is kept in {settings.home_folder}.", next_step="Run a notebook first.")

    def _open(self, settings: Settings) -> Workbench:
        from workbench.workflow import Workbench

        if settings not in self._benches:
            self._benches[settings] = Workbench.open(settings)
        return self._benches[settings]

    def _list_sweeps(self, bench: Workbench, runs: list[Run], commands: list[StartedCommand]) -> Iterator[GoingSweep]:
        going = [each.sweep for each in commands if each.sweep and not each.is_over]
        going += [run.sweep for run in runs if run.sweep and run.state not in FINAL_STATES]
        for sweep in dict.fromkeys(going):
            with suppress(WorkbenchError):
                plan = bench.find_sweep(sweep)
                swept = tuple(bench.store.list_runs(sweep=sweep))
                yield GoingSweep(plan, swept, bench.find_goal(plan, swept))

    def _follow(self, bench: Workbench, runs: list[Run]) -> tuple[FollowedRun, ...]:
        going = [run for run in runs if run.state not in FINAL_STATES]
        self._watched = {key: each for key, each in self._watched.items() if not each.follower.is_over}
        single = [run for run in going if not run.sweep][:_MOST_FOLLOWED]
        for run in single:
            self._watched.setdefault(run.id, _Watched(bench.follow(run.id)))
        looked = [self._watched[run.id].look() for run in single]
        return tuple(each for each in looked if each.run.state not in FINAL_STATES)

    def _look_ahead(self, bench: Workbench, runs: list[Run]) -> Outlook | None:
        """Return what is missing to nominate the newest run that finished, as far as that is looked up already."""
        newest = next((run for run in runs if run.state is RunState.FINISHED), None)
        if newest is None:
            return None
        if newest.id not in self._outlooks:
            # What was known of others is looked up anew when it is asked for again: policy and ledger may have changed.
            self._outlooks = {newest.id: self._foreseeing.submit(_foresee, bench, newest)}
        found = self._outlooks[newest.id]
        return Outlook(newest, found.result() if found.done() else None)


def _foresee(bench: Workbench, run: Run) -> tuple[Obstacle, ...] | str:
    """Return what stands in the way of a run, or why nobody can tell: unknown is never as if all were well."""
    try:
        bench.read_policy()
        return tuple(bench.foresee_obstacles([run]))
    except Exception as exc:  # one that leaves this thread is told to nobody
        return str(exc) or type(exc).__name__


def _read_settings(file: Path) -> Settings:
    return read_settings(find_project_of(file.parent, file.parent) or file.parent)


def _mark_project(file: Path) -> Settings:
    """Return the settings a notebook is swept under; where it lies in no project its folder becomes one."""
    from workbench.workflow.starting import mark_project

    mark_project(file.parent, file.parent)
    return _read_settings(file)


def _read_notebook(file: Path, settings: Settings) -> Notebook:
    return parse_notebook(name_notebook(file, settings.project), file.read_bytes())


def _spell_options(texts: Mapping[str, str]) -> list[str]:
    return [part for name, text in texts.items() for part in ("-p", f"{name}={text}")]


def _say_starting(commands: list[StartedCommand], runs: list[Run]) -> Iterator[str]:
    """Say of a command that its run is not there yet; a sweep is there with its plan."""
    singles = [each for each in commands if not each.sweep and not each.is_over]
    if any(all(run.created < each.started for run in runs) for each in singles):
        yield "Starting a run…"


def _read_failures(commands: list[StartedCommand]) -> Iterator[WorkbenchError]:
    for each in commands:
        if each.has_failed:
            error = parse_error(each.read_said())
            if not _TOLD.match(error.what):
                yield error


def parse_error(said: str) -> WorkbenchError:
    """Return the error that a command said last, in its three parts."""
    lines = said.splitlines()
    starts = [number for number, line in enumerate(lines) if line and not line.startswith("  ")]
    what, *rest = lines[starts[-1] :] if starts else ["It ended without a word."]
    reasons = [line.removeprefix("  - ") for line in rest if line.startswith("  - ")]
    step = next((line.removeprefix("  Next: ") for line in rest if line.startswith("  Next: ")), "")
    return WorkbenchError(what, why=reasons, next_step=step)
