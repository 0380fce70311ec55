"""The commands that make and read runs: run, sweep, show, stop, replay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from workbench.cli import following, progress, records, terminal
from workbench.cli.listing import list_standings
from workbench.cli.options import JSON, near, open_bench, open_for, open_with, pairs
from workbench.errors import RunFailed
from workbench.executors import EXECUTORS
from workbench.notebooks.parameters import Parameter, parse_value
from workbench.runs.finding.annotations import parse_tags
from workbench.runs.trials import Aim
from workbench.sweeps.search import SEARCHES, parse_axis

if TYPE_CHECKING:
    from workbench.runs.run import Run
    from workbench.workflow import Workbench

_PARAMETERS = click.option(
    "-p", "--parameter", "given", multiple=True, metavar="NAME=VALUE", help="A parameter of the notebook; repeatable."
)
_EXECUTION: Sequence[Callable[[Any], Any]] = (
    click.option("--timeout", "timeout_s", type=click.IntRange(1, 999_999), help="Seconds one attempt may take."),
    click.option(
        "--cell-timeout", "cell_timeout_s", type=click.IntRange(1, 999_999), help="Seconds one cell may take."
    ),
    click.option("--memory", metavar="SIZE", help="Memory the kernel and all it starts may use, e.g. 2GB."),
    click.option("--output-size", metavar="SIZE", help="What all cells may show."),
    click.option("--disk", metavar="SIZE", help="What the run's folder may hold."),
    click.option("--retries", type=click.IntRange(0, 99), help="How often a run whose kernel died is tried again."),
    click.option(
        "--notify", is_flag=True, help="Tell how it ended: by the command, desktop or e-mail of the settings."
    ),
    click.option("--name", help="What the run is called; it can be asked for by this name."),
    click.option("--note", metavar="TEXT", help="What is to be remembered of it."),
    click.option("--tag", "tags", multiple=True, metavar="KEY[=VALUE]", help="What it is found by; repeatable."),
    click.option(
        "--cold", is_flag=True, help="Use an ordinary kernel, not one forked from a process with the imports loaded."
    ),
)
_NEWEST = "newest"


def _execution(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of executing notebooks."""
    for option in reversed(_EXECUTION):
        command = option(command)
    return command


def _read_given(
    bench: Workbench, notebook: Path, given: Sequence[str], read: Callable[[Parameter | None, str], Any]
) -> dict[str, Any]:
    """Return the parameters of a command, each as `read` makes it of what the notebook declares and the text."""
    declared = {parameter.name: parameter for parameter in bench.read_notebook(notebook).parameters}
    return {name: read(declared.get(name), text) for name, text in pairs(given, "parameters").items()}


def _source_of(bench: Workbench, run_id: str | None) -> Path:
    """Return the notebook of a run that is to be gone on with."""
    if run_id is None:
        raise click.UsageError("Missing argument 'NOTEBOOK'.", click.get_current_context())
    return bench.settings.project / bench.show(run_id).notebook


@click.command()
@click.argument("notebook", type=click.Path(path_type=Path), required=False)
@_PARAMETERS
@click.option("--resume", metavar="RUN", help="Go on with a run that failed, where the cells before are unchanged.")
@click.option("--follow", "followed", is_flag=True, help="Print what the notebook shows and measures as it comes.")
@click.option("--profile", "is_profiled", is_flag=True, help="Say at the end where the time went.")
@_execution
@JSON
def run(
    notebook: Path | None,
    given: Sequence[str],
    resume: str | None,
    followed: bool,
    as_json: bool,
    is_profiled: bool,
    **rest: Any,
) -> None:
    """Run a notebook once and record it."""
    with _profiled(beside=as_json) if is_profiled else nullcontext():
        asked = _take_asked(rest)
        bench = open_for(notebook, **rest) if notebook else open_with(**rest)
        path = notebook or _source_of(bench, resume)
        values = _read_given(bench, path, given, parse_value)
        origin = None
        if resume is not None:
            resumption = bench.plan_resumption(resume, path, values)
            records.print_resumption(resumption)
            values, origin = dict(resumption.parameters), resumption.provenance
        with following.follow_own(bench, err=as_json) if followed else progress.show_progress(path.stem) as update:
            done = bench.run(path, values, origin=origin, on_progress=update, **asked)
        _print_run(bench, done, as_json=as_json)


