"""Several processes move one endpoint at once, each expecting the same version there: one wins, the others are told who (P2).

Each round has its nominees, approved against what is served, and an earlier release to go back to. Every second process works as
another machine does: its Bentos and its lock are its own, and only the ledger is shared, so that the ledger must decide.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.integration.governed import MODEL, Governed
from tests.soak.forked import start_child
from tests.soak.governed_world import copy_world, forget_connections, make_world, quick_parts, read_body
from tests.soak.proof import SEED, Proof, timed_proof
from workbench.config import Settings
from workbench.errors import Refused, Unavailable
from workbench.evidence.evidence import parse_evidence
from workbench.ledger.history import find_last_move, served_version
from workbench.ledger.ledger import Entry, Event
from workbench.records.digest import sha256_hex
from workbench.releases.aliases import CHAMPION
from workbench.reviews.nominees import FACTS
from workbench.workflow import Workbench

_FULL_PROCESSES, _SMALL_PROCESSES = 8, 4
_FEW_ROUNDS = 10
_STARTS_AFTER_S, _AGAIN_AFTER_S = 0.15, 0.02
# Then a copy of the first ledger is begun with: a long one makes every process slower, and nothing else.
_ROUNDS_A_LEDGER = 25


@dataclass(frozen=True)
class Outcome:
    """How one process ended: `won`, or what it was told; `met` are the messages of locks that others held."""

    who: str
    won: bool
    told: str
    met: tuple[str, ...]


def prove(rounds: int, blank: Path | None = None) -> Proof:
    """Let several processes (few for few rounds) move one endpoint at once, so many times."""
    processes = _SMALL_PROCESSES if rounds < _FEW_ROUNDS else _FULL_PROCESSES
    claim = f"P2: of {processes} who move an endpoint from one version, one wins and the others are told who"
    return timed_proof(claim, lambda: _try_all(rounds, processes, blank))


def _try_all(rounds: int, processes: int, blank: Path | None) -> tuple[int, Sequence[str], str]:
    folder = Path(tempfile.mkdtemp(prefix="wb-p2-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    chance, faults, told = random.Random(SEED), [], {"lock": 0, "ledger": 0, "approvals": 0}
    try:
        with quick_parts():
            world = make_world(folder / "world", nominees=1, blank=blank)
            world.approve(f"{MODEL}/1")
            world.bench.promote(f"{MODEL}/1")
            world.bench.store.close()
            for first in range(0, rounds, _ROUNDS_A_LEDGER):
                here = folder / f"from-{first}"
                own = copy_world(world, here / "project")
                homes = [_make_home(own, here / f"machine-{number}") for number in range(processes // 2)]
                for number in range(first, min(rounds, first + _ROUNDS_A_LEDGER)):
                    found, how = _try_round(own, homes, processes, chance)
                    faults += [f"round {number}: {fault}" for fault in found]
                    told = {key: told[key] + how.count(key) for key in told}
                faults += [f"after round {number}: {fault}" for fault in _find_disagreement(own)]
                own.bench.store.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    details = (
        f"{processes} processes; the losers were told by {', '.join(f'{key} {count}' for key, count in told.items())}"
    )
    return rounds, faults, details


def _make_home(world: Governed, home: Path) -> Settings:
    """Return the settings of another machine on the same ledger, the same registry and the same nominees."""
    own = world.bench.settings
    (home / "bentos").mkdir(parents=True)
    for shared in ("models", "by-id", "trust"):
        (home / shared).symlink_to(own.home_folder / shared)
    return replace(
        own,
        home=str(home),
        checkpoints=str(home / "seen"),
        store_url=f"sqlite:///{own.home_folder / 'workbench.db'}",
        tracking_uri=f"sqlite:///{own.home_folder / 'mlflow.db'}",
    )


def _try_round(
    world: Governed, homes: Sequence[Settings], processes: int, chance: random.Random
) -> tuple[list[str], list[str]]:
    expected = served_version(world.bench.store.read_ledger(), MODEL)
    before = len(world.bench.store.read_ledger())
    nominees = [_nominate_again(world) for _ in range(2)]
    for subject in nominees:
        world.approve(subject)
    released = [each for each in _released(world) if each != expected]
    acts = [chance.choice([*nominees, *(chance.sample(released, 1) if released else [])]) for _ in range(processes)]
    world.bench.store.close()
    forget_connections(world.bench.tracker)
    start = time.monotonic() + _STARTS_AFTER_S
    waits = []
    for number, act in enumerate(acts):
        settings = homes[number // 2] if number % 2 else world.bench.settings
        who = f"promoter{number}@example.org"
        own = replace(settings, author=who)
        waits.append(start_child(lambda own=own, act=act: _move(own, act, expected or 0, start))[1])
    outcomes = [answer if isinstance(answer, Outcome) else str(answer) for _, answer in (wait() for wait in waits)]
    faults = [f"a process broke: {each}" for each in outcomes if isinstance(each, str)]
    ended = [each for each in outcomes if isinstance(each, Outcome)]
    moves = [e for e in world.bench.store.read_ledger()[before:] if e.event in (Event.PROMOTED, Event.ROLLED_BACK)]
    told = [_who_told(each.told) for each in ended if not each.won]
    return [*faults, *_judge(ended, moves)], told + ["lock"] * sum(len(each.met) for each in ended)


def _move(settings: Settings, act: str | int, expected: int, start: float) -> Outcome:
    """Promote a nominee, or go back to a version, as soon as it is time; again as long as somebody else holds the lock."""
    bench = Workbench.open(settings)
    time.sleep(max(0.0, start - time.monotonic()))
    met: tuple[str, ...] = ()
    while True:
        try:
            bench.promote(act) if isinstance(act, str) else bench.rollback(MODEL, to=act, served=expected)
        except Refused as exc:
            return Outcome(settings.author, False, str(exc), met)
        except Unavailable as exc:
            if "Another promotion or rollback is going on" not in exc.what:
                raise
            met = (*met, str(exc))
            time.sleep(_AGAIN_AFTER_S)
        else:
            return Outcome(settings.author, True, "", met)


def _judge(outcomes: Sequence[Outcome], moves: Sequence[Entry]) -> list[str]:
    """Return what is wrong: one moved it, and every loser was told so; who wanted what was done already was told that, too."""
    if len(moves) != 1:
        return [f"{len(moves)} moved it: {[(entry.actor, entry.subject) for entry in moves]}"]
    winner = moves[0].actor
    faults = (
        []
        if any(each.won and each.who == winner for each in outcomes)
        else [f"{winner} moved it and was told otherwise"]
    )
    faults += [
        f"{each.who} was not told who: {each.told}" for each in outcomes if not each.won and winner not in each.told
    ]
    met = [(each.who, told) for each in outcomes for told in each.met]
    return faults + [f"{who} met a lock of nobody: {told}" for who, told in met if "promoter" not in told]


def _who_told(told: str) -> str:
    return "ledger" if "changed meanwhile" in told else "approvals"


def _released(world: Governed) -> list[int]:
    return sorted({e.body["version"] for e in world.bench.store.read_ledger() if e.event is Event.PROMOTED})


def _nominate_again(world: Governed) -> str:
    """Nominate the same run as the next version, by copying what was frozen: what a nomination costs is not tried here."""
    bench = world.bench
    entries = bench.store.read_ledger()
    nominated = [entry for entry in entries if entry.event is Event.NOMINATED]
    run, version = bench.show(nominated[0].body["run"]), len(nominated) + 1
    assert bench.tracker.register_version(MODEL, run, after=version - 1) == version
    folder = bench.settings.models_folder / MODEL
    shutil.copytree(folder / "1", folder / str(version))
    facts = parse_evidence((folder / "1" / FACTS).read_bytes())
    written = replace(facts.authorship, since=served_version(entries, MODEL)) if facts.authorship else None
    content = replace(facts, identity=replace(facts.identity, version=version), authorship=written).to_bytes()
    (folder / str(version) / FACTS).write_bytes(content)
    subject, body = f"{MODEL}/{version}", {**read_body(nominated[0]), FACTS: sha256_hex(content)}
    bench.store.append_entry(Event.NOMINATED, actor=nominated[0].actor, subject=subject, body=body)
    for entry in entries:
        if entry.event is Event.ANSWERED and entry.subject == f"{MODEL}/1":
            bench.store.append_entry(Event.ANSWERED, actor=entry.actor, subject=subject, body=entry.body)
    return subject


def _find_disagreement(world: Governed) -> list[str]:
    entries, faults = world.bench.inspect_ledger()
    world.bench.examine()
    served, alias = served_version(entries, MODEL), world.bench.tracker.read_alias(MODEL, CHAMPION)
    last = find_last_move(entries, MODEL)
    if last is None or last.body["version"] != served:
        faults.append(f"{served} is served, and the last entry is {last}")
    if alias != served:
        faults.append(f"the alias points to {alias}, and {served} is served")
    return faults
