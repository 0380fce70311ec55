"""What the panel beside a notebook shows: its form, what goes on, its last runs, what is missing to nominate the newest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from workbench.errors import WorkbenchError
from workbench.jupyterlab.parameter_fields import describe_fields
from workbench.nominations.obstacles import Obstacle
from workbench.notebooks.notebook import Notebook
from workbench.notebooks.parameters import HOW_TO_DECLARE, Parameter, spell_value
from workbench.runs.run import FINAL_STATES, Run, RunState
from workbench.runs.trials import Goal
from workbench.sweeps.search import SEARCHES, SweepPlan
from workbench.widgets.follow_state import FollowedRun, follow_state
from workbench.words.findings import prose
from workbench.words.numbers import choose_decimals, format_number, format_value, read_time, sentence_case
from workbench.words.suggesting import suggest_nominating

_STATUS: Mapping[RunState, tuple[str, str, str]] = {
    RunState.FINISHED: ("✓", "Finished", "good"),
    RunState.FAILED: ("✕", "Failed", "bad"),
    RunState.KILLED: ("✕", "Stopped", "bad"),
    RunState.LOST: ("✕", "Lost", "bad"),
    RunState.RUNNING: ("…", "Running", "open"),
    RunState.QUEUED: ("…", "Waits", "open"),
}
_BUSY_S, _IDLE_S = 1.0, 5.0
_MOST_RUNS = 10
_MOST_VALUES, _MOST_METRICS, _LAST_LINES = 3, 3, 3
SEARCH_WORDS = {
    "grid": "Every combination",
    "random": "Drawn at random",
    "optuna": "Chosen by the results so far (Optuna)",
}


@dataclass(frozen=True)
class GoingSweep:
    """A sweep of which runs go on: its plan, its runs so far, and what it is after."""

    plan: SweepPlan
    runs: tuple[Run, ...]
    goal: Goal | None = None


@dataclass(frozen=True)
class Outlook:
    """What is known of nominating a run: None where it is being looked up, a text where nobody can tell, and why."""

    run: Run
    obstacles: tuple[Obstacle, ...] | str | None


@dataclass(frozen=True)
class Panel:
    """What was found of a notebook that is open; `starting` says of commands that are on their way to their first run."""

    notebook: Notebook
    project: str
    home: str
    runs: tuple[Run, ...] = ()
    followed: tuple[FollowedRun, ...] = ()
    sweeps: tuple[GoingSweep, ...] = ()
    starting: tuple[str, ...] = ()
    failed: tuple[WorkbenchError, ...] = ()
    outlook: Outlook | None = None
    metrics: tuple[str, ...] = ()
    drafts: int = 0


def panel_state(panel: Panel) -> dict[str, Any]:
    """Return everything the panel shows, as JSON."""
    declared = panel.notebook.parameters
    ended = [run for run in panel.runs if run.state in FINAL_STATES]
    going = [*map(_describe_sweep, panel.sweeps), *(_describe_run(each, declared) for each in _list_single(panel))]
    return {
        "name": PurePath(panel.notebook.name).name,
        "place": f"Project {panel.project}",
        "fields": describe_fields(declared),
        "no_fields": [] if declared else prose(f"It declares no parameters. To have some, {HOW_TO_DECLARE}."),
        "searches": [{"value": name, "text": SEARCH_WORDS[name]} for name in SEARCHES],
        "starting": list(panel.starting),
        "going": going,
        "failed": [describe_error(each) for each in panel.failed],
        "runs": _describe_last_runs(ended[:_MOST_RUNS], panel.metrics, declared),
        "empty": _say_empty(panel),
        "outlook": _describe_outlook(panel.outlook),
        "look_again_s": _BUSY_S if going or panel.starting or _is_awaited(panel.outlook) else _IDLE_S,
    }


def describe_error(error: WorkbenchError) -> dict[str, Any]:
    """Return an error in its three parts, with its commands apart."""
    reasons = [prose(reason) for reason in error.reasons if reason]
    return {"what": error.what, "reasons": reasons, "next": prose(error.next_step)}


def _list_single(panel: Panel) -> Iterable[FollowedRun]:
    swept = {run.id for sweep in panel.sweeps for run in sweep.runs}
    return (each for each in panel.followed if each.run.id not in swept)


def _describe_run(followed: FollowedRun, declared: Sequence[Parameter]) -> dict[str, Any]:
    state = follow_state(followed)
    metrics = ", ".join(f"{each['name']} {each['value']}" for each in state["metrics"][:_MOST_METRICS])
    return {
        "id": state["run"],
        "headline": state["headline"],
        "done": state["done"],
        "all": max(state["cells"], 1),
        "says": " · ".join(filter(None, (_say_values(followed.run, declared), state["progress"], metrics))),
        "lines": state["lines"][-_LAST_LINES:],
        "stop": {"kind": "stop_run", "id": state["run"], "text": "Stop this run"},
    }


def _describe_sweep(sweep: GoingSweep) -> dict[str, Any]:
    plan, ended = sweep.plan, [run for run in sweep.runs if run.state in FINAL_STATES]
    failed, running = (
        sum(not run.is_finished for run in ended),
        sum(run.state is RunState.RUNNING for run in sweep.runs),
    )
    best = sweep.goal.find_best(ended) if sweep.goal else None
    facts = (
        f"{len(ended):,} of {plan.trials:,} runs ended",
        f"{running:,} running" if running else "",
        f"{failed:,} did not finish" if failed else "",
        f"best {best[0]} {format_value(best[1])}" if best else "",
    )
    return {
        "id": plan.id,
        "headline": f"Sweep {plan.id} of {PurePath(plan.notebook).stem} goes on",
        "done": len(ended),
        "all": max(plan.trials, 1),
        "says": " · ".join(filter(None, facts)),
        "lines": [],
        "stop": {"kind": "stop_sweep", "id": plan.id, "text": "Stop this sweep"},
    }


def _say_values(run: Run, declared: Sequence[Parameter]) -> str:
    """Return the values of a run that are not the notebook's own, as many as a line holds."""
    usual = {each.name: each.type.normalise(each.default) for each in declared}
    own = {name: value for name, value in run.parameters.items() if name not in usual or usual[name] != value}
    said = [f"{name} {format_value(_plain(value))}" for name, value in [*own.items()][:_MOST_VALUES]]
    return ", ".join([*said, "…"] if len(own) > _MOST_VALUES else said)


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else spell_value(value)


