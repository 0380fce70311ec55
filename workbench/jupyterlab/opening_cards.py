"""Opening what a card of the launcher stands for: a notebook of the project around, which is made where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workbench.config import (
    MARKER,
    find_notebook,
    find_project,
    is_home_given,
    is_marked,
    read_settings,
)
from workbench.errors import UsageError, WorkbenchError
from workbench.notebooks.notebook import parse_notebook
from workbench.workflow.starting import give_warm_kernel, mark_project, start_project, write_experiment

EXPERIMENT = "experiment"


@dataclass(frozen=True)
class Card:
    """A card: what it says, and the notebook it opens; without one it makes a new experiment.

    `shows` is True where the notebook is there for what it shows, so that its cells are run when it is opened.
    """

    label: str
    caption: str
    notebook: str = ""
    shows: bool = False


CARDS = {
    "new": Card("New experiment", "A notebook that runs as it is: data, a model, what makes its runs comparable"),
    "compare": Card("Compare", "Runs side by side, each with an interval and a verdict", "20_compare_runs.ipynb", True),
    "review": Card(
        "Review", "A nominee: what was checked, what to answer, where to sign", "30_review_nominee.ipynb", True
    ),
    "tour": Card("Tour", "From a first run to a signed, served model, in ten minutes", "00_tour.ipynb"),
}


@dataclass(frozen=True)
class Opened:
    """What a card opened: the notebook, whether its cells are to be run, and what was made on the way, in words."""

    path: Path
    runs: bool
    said: str


def open_card(name: str, folder: Path) -> Opened:
    """Return what the card of this name opens in a folder, made where it is missing; raises UsageError where it cannot be."""
    card = CARDS.get(name)
    if card is None:
        raise UsageError(f"There is no card {name!r}.", why=f"There are: {', '.join(CARDS)}.")
    was = find_project(folder)
    project = was or _mark(folder)
    path = project / "notebooks" / card.notebook if card.notebook else make_experiment(project)
    made = [] if path.exists() else _make_missing(path, project)
    return Opened(path, card.shows and is_shipped(path), _say_made(project, made) if was else _say_project(project))


def _say_project(project: Path) -> str:
    return f"{project} is a project now; what its runs keep lies in {read_settings(project).home}."


def _say_made(project: Path, made: list[str]) -> str:
    return f"Made {', '.join(made)} in {project}." if made else ""


def _mark(folder: Path) -> Path:
    """Make the folder that is shown a project; raises UsageError, with what to do in JupyterLab, where it cannot be one."""
    if is_home_given():
        return read_settings(folder).project
    try:
        return mark_project(folder, folder) or folder
    except UsageError as exc:
        step = "In the file browser make a folder for your project, open it, and click the card again."
        raise UsageError(exc.what, why=exc.reasons, next_step=step) from exc


def _make_missing(path: Path, project: Path) -> list[str]:
    """Make the notebooks of a project that are not there, and return them; of a mere repository this one alone."""
    if is_marked(project) and (project / MARKER).is_file():
        made = [name for name in start_project(project).made if name.endswith(".ipynb")]
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(give_warm_kernel(find_notebook(path.name).read_bytes()))
        made = [str(path.relative_to(project))]
    return made


def make_experiment(project: Path) -> Path:
    """Make the next new experiment of a project and return its path."""
    number = next(number for number in range(1, 10_000) if not _experiment(project, number).exists())
    return write_experiment(project, _experiment(project, number).stem)


def _experiment(project: Path, number: int) -> Path:
    return project / "notebooks" / f"{EXPERIMENT}{'' if number == 1 else f'-{number}'}.ipynb"


def is_shipped(path: Path) -> bool:
    """True where a notebook's cells are those we ship: nobody else's code runs because a card was clicked."""
    try:
        shipped = parse_notebook(path.name, find_notebook(path.name).read_bytes())
        return parse_notebook(path.name, path.read_bytes()).digest == shipped.digest
    except (WorkbenchError, OSError):
        return False
