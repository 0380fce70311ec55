"""Commands as people would type them."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING

from workbench.notebooks.parameters import spell_value
from workbench.runs.run import Run

if TYPE_CHECKING:
    from workbench.runs.table.question import Question


def spell_run(run: Run) -> str:
    """Return the command that makes a run again, with the parameters it had."""
    given = (f" -p {quote(f'{name}={spell_value(value)}')}" for name, value in run.parameters.items())
    return f"workbench run {quote(run.notebook)}{''.join(given)}"


def spell_question(question: Question, mlflow: str = "") -> str:
    """Return the command that asks the same of the project's runs, or of those of an MLflow tracking store by its address."""
    texts = (
        *(("--mlflow", mlflow), ("--notebook", question.notebook), ("--where", question.where)),
        *(("--search", question.search), ("--columns", _join(question.columns)), ("--sort", question.sort)),
        *(("--group-by", _join(question.group_by)), ("--all-but", _join(question.all_but))),
    )
    return f"workbench runs{''.join(map(_spell_option, texts))}{' --all' if question.archived else ''}"


def spell_comparison(
    runs: Sequence[str] = (),
    reference: str = "",
    notebook: str = "",
    where: str = "",
    all_but: Sequence[str] = (),
    within: str = "",
    metrics: Sequence[str] = (),
) -> str:
    """Return the command that compares the same."""
    given = (
        *(("--reference", reference), ("--notebook", notebook), ("--where", where)),
        *(("--all-but", _join(all_but)), ("--slice", within), ("--metric", ",".join(metrics))),
    )
    named = "".join(f" {quote(run)}" for run in runs)
    return f"workbench compare{named}{''.join(map(_spell_option, given))}"


def _spell_option(given: tuple[str, str | None]) -> str:
    option, text = given
    return f" {option}{'=' if text.startswith('-') else ' '}{quote(text)}" if text else ""


def _join(names: Sequence[str]) -> str:
    return ",".join(f"`{name}`" if "," in name else name for name in names)
