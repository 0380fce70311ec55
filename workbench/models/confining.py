"""Confining: a process is started that takes its own rights away, asked one thing, and read carefully; it may crash or stall."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from workbench.errors import Refused
from workbench.files.processes import name_starter
from workbench.files.python_processes import SEARCHED, python_command, python_variables
from workbench.records.digest import strict_json
from workbench.records.document import build_record

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Answer = TypeVar("Answer")


def run_confined(module: str, request: DataclassInstance, scratch: Path, *, wall_s: float) -> tuple[int, bytes, bytes]:
    """Run a module of ours that confines itself, in a folder of its own, and return its exit code, what it said and complained of.

    It reads the request as JSON. Raises subprocess.TimeoutExpired when it takes longer than its wall time; what it started ends
    with it.
    """
    with subprocess.Popen(
        python_command(module),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=scratch,
        env=child_environment(scratch, module),
        start_new_session=True,
    ) as child:
        try:
            said, complained = child.communicate(json.dumps(asdict(request)).encode(), timeout=wall_s)
        finally:
            _kill_group(child)
    return child.returncode, said, complained


def child_environment(scratch: Path, module: str) -> dict[str, str]:
    """Return what a confined process knows of its surroundings."""
    # One thread: parallel prediction brings nothing here and each thread reserves address space.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    threads["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    kept = {
        name: os.environ[name]
        for name in ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONDONTWRITEBYTECODE", SEARCHED)
        if name in os.environ
    }
    starter = name_starter(module.rpartition(".")[2].removesuffix("_child"))
    return python_variables({**kept, **threads, "HOME": str(scratch), "JOBLIB_MULTIPROCESSING": "0", **starter})


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def read_answer(returncode: int, said: bytes, complained: bytes, kind: type[Answer]) -> Answer:
    """Return the record a confined process answered with; raises Refused, in one sentence, where it gave none."""
    if returncode < 0:
        raise Refused(f"The process that loaded it was ended by {signal.Signals(-returncode).name}.")
    try:
        return build_record(kind, strict_json(said))
    except (ValueError, TypeError) as exc:
        last = " ".join(complained.decode(errors="replace").split())[-300:]
        raise Refused(f"The process that loaded it ended with {returncode} and no answer: {last}") from exc
