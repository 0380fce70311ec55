"""Runs as tables: the columns they share, and of their parameters as many as the terminal has room for, none dropped unsaid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.cli.links import mark_run
from workbench.cli.terminal import escape, format_age, format_duration, format_number, new_table, open_console
from workbench.comparisons.comparison import Comparison, RunComparison
from workbench.notebooks.parameters import spell_value
from workbench.runs.finding.annotations import Annotations, spell_tags
from workbench.runs.finding.notebook_names import shorten_notebooks
from workbench.runs.run import Run, RunState

OTHERS = "others"
# Columns: the widest of a parameter, the least for what is folded, and to read that at all; pairs of it in a cell.
_WIDEST, _LEAST_FOR_OTHERS, _LEAST_TO_READ, _MOST_PAIRS = 24, 20, 14, 8


@dataclass(frozen=True)
class Column:
    """A column of a table: its name, how it is set (see `new_table`) and what stands in it, as markup, row by row."""

    name: str
    side: str
    cells: Sequence[str]

    @property
    def width(self) -> int:
        """The columns of the terminal it takes, with the gap behind it."""
        from rich.cells import cell_len
        from rich.text import Text

        return max(cell_len(self.name), *(cell_len(Text.from_markup(cell).plain) for cell in self.cells), 0) + 1


def columns_of_runs(
    runs: Sequence[Run], metrics: Sequence[str], standings: Mapping[str, Sequence[str]]
) -> tuple[list[Column], list[Column]]:
    """Return the columns of runs before their parameters and behind them; see `print_runs`."""
    several = len({run.notebook for run in runs}) > 1
    named = shorten_notebooks([run.notebook for run in runs]) if several else []
    before = [
        Column("run", "", [mark_run(run.id) for run in runs]),
        *columns_of_annotations([run.annotations for run in runs]),
        *([Column("notebook", "wrap", [escape(name) for name in named])] if named else []),
        Column("state", "wrap", [say_state(run, standings.get(run.id, ())) for run in runs]),
        *(_column_of_metric(name, runs) for name in _choose_metrics(runs, metrics)),
    ]
    after = [
        Column("took", "right", [format_duration(run.took_s) for run in runs]),
        Column("ended", "right", [format_age(run.ended) for run in runs]),
    ]
    return before, after


def columns_of_annotations(said: Sequence[Annotations]) -> list[Column]:
    """Return the columns of names and of tags, where any run has one; long ones are cut, `show` has them whole."""
    texts = {"name": [each.name or "" for each in said], "tags": [spell_tags(each.tags) for each in said]}
    return [Column(name, "wrap", [escape(_cut(text)) for text in each]) for name, each in texts.items() if any(each)]


def columns_of_names(comparison: Comparison, run_ids: Sequence[str]) -> list[Column]:
    """Return the column of compared runs, and that of their names where any has one."""
    names = comparison.names if isinstance(comparison, RunComparison) else {}
    said = columns_of_annotations([Annotations(names.get(run_id)) for run_id in run_ids])
    return [Column("run", "", [mark_run(run_id) for run_id in run_ids]), *said]


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


_STATE_STYLES = {RunState.FINISHED: "green", RunState.FAILED: "red", RunState.KILLED: "red", RunState.LOST: "red"}


def say_state(run: Run, standing: Sequence[str] = ()) -> str:
    """Return the state of a run as markup; of one that finished, what it is besides."""
    said = ", ".join(standing) if standing and run.is_finished else run.state.lower()
    said = f"{said}, archived" if run.annotations.archived else said
    return f"[{_STATE_STYLES.get(run.state, 'yellow')}]{escape(said)}[/]"


_MOST_METRICS = 3


def _choose_metrics(runs: Sequence[Run], metrics: Sequence[str]) -> list[str]:
    """Return the metrics to show: those wanted that were logged, and of runs that logged none of them the first they did."""
    chosen = [name for name in dict.fromkeys(metrics) if any(name in run.metrics for run in runs)]
    for run in runs:
        if run.metrics and not any(name in run.metrics for name in chosen) and len(chosen) < _MOST_METRICS:
            chosen.append(next(iter(run.metrics)))
    return chosen or ["metric"]


def _column_of_metric(name: str, runs: Sequence[Run]) -> Column:
    values = [run.metrics.get(name) for run in runs]
    return Column(name, "right", ["" if value is None else format_number(value) for value in values])


def print_table_of_runs(
    before: Sequence[Column],
    parameters: Sequence[Mapping[str, Any]],
    after: Sequence[Column],
    spared: Sequence[str] = (),
) -> None:
    """Print runs with the parameters in which they differ: a column each, and what has no room together as `name=value`.

    `parameters` may be of more runs than are printed: they say what differs, and the first of them are shown. Where there is no
    room for them, columns go that are `spared`, the first of them first.
    """
    console = open_console()
    names: Sequence[str] = find_differing(parameters)
    shown = parameters[: len(before[0].cells)]
    before, after, names, unsaid = _make_room(before, after, names, shown, (console.width, spared or _SPARED))
    room = console.width - sum(column.width for column in (*before, *after))
    own, folded = choose_parameters(names, shown, room)
    columns = [*before, *(_column_of(name, shown) for name in own), *_fold(folded, shown), *after]
    table = new_table(*((column.name, column.side) for column in columns), is_dense=True)
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*row)
    console.print(table)
    if len(folded) > _MOST_PAIRS:
        console.print(f"[dim]{len(folded) - _MOST_PAIRS:,} parameters more differ; --json shows all[/]")
    if unsaid:
        has = "--json has" if {*unsaid} & {*spared} else "`workbench show RUN` and --json have"
        console.print(f"[dim]No room here for {', '.join(unsaid)}; {has} {'it' if len(unsaid) == 1 else 'them'}[/]")


# What is left out first where there is no room to read parameters in; all else of a run stays.
_SPARED = ("tags", "took", "ended")
# As narrow as a name is still read in.
_NARROW = 14


def _make_room(
    before: Sequence[Column],
    after: Sequence[Column],
    names: Sequence[str],
    shown: Sequence[Mapping[str, Any]],
    room: tuple[int, Sequence[str]],
) -> tuple[Sequence[Column], Sequence[Column], Sequence[str], list[str]]:
    """Return the columns and the names of the parameters that have room, where some differ, and the names of what has none."""
    width, spared = room
    ways = [_spare(before, after, spared[:count]) for count in range(len(spared) + 1)]
    rooms = [width - sum(column.width for column in (*first, *last)) for first, last, _ in ways]
    for (first, last, gone), left in zip(ways, rooms, strict=True):
        if left >= _LEAST_FOR_OTHERS or not choose_parameters(names, shown, left)[1]:
            return first, last, names, gone
    wrapped = sum(max(0, column.width - _NARROW) for column in before if column.name == "name")
    if rooms[-1] + wrapped >= _LEAST_TO_READ:
        return *ways[-1][:2], names, ways[-1][2]
    first, last, gone = next((way for way, left in zip(ways, rooms, strict=True) if left >= 0), ways[-1])
    return first, last, [], [*gone, "the parameters"]


def _spare(
    before: Sequence[Column], after: Sequence[Column], names: Sequence[str]
) -> tuple[Sequence[Column], Sequence[Column], list[str]]:
    first, last = ([column for column in each if column.name not in names] for each in (before, after))
    return first, last, [column.name for column in (*before, *after) if column.name in names]


def choose_parameters(
    names: Sequence[str], shown: Sequence[Mapping[str, Any]], room: int
) -> tuple[list[str], list[str]]:
    """Return which of these parameters get a column in so much room, by what is shown of them, and which are folded into one."""
    widths = {name: min(_column_of(name, shown).width, _WIDEST + 1) for name in names}
    if sum(widths.values()) <= room:
        return [*names], []
    own: list[str] = []
    for name in names:
        if sum(widths[each] for each in (*own, name)) + _LEAST_FOR_OTHERS <= room:
            own.append(name)
    return own, [name for name in names if name not in own]


def find_differing(sets: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the parameters that are not the same in all sets; one that is not there is none that is `none`."""
    names = dict.fromkeys(name for values in sets for name in values)
    return [name for name in names if any(values.get(name, _ABSENT) != sets[0].get(name, _ABSENT) for values in sets)]


