"""Processes by their numbers: which there are, whose they are, and which go on though whoever started them is gone."""

# Twice a run all processes are looked at: a path is only a text there.
# ruff: noqa: PTH115, PTH123, PTH208

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

_STARTED_BY = "WORKBENCH_STARTED_BY"

# A process id, and when its process started: together they name it for good.
Process = tuple[int, str]


@dataclass(frozen=True)
class Orphan:
    """A process whose starter ended: what it was started as, and the variables it has."""

    pid: int
    part: str
    variables: Mapping[str, str]


def name_starter(part: str) -> dict[str, str]:
    """Return the variable that tells of a process, and of all it starts, what it is and that this process started it."""
    found = read_parent(os.getpid())
    return {_STARTED_BY: f"{os.getpid()} {found[1]} {part}"} if found else {}


def find_orphans() -> list[Orphan]:
    """Return the processes with such a variable whose starter is gone, sorted; without /proc, none."""
    return sorted(filter(None, map(_read_orphan, list_processes())), key=lambda orphan: orphan.pid)


def _read_orphan(pid: int) -> Orphan | None:
    # Not ours to read, or gone while we looked.
    with suppress(OSError, ValueError):
        variables = dict(
            os.fsdecode(each).split("=", 1) for each in read_file(f"/proc/{pid}/environ").split(b"\0") if each
        )
        starter, started, part = variables[_STARTED_BY].split(" ", 2) if _STARTED_BY in variables else ("", "", "")
        if starter and not is_living((int(starter), started)) and _counts_as_we_do(pid) and read_parent(pid):
            return Orphan(pid, part, variables)
    return None


def _counts_as_we_do(pid: int) -> bool:
    """False for a process in a container, where numbers name other processes."""
    return os.readlink(f"/proc/{pid}/ns/pid") == os.readlink("/proc/self/ns/pid")


def list_processes() -> list[int]:
    """Return the ids of all processes; without /proc, none."""
    with suppress(OSError):
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return []


def read_parent(pid: int) -> tuple[int, str] | None:
    """Return the parent of a process and when it started; None when it is gone."""
    try:
        fields = read_file(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return None
    return None if not fields or fields[0] in b"ZX" else (int(fields[1]), fields[19].decode())


def read_file(path: str) -> bytes:
    """Return a file of /proc, in one go; raises OSError when its process is gone or not ours."""
    with open(path, "rb", buffering=0) as file:
        return file.read()


def is_living(process: Process) -> bool:
    """True while the very process runs, and not another of its number."""
    found = read_parent(process[0])
    return found is not None and found[1] == process[1]
