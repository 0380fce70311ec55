"""Listing runs: the newest of them, or the rows, columns, order and groups that somebody asks for, over all there are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli import records, terminal
from workbench.cli.asked_runs import print_answer, print_importance, spell_answer
from workbench.cli.drafts import describe_draft, print_drafts
from workbench.cli.options import JSON, PAGE, WHERE, names_option, near, open_bench
from workbench.errors import WorkbenchError
from workbench.runs.finding.notebook_names import name_notebooks
from workbench.secrets.addresses import hide_passwords

if TYPE_CHECKING:
    from workbench.runs.run import Run
    from workbench.workflow import Workbench


@click.command()
@click.option("--notebook", help="Only runs of this notebook: its path, or its name.")
@WHERE
@click.option("--search", metavar="TEXT", default="", help="Only runs that show this text, in whichever letters.")
@names_option("--columns", "What to show, e.g. roc_auc,family.")
@click.option("--sort", metavar="NAME", default="", help="In the order of this; -NAME the other way round.")
@names_option("--group-by", "One row for all runs that have the same of these.")
@names_option("--all-but", "One row for all runs that differ in nothing but these, such as the seed.")
@click.option("--importance", metavar="METRIC", help="Say which parameters decide this metric, and how surely.")
@click.option("--mlflow", metavar="ADDRESS", help="The runs of an MLflow tracking store, whoever logged them.")
@click.option("--limit", default=30, show_default=True, type=click.IntRange(1), help="How many to print.")
@click.option("--html", type=PAGE, metavar="FILE", help="Write all that are asked for as a page that needs no Jupyter.")
@click.option("--all", "is_all", is_flag=True, help="Those put aside and the drafts of notebooks run by hand, too.")
@JSON
def runs(
    notebook: str | None,
    where: str | None,
    search: str,
    columns: Sequence[str],
    sort: str,
    group_by: Sequence[str],
    all_but: Sequence[str],
    importance: str | None,
    mlflow: str | None,
    limit: int,
    html: Path | None,
    is_all: bool,
    as_json: bool,
) -> None:
    """List runs, newest first, or ask something of all of them."""
    if importance and html:
        raise click.UsageError("Ask either for --importance or for a page of runs.")
    bench = open_bench()
    if not (search or columns or sort or group_by or all_but or importance or mlflow or html):
        _list_newest(bench, notebook, where, limit, is_all=is_all, as_json=as_json)
        return
    from workbench.runs.table.question import Question

    question = Question(columns, where, search, sort, group_by, all_but, notebook, archived=is_all)
    reader = bench.open_table(mlflow, bench.list_deciding())
    if importance:
        explained = reader.explain(reader.ask(question).table, importance)
        terminal.print_json(explained) if as_json else print_importance(explained, importance)
        return
    answer = reader.ask(question)
    if html:
        bench.write_runs_page(answer, question, html, mlflow=hide_passwords(mlflow or "", mlflow or ""))
    if as_json:
        terminal.print_json(spell_answer(answer, limit))
    elif html:
        terminal.say(f"Wrote {near(html)}: {len(answer.table):,} {'run' if len(answer.table) == 1 else 'runs'}.")
    else:
        print_answer(answer, question, limit, hide_passwords(mlflow or "", mlflow or ""))


def _list_newest(
    bench: Workbench, notebook: str | None, where: str | None, limit: int, *, is_all: bool, as_json: bool
) -> None:
    most = limit + 1
    if is_all:
        found, drafts = bench.list_everything(notebook=notebook, where=where, limit=most)
    else:
        found, drafts = bench.list_runs(notebook=notebook, where=where, limit=most), []
    shown, is_cut, drafts = found[:limit], len(found) > limit, drafts[:limit]
    standings = list_standings(bench, shown)
    if as_json:
        listed = [{**terminal.to_plain(run), "standing": standings.get(run.id, ())} for run in shown]
        terminal.print_json([*listed, *map(describe_draft, drafts)])
        return
    if where and not shown and not drafts:
        terminal.say(f"Of no run this is true: {where}")
        if not is_all:
            _say_hidden(bench)
        return
    if notebook and not shown and not drafts:
        _say_no_runs_of(bench, notebook)
        return
    deciding = bench.list_deciding({run.task for run in shown})
    if shown or not drafts:
        records.print_runs(shown, metrics=deciding, standings=standings, is_cut=is_cut)
    if is_all:
        print_drafts(drafts, deciding)
    else:
        _say_hidden(bench, is_listed=any(run.annotations.archived for run in shown))


def _say_no_runs_of(bench: Workbench, notebook: str) -> None:
    others = bench.list_notebooks()
    terminal.say(
        f"No run is of {notebook}; {f'there are runs of {name_notebooks(others)}' if others else 'there are none'}."
    )


def _say_hidden(bench: Workbench, *, is_listed: bool = False) -> None:
    """Say what is not listed; `is_listed`: of those put aside some are."""
    if archived := bench.count_archived() if not is_listed else 0:
        terminal.say(f"{archived:,} {'run is' if archived == 1 else 'runs are'} put aside; --all lists them too.")
    if drafts := bench.count_drafts():
        kept = "draft is" if drafts == 1 else "drafts are"
        where = near(bench.settings.drafts_folder)
        terminal.say(f"Of notebooks run by hand {drafts:,} {kept} kept in {where}, never promotable; --all lists them.")


def list_standings(bench: Workbench, runs: Sequence[Run]) -> dict[str, tuple[str, ...]]:
    """Return what runs are besides; where the ledger cannot be relied on that is said, and the runs are listed all the same."""
    try:
        return bench.list_standings(runs)
    except WorkbenchError as exc:
        terminal.note(f"Which of them are nominees or served is not known. {exc.what}")
        return {}


COMMANDS = (runs,)
