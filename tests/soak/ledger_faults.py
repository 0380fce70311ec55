"""A ledger that cannot be written: nothing is decided any more, and everything can still be read (P5).

Each fault is made for real. Whoever is root here keeps the right to write anywhere, so the verbs are run in a process that gave
that right up; read-only and full disks are small ones in memory, where this machine lets us mount them.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.conftest import AUTHOR
from tests.integration.governed import MODEL, ROLES, VALIDATOR, Governed, trust
from tests.soak.proof import Proof, timed_proof
from workbench.config import Settings
from workbench.errors import Refused, Unavailable, WorkbenchError
from workbench.ledger.ledger import head_of
from workbench.signing.ssh_signatures import make_key
from workbench.workflow import Workbench

ROOT = Path(__file__).resolve().parents[2]
_DROP_FROM_BOUNDING_SET, _OVERRIDES_RIGHTS, _READS_ANYTHING = 24, 1, 2


# The faults


def _without_rights() -> None:
    """Give up what lets root write where nobody may; whoever is not root never had it."""
    if os.geteuid() == 0:
        for capability in (_OVERRIDES_RIGHTS, _READS_ANYTHING):
            ctypes.CDLL(None).prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)


def _read_only(*names: str) -> Callable[[Path], Any]:
    @contextmanager
    def fault(ledger: Path) -> Iterator[None]:
        paths = [ledger.parent / name for name in names]
        before = [path.stat().st_mode for path in paths]
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            yield
        finally:
            for path, mode in zip(paths, before, strict=True):
                path.chmod(mode)

    return fault


@contextmanager
def _mounted(ledger: Path) -> Iterator[Path]:
    """Move the ledger to a small disk of its own, mounted over its folder, and back again."""
    kept = ledger.parent / "ledger.kept"
    shutil.copytree(ledger, kept)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(ledger)], check=True, capture_output=True)
    try:
        for path in kept.iterdir():
            shutil.copy2(path, ledger / path.name)
        yield ledger
    finally:
        subprocess.run(["umount", "-l", str(ledger)], check=True)
        shutil.rmtree(kept)


@contextmanager
def _read_only_disk(ledger: Path) -> Iterator[None]:
    with _mounted(ledger):
        subprocess.run(["mount", "-o", "remount,ro", str(ledger)], check=True, capture_output=True)
        yield


@contextmanager
def _full_disk(ledger: Path) -> Iterator[None]:
    with _mounted(ledger):
        with (ledger / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while filler.write(bytes(512)):
                pass
        yield


@contextmanager
def _locked(ledger: Path) -> Iterator[None]:
    with closing(sqlite3.connect(ledger / "workbench.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def no_fault(ledger: Path) -> Iterator[None]:
    """Leave everything as it is: what is refused under a fault is allowed without one."""
    yield


FAULTS: Mapping[str, Callable[[Path], Any]] = {
    "a read-only file": _read_only("ledger/workbench.db"),
    "a read-only folder": _read_only("ledger/workbench.db", "ledger"),
    "another writer": _locked,
    "a memory that cannot be written": _read_only("seen", "seen/.lock"),
    "a read-only disk": _read_only_disk,
    "a full disk": _full_disk,
}
NEED_A_MOUNT = frozenset({"a read-only disk", "a full disk"})


def can_mount() -> bool:
    """True where we may mount a disk in memory."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, check=False)
        if done.returncode == 0:
            subprocess.run(["umount", folder], check=True)
        return done.returncode == 0


# What is tried


def _settings(project: Path) -> Settings:
    address = f"sqlite:///{project}/ledger/workbench.db?timeout=0.3"
    return Settings(project, author=AUTHOR, store_url=address, checkpoints="seen")


def make_project(folder: Path) -> Governed:
    """Make a project with shop/1 and shop/2 released, shop/3 approved and shop/4 nominated, its ledger in a folder of its own."""
    keys, project = folder / "keys", folder / "project"
    project.mkdir(parents=True)
    for principal in (*ROLES, AUTHOR):
        make_key(keys / principal.partition("@")[0], principal)
    governed = Governed(Workbench.open(_settings(project)), keys)
    trust(governed.bench.settings, keys)
    for number, strength in enumerate((1.0, 0.5, 1.0), 1):
        subject = governed.nominate(strength)
        governed.answer_all(subject)
        governed.approve(subject)
        if number < 3:
            governed.bench.promote(subject)
    governed.nominate(0.5)
    governed.bench.store.close()
    return governed


def list_verbs(governed: Governed) -> dict[str, Callable[[], object]]:
    """Return everything that decides something, by name."""
    bench = governed.bench
    return {
        "nominate": lambda: bench.nominate(bench.list_runs()[0].id, MODEL),
        "answer": lambda: governed.acting(VALIDATOR).answer("shop/4", "harm", "Nobody is harmed by a newsletter."),
        "approve": lambda: governed.approve("shop/3", VALIDATOR),
        "promote": lambda: bench.promote("shop/3"),
        "rollback": lambda: bench.rollback(MODEL),
    }