def _take_asked(options: dict[str, Any]) -> dict[str, Any]:
    """Take out of the options of a command what is no setting: how it is run, and what is said of it."""
    tags = parse_tags(options.pop("tags"))
    return {**{name: options.pop(name) for name in ("cold", "notify", "name", "note")}, "tags": tags}


@contextmanager
def _profiled(*, beside: bool) -> Iterator[None]:
    """Say where the time of a run went, however it ends."""
    from workbench.runs.profiling import profiled

    with profiled() as profile:
        try:
            yield
        finally:
            records.print_profile(profile, beside=beside)


def _print_run(bench: Workbench, done: Run, *, as_json: bool) -> None:
    obstacles = bench.foresee_obstacles([done])
    if as_json:
        terminal.print_json(done)
    else:
        is_told = any(each.about == "model" for each in obstacles)
        records.print_run(done, near(bench.settings.runs_folder / done.id), is_refusal_told=is_told)
    records.print_obstacles(obstacles, 1, beside=as_json)
    if done.holdout:
        terminal.suggest("workbench compare")


@click.command(
    epilog="Values are -p C=0.1,1,10 -p seed=0..4; random and optuna draw from log(0.01,100), uniform(0,1), int(1,8) too."
)
@click.argument("notebook", required=False, type=click.Path(path_type=Path))
@_PARAMETERS
@click.option("--search", type=click.Choice(list(SEARCHES)), help="How the space is searched (default: grid).")
@click.option("--trials", type=click.IntRange(1, 10_000), help="How many sets random or optuna try (default: 20).")
@click.option("--seed", type=click.IntRange(0), help="What random and optuna draw by (default: 0).")
@click.option("--goal", metavar="METRIC", help="The metric looked for (default: the policy's).")
@click.option("--direction", type=click.Choice(get_args(Aim)), help="Which way the metric is better.")
@click.option(
    "--resume", is_flag=False, flag_value=_NEWEST, metavar="[SWEEP]", help="Finish what is missing of a sweep."
)
@click.option("--retry-failed", is_flag=True, help="With --resume: run those that failed again.")
@click.option("--jobs", type=click.IntRange(1, 64), help="How many notebooks run at a time.")
@click.option("--executor", type=click.Choice(list(EXECUTORS)), help="What executes them (default: local).")
@click.option("--scheduler", metavar="ADDRESS", help="With dask: tcp://host:port (default: workers on this machine).")
@_execution
@JSON
def sweep(
    notebook: Path | None,
    given: Sequence[str],
    resume: str | None,
    retry_failed: bool,
    as_json: bool,
    **rest: Any,
) -> None:
    """Run a notebook for every combination, or for those a search chooses."""
    how = _take_asked(rest)
    said = [each for each in ("name", "note", "tags") if how[each]]
    asked = {name: rest.pop(name) for name in ("search", "trials", "seed", "goal", "direction")}
    chosen = {name: value for name, value in asked.items() if value is not None}
    _require_sweep_usage(notebook, resume, [*given, *chosen, *said], chosen, retry_failed=retry_failed)
    bench = open_for(notebook, **rest) if notebook else open_with(**rest)
    if notebook is None:
        plan = bench.find_sweep(None if resume == _NEWEST else resume, retry_failed=retry_failed)
        with progress.show_progress(Path(plan.notebook).stem) as update:
            again = {"cold": how["cold"], "notify": how["notify"], "retry_failed": retry_failed}
            runs = bench.resume_sweep(plan.id, on_progress=update, **again)
    else:
        space = _read_given(bench, notebook, given, parse_axis)
        with progress.show_progress(notebook.stem) as update:
            runs = bench.sweep(notebook, space, on_progress=update, **how, **chosen)
    _print_sweep(bench, runs, as_json=as_json)


