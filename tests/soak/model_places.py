"""The three places that open models, each tried in a process of its own that is watched: `python -m tests.soak.model_places`.

Reads one JSON object from standard input, a `Task`, and writes a line of JSON for each hostile folder and place.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from tests.integration.release_builder import InspectedModel, Signers, build_unsigned_release, inspect, sign_release
from tests.soak.hostile_model_files import corpus
from tests.soak.hostile_skops import Canary
from tests.soak.watched import Allowed, Watch, library_folders
from tests.unit.evidence.builders import build_model
from workbench.errors import Refused, WorkbenchError
from workbench.files.trees import read_tree
from workbench.models.confinement import Limits
from workbench.releases.release_audit import audit_folder

PYTHON = sys.executable
LIMITS = Limits(memory_bytes=2 * 1024**3, file_bytes=64 * 1024**2, cpu_s=20, wall_s=25)
PLACE_S, REQUEST_S = 40, 3
MORE_MEMORY = 2 * 1024**3
LARGEST_PEAK = 3 * 1024**3
# The last one: it forks by itself, to answer.
_PROGRAMS = ("ssh-keygen", "")


@dataclass(frozen=True)
class Task:
    """Which folders of the corpus to try, where to work, the port of the canary, and the parts of a sound release."""

    names: tuple[str, ...]
    folder: str
    port: int
    sound: str
    keys: Mapping[str, str]
    allowed_signers: str


@dataclass(frozen=True)
class Outcome:
    """What became of one hostile folder at one place.

    `said` is the reason, None when it was opened without one; `noted` what the watch saw that it should not.
    """

    name: str
    place: str
    said: str | None
    noted: tuple[str, ...]
    fired: bool
    seconds: float
    peak_bytes: int
    fault: str | None = None


# The places: each returns why the model is refused, or None


def _nominate(case: _Case) -> str | None:
    """Inspect it as a nomination does."""
    fact = inspect(case.folder, limits=LIMITS)
    if fact.served_as is None and not fact.load_error:
        raise AssertionError(f"neither served nor refused: {fact}")
    if fact.served_as is None:
        return "; ".join([str(fact.load_error), *fact.untrusted_types, *fact.refused_files])
    return None


def _audit(case: _Case) -> str | None:
    """Put it into an approved release, as it is, and audit that."""
    return _refusal(lambda: case.audit(case.tampered))


def _approve_and_serve(case: _Case) -> str | None:
    """Serve it although two people signed exactly these files; answer the holdout with it."""
    from workbench import bentoml_service

    def serve() -> None:
        read_tree(case.tampered / "release" / "model")  # what is no plain file cannot even be signed
        bentoml_service.open_application(case.audit(case.release), lambda *_: None)
        predict, rows = bentoml_service.load_predictor(case.audit(case.release)), case.rows()
        # A request that takes too long is the time limit's affair; what must not be is that it harms meanwhile.
        child = os.fork()
        if child == 0:
            _fails(lambda: predict(rows))
            os._exit(0)
        _await(child, REQUEST_S)

    return _refusal(serve)


PLACES: Mapping[str, Callable[[Any], str | None]] = {
    "nominate": _nominate,
    "audit": _audit,
    "serve": _approve_and_serve,
}


def _refusal(act: Callable[[], object]) -> str | None:
    try:
        act()
    except WorkbenchError as exc:
        return str(exc)
    return None


def _fails(act: Callable[[], object]) -> bool:
    """Say whether it raises."""
    try:
        act()
    except Exception:  # a server answers with a problem, whatever it is
        return True
    return False


@dataclass(frozen=True)
class _Case:
    name: str
    folder: Path
    canary: Canary
    task: Task
    release: Path

    @property
    def tampered(self) -> Path:
        return self.release.with_name("tampered")

    def write(self) -> None:
        shutil.copytree(self.task.sound, self.folder)
        self.canary.path.parent.mkdir()
        next(each for each in corpus() if each.name == self.name).write(self.folder / "model", self.canary)

    def tamper(self) -> None:
        """Make a copy of the approved release whose model is the hostile folder, links and pipes as they are."""
        shutil.copytree(Path(self.task.sound).parent / "release", self.tampered)
        model = self.tampered / "release" / "model"
        shutil.rmtree(model)
        (self.folder / "model").rename(model)

    def sign(self) -> None:
        """Write a release of these very files that two people approved; there is none of what is no plain file."""
        try:
            hostile = read_tree(self.tampered / "release" / "model")
        except Refused:
            return
        served_as = "onnx" if "model.onnx" in hostile else "skops"
        inspected = InspectedModel(hostile, build_model(served_as=served_as), None)  # type: ignore[arg-type]
        signers = Signers({role: Path(key) for role, key in self.task.keys.items()}, Path(self.task.allowed_signers))
        shutil.copytree(Path(self.task.sound).parent / "release", self.release)
        shutil.rmtree(self.release / "release")
        for path, content in sign_release(build_unsigned_release(inspected), signers).items():
            if path.startswith("release/"):
                (self.release / path).parent.mkdir(parents=True, exist_ok=True)
                (self.release / path).write_bytes(content)

    def audit(self, folder: Path) -> Any:
        now = datetime.now(UTC).isoformat()
        return audit_folder(folder, allowed_signers=Path(self.task.allowed_signers), least_principals=2, now=now)

    def rows(self) -> list[dict[str, Any]]:
        import pandas as pd

        table = pd.read_parquet(self.folder / "features.parquet")
        return table.to_dict("records")


# One place in one process


def main() -> None:
    """Try every named folder at every place."""
    from workbench import bentoml_service

    assert bentoml_service  # imported once, before anything is forked
    task = Task(**json.load(sys.stdin))
    for name in task.names:
        work = Path(task.folder) / "work"
        case = _Case(name, work / "run", Canary(work / "away" / "canary", task.port), task, work / "release")
        work.mkdir()
        case.write()
        for place in PLACES:
            if place == "audit":
                case.tamper()
                case.sign()
            click.echo(json.dumps(asdict(_try_place(case, place))))
        _remove(work)


def _remove(work: Path) -> None:
    shutil.rmtree(work)


def _try_place(case: _Case, place: str) -> Outcome:
    work = case.release.parent
    log, answer = work / f"{place}.log", work / f"{place}.json"
    log.touch()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _work_in_child(case, place, log, answer)
    fault = _await(child, PLACE_S)
    seconds = time.monotonic() - started
    said = json.loads(answer.read_bytes() or b"{}") if answer.is_file() else {}
    noted = tuple(dict.fromkeys(json.loads(line) for line in log.read_text().splitlines()))
    return Outcome(
        case.name,
        place,
        said.get("said"),
        noted,
        os.path.lexists(case.canary.path),
        round(seconds, 2),
        said.get("peak", 0),
        said.get("fault") or fault,
    )


def _await(child: int, limit_s: float) -> str | None:
    """Return None once the child has ended by itself, what is wrong otherwise; nothing of it is left."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return None if code == 0 else f"its process ended with {code}"
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return f"it hung for {limit_s} s"


