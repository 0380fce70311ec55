"""What must hold of a project after a promotion was killed at any moment, before anybody recovers it and after."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.integration.governed import MODEL
from tests.soak.forked import in_child
from tests.soak.governed_world import SEEN, open_project
from workbench.ledger.history import served_version
from workbench.ledger.ledger import Entry, Event, find_chain_faults, read_entry
from workbench.releases.aliases import CHAMPION
from workbench.workflow import Workbench

_TEMPORARY = re.compile(r"(/\.build-|/\.[a-z0-9]+\.|\.json-)[a-z0-9_]{8}")
Act = Callable[[Workbench], object]
# The faults of states that were judged already, by scenario and state.
Judged = dict[tuple[str, str], list[str]]


@dataclass(frozen=True)
class Scenario:
    """What is done in which project, how it is recovered from, and what is served before (None: nothing) and after."""

    name: str
    template: Path
    act: Act
    recover: Act
    old: int | None
    new: int
    must_finish: bool = True


def judge_state(scenario: Scenario, project: Path, judged: Judged) -> list[str]:
    """Return what does not hold in a state, and does not after it was recovered from; a state that was seen before is known.

    Two states are the same when all files are, but for the random part of temporary names and the times in the ledger: nothing
    here decides by either.
    """

    state = describe_state(project)
    if (scenario.name, state) not in judged:
        code, answer = in_child(lambda: [*examine_state(scenario, project), *settle(scenario, project)])
        faults = answer if isinstance(answer, list) else [f"what looked at it ended with {code}: {answer}"]
        judged[scenario.name, state] = faults
    return judged[scenario.name, state]


def describe_state(project: Path) -> str:
    """Return the digest of all that is decided by; read without the workbench, which remembers what it reads."""
    said, files = hashlib.sha256(), list(_read_files(project))
    with closing(sqlite3.connect(project / "runs" / "workbench.db")) as database:
        database.row_factory = sqlite3.Row
        entries = [read_entry(dict(row)) for row in database.execute("SELECT * FROM ledger ORDER BY sequence")]
    for name, is_folder, content in files:
        content = _number_digests(content, entries) if name.startswith(SEEN) else content
        said.update(repr((name, is_folder, hashlib.sha256(content).digest())).encode())
    told = [(e.event, e.subject, {**e.body, "recomputed": ""}) for e in entries]
    said.update(repr((told, find_chain_faults(entries))).encode())
    with closing(sqlite3.connect(project / "runs" / "mlflow.db")) as database:
        for table in ("registered_models", "model_versions", "registered_model_aliases"):
            # The times of creation and change are left out: they are what differs each time.
            rows = database.execute(f"SELECT * FROM {table}")
            columns = [number for number, each in enumerate(rows.description) if not each[0].endswith("_time")]
            said.update(repr(sorted([str([row[number] for number in columns]) for row in rows])).encode())
    return said.hexdigest()


def _read_files(project: Path) -> Iterator[tuple[str, bool, bytes]]:
    """Return each file and folder but the databases and what locks them."""
    for folder, folders, files in os.walk(project):
        folders.sort()
        inside = folder[len(str(project)) + 1 :]
        for name in sorted(folders):
            yield _TEMPORARY.sub(r"\1*", f"{inside}/{name}"), True, b""
        for name in sorted(files):
            if ".db" not in name:
                path = Path(folder, name)
                content = path.read_bytes() if path.is_file() and name != ".lock" else b""
                yield _TEMPORARY.sub(r"\1*", f"{inside}/{name}"), False, content


def _number_digests(content: bytes, entries: Sequence[Entry]) -> bytes:
    """Return what was seen with each entry's digest, which its time is in, as its number."""
    for entry in entries:
        content = content.replace(entry.digest.encode(), str(entry.sequence).encode())
    return content


def examine_state(scenario: Scenario, project: Path) -> list[str]:
    """Return what is half done, before anybody recovers: the ledger is whole, and what it serves verifies."""
    bench = open_project(project)
    entries, faults = bench.inspect_ledger()
    served = served_version(entries, MODEL)
    if served not in (scenario.old, scenario.new):
        faults.append(f"version {served} is served")
    if served is not None:
        faults += [
            f"what is served does not verify: {reason}" for reason in bench.verify(f"{MODEL}/{served}").decision.reasons
        ]
    return faults


def settle(scenario: Scenario, project: Path) -> list[str]:
    """Recover, look whether everything agrees, recover again and look whether that changed a byte."""
    faults = []
    scenario.recover(open_project(project))
    first = dict(_snapshot(project))
    faults += _find_disagreement(scenario, project)
    scenario.recover(open_project(project))
    second = dict(_snapshot(project))
    changed = sorted(name for name in {*first, *second} if first.get(name) != second.get(name))
    return faults + [f"recovering once more changed {name}" for name in changed]


def _find_disagreement(scenario: Scenario, project: Path) -> list[str]:
    bench = open_project(project)
    faults = examine_state(scenario, project)
    entries = bench.store.read_ledger()
    served, alias = served_version(entries, MODEL), bench.tracker.read_alias(MODEL, CHAMPION)
    moves = [entry for entry in entries if entry.event in (Event.PROMOTED, Event.ROLLED_BACK)]
    before = {None: 0, 1: 1, 2: 2}[scenario.old]
    if scenario.must_finish and served != scenario.new:
        faults.append(f"version {served} is served after recovery")
    if alias != served:
        faults.append(f"the alias points to {alias}, and {served} is served")
    if len(moves) != before + (served == scenario.new):
        faults.append(f"the ledger has {len(moves)} moves")
    if scenario.must_finish:
        faults += [f"{path.name} is left" for path in _leftovers(project)]
    return faults


def _leftovers(project: Path) -> list[Path]:
    bentos = project / "runs" / "bentos"
    return [path for path in bentos.rglob(".*") if path.name != ".lock"] if bentos.is_dir() else []


def _snapshot(project: Path) -> Iterator[tuple[str, str]]:
    """Return every file by its digest; of the databases, what they say."""
    for path in sorted(project.rglob("*")):
        if path.is_file() and ".db" not in path.name:
            yield str(path.relative_to(project)), hashlib.sha256(path.read_bytes()).hexdigest()
    bench = open_project(project)
    yield "the ledger", str([entry.digest for entry in bench.store.read_ledger()])
    yield "the alias", str(bench.tracker.read_alias(MODEL, CHAMPION))
    yield "the versions", str([v.version for v in bench.tracker._client.search_model_versions(f"name='{MODEL}'")])
