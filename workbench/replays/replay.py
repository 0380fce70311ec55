"""A replay: the same provenance executed again, and what came out the same, nearly the same, or different."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from workbench.notebooks.cell_output import Shown, count_normalised
from workbench.records.closeness import find_difference, find_text_difference
from workbench.records.digest import short
from workbench.runs.points import count_points
from workbench.runs.run import RunState

TOLERANCE = 1e-9
_MOST_WORST = 20


class Sameness(StrEnum):
    """How alike two things are; numbers are within tolerance when their relative difference is."""

    IDENTICAL = "identical"
    WITHIN_TOLERANCE = "within tolerance"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Predicted:
    """What a run stored about one row of its holdout."""

    truth: float
    score: float


@dataclass(frozen=True)
class Facts:
    """What one run was made of and what came out of it, by names.

    `datasets` are digests by role and name, `predictions` by row id, `model` digests by file; `predictions_digest` is that of
    their file, None when nothing was predicted. `histories` are the points of a metric as (step, value) in ascending order;
    of a metric that was recorded before steps were kept there are none. `code` are the digests of the local code that ran, by path;
    None for a run of before that was recorded.
    """

    run_id: str
    state: RunState
    error: str | None
    notebook_digest: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    datasets: Mapping[str, str]
    predictions: Mapping[str, Predicted]
    predictions_digest: str | None
    outputs: Mapping[str, Shown]
    model: Mapping[str, str]
    histories: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    code: Mapping[str, str | None] | None = None


@dataclass(frozen=True)
class Line:
    """One thing that was compared: what it is, how alike, what it was then and now, and in words what differs."""

    kind: str
    name: str
    sameness: Sameness
    then: str | float | None
    now: str | float | None
    detail: str = ""

    def __str__(self) -> str:
        subject = self.name if self.kind == self.name else f"{self.kind} {self.name}"
        return f"{subject}: {self.detail or f'{_say(self.then)} then, {_say(self.now)} now'}"


@dataclass(frozen=True)
class PredictionDifference:
    """A row that was predicted otherwise, with the absolute difference of the two scores."""

    row: str
    then: float
    now: float
    difference: float


@dataclass(frozen=True)
class Replay:
    """What came of executing a run again; `reasons` are empty unless the verdict is different, the data first.

    `worst_predictions` are up to 20 rows whose score is another one, the largest difference first; none when the two runs did
    not predict the same rows of the same truth. `normalised` are the things that every execution has its own of, in how many
    places of the outputs they were not compared.
    """

    run_id: str
    replay_id: str
    verdict: Sameness
    tolerance: float
    lines: tuple[Line, ...]
    worst_predictions: tuple[PredictionDifference, ...]
    reasons: tuple[str, ...]
    notes: tuple[str, ...] = ()
    normalised: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """True when all is identical or within tolerance."""
        return self.verdict is not Sameness.DIFFERENT


def compare_replay(
    then: Facts,
    now: Facts,
    *,
    tolerance: float = TOLERANCE,
    model_difference: float | None = None,
    notes: Iterable[str] = (),
) -> Replay:
    """Compare what came out of a run with what came out of it the second time.

    `tolerance` is relative; `model_difference` is the largest relative difference between the numbers of the two models, None
    when more than numbers differs.
    """
    if now.state is not RunState.FINISHED:
        lines = [Line("run", "state", Sameness.DIFFERENT, then.state, now.state, f"It did not finish: {now.error}")]
    else:
        lines = [*_compare_all(then, now, tolerance, model_difference)]
    different = [line for line in lines if line.sameness is Sameness.DIFFERENT]
    return Replay(
        run_id=then.run_id,
        replay_id=now.run_id,
        verdict=_worst(line.sameness for line in lines),
        tolerance=tolerance,
        lines=tuple(lines),
        worst_predictions=_rank_predictions(then, now),
        reasons=tuple(_state_reason(line) for line in different),
        notes=tuple(notes),
        normalised=dict(count_normalised(then.outputs.values()) | count_normalised(now.outputs.values())),
    )


def headline(replay: Replay) -> str:
    """Say in one sentence what came of it."""
    if replay.verdict is Sameness.IDENTICAL:
        return f"Run {replay.replay_id} repeats run {replay.run_id}: everything is identical."
    if replay.is_clean:
        return f"Run {replay.replay_id} repeats run {replay.run_id} within the tolerance of {replay.tolerance:g}."
    count = sum(line.sameness is Sameness.DIFFERENT for line in replay.lines)
    if any(line.kind == "data" and line.sameness is Sameness.DIFFERENT for line in replay.lines):
        return f"Run {replay.replay_id} does not repeat run {replay.run_id}: the data is not the same."
    return f"Run {replay.replay_id} does not repeat run {replay.run_id}: {count} of {len(replay.lines)} things differ."


def _state_reason(line: Line) -> str:
    return f"The data is not the same: {line}" if line.kind == "data" else str(line)


def _compare_all(then: Facts, now: Facts, tolerance: float, model_difference: float | None) -> Iterator[Line]:
    yield _compare_exactly("notebook", "notebook", then.notebook_digest, now.notebook_digest)
    for name in _names(then.parameters, now.parameters):
        yield _compare_exactly("parameter", name, repr(then.parameters.get(name)), repr(now.parameters.get(name)))
    for name in _names(then.datasets, now.datasets):
        yield _compare_exactly("data", name, then.datasets.get(name), now.datasets.get(name))
    yield from _compare_code(then, now)
    for name in _names(then.metrics, now.metrics):
        yield _compare_metric(name, then.metrics.get(name), now.metrics.get(name), tolerance)
    yield from _compare_histories(then, now, tolerance)
    yield from _compare_predictions(then, now, tolerance)
    yield from _compare_models(then, now, tolerance, model_difference)
    for name in _names(then.outputs, now.outputs):
        yield _compare_output(name, then.outputs.get(name), now.outputs.get(name), tolerance)


def _names(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys([*then, *now]))


def _compare_exactly(kind: str, name: str, then: str | None, now: str | None) -> Line:
    return Line(kind, name, Sameness.IDENTICAL if then == now else Sameness.DIFFERENT, then, now)


def _compare_code(then: Facts, now: Facts) -> Iterator[Line]:
    """Compare the local code that ran, where that is known of both; a text that lay elsewhere is the same one."""
    if then.code is None or now.code is None:
        return
    for name in _names(then.code, now.code):
        one, other = then.code.get(name), now.code.get(name)
        is_moved = (name not in then.code and other in then.code.values()) or (
            name not in now.code and one in now.code.values()
        )
        if not is_moved:
            yield _compare_exactly("code", name, one, other)


def _compare_metric(name: str, then: float | None, now: float | None, tolerance: float) -> Line:
    if then is None or now is None:
        return Line("metric", name, Sameness.DIFFERENT, then, now)
    difference = find_difference(then, now)
    sameness = _judge(difference, tolerance)
    detail = f"{then!r} then, {now!r} now, relative difference {difference:.2g}" if difference else ""
    return Line("metric", name, sameness, then, now, detail)


def _compare_histories(then: Facts, now: Facts, tolerance: float) -> Iterator[Line]:
    """Compare the metrics that have several points in one of two runs; a single value is compared as the metric itself."""
    for name in _names(then.histories, now.histories):
        one, other = then.histories.get(name, ()), now.histories.get(name, ())
        if one and other and max(len(one), len(other)) > 1:
            yield _compare_history(name, one, other, tolerance)


def _compare_history(
    name: str, then: Sequence[tuple[int, float]], now: Sequence[tuple[int, float]], tolerance: float
) -> Line:
    counts = count_points(len(then)), count_points(len(now))
    if [step for step, _ in then] != [step for step, _ in now]:
        detail = f"{counts[0]} in both, at other steps" if len(then) == len(now) else ""
        return Line("history", name, Sameness.DIFFERENT, *counts, detail)
    pairs = [(step, value, again) for (step, value), (_, again) in zip(then, now, strict=True)]
    step, value, again = max(pairs, key=lambda pair: find_difference(pair[1], pair[2]))
    difference = find_difference(value, again)
    detail = f"step {step}: {value!r} then, {again!r} now, relative difference {difference:.2g}" if difference else ""
    return Line("history", name, _judge(difference, tolerance), *counts, detail)


def _judge(difference: float | None, tolerance: float) -> Sameness:
    if difference == 0:
        return Sameness.IDENTICAL
    is_close = difference is not None and difference <= tolerance
    return Sameness.WITHIN_TOLERANCE if is_close else Sameness.DIFFERENT


def _judge_unequal(difference: float | None, tolerance: float) -> Sameness:
    """Judge what is not spelt the same: equal numbers do not make it identical."""
    return _judge(None if difference is None else max(difference, math.ulp(0.0)), tolerance)


def _worst(found: Iterable[Sameness]) -> Sameness:
    order = list(Sameness)
    return max(found, key=order.index, default=Sameness.IDENTICAL)


def _compare_predictions(then: Facts, now: Facts, tolerance: float) -> Iterator[Line]:
    digests = then.predictions_digest, now.predictions_digest
    if digests == (None, None):
        return
    if digests[0] == digests[1]:
        detail = f"{len(then.predictions):,} rows"
        yield Line("predictions", "predictions", Sameness.IDENTICAL, *digests, detail)
        return
    sameness, detail = _judge_predictions(then.predictions, now.predictions, tolerance)
    yield Line("predictions", "predictions", sameness, *digests, detail)


def _judge_predictions(
    then: Mapping[str, Predicted], now: Mapping[str, Predicted], tolerance: float
) -> tuple[Sameness, str]:
    if fault := _find_pairing_fault(then, now):
        return Sameness.DIFFERENT, fault
    changed = [row for row in then if then[row].score != now[row].score]
    if not changed:
        return Sameness.DIFFERENT, "the scores are the same, what else is stored with them is not"
    row = max(changed, key=lambda each: _gap(then[each], now[each]))
    sameness = _worst(_judge(find_difference(then[each].score, now[each].score), tolerance) for each in changed)
    gap = f"largest absolute difference {_gap(then[row], now[row]):.2g} (row {row})"
    return sameness, f"{len(changed):,} of {len(then):,} rows have another score; {gap}"


def _find_pairing_fault(then: Mapping[str, Predicted], now: Mapping[str, Predicted]) -> str:
    """Say why the scores of two runs are not about the same; empty when they are."""
    if then.keys() != now.keys():
        shared = len(then.keys() & now.keys())
        return f"{len(then):,} rows then, {len(now):,} now, {shared:,} of them the same"
    other_truth = sum(then[row].truth != now[row].truth for row in then)
    return f"the truth is another one for {other_truth:,} of {len(then):,} rows" if other_truth else ""


def _gap(then: Predicted, now: Predicted) -> float:
    gap = abs(then.score - now.score)
    return gap if math.isfinite(gap) else math.inf


def _rank_predictions(then: Facts, now: Facts) -> tuple[PredictionDifference, ...]:
    if _find_pairing_fault(then.predictions, now.predictions):
        return ()
    pairs = [(row, then.predictions[row], now.predictions[row]) for row in then.predictions]
    found = [
        PredictionDifference(row, one.score, other.score, _gap(one, other))
        for row, one, other in pairs
        if one.score != other.score
    ]
    return tuple(sorted(found, key=lambda item: (-item.difference, item.row))[:_MOST_WORST])


def _compare_models(then: Facts, now: Facts, tolerance: float, difference: float | None) -> Iterator[Line]:
    for name in _names(then.model, now.model):
        one, other = then.model.get(name), now.model.get(name)
        line = _compare_exactly("model", name, one, other)
        if line.sameness is Sameness.DIFFERENT and name.endswith(".skops") and difference is not None:
            detail = f"{_say(one)} then, {_say(other)} now; its numbers differ by {difference:.2g} relative at most"
            line = Line("model", name, _judge_unequal(difference, tolerance), one, other, detail)
        yield line


def _compare_output(name: str, then: Shown | None, now: Shown | None, tolerance: float) -> Line:
    if then is None or now is None:
        where = "the first" if then is None else "this"
        return Line("output", name, Sameness.DIFFERENT, _cut(then), _cut(now), f"it is not in {where} run")
    sameness = Sameness.IDENTICAL if then == now else _judge_texts(then, now, tolerance)
    detail = "" if then == now else _say_first_difference(then, now)
    return Line("output", name, sameness, _cut(then), _cut(now), detail)


def _judge_texts(then: Shown, now: Shown, tolerance: float) -> Sameness:
    if not (then.is_text and now.is_text):
        return Sameness.DIFFERENT
    return _judge_unequal(find_text_difference(then.content, now.content), tolerance)


def _say_first_difference(then: Shown, now: Shown) -> str:
    if not (then.is_text and now.is_text):
        return f"{short(then.content)} then, {short(now.content)} now"
    before, after = then.content.splitlines(), now.content.splitlines()
    number = next((n for n, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), None)
    if number is None:
        return f"{len(before)} lines then, {len(after)} now"
    return f"line {number + 1} was {before[number][:60]!r}, is {after[number][:60]!r}"


def _cut(shown: Shown | None, most: int = 200) -> str | None:
    if shown is None:
        return None
    return shown.content if len(shown.content) <= most else f"{shown.content[: most - 1]}…"


def _say(value: str | float | None) -> str:
    if value is None:
        return "none"
    is_digest = isinstance(value, str) and len(value) == 64
    return short(str(value)) if is_digest else str(value)


# What must be the same before it is worth trying


def find_changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return every way in which code or environment is no longer what a run was made with; empty: it can be replayed.

    Both are provenances with the digest of the notebook added as `notebook_digest`.
    """
    changes = [_say_change(what, then.get(key), now.get(key)) for key, what in _MUST_BE_SAME.items()]
    return [change for change in [*changes, _find_package_change(then, now)] if change]


