"""Inspections forked from a process that has imported what they import: half of a nomination's time is imports.

What is forked has opened no model, and takes its own rights away as one that was started anew does.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from signal import SIGKILL

from workbench.models import inspection_child, model_inspection
from workbench.models.confining import child_environment
from workbench.models.inspection_child import Request, Trial

_SERVE = """
import json, os, sys
from pathlib import Path
from workbench.models import inspection_child
inspection_child.import_libraries()
for line in sys.stdin:
    folder = Path(json.loads(line))
    pid = os.fork()
    if not pid:
        try:
            os.setsid()
            os.chdir(folder)
            os.environ["HOME"] = str(folder)
            for stream, name, flags in ((0, "asked", os.O_RDONLY), (1, "said", os.O_WRONLY), (2, "complained", os.O_WRONLY)):
                os.dup2(os.open(f"{folder}.{name}", flags), stream)
            sys.stdin = open(0)
            inspection_child.main()
            os._exit(0)
        except BaseException:
            import traceback
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


class WarmInspections:
    """The process that is forked from; `ask` stands for `model_inspection._ask_child`."""

    def __init__(self, home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(home, inspection_child.__name__),
            bufsize=0,  # what was read ahead could not be waited for
        )

    def ask(self, request: Request, scratch: Path) -> Trial:
        """Inspect in a forked process; the time limit is that of the request."""
        assert self._process.stdin
        files = {name: Path(f"{scratch}.{name}") for name in ("asked", "said", "complained")}
        for path in files.values():
            path.touch()
        files["asked"].write_text(json.dumps(asdict(replace(request, parent=self._process.pid))), encoding="utf-8")
        self._process.stdin.write(json.dumps(str(scratch)).encode() + b"\n")
        pid, late = int(self._read_line()), False
        try:
            if not self._answers_within(request.limits.wall_s):
                late = True
                os.killpg(pid, SIGKILL)
            returncode = int(self._read_line())
            said, complained = files["said"].read_bytes(), files["complained"].read_bytes()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(pid, SIGKILL)
            for path in files.values():
                path.unlink()
        if late:
            return model_inspection.give_up(request)
        return model_inspection._read_answer(returncode, said, complained)

    def _answers_within(self, seconds: float) -> bool:
        return bool(select.select([self._process.stdout], [], [], seconds)[0])

    def _read_line(self) -> bytes:
        assert self._process.stdout
        return self._process.stdout.readline()

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
