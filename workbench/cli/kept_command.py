"""Commands forked from a process that has imported what they need; where there is none, they run as every other."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from workbench.errors import Unavailable
from workbench.executors.forked_process import ForkedProcess, ask_process
from workbench.executors.kept_parents import ask_keeper, is_kept_here

# Those that run notebooks let such a process be started; others that ask nobody anything use it when it is there.
_STARTING = ("run", "sweep", "replay")
_COMMANDS = (*_STARTING, "runs", "show", "compare", "diff", "models", "check", "annotate")
# What such a command imports on its way.
_MODULES = (
    "workbench.cli.checking",
    "workbench.cli.comparing",
    "workbench.cli.diffed_runs",
    "workbench.cli.finding",
    "workbench.cli.main",
    "workbench.cli.running",
    "workbench.comparisons.separating",
    "workbench.stats.averaged_metric",
    "workbench.stats.delong",
    "workbench.stats.paired_bootstrap",
    "workbench.nominations.standings",
    "workbench.workflow.starting",
    "workbench.runs.executing",
    "workbench.runs.running",
    "workbench.nominations.foreseeing",
    "workbench.sweeps.sweeping",
    "workbench.replays.replaying",
    "workbench.executors.papermill_executor",
    "workbench.runs.mlflow_tracker",
    "workbench.runs.nbconvert_report",
    "mlflow.store.tracking.sqlalchemy_store",
    "nbconvert.exporters.html",
    "nbconvert.preprocessors",
    "pyarrow.parquet",
    "rich.console",
    "rich.table",
    "rich.progress",
)
_VARIABLES = ("MLFLOW_",)
_START_TIMEOUT_S = 3.0
_PASSED = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def is_kept_command(arguments: Sequence[str]) -> bool:
    """True for a command that may be forked: one with streams of its own, and without options of Python."""
    has_streams = None not in (sys.stdin, sys.stdout, sys.stderr)
    first = (sys.orig_argv[1:2] or [""])[0]
    is_plain = not first.startswith("-") or first == "-m"
    return bool(arguments) and arguments[0] in _COMMANDS and has_streams and is_plain and is_kept_here()


def run_kept(arguments: Sequence[str], environment: Mapping[str, str]) -> int | None:
    """Run a command in a forked process and return its exit code; None where there is none to fork from, and nothing was begun."""
    with suppress(OSError):
        if requests := find_parent(environment, ready=True):
            command = _ask(requests, arguments, environment)
            return _attend(command) if command.has_started(_START_TIMEOUT_S) else None
    return None


def _ask(requests: socket.socket, arguments: Sequence[str], environment: Mapping[str, str]) -> ForkedProcess:
    sys.stdout.flush()
    sys.stderr.flush()
    ignored = [number for number in _PASSED if signal.getsignal(number) is signal.SIG_IGN]
    order = {
        "environment": dict(environment),
        "cwd": os.getcwd(),  # noqa: PTH109
        "arguments": [sys.argv[0], *arguments],
        "ignored": ignored,
    }
    with requests:
        request = {"do": "take", "arguments": [], "standby": 0}
        return ForkedProcess(ask_process(requests, request, order, (0, 1, 2)))


def _attend(command: ForkedProcess) -> int:
    """Pass on what is signalled until the command ended; return its exit code."""

    def pass_on(number: int, _: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(command.pid, number)

    def pause(_: int, __: object) -> None:
        # It has no terminal that could stop it: it is stopped before this process is, and goes on after it.
        with suppress(ProcessLookupError):
            os.kill(command.pid, signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGSTOP)
            os.kill(command.pid, signal.SIGCONT)

    for number, handle in (*((number, pass_on) for number in _PASSED), (signal.SIGTSTP, pause)):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handle)
    code = command.wait()
    if command.is_lost:
        lost = Unavailable(
            "The command ended before its time.",
            why="The process it was forked from is gone.",
            next_step="Run it again; `workbench runs` lists what was begun, and `workbench run --resume RUN` goes on with it.",
        )
        from workbench.cli.terminal import print_error

        print_error(lost)
        return Unavailable.exit_code
    return code if code >= 0 else 128 - code


def prepare_kept(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Let the next command be forked after one that ran notebooks, where a keeper of processes is there."""
    if arguments[0] not in _STARTING:
        return
    with suppress(OSError):
        if requests := find_parent(environment, ready=False):
            requests.close()


def find_parent(environment: Mapping[str, str], *, ready: bool) -> socket.socket | None:
    """Return where commands are asked for: with `ready` only of one that can fork at once, else of one that is started."""
    wanted = {"program": "workbench.cli.command_parent", "modules": _MODULES, "variables": _VARIABLES, "ready": ready}
    return ask_keeper({"do": "find", **wanted}, environment)[1]
