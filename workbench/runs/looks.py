"""Looks: whenever a holdout was at hand, the scores on it could be seen, whatever became of the run or the draft."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.records.digest import strict_json
from workbench.runs.folder import DATASETS, LOOKS, PREDICTIONS
from workbench.runs.run import Run
from workbench.runs.tables import read_table


@dataclass(frozen=True)
class Look:
    """An attempt at a run, or a draft in JupyterLab (then `run` is None), that had a holdout at hand.

    `digest` and `rows` are the holdout's, `since` is when it was at hand (ISO 8601 UTC), `folder` where it is kept; `predicted` are
    the digests of what was scored on it, the last one last. Without any nobody knows what was seen.
    """

    folder: Path
    digest: str
    rows: int
    since: str
    predicted: tuple[str, ...] = ()
    run: Run | None = None


def look_of_run(run: Run, folder: Path) -> Look | None:
    """Return the look that an attempt was, as its record has it; None for one that logged no holdout."""
    holdout = run.holdout
    if holdout is None:
        return None
    predicted = tuple(run.record.get("predicted", ()))
    return Look(folder, holdout["digest"], holdout["rows"], run.started or run.created, predicted, run)


def looks_of_draft(folder: Path, journal: bytes) -> list[Look]:
    """Return a look for each holdout that a draft had at hand; what was scored before the first belongs to that."""
    first, scored = dict[str, dict[str, Any]](), dict[str, list[str]]()
    current = list[str]()
    for line in _read_lines(journal):
        if "predicted" in line:
            current.append(line["predicted"])
        else:
            before = [] if first else current
            first.setdefault(line["holdout"], line)
            current = scored.setdefault(line["holdout"], before)
    return [Look(folder, each, line["rows"], line["time"], tuple(scored[each])) for each, line in first.items()]


def describe_looks(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what the record of an attempt is to say of its looks; never raises for what a killed kernel left half written."""
    predicted = dict.fromkeys(line["predicted"] for line in _read_lines(files.get(LOOKS, b"")) if "predicted" in line)
    return {"predicted": list(predicted)} if predicted else {}


def describe_abandoned(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the same for an attempt that did not come to its end, with the tables that can still be read.

    They are called by their roles: a name may hold what must not be kept.
    """
    tables = list(_list_tables(files))
    return {**({"datasets": tables} if tables else {}), **describe_looks(files)}


def _list_tables(files: Mapping[str, bytes]) -> Iterator[dict[str, Any]]:
    for path in sorted(path for path in files if path.startswith(f"{DATASETS}/")):
        try:
            fact = read_table(path, strict_json(files[path])).fact
            yield {**vars(fact), "name": fact.role}
        except (ValueError, KeyError, TypeError):
            continue


_KINDS: tuple[Mapping[str, type], ...] = ({"time": str, "holdout": str, "rows": int}, {"time": str, "predicted": str})


def _read_lines(journal: bytes) -> Iterator[dict[str, Any]]:
    for line in journal.split(b"\n"):
        try:
            said = strict_json(line)
        except ValueError:
            continue
        if isinstance(said, dict) and {name: type(value) for name, value in said.items()} in _KINDS:
            yield said


# How many they were

Metrics = tuple[tuple[str, float], ...]


def count_distinct(looks: Iterable[Look]) -> int:
    """Return how many different things were seen (see `name_distinct`): each was a chance to be lucky."""
    return len(name_distinct(looks))


def name_distinct(looks: Iterable[Look]) -> list[str]:
    """Return each different thing that was seen, named by the looks that show it (the newest come first).

    Runs that predict to the byte the same, as a replay does, are one. So is an attempt that failed after it had scored what another
    one shows. Each time that nobody knows what was scored is another.
    """
    stored, scored = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    told, finished, lasting, untold = defaultdict[Metrics, list[str]](list), list[Look](), set[str](), list[str]()
    for look in looks:
        run, name = look.run, name_look(look)
        is_finished = run is not None and run.is_finished
        if run is not None and is_finished:
            stored[name_predictions(run)].append(name)
            finished.append(look)
            lasting.update(look.predicted[-1:])
        elif not look.predicted and (metrics := _spell_metrics(look)):
            told[metrics].append(name)
        elif not look.predicted:
            untold.append(name)
        for digest in look.predicted[:-1] if is_finished else look.predicted:
            scored[digest].append(name)
    earlier = [names for digest, names in scored.items() if digest not in lasting]
    shown = set(map(_spell_metrics, finished)) if told else set()
    others = [names for metrics, names in told.items() if metrics not in shown]
    return [*map(_join_names, (*stored.values(), *earlier, *others)), *untold]


def _join_names(names: Sequence[str]) -> str:
    """Return what several looks that saw the same are called: by the first of them, and the others behind it."""
    *later, first = dict.fromkeys(names)
    return f"{first} (the same: {', '.join(reversed(later))})" if later else first


def name_look(look: Look) -> str:
    """Return what a look is called: the run, with its attempt where it is not the first, or the draft."""
    if look.run is None:
        return f"draft {look.folder.name}"
    return f"run {look.run.id}" if look.run.attempt == 1 else f"run {look.run.id}, attempt {look.run.attempt}"


def name_predictions(run: Run) -> str:
    """Return what a finished run's predictions are known by: their digest; its id where it stored none."""
    return str(run.record.get("files", {}).get(PREDICTIONS, run.id))


def _spell_metrics(look: Look) -> Metrics:
    return tuple(sorted(look.run.metrics.items())) if look.run is not None else ()
