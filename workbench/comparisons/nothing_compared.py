"""Nothing compared: which of the causes it is that no run can be held against another, each with what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from workbench.comparisons.holdouts import HOW_TO_DECLARE
from workbench.errors import Refused
from workbench.runs.run import Run, RunState

_WHAT = "There is nothing to compare."
_MOST_NAMED = 5


def refuse_all(
    runs: Sequence[Run], notebook: str | None = None, others: Collection[str] = (), where: str | None = None
) -> Refused:
    """Return why none of the runs (the newest first) can be compared: there is none, none finished, or none names a holdout.

    `notebook` is the one whose runs these are and `where` the condition they were chosen by, where they were asked for; `others`
    are the notebooks that have runs.
    """
    if not runs and where:
        return Refused(_WHAT, why=f"Of no run this is true: {where}", next_step="`workbench runs` lists what there is.")
    if not runs:
        return _refuse_none(notebook, others)
    finished = [run for run in runs if run.is_finished]
    if not finished:
        return _refuse_unfinished(runs)
    if all("replay_of" in run.provenance for run in finished if run.holdout):
        replays = [run for run in finished if run.holdout]
        if replays:
            why = f"All that finished on a holdout are replays, which are no tries of their own; the newest is run {replays[0].id}."
            return Refused(_WHAT, why=why, next_step="Run a notebook: `workbench run NOTEBOOK`.")
    newest = f"run {finished[0].id} of {finished[0].notebook}"
    several = f"{len(finished):,} runs finished and none of them names a holdout; the newest is {newest}."
    why = several if len(finished) > 1 else f"It finished and names no holdout: {newest}."
    return Refused(_WHAT, why=why, next_step=HOW_TO_DECLARE)


def _refuse_none(notebook: str | None, others: Collection[str]) -> Refused:
    if notebook is None or not others:
        return Refused(_WHAT, why="There is no run yet.", next_step="Run a notebook: `workbench run NOTEBOOK`.")
    named = sorted(others)
    more = f" and {len(named) - _MOST_NAMED:,} more" if len(named) > _MOST_NAMED else ""
    return Refused(
        _WHAT,
        why=[f"No run is of {notebook}.", f"There are runs of {', '.join(named[:_MOST_NAMED])}{more}."],
        next_step=f"Name one of these, or run it: `workbench run {notebook}`.",
    )


def _refuse_unfinished(runs: Sequence[Run]) -> Refused:
    """Say how the runs stand, and what the newest of them needs."""
    states = Counter(run.state for run in runs)
    said = ", ".join(f"{count:,} {state.lower()}" for state, count in states.items())
    newest, count = runs[0], f"None of {len(runs):,} runs" if len(runs) > 1 else "The one run there is has not"
    is_going = newest.state in (RunState.QUEUED, RunState.RUNNING)
    why = f"{count} finished: {said}."
    step = (
        f"Wait for it: `workbench show {newest.id} --follow`."
        if is_going
        else f"Look why run {newest.id} ended (`workbench show {newest.id}`), mend that, and run it again."
    )
    return Refused(_WHAT, why=[why, *([newest.error] if newest.error else [])], next_step=step)
