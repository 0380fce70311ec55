"""A promotion or rollback is killed before and after each durable step, and its recovery at each of its own (P1).

To be killed after a step is to be killed before the next one, so each moment is tried once. From each state that a kill leaves
(many leave the same one) the recovery is begun: what is on the disk before each of its steps is kept, for it is what a kill there
would leave, and at one of them it really is killed. From each of these states it is left to finish, and then done once more.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.integration.governed import MODEL, Governed
from tests.soak.durable_steps import KILLED, Steps, die_at, fail_at
from tests.soak.forked import in_child, start_child
from tests.soak.governed_world import forget_connections, make_world, open_project, quick_parts
from tests.soak.promotion_state import Act, Judged, Scenario, describe_state, judge_state, settle
from tests.soak.proof import SEED, Proof, timed_proof
from workbench.errors import WorkbenchError
from workbench.workflow import Workbench

WORKERS = 3
_ERRORS = (errno.ENOSPC, errno.EIO)
# How much of a torn file is left: all but its last byte, its first half, nothing.
_TORN = (-1, 0.5, 0)
_KILLED_AGAIN = 3  # every how many recoveries one is really killed: that what is kept of it is what a kill leaves
_LONGEST_ACT_S, _NEIGHBOURS = 0.4, 4


@dataclass
class Tally:
    """What was tried and what was false, of one worker."""

    pairs: int = 0
    kills: int = 0
    faults_injected: int = 0
    torn: int = 0
    faults: list[str] = field(default_factory=list)
    judged: Judged = field(default_factory=dict)
    # From which states a recovery was begun, by scenario and state, and how many steps it took.
    begun: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        self.pairs, self.kills = self.pairs + other.pairs, self.kills + other.kills
        self.faults_injected, self.torn = self.faults_injected + other.faults_injected, self.torn + other.torn
        self.faults += other.faults
        self.judged |= other.judged
        self.begun |= other.begun


def prove(size: int, blank: Path | None = None) -> Proof:
    """Try all pairs of a step and a step of its recovery, or about `size` of them when there are more."""
    claim = "P1: killed at any durable step, and again at any step of recovery, a promotion is the old or the new one"
    return timed_proof(claim, lambda: _try_all(size, blank))


def _try_all(size: int, blank: Path | None) -> tuple[int, Sequence[str], str]:
    folder = Path(tempfile.mkdtemp(prefix="wb-p1-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    try:
        with quick_parts():
            scenarios = make_scenarios(folder, blank)
            steps = {each.name: count_steps(each, folder / "count") for each in scenarios}
            share = min(1.0, size / sum(count * count for count in steps.values()))
            workers = [
                start_child(lambda worker=worker: _work(scenarios, steps, share, size, folder, worker))
                for worker in range(WORKERS)
            ]
            tally = Tally()
            for _, wait in workers:
                tally.add(_require_answer(wait()))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    counted = ", ".join(f"{name} {count}" for name, count in steps.items())
    details = (
        f"steps: {counted}; {tally.kills} kills, {tally.faults_injected} steps that failed with ENOSPC or EIO, "
        f"{tally.torn} files torn; recoveries from {len(tally.begun)} different states, which left {len(tally.judged)}"
    )
    return tally.pairs, tally.faults, details


def make_scenarios(folder: Path, blank: Path | None = None) -> list[Scenario]:
    """Return what is tried: a first promotion with its build, a second one, a rollback, and one whose Bento is lost."""
    world = make_world(folder / "world", blank=blank)
    world.approve("shop/1")
    fresh = _keep(world, folder / "fresh")
    world.bench.promote("shop/1")
    world.approve("shop/2")
    second = _keep(world, folder / "second")
    world.bench.promote("shop/2")
    released = _keep(world, folder / "released")
    built = _keep(world, folder / "built", of=second)
    shutil.copytree(released / "runs" / "bentos", built / "runs" / "bentos", dirs_exist_ok=True)
    lost = _keep(world, folder / "lost")
    shutil.rmtree(lost / "runs" / "bentos" / "bentos" / MODEL / "1")
    scenarios = [
        Scenario("promote and build", fresh, _promote("shop/1"), _promote("shop/1"), None, 1),
        Scenario("promote what is built", built, _promote("shop/2"), _promote("shop/2"), 1, 2),
        Scenario("promote, then the doctor", built, _promote("shop/2"), _examine, 1, 2, must_finish=False),
        Scenario("roll back", released, _roll_back, _roll_back, 2, 1),
        Scenario("roll back, then the doctor", released, _roll_back, _examine, 2, 1, must_finish=False),
        Scenario("roll back to what is lost", lost, _roll_back, _roll_back, 2, 1),
    ]
    for scenario in scenarios:  # what is remembered is remembered before anything is forked
        _warm_up([scenario], folder / "warm")
        shutil.rmtree(folder / "warm")
    return scenarios


def _keep(world: Governed, folder: Path, *, of: Path | None = None) -> Path:
    world.bench.store.close()
    return Path(shutil.copytree(of or world.project, folder))


def _promote(subject: str) -> Act:
    return lambda bench: bench.promote(subject)


def _roll_back(bench: Workbench) -> object:
    return bench.rollback(MODEL, to=1, served=2)


def _examine(bench: Workbench) -> object:
    symptoms = bench.examine()
    return [symptom for symptom in symptoms if not symptom.is_well and symptom.part != "chromium"]


def count_steps(scenario: Scenario, folder: Path) -> int:
    """Return how many durable steps it takes when nobody kills it."""
    shutil.copytree(scenario.template, folder)
    _, count = in_child(lambda: _watched(scenario.act, folder))
    shutil.rmtree(folder)
    assert isinstance(count, int), count
    return count


def _count_syncs(scenario: Scenario, project: Path) -> int:
    """Return how many steps there are when every fsync is one: each can fail."""
    _restore(scenario.template, project)
    _, count = in_child(lambda: _watched(scenario.act, project, syncs_count=True))
    return int(count)


def _watched(act: Act, project: Path, *, syncs_count: bool = False) -> int:
    steps = Steps(project, lambda count, name: None, syncs_count)
    steps.watch()
    act(open_project(project))
    return steps.count


def _require_answer(ended: tuple[int, object]) -> Tally:
    code, answer = ended
    return answer if isinstance(answer, Tally) else Tally(faults=[f"the trial itself ended with {code}: {answer}"])


# One worker


def _work(
    scenarios: Sequence[Scenario], steps: dict[str, int], share: float, size: int, folder: Path, worker: int
) -> Tally:
    tally, place = Tally(), folder / f"worker-{worker}"
    chance = random.Random(SEED + worker)
    _warm_up(scenarios, place / "project")
    for scenario in scenarios:
        moments = _some(range(1, steps[scenario.name] + 2), share, worker)
        for number in moments:
            _kill_at(scenario, number, share, place, chance, tally)
        for number in moments:
            _tear_at(scenario, number, place, tally)
        for number in _some(range(1, _count_syncs(scenario, place / "project") + 1), share, worker):
            _fail_at(scenario, number, place, tally)
        for _ in range(max(1, min(300, size // 20) // len(scenarios) // WORKERS)):
            _kill_at_random(scenario, place, chance, tally)
    return tally


def _warm_up(scenarios: Sequence[Scenario], project: Path) -> None:
    """Do all once in this process, so that its children find everything prepared but no connection."""
    for scenario in scenarios:
        _restore(scenario.template, project)
        bench = open_project(project)
        scenario.act(bench)
        settle(scenario, project)
        bench.store.close()
        forget_connections(bench.tracker)


def _some(numbers: range, share: float, worker: int) -> list[int]:
    """Return a share of the numbers, of which this worker takes its own part."""
    wanted = max(1, round(len(numbers) * share**0.5))
    chosen = numbers if wanted >= len(numbers) else sorted(random.Random(SEED + len(numbers)).sample(numbers, wanted))
    # Neighbours often leave the same state: a few are one worker's, and each gets some of what takes long.
    return [number for place, number in enumerate(chosen) if place // _NEIGHBOURS % WORKERS == worker]


def _kill_at(scenario: Scenario, number: int, share: float, place: Path, chance: random.Random, tally: Tally) -> None:
    """Kill at one step; kill the recovery from what is left at one of its steps, and look at what a kill at each would leave."""
    project, kept, moments = place / "project", place / "kept", place / "moments"
    _restore(scenario.template, project)
    code, said = in_child(lambda: _dying(scenario.act, project, number))
    what = f"{scenario.name}: killed before step {number}"
    if code not in (0, KILLED):
        tally.faults.append(f"{what}: it ended with {code}: {said}")
    tally.kills += 1
    _restore(project, kept)  # who only looks leaves the databases otherwise than the kill did
    begun = (scenario.name, describe_state(project))
    if begun in tally.begun:  # each of its pairs was tried
        tally.pairs += tally.begun[begun]
        return
    tally.faults += [f"{what}: {fault}" for fault in judge_state(scenario, project, tally.judged)]
    _restore(kept, project)
    shutil.rmtree(moments, ignore_errors=True)
    seed = chance.random()
    _, count = in_child(lambda: _keep_moments(scenario.recover, project, moments, share, random.Random(seed)))
    if not isinstance(count, int):
        tally.faults.append(f"{what}: its recovery broke: {count}")
        return
    tally.begun[begun] = len(list(moments.iterdir()))
    for moment in sorted(moments.iterdir(), key=lambda path: int(path.name)):
        shutil.rmtree(project)
        moment.rename(project)
        found = judge_state(scenario, project, tally.judged)
        tally.faults += [f"{what}, its recovery before step {moment.name}: {fault}" for fault in found]
        tally.pairs += 1
    if number % _KILLED_AGAIN == 0:
        again = chance.randint(1, count + 1)
        _restore(kept, project)
        in_child(lambda: _dying(scenario.recover, project, again))
        found = judge_state(scenario, project, tally.judged)
        tally.faults += [f"{what}, its recovery killed at {again}: {fault}" for fault in found]
        tally.kills += 1


def _keep_moments(act: Act, project: Path, moments: Path, share: float, chance: random.Random) -> int:
    """Do something, and copy what is on the disk before each of its steps and after the last: what a kill there leaves."""
    moments.mkdir()

    def keep(count: int, name: str) -> None:
        if chance.random() <= share**0.5:
            shutil.copytree(project, moments / str(count))

    steps = Steps(project, keep)
    steps.watch()
    act(open_project(project))
    shutil.copytree(project, moments / str(steps.count + 1))
    return steps.count


def _fail_at(scenario: Scenario, number: int, place: Path, tally: Tally) -> None:
    """Let a step fail as on a full or (every second one) broken disk: what is done says so plainly, and is half done nowhere."""
    project, code = place / "project", _ERRORS[number % len(_ERRORS)]
    _restore(scenario.template, project)
    found = _in_child(lambda: _failing(scenario, project, number, code))
    what = f"{scenario.name}: step {number} failed with {errno.errorcode[code]}"
    found += judge_state(scenario, project, tally.judged)
    tally.faults += [f"{what}: {fault}" for fault in found]
    tally.faults_injected += 1


def _failing(scenario: Scenario, project: Path, number: int, code: int) -> list[str]:
    bench = open_project(project)
    steps = Steps(project, fail_at(number, code), syncs_count=True)
    steps.watch()
    try:
        scenario.act(bench)
    except WorkbenchError as exc:
        return [] if exc.what and exc.reasons and exc.next_step else [f"an error without its three parts: {exc!r}"]
    return []


def _tear_at(scenario: Scenario, number: int, place: Path, tally: Tally) -> None:
    """Kill, and take from the last file that was not forced to the disk its last byte, its second half, or all, in turn."""
    project, keep = place / "project", _TORN[number % len(_TORN)]
    _restore(scenario.template, project)
    code, _ = in_child(lambda: _tearing(scenario.act, project, number, keep))
    if code != KILLED + 1:
        return
    found = judge_state(scenario, project, tally.judged)
    tally.faults += [f"{scenario.name}: torn before step {number}, {keep} kept: {fault}" for fault in found]
    tally.torn += 1


def _tearing(act: Act, project: Path, number: int, keep: float) -> None:
    def at_step(count: int, name: str) -> None:
        if count == number:
            torn = [path for path in steps.unsynced if Path(path).is_file() and ".db" not in path]
            if torn:
                size = Path(torn[-1]).stat().st_size
                os.truncate(torn[-1], max(0, size - 1) if keep < 0 else int(size * keep))
            os._exit(KILLED + 1 if torn else KILLED)

    steps = Steps(project, at_step)
    steps.watch()
    act(open_project(project))


def _kill_at_random(scenario: Scenario, place: Path, chance: random.Random, tally: Tally) -> None:
    project = place / "project"
    _restore(scenario.template, project)
    after_s = chance.uniform(0, _LONGEST_ACT_S)
    in_child(lambda: scenario.act(open_project(project)) and None, kill_after_s=after_s)
    found = judge_state(scenario, project, tally.judged)
    tally.faults += [f"{scenario.name}: killed after {after_s:.3f} s: {fault}" for fault in found]
    tally.kills += 1


def _restore(template: Path, project: Path) -> None:
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(template, project)


def _dying(act: Act, project: Path, number: int) -> None:
    Steps(project, die_at(number)).watch()
    act(open_project(project))


def _in_child(do: Callable[[], list[str]]) -> list[str]:
    code, answer = in_child(do)
    return answer if isinstance(answer, list) else [f"what looked at it ended with {code}: {answer}"]