_ABSENT = object()


def say_same(sets: Sequence[Mapping[str, Any]]) -> str:
    """Say which parameters are the same in all sets; nothing where none is."""
    differing = find_differing(sets)
    shown = {name: shorten(value) for name, value in (sets[0] if sets else {}).items() if name not in differing}
    return f"; the same in all: {spell_parameters(shown)}" if shown else ""


def spell_parameters(parameters: Mapping[str, Any]) -> str:
    """Return parameters as one would give them."""
    return " ".join(f"{name}={spell_value(value)}" for name, value in parameters.items()) or "none"


def shorten(value: Any) -> Any:
    """Return a parameter's value as it is shown among others: a number that a search drew has 17 digits."""
    return format_number(value) if isinstance(value, float) else value


def _column_of(name: str, sets: Sequence[Mapping[str, Any]]) -> Column:
    return Column(name, "wrap", [_cell(values, name) for values in sets])


def _cell(values: Mapping[str, Any], name: str) -> str:
    return escape(spell_value(shorten(values[name]))) if name in values else ""


def _fold(names: Sequence[str], sets: Sequence[Mapping[str, Any]]) -> list[Column]:
    shown = names[:_MOST_PAIRS]
    pairs = [{_cut(name): shorten(values[name]) for name in shown if name in values} for values in sets]
    return [Column(OTHERS, "wrap", [escape(spell_parameters(each)) if each else "" for each in pairs])] if names else []