def _work_in_child(case: _Case, place: str, log: Path, answer: Path) -> None:
    """Try one place and leave; never returns."""
    said: dict[str, Any] = {}
    sys.dont_write_bytecode = True  # as a server is started
    descriptor = os.open(answer, os.O_WRONLY | os.O_CREAT)
    try:
        before = _confine()
        watch = _watch(case, log)
        watch.arm()
        said["said"] = PLACES[place](case)
        said["peak"] = max(_peak(resource.RUSAGE_CHILDREN), _peak(resource.RUSAGE_SELF) - before)
    except BaseException:
        said["fault"] = "".join(traceback.format_exc().splitlines(keepends=True)[-4:])
    os.write(descriptor, json.dumps(said).encode())
    os._exit(0)


def _peak(who: int) -> int:
    return resource.getrusage(who).ru_maxrss * 1024


def _confine() -> int:
    """Bound this process's memory and time; return how much it holds already."""
    os.setsid()
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + MORE_MEMORY,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (PLACE_S,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return _peak(resource.RUSAGE_SELF)


def _watch(case: _Case, log: Path) -> Watch:
    """Watch this process, and have the one that inspects watch itself."""
    work, temporary = case.release.parent, os.environ["TMPDIR"]
    shim = work / "python"
    own = (str(case.folder), str(case.release), str(case.tampered), temporary)
    allowed = Allowed((*library_folders(), *own, case.task.allowed_signers, *case.task.keys.values()), own)
    inner = replace(allowed, readable=(*library_folders(), *own), writable=(temporary,))
    if not shim.exists():
        program = Path(__file__).with_name("watched.py")
        told = json.dumps(asdict(inner))
        shim.write_text(
            f"#!/bin/sh\nPYTHONPATH={Path(__file__).parents[2]} exec '{PYTHON}' -P '{program}' '{log}' '{told}'\n"
        )
        shim.chmod(0o700)
    sys.executable = str(shim)
    os.chdir(work)
    return Watch(log, replace(allowed, programs=(str(shim), *_PROGRAMS)))


if __name__ == "__main__":
    main()
