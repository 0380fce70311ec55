"""What a notebook asks of the whole workbench: comparisons and reviews as views, and the rules before a draft's first look."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from workbench.comparisons.holdouts import HOW_TO_DECLARE
from workbench.config import Settings, find_project, is_home_given
from workbench.errors import NotFound, Refused, UsageError, WorkbenchError
from workbench.records.clock import utc_now
from workbench.runs import spool
from workbench.runs.folder import REPORT

if TYPE_CHECKING:
    import pandas as pd

    from workbench.comparisons.comparison import RunComparison
    from workbench.models.servability import LoggedModel, RefusedModel
    from workbench.runs.table.question import Question
    from workbench.widgets.acting_view import Deeds
    from workbench.widgets.comparison_view import ComparisonView
    from workbench.widgets.difference_view import DifferenceView
    from workbench.widgets.empty_view import EmptyView
    from workbench.widgets.follow_view import FollowView
    from workbench.widgets.requests import Requests
    from workbench.widgets.review_view import ReviewView
    from workbench.widgets.runs_view import RunsView
    from workbench.workflow import Workbench

View = TypeVar("View")
_LOG = logging.getLogger(__name__)


def log_dataset(
    table: pd.DataFrame,
    *,
    role: str,
    name: str = "",
    target: str | None = None,
    group: str | None = None,
    time: str | None = None,
) -> None:
    """Record which rows were used, see `runs.spool.log_dataset`.

    Where several rows of the holdout are of one customer or day, `group` or `time` names that column: they are drawn together.

    Where a notebook is opened by hand and has the holdout at hand, the rules it will be judged by are in the ledger first, as they
    are before a run.
    """
    is_look = role == "holdout" and not spool.is_run()
    bench = _plan_draft() if is_look else None
    digest = spool.log_dataset(table, role=role, name=name, target=target, group=group, time=time)
    if bench is not None and digest not in _WARNED:
        size = {"rows": len(table), "columns": len(table.columns)}
        _warn_of_rows(bench, {"role": role, "name": name or role, "digest": digest, **size})


def log_evaluation(
    model: Any,
    holdout: pd.DataFrame,
    *,
    target: str,
    training: pd.DataFrame | None = None,
    group: str | None = None,
    time: str | None = None,
    positive: Any = None,
    slices: Mapping[str, Sequence[Any]] | None = None,
) -> LoggedModel | RefusedModel:
    """Record in one call what nominating asks of a fitted model: the holdout, scores and metrics on it, and the model.

    `holdout` and `training` are frames with the column `target`, of whose other columns the model gets those it was fitted on.
    Name the training rows here or with `wb.log_dataset`: without them nobody can tell whether the holdout was among them.
    `group` and `time` are those of `wb.log_dataset`, `positive` and `slices` those of `wb.log_predictions`; what is returned is
    what `wb.log_model` returns. Raises UsageError as the three calls do.
    """
    from workbench.runs.evaluating import evaluate_model

    if training is not None:
        log_dataset(training, role="train")
    log_dataset(holdout, role="holdout", target=target, group=group, time=time)
    return evaluate_model(model, holdout, spool.find_folder(), target=target, positive=positive, slices=slices)


# What was said of rows once is not said again when their cell is.
_WARNED: set[str] = set()


def _plan_draft() -> Workbench | None:
    try:
        bench = _open(spool.read_own_settings())
        bench.before_runs(_name_notebook(bench))
    except WorkbenchError as exc:
        _LOG.warning("How this notebook will be judged is not in the ledger; it goes on all the same. %s", exc)
        return None
    return bench


def _warn_of_rows(bench: Workbench, holdout: Mapping[str, Any]) -> None:
    """Say at once where these rows were scored before the rules were there: a run on them would be told when it ended."""
    from workbench.nominations.foreseeing import warn_of_scored_rows
    from workbench.runs.run import Run

    now, notebook = utc_now(), _name_notebook(bench)
    author, record = bench.settings.acting_author, {"datasets": [holdout]}
    run = Run("", notebook, "", {}, {}, author, created=now, started=now, record=record)
    if warn_of_scored_rows(bench, run, "these rows"):
        _WARNED.add(str(holdout["digest"]))


def _name_notebook(bench: Workbench) -> str:
    """Return the notebook that is open as its runs are called, so that they need no other plan."""
    path, project = Path(os.environ.get("JPY_SESSION_NAME", "draft")).resolve(), bench.settings.project
    return str(path.relative_to(project)) if path.is_relative_to(project) else str(path)


def _open(settings: Settings) -> Workbench:
    from workbench.workflow import Workbench

    return Workbench.open(settings)


def compare(
    runs: Sequence[str] | None = None,
    reference: str | None = None,
    *,
    notebook: str | None = None,
    where: str | None = None,
    metric: str | Sequence[str] = (),
    all_but: str | Sequence[str] = (),
    within: str = "",
) -> ComparisonView | EmptyView:
    """Show runs side by side (default: all finished ones on the newest holdout) against a run or a constant prediction.

    `where` is a condition such as `roc_auc > 0.9 and family = 'forest'`: only runs of which it is true are shown. `metric` is by
    what they are compared, if not by the policy's: of several the first ranks them, and the others stand beside it. Runs that
    differ in the parameters `all_but` names alone, such as the seed, are one row; `within` a slice (`size=small`) only its rows are
    scored.
    """
    from workbench.widgets.comparison_sight import choose_first
    from workbench.widgets.comparison_view import ChooseRuns, ComparisonView
    from workbench.words.commands import spell_comparison

    def show(bench: Workbench) -> ComparisonView:
        def compare_with(other: str | None, choose: ChooseRuns) -> RunComparison:
            return bench.compare(
                runs or (),
                reference=other or reference or None,
                notebook=notebook or None,
                where=where or None,
                metrics=_to_names(metric),
                all_but=_to_names(all_but),
                within=within,
                choose=choose,
            )

        found = compare_with(None, choose_first)
        groups, metrics = _to_names(all_but), _to_names(metric)
        command = spell_comparison(runs or (), reference or "", notebook or "", where or "", groups, within, metrics)
        draw = partial(bench.draw_runs, metrics=metrics, within=within)
        return ComparisonView(found, _deeds_of(bench), compare_with, draw, command)

    return _show(show, is_named=bool(runs or reference))


def _to_names(names: str | Sequence[str]) -> Sequence[str]:
    return [names] if isinstance(names, str) else names


def diff(a: str, b: str) -> DifferenceView | EmptyView:
    """Show how run `b` differs from run `a`: data, scores, parameters, code and outputs, the most consequential first."""
    from workbench.widgets.difference_view import DifferenceView

    return _show(lambda bench: DifferenceView(bench.diff(a, b)), is_named=True)


def runs(
    *,
    where: str | None = None,
    columns: Sequence[str] = (),
    sort: str = "",
    group_by: Sequence[str] = (),
    all_but: Sequence[str] = (),
    mlflow: str | None = None,
) -> RunsView | EmptyView:
    """Show all runs of the project, or of an MLflow tracking store by its address, to search, sort, choose and group them.

    The names are those of conditions: metrics, parameters, tags, `run.state`. `group_by` names what the runs of a group share,
    `all_but` what they may differ in where they share all else, such as the seed; `sort` is a name, with a minus before it the
    largest comes first.
    """
    from workbench.runs.table.question import Question

    names = [[each] if isinstance(each, str) else each for each in (columns, group_by, all_but)]
    question = Question(names[0], where, sort=sort, group_by=names[1], all_but=names[2])
    return _show(lambda bench: _list(bench, question, mlflow), is_named=bool(mlflow or where))


def _list(bench: Workbench, question: Question, mlflow: str | None) -> RunsView:
    from workbench.secrets.addresses import hide_passwords
    from workbench.widgets.runs_view import RunsView
    from workbench.words.places import describe_store

    reader = bench.open_table(mlflow, bench.list_deciding())
    if mlflow:
        address = hide_passwords(mlflow, mlflow)
        return RunsView(reader, question, place=f"MLflow at {address}", mlflow=address)
    return RunsView(reader, question, place=describe_store(bench.settings), deeds=_deeds_of(bench))


def _deeds_of(bench: Workbench) -> Deeds:
    from workbench.widgets.acting_view import Deeds
    from workbench.words.commands import spell_run

    return Deeds(
        archive=lambda chosen: _say_archived([run.id for run in bench.archive(chosen)]),
        nominate=lambda run, model: f"{bench.nominate(run, model).subject} is nominated: wb.review() shows it.",
        spell_command=lambda run: spell_run(bench.show(run)),
        reports=_find_reports(bench.settings.runs_folder),
    )


def _find_reports(folder: Path) -> dict[str, Path]:
    """Return the reports of runs by their ids; ten thousand runs are looked through each time a view is made."""
    if not folder.is_dir():
        return {}
    with os.scandir(folder) as found:
        paths = {entry.name: os.path.join(entry.path, REPORT) for entry in found}  # noqa: PTH118 - a third of the time
    return {name: Path(path) for name, path in paths.items() if os.path.exists(path)}  # noqa: PTH110


def _say_archived(run_ids: Sequence[str]) -> str:
    if len(run_ids) == 1:
        return f"1 run is put aside: `workbench archive --undo {run_ids[0]}` brings it back."
    return f"{len(run_ids):,} runs are put aside: `workbench archive --undo RUN...` brings them back."


def follow(run: str = "") -> FollowView | EmptyView:
    """Show a run while it goes on (default: the newest that runs, else the newest), with a button that stops it alone."""
    return _show(lambda bench: _follow(bench, run or _newest_run(bench)), is_named=bool(run))


def _follow(bench: Workbench, run: str) -> FollowView:
    from workbench.widgets.follow_state import FollowedRun, Tail
    from workbench.widgets.follow_view import FollowView

    follower, tail = bench.follow(run), Tail()

    def read() -> FollowedRun:
        tail.add(follower.read_new())
        seen, values = follower.notebook, follower.metrics.values
        return FollowedRun(follower.run, seen.cell, seen.cells, time.time(), dict(values), tuple(tail.lines))

    return FollowView(read, partial(bench.request_stop, follower.run.id), pause_s=lambda: follower.pause_s)


def _newest_run(bench: Workbench) -> str:
    from workbench.runs.run import RunState

    runs = bench.list_runs(limit=100)
    if not runs:
        raise NotFound("There is no run to follow.", why="There is no run yet.", next_step=_RUN_ONE)
    return next((run.id for run in runs if run.state is RunState.RUNNING), runs[0].id)


_RUN_ONE = "Run a notebook: `workbench run NOTEBOOK`, or “Run” in JupyterLab's panel beside it."


def review(subject: str = "") -> ReviewView | EmptyView:
    """Show a nominee (`model/version`; default: the newest) with its findings, questions and a place to object and to sign."""
    return _show(lambda bench: _review(bench, subject or _newest_nominee(bench)), is_named=bool(subject))


def _review(bench: Workbench, name: str) -> ReviewView:
    from workbench.widgets.review_view import ReviewView

    return ReviewView(bench.review(name), _requests_on(bench, name))


def _show(build: Callable[[Workbench], View], *, is_named: bool) -> View | EmptyView:
    """Return a view, or where nothing is there that nobody asked for by name, one that says so; a run fails as it always did."""
    settings = spool.read_own_settings()
    try:
        _require_project(settings)
        return build(_open(settings))
    except (UsageError, Refused) as exc:
        if is_named or spool.is_run():
            raise
        from workbench.widgets.empty_view import EmptyView
        from workbench.words.places import describe_store

        return EmptyView(exc, describe_store(settings))


def _require_project(settings: Settings) -> None:
    """Raise NotFound for a notebook that lies in no project, before looking there makes a store."""
    if find_project(settings.project) or is_home_given() or settings.store_url:
        return
    raise NotFound(
        "There is nothing to show.",
        why=f"This notebook lies in no project: neither {settings.project} nor a folder above it is one.",
        next_step="Open it in your project's folder; `workbench init FOLDER` makes a project.",
    )


def _requests_on(bench: Workbench, name: str) -> Requests:
    from workbench.widgets.requests import Requests

    return Requests(
        answer=partial(bench.answer, name),
        approve=partial(bench.approve, name),
        object_to=partial(bench.object, name),
        waive=partial(bench.waive, name),
        find_keyholder=bench.find_keyholder,
    )


def _newest_nominee(bench: Workbench) -> str:
    nominees = bench.list_nominees()
    if nominees:
        return nominees[0]
    what = "There is no nominee to review."
    runs = bench.list_runs(limit=1_000)
    finished = [run for run in runs if run.is_finished and run.holdout]
    if finished:
        why = f"{len(finished):,} run{'s' if len(finished) > 1 else ''} finished on a holdout, and none is nominated."
        step = f"`wb.compare()` says which is best; `workbench nominate {finished[0].id} --model NAME` nominates the newest."
        raise NotFound(what, why=why, next_step=step)
    if any(run.is_finished for run in runs):
        raise NotFound(what, why="Runs finished, and none of them names a holdout.", next_step=HOW_TO_DECLARE)
    why = f"Of {len(runs):,} run{'' if len(runs) == 1 else 's'} none finished." if runs else "There is no run yet."
    raise NotFound(what, why=why, next_step=_RUN_ONE)
