"""Notebooks that fail without a word or only look odd, each with its right verdict: the workbench must say the same."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.conftest import AUTHOR, NOTEBOOKS, find_processes, run_command
from tests.soak.proof import Proof, timed_proof
from workbench.config import Settings
from workbench.errors import RunFailed, UsageError
from workbench.runs.run import Run
from workbench.workflow import Workbench

FINISHED, FAILED, REFUSED = "FINISHED", "FAILED", "REFUSED"
_HANGS_AFTER_S = 180


@dataclass(frozen=True)
class Case:
    """A notebook and its verdict; `reason` is a part of what must be said of it, `why` argues a verdict one may doubt.

    With `options` it is run by the command line, else by the same call in this process.
    """

    name: str
    verdict: str
    reason: str = ""
    why: str = ""
    options: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)


_DIED, _UNCONFIRMED = "The kernel died", "confirm"
_TIME, _SIZE = ("--timeout", "5"), ("--output-size", "1MB")

CORPUS = (
    # A magic command or the shell
    Case("fails_in_bash", FAILED, "Cell 2 raised CalledProcessError"),
    Case("runs_a_missing_file", FAILED, "Cell 2 raised Exception: File `'nowhere.py'` not found"),
    Case("runs_a_failing_file", FAILED, "Cell 3 raised ValueError: the script fails", "The kernel answers ok."),
    Case("times_a_failing_cell", FAILED, "Cell 2 raised ValueError", "The kernel answers ok; the error is an output."),
    Case("captures_a_failing_cell", FAILED, "Cell 2 raised ValueError"),
    Case("misspells_a_magic_last", FAILED, "Cell 3 raised UsageError", "An error without a traceback is one too."),
    Case("ignores_a_failing_command", FINISHED, why="Jupyter, nbconvert and papermill do not ask for its exit code."),
    Case("tells_a_script_not_to_raise", FINISHED, why="The author says so."),
    Case("forgets_its_variables", FINISHED),
    # It ends, and says that all is well
    Case("exits_quietly", FAILED, "Cell 2 raised SystemExit: 0", "papermill takes it for success."),
    Case("exits_quietly_last", FAILED, "Cell 2 raised SystemExit: 0"),
    Case("raises_system_exit", FAILED, "Cell 2 raised SystemExit"),
    Case("quits", FAILED, "kernel"),
    Case(
        "quits_last",
        FAILED,
        "kernel",
        "As sys.exit(0); the kernel ends a tenth of a second later, or was asked before.",
    ),
    Case("exits_hard", FAILED, _DIED),
    Case("kills_its_kernel", FAILED, _DIED),
    Case("kills_its_kernel_last", FAILED, _DIED),
    Case("restarts_its_kernel", FAILED, "kernel"),
    Case("ends_its_kernel_at_exit", FINISHED, why="Every cell had run, and the kernel had confirmed it."),
    Case("crashes", FAILED, _DIED),
    Case("imports_what_aborts", FAILED, _DIED),
    # It never ends
    Case("prints_for_ever", FAILED, "--output-size", options=_SIZE),
    Case("prints_too_much", FAILED, "--output-size", options=_SIZE),
    Case("asks_for_input", FAILED, "Cell 2 raised StdinNotImplementedError"),
    Case("stops_itself", FAILED, "--timeout", options=_TIME),
    Case("closes_its_output_channel", FAILED, "--timeout", "What it showed is lost.", options=_TIME),
    # It raises where nobody looks
    Case("swallows_an_exception", FINISHED, why="Its author's decision."),
    Case("raises_in_a_thread", FINISHED, why="Python writes it to standard error and goes on; the output shows it."),
    Case("forgets_its_task", FINISHED, why="As a thread; nobody asked for its result."),
    Case("awaits_a_failing_task", FAILED, "Cell 2 raised ValueError: the task fails"),
    Case("raises_where_it_may", FAILED, "Cell 2 raised ValueError", "papermill says the same of the tag."),
    Case("skips_a_cell_by_its_tag", FAILED, "Only 3 of 4 code cells ran"),
    Case("makes_warnings_errors", FAILED, "Cell 2 raised UserWarning"),
    Case("recurses_for_ever", FAILED, "Cell 2 raised RecursionError"),
    Case("raises_memory_error", FAILED, "Cell 2 raised MemoryError"),
    Case("raises_what_cannot_be_said", FAILED, "Cell 2 raised"),
    Case("shows_what_cannot_be_shown", FAILED, "Cell 2 raised ValueError", "An error is among the outputs."),
    Case("interrupts_itself", FAILED, "Cell 2 raised KeyboardInterrupt"),
    Case("does_not_compile", FAILED, "Cell 2 raised SyntaxError"),
    Case("raises_in_cell_three", FAILED, "Cell 3 raised ValueError: the third cell fails"),
    # It changes what would tell
    Case("hides_its_errors", FAILED, "kernel", "A kernel that cannot fail any more proves nothing."),
    Case("hides_its_tracebacks", FAILED, "Cell 3 raised ValueError: hidden"),
    Case("handles_every_exception", FAILED, "Cell 3 raised ValueError: hidden"),
    Case("skips_its_cells", FAILED, _UNCONFIRMED),
    Case("answers_for_its_kernel", FAILED, _UNCONFIRMED),
    Case("fakes_its_imports", FAILED, _UNCONFIRMED, "A kernel that cannot confirm the last cell is not believed."),
    Case("shadows_the_builtins", FINISHED, why="Names in the notebook are its own affair."),
    Case("forges_its_completion", FAILED, _DIED),
    Case("forges_its_record", FAILED, "Cell 3 raised ValueError: not finished"),
    Case("rewinds_its_count", FAILED, "order", "Which cell ran when cannot be told any more."),
    Case("raises_its_count", FINISHED, why="The counts still rise: every cell ran, once, in order."),
    Case("stale_outputs", FINISHED),
    Case("stale_counts", FAILED, "Cell 2 raised ValueError: the second cell fails"),
    # It changes what is around it
    Case("forks", FINISHED, why="The first process ran every cell; the other one ends with it."),
    Case("changes_the_clock", FINISHED),
    Case("closes_its_streams", FINISHED),
    Case("prints_half_characters", FINISHED),
    Case("asks_for_its_parent", FINISHED),
    Case("deletes_its_working_folder", FINISHED),
    Case("ignores_signals", FINISHED),
    Case("leaves_a_process_behind", FINISHED),
    Case("leaves_a_stranger_behind", FINISHED),
    Case("ruins_its_folder", FAILED, "not the folder that was made", parameters={"kind": "gone"}),
    Case("ruins_its_folder", FAILED, "not the folder that was made", parameters={"kind": "linked"}),
    Case("logs_half_a_line", FAILED, "What the notebook logged cannot be read"),
    # It cannot be run, or there is nothing to run
    Case("parameter_without_a_value", REFUSED, "Line 1"),
    Case("unknown_kernel", REFUSED, "which is not installed"),
    Case("other_language", REFUSED, "Its kernel runs R"),
    Case("only_text", REFUSED, "None of its cells holds code"),
    Case("broken", REFUSED, "It is not JSON"),
    Case("only_parameters", FINISHED),
    Case("no_kernelspec", FINISHED),
)


@dataclass(frozen=True)
class Observed:
    """What the workbench said of a notebook; `run` is None when nothing was started."""

    verdict: str
    reason: str
    run: Run | None = None


def find_faults(bench: Workbench, case: Case) -> list[str]:
    """Run a case and return in words everything that is wrong with what the workbench makes of it."""
    with _ended_when_it_hangs(bench):
        observed = _run_case(bench, case)
    said = f"{case.name} is {observed.verdict}: {observed.reason or 'no reason'}"
    faults = [] if observed.verdict == case.verdict else [f"{said}; right is {case.verdict}"]
    if case.reason not in observed.reason:
        faults.append(f"{said}; the reason should say {case.reason!r}")
    return faults + ([] if observed.run is None else _find_contradictions(bench, observed.run))


def _find_contradictions(bench: Workbench, run: Run) -> list[str]:
    """Everybody must agree how a run ended, and nothing of it may still be there."""
    folder = bench.settings.runs_folder / run.id
    status = bench.tracker._client.get_run(run.tracked_as).info.status
    wrong = {
        f"{run.notebook} has a record though it is {run.state}": (folder / "record.json").exists() > run.is_finished,
        f"{run.notebook} has no record": (folder / "record.json").exists() < run.is_finished,
        f"MLflow says that {run.notebook} is {status}": (status == FINISHED) != run.is_finished,
        f"{run.notebook} left processes": bool(find_processes(folder)),
    }
    return [fault for fault, holds in wrong.items() if holds]


def _run_case(bench: Workbench, case: Case) -> Observed:
    # In a folder of its own: what it does to its surroundings must not reach the next one.
    folder = Path(tempfile.mkdtemp(prefix="case-", dir=bench.settings.project))
    path = Path(shutil.copy(NOTEBOOKS / f"{case.name}.ipynb", folder))
    try:
        _run_notebook(bench, path, case)
    except UsageError as exc:
        return Observed(REFUSED, str(exc))
    except RunFailed:
        pass
    run = bench.list_runs(notebook=str(path.relative_to(bench.settings.project)))[0]
    return Observed(str(run.state), run.error or "", run)


def _run_notebook(bench: Workbench, path: Path, case: Case) -> None:
    if not case.options:
        bench.run(path, case.parameters)
        return
    done = run_command(bench.settings.project, "run", str(path), *case.options)
    if done.returncode == UsageError.exit_code:
        raise UsageError(done.stderr)


@contextmanager
def _ended_when_it_hangs(bench: Workbench) -> Iterator[None]:
    """End whatever this process started when a case takes for ever: its verdict is then wrong, and the next one runs."""
    guard = threading.Timer(_HANGS_AFTER_S, _end_children, [bench.settings.runs_folder])
    guard.daemon = True
    guard.start()
    try:
        yield
    finally:
        guard.cancel()


def _end_children(folder: Path) -> None:
    children = psutil.Process().children(recursive=True)
    for process in (*children, *map(_find_process, find_processes(folder))):
        with suppress(psutil.Error):
            if process:
                process.kill()


def _find_process(pid: int) -> psutil.Process | None:
    with suppress(psutil.Error):
        return psutil.Process(pid)
    return None


def prove(size: int) -> Proof:
    """Run the whole corpus `size` times and count the wrong verdicts."""
    return timed_proof("Every notebook that fails silently gets its right verdict", lambda: _try_corpus(size))


def _try_corpus(size: int) -> tuple[int, Sequence[str], str]:
    project = Path(tempfile.mkdtemp(prefix="workbench-soak-"))
    bench = Workbench.open(Settings(project, author=AUTHOR))
    (project / "workbench.toml").write_text(f'author = "{AUTHOR}"\n', encoding="utf-8")
    try:
        bench.tracker.require_answer()
        # One at a time: a command in this process takes over its signals, which only the main thread may.
        found = [find_faults(bench, case) for case in CORPUS * size]
    finally:
        bench.store.close()
        shutil.rmtree(project, ignore_errors=True)
    failures = ["; ".join(faults) for faults in found if faults]
    return len(found), failures, f"{len(CORPUS)} notebooks, {size} times each"
