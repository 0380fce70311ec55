"""X1: hostile model folders at the three places that open models; no canary sings, and each is refused or said what it is."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from tests.integration.release_builder import (
    build_unsigned_release,
    make_signers,
    prepare_model,
    sign_release,
    train_model,
)
from tests.soak.hostile_model_files import corpus
from tests.soak.model_places import LARGEST_PEAK, PLACES, Outcome, Task
from tests.soak.proof import Proof, timed_proof
from tests.soak.stock_loaders import find_singing
from workbench.files.trees import write_tree

ROOT = Path(__file__).resolve().parents[2]
# What a server may open once two people signed it: what it computes, only asking shows. The way there is leads nobody to sign
# it: it must have been refused when it was nominated.
OPENS = frozenset({"onnx_brought_along"})


@contextmanager
def listen() -> Iterator[tuple[int, list[str]]]:
    """Listen on a port of this machine; yields it and who called."""
    calls: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return
                calls.append("somebody called the port")

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1], calls
        server.shutdown(socket.SHUT_RDWR)


def try_folders(names: Sequence[str]) -> tuple[list[Outcome], list[str], list[str]]:
    """Put these folders of the corpus through every place.

    Returns what became of each, who called the canary's port, and which sing in a stock loader.
    """
    with tempfile.TemporaryDirectory(prefix="workbench-soak-") as folder:
        top = Path(folder)
        with listen() as (port, calls):
            task = _prepare(top, names, port)
            outcomes = _ask_child(task, top / "tmp")
        with listen() as (port, _):
            return outcomes, calls, find_singing(names, Path(task.sound), port)


def _ask_child(task: Task, temporary: Path) -> list[Outcome]:
    temporary.mkdir()
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak.model_places"],
        input=json.dumps(asdict(task)),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **threads, "TMPDIR": str(temporary)},
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the proof itself ended with {done.returncode}: {done.stderr[-2000:]}")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [Outcome(**{**line, "noted": tuple(line["noted"])}) for line in lines]


def _prepare(top: Path, names: Sequence[str], port: int) -> Task:
    """Make a sound run and a sound, approved release, which each hostile folder is put into."""
    sound = top / "sound"
    inspected = prepare_model(train_model(), sound)
    (top / "keys").mkdir()
    signers = make_signers(top / "keys")
    write_tree(sign_release(build_unsigned_release(inspected), signers), top / "release")
    keys = {role: str(key) for role, key in signers.keys.items()}
    return Task(tuple(names), str(top), port, str(sound), keys, str(signers.allowed_signers))


def find_faults(outcome: Outcome) -> list[str]:
    """Return what is wrong about one outcome."""
    where = f"{outcome.name} at {outcome.place}"
    faults = [f"{where}: {outcome.fault}"] if outcome.fault else []
    faults += [f"{where}: the canary sings"] if outcome.fired else []
    faults += [f"{where}: {noted}" for noted in outcome.noted]
    if not (outcome.said or outcome.fault or (outcome.place == "serve" and outcome.name in OPENS)):
        faults.append(f"{where}: it was opened, and nothing was said")
    if outcome.peak_bytes > LARGEST_PEAK:
        faults.append(f"{where}: it took {outcome.peak_bytes:,} bytes")
    return faults


def find_unwarned(outcomes: Sequence[Outcome]) -> list[str]:
    """Return what a server opened that was not refused, with a reason and harmlessly, when it was nominated."""
    refused = {each.name for each in outcomes if each.place == "nominate" and each.said and not each.fault}
    opened = [each.name for each in outcomes if each.place == "serve" and not each.said and not each.fault]
    return [f"{name} at serve: opened, and not refused when nominated" for name in opened if name not in refused]


def prove(size: int) -> Proof:
    """Put `size` hostile folders through nomination, audit and the start of a server."""
    return timed_proof(
        "X1: 0 canaries fire; every hostile model is refused with a reason when nominated and audited, and what a server opens "
        "of two signers' own was refused when nominated",
        lambda: _try(size),
    )


def _try(size: int) -> tuple[int, Sequence[str], str]:
    models = corpus()  # fewer are taken from all over it: like ones stand together
    names = [models[number * len(models) // size].name for number in range(size)]
    outcomes, faults, sang = try_folders(names)
    for outcome in outcomes:
        faults += find_faults(outcome)
    faults += find_unwarned(outcomes)
    opened = sorted(each.name for each in outcomes if each.place == "serve" and not each.said and not each.fault)
    peak, slowest = max(each.peak_bytes for each in outcomes), max(each.seconds for each in outcomes)
    details = (
        f"{len(names)} folders at {len(PLACES)} places, at most {peak / 2**20:,.0f} MiB and {slowest:.0f} s; "
        f"{len(sang)} of the same folders sing in joblib, skops with all types trusted, or MLflow; "
        f"opened once two people signed them: {', '.join(opened) or 'none'}"
    )
    return len(outcomes), faults if sang else [*faults, "no folder sings anywhere: the proof is deaf"], details