def _require_sweep_usage(
    notebook: Path | None, resume: str | None, said: Sequence[str], chosen: Mapping[str, Any], *, retry_failed: bool
) -> None:
    if resume is not None and (notebook is not None or said):
        raise click.UsageError(
            "--resume goes on as the sweep was planned: give no notebook, parameters, search, name, note or tags."
        )
    if resume is None and notebook is None:
        raise click.UsageError("Missing argument 'NOTEBOOK' (or --resume, to finish a sweep).")
    if resume is None and retry_failed:
        raise click.UsageError("--retry-failed needs --resume.")
    if "seed" in chosen and not SEARCHES[chosen.get("search", "grid")].draws:
        raise click.UsageError("--seed is what random and optuna draw by; a parameter is -p seed=VALUE.")


def _print_sweep(bench: Workbench, runs: Sequence[Run], *, as_json: bool) -> None:
    from workbench.runs.written_files import find_overwritten

    plan = bench.find_sweep(runs[0].sweep)
    terminal.print_json(runs) if as_json else records.print_sweep(bench.find_goal(plan, runs), runs)
    records.print_overwritten(find_overwritten(runs), beside=as_json)
    records.print_obstacles(bench.foresee_obstacles(runs), len(runs), beside=as_json)
    failed = [run for run in runs if not run.is_finished]
    if failed:
        raise RunFailed(
            f"{len(failed)} of {len(runs)} runs failed.",
            why=[f"{run.id}: {run.error}" for run in failed[:10]],
            next_step=f"Read {bench.settings.runs_folder / failed[0].id}/report.html; "
            f"`workbench sweep --resume {plan.id} --retry-failed` runs them again.",
        )
    terminal.suggest("workbench compare")


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--follow", "followed", is_flag=True, help="First print what it shows as it comes, until it ended.")
@JSON
def show(run_id: str, followed: bool, as_json: bool) -> None:
    """Show one run: results, parameters, where it came from, its files."""
    bench = open_bench()
    if followed:
        following.follow(bench, run_id, err=as_json)
    found = bench.show(run_id)
    standing = list_standings(bench, [found]).get(found.id, ())
    if as_json:
        points = {
            name: [{"step": each.step, "value": each.value, "time_ms": each.time_ms} for each in course]
            for name, course in bench.read_points(found.id).items()
        }
        terminal.print_json({**terminal.to_plain(found), "points": points, "standing": standing})
    else:
        records.print_run(found, near(bench.settings.runs_folder / found.id), standing)
    if followed:
        bench.require_finished(found)


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1),
    default=1e-9,
    show_default=True,
    help="The relative difference of two numbers that counts as none.",
)
@click.option("--cold", is_flag=True, help="Use an ordinary kernel.")
@JSON
def replay(run_id: str, tolerance: float, cold: bool, as_json: bool) -> None:
    """Execute a finished run again, as a new run, and say what came out the same."""
    with progress.show_progress(f"Replay of {run_id}") as update:
        found = open_bench().replay(run_id, tolerance=tolerance, cold=cold, on_progress=update)
    terminal.print_json(found) if as_json else records.print_replay(found)
    if not found.is_clean:
        raise click.exceptions.Exit(3)


@click.command()
@click.argument("run_id", metavar="RUN")
@JSON
def stop(run_id: str, as_json: bool) -> None:
    """End one run that goes on, whichever process runs it; the others of its sweep go on."""
    with progress.show_waiting(f"Stopping {run_id}"):
        ended = open_bench().stop(run_id)
    terminal.print_json(ended) if as_json else records.print_stopped(ended)


COMMANDS = (run, sweep, show, stop, replay)