def _describe_last_runs(
    runs: Sequence[Run], deciding: Sequence[str], declared: Sequence[Parameter]
) -> list[dict[str, Any]]:
    """Return the runs that ended; values of one metric have as many decimals, so that one sees which is larger."""
    shown = [_choose_metric(run, deciding) for run in runs]
    pairs = [(name, run.metrics[name]) for name, run in zip(shown, runs, strict=True) if name]
    decimals = {name: choose_decimals(value for other, value in pairs if other == name) for name, _ in pairs}
    return [_describe_last(run, name, decimals, declared) for name, run in zip(shown, runs, strict=True)]


def _choose_metric(run: Run, deciding: Sequence[str]) -> str | None:
    return next(iter([*(name for name in deciding if name in run.metrics), *run.metrics]), None)


def _describe_last(
    run: Run, metric: str | None, decimals: Mapping[str, int], declared: Sequence[Parameter]
) -> dict[str, Any]:
    shape, word, tone = _STATUS[run.state]
    usual = "the notebook's own values" if declared and run.parameters else ""
    return {
        "id": run.id,
        "status": {"shape": shape, "word": word, "tone": tone},
        "metric": {"name": metric, "value": format_number(run.metrics[metric], decimals[metric])} if metric else None,
        "values": _say_values(run, declared) or usual,
        "when": {"text": "", "iso": run.ended or run.created, "time": read_time(run.ended or run.created)},
        "why": prose(run.error or ""),
        "report": run.id,
    }


def _say_empty(panel: Panel) -> str:
    if any(run.state in FINAL_STATES for run in panel.runs):
        return ""
    drafts = f" {panel.drafts:,} drafts of notebooks run by hand are kept there." if panel.drafts else ""
    goes_on = (
        "The first one goes on." if panel.runs or panel.starting or panel.sweeps else "“Run” above makes the first one."
    )
    return f"No run of {panel.notebook.name} that ended is kept in {panel.home}.{drafts} {goes_on}"


def _is_awaited(outlook: Outlook | None) -> bool:
    return outlook is not None and outlook.obstacles is None


def _describe_outlook(outlook: Outlook | None) -> dict[str, Any] | None:
    """Return what stands in the way of the newest run that finished; None where none did."""
    if outlook is None:
        return None
    title = f"To nominate run {outlook.run.id}"
    command = suggest_nominating(outlook.run.id, outlook.run.notebook)
    if outlook.obstacles is None:
        return {"title": title, "text": "Looking what is missing…", "missing": [], "command": ""}
    if isinstance(outlook.obstacles, str):
        return {
            "title": title,
            "text": f"What is missing is not known. {outlook.obstacles}",
            "missing": [],
            "command": "",
        }
    missing = [
        {"about": f"{sentence_case(each.about.replace('_', ' '))}:", "text": prose(each.text)}
        for each in outlook.obstacles
    ]
    text = (
        f"{len(missing)} thing{'s' if len(missing) > 1 else ''} stand{'' if len(missing) > 1 else 's'} in the way:"
        if missing
        else "Nothing that is known now stands in the way. What only a replay or the model can tell is told when it is nominated."
    )
    return {"title": title, "text": text, "missing": missing, "command": command}
