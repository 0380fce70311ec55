"""What the steps of the demo are made of: commands that are shown and checked, an endpoint, and what must hold."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.cli import terminal
from workbench.cli.main import run_command
from workbench.errors import WorkbenchError
from workbench.files.python_processes import python_command

AUTHOR = "ada@demo.example"
_WIDTH = 80
_LONGEST_S = 600.0  # a command that takes longer hangs


class DemoFailed(WorkbenchError):
    """A step of the demo did not do what it says."""


def find_free_port() -> int:
    """Return a port on loopback that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def say(text: str) -> None:
    """Say what comes next, after an empty line."""
    terminal.say("")
    terminal.say(text)


def command(*arguments: str, expect: int = 0) -> None:
    """Show a command and run it; raises DemoFailed when it ends otherwise than it should."""
    terminal.print_command(spell(arguments))
    code = run_command(arguments)
    if code != expect:
        raise DemoFailed(f"`workbench {arguments[0]}` ended with {code}, not {expect}.")


def time_process(module: str, *arguments: str, quiet: bool = False) -> float:
    """Run a command as anybody would, start of Python included, and return the seconds it took; `quiet` shows nothing of it."""
    sys.stdout.flush()
    sink = subprocess.DEVNULL if quiet else None
    started = time.monotonic()
    process = subprocess.Popen(python_command(module, *arguments), stdout=sink, stderr=sink)
    try:
        code = process.wait(_LONGEST_S)
    finally:
        if process.poll() is None:
            # It ends the kernels it started before it goes.
            process.terminate()
            process.wait(60)
    require(code == 0, f"`{module} {arguments[0]}` ends with 0 (it was {code})")
    return time.monotonic() - started


def spell(arguments: Sequence[str]) -> list[str]:
    """Return a command as one would type it, each option on a line of its own when it would be too wide."""
    words = [shlex.quote(argument) for argument in arguments]
    author = os.environ["WORKBENCH_AUTHOR"]
    start = "$ workbench" if author == AUTHOR else f"$ WORKBENCH_AUTHOR={author} workbench"
    if len(line := " ".join([start, *words])) <= _WIDTH:
        return [line]
    first = next(index for index, word in enumerate(words) if word.startswith("-"))
    options = [" ".join(words[at : at + 2]) for at in range(first, len(words), 2)]
    parts = [" ".join([start, *words[:first]]), *(f"      {option}" for option in options)]
    return [*(f"{part} \\" for part in parts[:-1]), parts[-1]]


def require(holds: bool, what: str) -> None:
    """Raise DemoFailed where something does not hold."""
    if not holds:
        raise DemoFailed(f"This does not hold: {what}.", next_step="Please report it with the output above.")


def shown(path: Path) -> Path:
    """Return a path as one would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


@contextmanager
def acting_as(principal: str) -> Iterator[None]:
    """Run the commands of a step as somebody else."""
    os.environ["WORKBENCH_AUTHOR"] = principal
    try:
        yield
    finally:
        os.environ["WORKBENCH_AUTHOR"] = AUTHOR


@contextmanager
def quietly() -> Iterator[None]:
    """Show the commands but not the reviews they print, which come once more below."""
    with terminal.only_commands():
        yield


@contextmanager
def serving(model: str) -> Iterator[str]:
    """Serve a model meanwhile, by the command, and yield its address."""
    port = find_free_port()
    started = python_command("workbench", "serve", model, "--port", str(port))
    terminal.print_command([f"$ {' '.join(started[3:])} &"])
    server = subprocess.Popen(started, stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline() if server.stdout else ""
        require(line.startswith("Serving"), "the service starts")
        terminal.say(line.strip())
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def ask(url: str, body: Any = None) -> tuple[int, bytes, Any]:
    """Return the status, the content and the headers of an answer; a body is posted as JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as exc:
        return exc.code, exc.read(), exc.headers
