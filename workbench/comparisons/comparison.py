"""A comparison: runs side by side on one frozen holdout, with intervals and a verdict."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.comparisons.cross_checks import CrossCheck, describe_cross_check
from workbench.comparisons.drawn_rows import describe_rows, say_too_few
from workbench.comparisons.elsewhere import OtherHoldout, describe_elsewhere
from workbench.comparisons.needed_rows import NeededRows, describe_needed_rows, find_needed_rows
from workbench.comparisons.verdict import Verdict
from workbench.runs.written_files import HOW_TO_KEEP, Overwritten
from workbench.stats.interval import Interval
from workbench.stats.task import Direction
from workbench.stats.units import DrawnUnits

if TYPE_CHECKING:
    from workbench.comparisons.families import Family
    from workbench.stats.metrics import Metric


_RUN = "run "


@dataclass(frozen=True)
class ComparedRun:
    """One run in a comparison: its value, and its advantage over the reference (positive is good)."""

    run_id: str
    parameters: Mapping[str, Any]
    value: float
    advantage: Interval | None
    verdict: Verdict | None


@dataclass(frozen=True)
class Comparison:
    """Runs against one reference on the same holdout rows, best first.

    `reference` is the run they are held against, as `name_run` spells it, or the name of a baseline that is no run. `margin` is
    in units of the metric. `tried` counts the tries on this holdout (see `count_tries`), `other_rules` of them other policies and
    `other_splits` on other splits of the same data; each bound's level is corrected for it (Bonferroni).
    `left_out` counts the runs that could not be paired with the others, row by row. `units` say what of the rows was drawn
    whole; None: each by itself.
    """

    metric: str
    direction: Direction
    margin: float
    holdout_digest: str
    rows: int
    reference: str
    reference_value: float
    tried: int
    runs: tuple[ComparedRun, ...]
    left_out: int = 0
    other_rules: int = 0
    other_splits: int = 0
    units: DrawnUnits | None = None

    @property
    def is_defined(self) -> bool:
        """True when the metric has a value for the reference and for every run; on rows of one class some have none."""
        return all(map(math.isfinite, (self.reference_value, *(run.value for run in self.runs))))

    @property
    def reference_run(self) -> str | None:
        """The id of the run that is the reference, None for what is no run."""
        return self.reference.removeprefix(_RUN) if self.reference.startswith(_RUN) else None

    @property
    def best(self) -> ComparedRun:
        """The run with the best value."""
        return self.runs[0]


@dataclass(frozen=True)
class RunComparison(Comparison):
    """A comparison as a project tells it: of which notebooks the runs are, why others were left out, what the tries were.

    `unpaired` says of each run that was left out why; `overwritten` names the files beside the runs' folders that several of them
    wrote; `seen` names each different thing that was seen on the holdout, by who showed it first (see `name_looks`), and each
    other policy: there are as many as `tried`. `elsewhere` counts the finished runs on other holdouts, `others` says which of
    them can be compared, and how; `names` are what people
    call the runs, by id; `reference_parameters` are those of the run they are held against. Of several `metrics` that were asked
    for the others are `beside` it, each a comparison of its own. `holdouts` are comparisons of what lies on other holdouts, the
    latest first; where these are splits of the same data, `family` judges sets of parameters over all of them. `within` names the
    slice whose rows alone were scored; `all_but` the parameters that runs of one row may differ in, whose `members` are told by
    its id; `crowded` counts rows of too many runs for an interval. `cross_check` is what another test says of the best,
    `worth_confirming` are undecided runs that a screening finds; `needed` says by the id of each undecided row what would decide.
    """

    notebooks: tuple[str, ...] = ()
    unpaired: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    elsewhere: int = 0
    others: tuple[OtherHoldout, ...] = ()
    overwritten: tuple[Overwritten, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    reference_parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: int = 1
    beside: tuple[RunComparison, ...] = ()
    holdouts: tuple[RunComparison, ...] = ()
    family: Family | None = None
    within: str = ""
    all_but: tuple[str, ...] = ()
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    crowded: int = 0
    cross_check: CrossCheck | None = None
    worth_confirming: tuple[str, ...] = ()
    needed: Mapping[str, NeededRows] = field(default_factory=dict)


def name_run(run_id: str) -> str:
    """Return how a reference that is a run is named."""
    return f"{_RUN}{run_id}"


_SAYS = {
    Verdict.BETTER: "is better than",
    Verdict.NOT_WORSE: "is not worse than",
    Verdict.WORSE: "is worse than",
    Verdict.INCONCLUSIVE: "cannot be told apart from",
}


def headline(comparison: Comparison) -> str:
    """Say the result in one sentence."""
    if not comparison.runs:
        return f"There is nothing to compare with {comparison.reference}."
    best = comparison.best
    verdict = best.verdict or Verdict.INCONCLUSIVE
    within = f" where {comparison.within}" if isinstance(comparison, RunComparison) and comparison.within else ""
    says = f"{_name_row(comparison, best)} {_SAYS[verdict]} {comparison.reference} on {comparison.metric}{within}"
    left = f" Left out: {comparison.left_out:,} that cannot be paired with them." if comparison.left_out else ""
    if best.advantage is None:
        few = say_too_few(comparison.units)
        why = f" ({few})" if few else ""
        return f"{says}: no interval could be computed on {comparison.rows:,} rows{why}.{left}"
    bounds = f"{_signed(best.advantage.low)} to {_signed(best.advantage.high)}"
    needed = find_needed_rows(best.advantage, comparison.rows, comparison.units, comparison.margin)
    tries = spell_tries(comparison.tried, comparison.other_rules, comparison.other_splits)
    more = f" {describe_needed_rows(needed, comparison.margin)}" if needed and verdict is Verdict.INCONCLUSIVE else ""
    metrics = comparison.metrics if isinstance(comparison, RunComparison) else 1
    by = f" by {metrics:,} metrics" if metrics > 1 else ""
    rows = describe_rows(comparison.rows, comparison.units, "holdout rows")
    return f"{says}: {bounds} ({rows}, corrected for {tries}{by}).{more}{left}"


def _name_row(comparison: Comparison, row: ComparedRun) -> str:
    """Return what a row is called in a sentence: the run, or how many runs there are of which parameters."""
    members = comparison.members.get(row.run_id, ()) if isinstance(comparison, RunComparison) else ()
    if len(members) <= 1:
        return f"Run {row.run_id}"
    differing = [
        name
        for name, value in row.parameters.items()
        if any(other.parameters.get(name) != value for other in comparison.runs)
    ]
    said = ", ".join(f"{name} {row.parameters[name]}" for name in differing[:_MOST_SAID])
    return f"The mean of {len(members):,} runs{f' with {said}' if said else ''}"


def _signed(value: float) -> str:
    """Return a number with its sign and three digits, the last of them zero or not: +0.500 beside +0.499."""
    return f"{value:+#.3g}".rstrip(".").replace("-", "\N{MINUS SIGN}")


# Of so many runs the mean is resampled; each of them is judged on each resample.
MOST_TOGETHER = 50
_MOST_NAMED, _FEW_NAMED, _MOST_SAID = 20, 5, 3
_NO_FAMILY = "What splits of the same data say together is told of all rows alone: leave --slice out."
_RUN_ID = re.compile(r"[Rr]un [0-9a-f]{8,12}\b")


def describe_selection(comparison: RunComparison) -> list[str]:
    """Say which runs were taken, what the tries are, one by one, and of each run that was left out why."""
    short_digest = comparison.holdout_digest[:12]
    count = sum(len(comparison.members.get(run.run_id, ("",))) for run in comparison.runs)
    sets = f"{len(comparison.runs):,} set{'' if len(comparison.runs) == 1 else 's'}"
    rows = f" as {sets} of parameters" if comparison.all_but else ""
    runs = f"{count:,} {'run' if count == 1 else 'runs'}{rows}"
    more = f" and {len(comparison.seen) - _FEW_NAMED:,} more" if len(comparison.seen) > _FEW_NAMED else ""
    tries = spell_tries(comparison.tried, comparison.other_rules, comparison.other_splits)
    named = f"{', '.join(comparison.seen[:_FEW_NAMED])}{more}"
    checked = [describe_cross_check(comparison.cross_check)] if comparison.cross_check else []
    return [
        *checked,
        *describe_crowds(comparison),
        *describe_worth(comparison.worth_confirming),
        f"Compared: {runs} of {', '.join(comparison.notebooks)} on holdout {short_digest}. {tries}: {named}.",
        *(f"Left out: {why}" for why in describe_left_out(comparison.unpaired)),
        *([f"Left out: {said}."] if (said := describe_others(comparison)) else []),
        *([_NO_FAMILY] if comparison.within and comparison.holdouts else []),
        *describe_overwritten(comparison),
    ]


def describe_crowds(comparison: RunComparison) -> list[str]:
    """Say of how many rows the mean alone is told because they are of too many runs; nothing where there is none."""
    if not comparison.crowded:
        return []
    more = f"{comparison.crowded:,} rows here have" if comparison.crowded > 1 else "1 row here has"
    return [f"{more} no interval: on either side are more than {MOST_TOGETHER} runs; --where takes fewer of them."]


def describe_worth(run_ids: Sequence[str]) -> list[str]:
    """Say which undecided runs a screening finds; it is no verdict."""
    if not run_ids:
        return []
    named = _name_few([f"run {run_id}" for run_id in run_ids], ", ", "runs")
    return [f"Undecided, and worth a look on new rows (Benjamini-Hochberg, one in ten found by chance): {named}."]


def describe_left_out(reasons: Sequence[str]) -> list[str]:
    """Return why runs were left out, what is the same but for the run once with how many more it is true of."""
    alike: dict[str, list[str]] = {}
    for why in reasons:
        alike.setdefault(_RUN_ID.sub("run", why), []).append(why)
    said = [f"{first} {_say_more(len(others))}".rstrip() for first, *others in alike.values()]
    more = len(said) - _MOST_NAMED
    return [*said[:_MOST_NAMED], *([f"{more:,} other reasons; --json has them all."] if more > 0 else [])]


def _say_more(count: int) -> str:
    return "" if not count else f"The same holds for {count:,} more {'run' if count == 1 else 'runs'}."


def describe_others(comparison: RunComparison) -> str:
    """Say what lies on other holdouts, and how to see what is not shown below."""
    shown = {each.holdout_digest for each in comparison.holdouts}
    return describe_elsewhere(comparison.elsewhere, comparison.others, shown)


def describe_overwritten(comparison: RunComparison) -> list[str]:
    """Say which files several of the runs wrote, one over the other, and how; nothing where there is none."""
    named = _name_few([str(each) for each in comparison.overwritten], "; ")
    return [f"Several of these runs wrote the same file: {named}. {HOW_TO_KEEP}"] if named else []


def name_overwritten(comparison: RunComparison) -> list[str]:
    """Say it in fewer words, by the names of the files."""
    named = _name_few([each.path for each in comparison.overwritten], ", ")
    return [f"{named}, by several of them. {HOW_TO_KEEP}"] if named else []


def _name_few(texts: Sequence[str], between: str, what: str = "files") -> str:
    more = len(texts) - _FEW_NAMED
    return between.join([*texts[:_FEW_NAMED], *([f"{more:,} {what} more"] if more > 0 else [])])


def spell_tries(tried: int, other_rules: int, other_splits: int = 0) -> str:
    """Say how many tries there were on a holdout, how many of them on other splits, and how many are other policies."""
    splits = {0: "", 1: ", 1 of them on another split of the data"}.get(
        other_splits, f", {other_splits:,} of them on other splits of the data"
    )
    rules = {0: "", 1: ", 1 of them another policy"}.get(other_rules, f", {other_rules:,} of them other policies")
    return f"{tried:,} {'try' if tried == 1 else 'tries'}{splits}{rules}"


def find_advantage(value: float, reference: float, metric: Metric) -> float:
    """Return by how much a value is better than another: in the metric's units, in regression as a share of the other's size.

    An absolute drop of 0.05 is one thing for an AUC and another for an error in minutes.
    """
    difference = metric.sign * (value - reference)
    if metric.is_of_classes:
        return difference
    return difference / abs(reference) if reference else math.copysign(1.0, difference) if difference else 0.0