_MUST_BE_SAME = {
    "notebook_digest": "The notebook changed since",
    "lock_digest": "The lock file changed since",
    "python": "Python is another one",
}


def _say_change(what: str, then: Any, now: Any) -> str:
    return "" if then == now else f"{what}: {_say(then)} then, {_say(now)} now."


def _find_package_change(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    if then.get("packages_digest") == now.get("packages_digest"):
        return ""
    before, after = then.get("packages") or {}, now.get("packages") or {}
    named = [
        f"{name} {before.get(name, 'none')} then, {after.get(name, 'none')} now"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]
    digests = f"digest {_say(then.get('packages_digest'))} then, {_say(now.get('packages_digest'))} now"
    return f"The installed packages changed since: {'; '.join([*named, digests])}."


def find_notes(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what else is not as it was, though the source that is executed is: the commit around it, the machine."""
    notes = [_say_change("The git commit is another one", then.get("git_commit"), now.get("git_commit"))]
    if then.get("git_dirty") != now.get("git_dirty"):
        states = {True: "with uncommitted changes", False: "clean", None: "not known"}
        notes.append(f"Git's working folder was {states[then.get('git_dirty')]}, is {states[now.get('git_dirty')]}.")
    if then.get("machine") != now.get("machine"):
        notes.append(f"The machine is another one: {_say_machine(then)} then, {_say_machine(now)} now.")
    return [note for note in notes if note]


def _say_machine(provenance: Mapping[str, Any]) -> str:
    machine = provenance.get("machine") or {}
    return (
        ", ".join(str(machine[key]) for key in ("system", "architecture", "processors") if machine.get(key)) or "none"
    )