def list_reads(governed: Governed, url: str) -> dict[str, Callable[[], object]]:
    """Return everything that only looks, by name, and a prediction of the endpoint that is served at `url`."""
    bench = governed.bench
    return {
        "runs": bench.list_runs,
        "show": lambda: bench.show(bench.list_runs()[0].id),
        "compare": bench.compare,
        "review": lambda: bench.review("shop/3"),
        "verify": lambda: bench.verify("shop/2").decision.require(""),
        "find served": lambda: bench.find_served(MODEL),
        "ledger show": lambda: _require_whole(bench.inspect_ledger()[1]),
        "ledger verify": lambda: _require_whole(bench.verify_ledger().faults),
        "predict": lambda: predict(url),
    }


def _require_whole(faults: Sequence[str]) -> None:
    if faults:
        raise Refused("The ledger is not whole.", why=faults)


def predict(url: str) -> None:
    """Ask an endpoint for a prediction; raises OSError when it gives none."""
    body = json.dumps({"rows": [{"x0": 0.1, "x1": 0.2, "x2": 0.3, "x3": 0.4}]}).encode()
    request = urllib.request.Request(f"{url}/predict", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        json.loads(answer.read())["scores"]


def _act(project: Path, keys: Path, url: str) -> dict[str, str]:
    """Try everything, and return for each `done`, `refused` when it was in three parts, or what was wrong."""
    governed = Governed(Workbench.open(_settings(project)), keys)
    reads = {name: _outcome(call) for name, call in list_reads(governed, url).items()}
    return {**reads, **{name: _outcome(call) for name, call in list_verbs(governed).items()}}


def _outcome(call: Callable[[], object]) -> str:
    try:
        call()
    except (Unavailable, Refused) as exc:
        return "refused" if exc.what and exc.reasons and exc.next_step else f"refused without three parts: {exc}"
    except (WorkbenchError, OSError) as exc:
        return f"{type(exc).__name__}: {exc}"
    return "done"


def try_fault(governed: Governed, fault: Callable[[Path], Any], url: str) -> dict[str, str]:
    """Make a fault, try everything in a process of its own while it lasts, and return how each ended."""
    project = governed.project
    command = [sys.executable, "-W", "ignore", "-m", "tests.soak.ledger_faults", str(project), str(governed.keys), url]
    with fault(project / "ledger"):
        done = subprocess.run(
            command, cwd=ROOT, preexec_fn=_without_rights, capture_output=True, text=True, check=False, timeout=600
        )
    if done.returncode:
        return {"all": done.stderr[-600:]}
    outcomes: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return outcomes


def state_of(governed: Governed) -> dict[str, object]:
    """Return what a decision could have changed: nominees, Bentos, the alias, the ledger."""
    settings = governed.bench.settings
    folders = [path for parent in (settings.models_folder, settings.bento_home) for path in parent.rglob("*")]
    store = Workbench.open(settings).store
    ledger = head_of(store.read_ledger())
    store.close()  # a fault copies the file: in a process that has it open, that would take SQLite's locks away
    return {
        "folders": sorted(str(path) for path in folders if path.name != ".lock"),
        "alias": governed.alias(),
        "ledger": ledger,
    }


def find_faults(governed: Governed, name: str, url: str) -> list[str]:
    """Try everything under one fault, and return what went otherwise than it should."""
    before = state_of(governed)
    outcomes = try_fault(governed, FAULTS[name], url)
    expected = dict.fromkeys(list_reads(governed, url), "done") | dict.fromkeys(list_verbs(governed), "refused")
    wrong = [
        f"{name}: {each} was {outcomes.get(each, outcomes)}"
        for each in expected
        if outcomes.get(each) != expected[each]
    ]
    after = state_of(governed)
    return wrong + [f"{name}: {part} changed" for part in before if before[part] != after[part]]


@contextmanager
def served(governed: Governed) -> Iterator[str]:
    """Serve the project's endpoint, and yield where."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with governed.bench.serve(MODEL, port=port) as server:
        governed.bench.store.close()
        yield server.url


def prove(size: int) -> Proof:
    """Try every fault `size` times."""
    return timed_proof(
        "P5: with a ledger that cannot be written no verb has an effect and all reads go on", lambda: _try(size)
    )


def _try(size: int) -> tuple[int, Sequence[str], str]:
    folder = Path(tempfile.mkdtemp(prefix="workbench-faults-"))
    try:
        governed = make_project(folder)
        names = [name for name in FAULTS if name not in NEED_A_MOUNT or can_mount()]
        with served(governed) as url:
            wrong = [fault for _ in range(size) for name in names for fault in find_faults(governed, name, url)]
            tried = len(list_verbs(governed)) + len(list_reads(governed, url))
            control = try_fault(governed, no_fault, url)
        wrong += [f"without a fault: {each} was {how}" for each, how in control.items() if how != "done"]
        return size * len(names) * tried, wrong, f"each verb and read with {', '.join(names)}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    print(json.dumps(_act(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])))  # noqa: T201
