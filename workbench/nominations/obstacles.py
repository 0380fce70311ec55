"""Obstacles: what stands in the way of nominating a run and is certain the moment it ended, said then by what will judge it.

What is not known yet is taken at its best (as if it had been measured and were well): a check that does not pass even so cannot
pass later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from workbench.checks import CHECKS, weigh
from workbench.comparisons.holdouts import HOW_TO_DECLARE
from workbench.errors import Refused, UsageError, WorkbenchError
from workbench.evidence.evidence import Evidence, Finding, Identity, PlanFact, Severity, Status
from workbench.evidence.measures.authorship import AuthorshipFact
from workbench.evidence.measures.classes import ClassesFact, Share
from workbench.evidence.measures.disclosures import DisclosureFact
from workbench.evidence.measures.holdout import HoldoutFact
from workbench.evidence.measures.sample import SampleFact
from workbench.evidence.measures.score import ScoreFact
from workbench.evidence.measures.tries import TriesFact
from workbench.models.evaluation import EVALUATE
from workbench.models.first_answers import FirstAnswers
from workbench.models.model_facts import ModelFact, ModuleFact
from workbench.nominations.scored_rows import ScoredRows
from workbench.notebooks.execution import Execution
from workbench.policies.policy import Policy
from workbench.records.digest import short
from workbench.runs.folder import MODEL, NOTEBOOK, PREDICTIONS
from workbench.runs.kept_run import RUN_AGAIN, require_recorded
from workbench.runs.local_files import LocalFilesFact
from workbench.runs.refusal import Refusal
from workbench.runs.run import Run
from workbench.runs.tables import DatasetFact
from workbench.stats.task import Task, has_classes

# By check: how it ends where that is certain. Of enough data nothing but too few rows is known this early, of the model its first
# answers.
_TOLD: Mapping[str, frozenset[Status]] = {
    **dict.fromkeys(
        ("run_unmodified", "authors_known", "planned_first", "data_known", "holdout_untouched", "safe_format"),
        frozenset({Status.FAIL, Status.UNKNOWN}),
    ),
    **dict.fromkeys(("metric_recomputed", "calibrated"), frozenset({Status.FAIL, Status.UNKNOWN})),
    **dict.fromkeys(("holdout_wear", "enough_data", "no_secrets_shown", "model_loads"), frozenset({Status.FAIL})),
}
# What is asked of the scores alone is told where they could be read.
_OF_SCORES = frozenset({"metric_recomputed", "calibrated"})
# Whoever is told the first is not told the others: they follow from it.
_EXPLAINS: Mapping[str, frozenset[str]] = {
    "holdout": frozenset({"planned_first", "data_known", "holdout_untouched", "holdout_wear", "enough_data"}),
    "model": frozenset({"safe_format", "model_loads"}),
    "policy": frozenset({"planned_first"}),
    "data_known": frozenset({"holdout_untouched"}),
    "enough_data": frozenset({"calibrated"}),
    "run_unmodified": frozenset({"authors_known"}),
}


@dataclass(frozen=True)
class Obstacle:
    """What stands in the way: what it is about (a check, or what is missing), why with what to do, and of which runs."""

    about: str
    text: str
    runs: tuple[str, ...] = ()


_UNASKED = FirstAnswers()


@dataclass(frozen=True)
class EndedRun:
    """What is known of a run as it ended, without its tables and its model; `task` is None where it logged no model.

    `scored` is what its predictions give, None where they were not read.

    `authorship` is None, too, where releases may have approved its lines; `before` names policies that the ledger had before the
    first score on its rows and that are still the same.
    """

    run: Run
    policy: Policy
    task: Task | None = None
    plan: PlanFact | None = None
    tries: TriesFact | None = None
    disclosures: DisclosureFact | None = None
    formats: tuple[str, ...] = ()
    first: FirstAnswers = _UNASKED
    own_code: tuple[ModuleFact, ...] = ()
    authorship: AuthorshipFact | None = None
    local_files: LocalFilesFact | None = None
    before: tuple[str, ...] = ()
    scored: ScoredRows | None = None

    @property
    def judged(self) -> tuple[str, ...]:
        """The checks of the policy of which something may be certain."""
        scores = self.scored.judged if self.scored else frozenset[str]()
        known = {*_TOLD} - (_OF_SCORES - scores) - ({"authors_known"} if self.authorship is None else set())
        return tuple(name for name in self.policy.checks if name in known)


# What nominating refuses


def require_holdout(run: Run) -> None:
    """Raise UsageError for a run that declared no holdout."""
    if run.holdout is None:
        raise UsageError(
            f"Run {run.id} names no holdout.",
            why="What a model is judged by are rows that everybody knows.",
            next_step=HOW_TO_DECLARE if is_to_be_nominated(run) else _LOG_ALL,
        )


def require_model(run: Run, files: Collection[str]) -> None:
    """Raise UsageError for a run that has no model among its files, with why it was refused, or whose executed notebook is gone."""
    if not any(path.startswith(f"{MODEL}/") for path in files):
        refused = read_refusal(run)
        raise UsageError(
            f"Run {run.id} logged no model.",
            why=(refused.what, *refused.why) if refused else (),
            next_step=refused.next_step if refused else _LOG_ONE,
        )
    if NOTEBOOK not in files:
        raise UsageError(f"The notebook that run {run.id} executed is gone.", next_step=RUN_AGAIN)


# Of a notebook that has neither, such as one that only autologs.
_LOG_ALL = (
    f"Write `{EVALUATE}` in the notebook after the fit and run that again: it logs holdout, scores, metrics and model."
)
_LOG_ONE = "Call `wb.log_model(model, features)` in the notebook and run it again."


def read_refusal(run: Run) -> Refusal | None:
    """Return why its model was not logged, None where none was refused."""
    said = run.record.get("refused")
    return Refusal(said["what"], tuple(said["why"]), said["next_step"]) if said else None


# What is told early


def find_undeclared_holdout(run: Run) -> Obstacle | None:
    """Return that a run scored rows that nobody else can score: it stored predictions and names no holdout."""
    if run.holdout is not None or PREDICTIONS not in run.record.get("files", ()):
        return None
    text = f"The run stored predictions and names no holdout, so it can be compared with no other. {HOW_TO_DECLARE}"
    return Obstacle("holdout", text, (run.id,))


def is_to_be_nominated(run: Run) -> bool:
    """True where a run logged a model, or was to: whoever only explores is told nothing about nominating."""
    return "refused" in run.record or any(path.startswith(f"{MODEL}/") for path in run.record.get("files", ()))


def find_obstacles(ended: EndedRun) -> Iterator[Obstacle]:
    """Yield what stands in the way of nominating a run under a policy: what is missing, then each check that cannot pass."""
    findings = _judge(ended, ended.judged)
    found = [*_find_missing(ended), *((finding.check, _say(finding, ended)) for finding in findings)]
    explained = {name for about, _ in found for name in _EXPLAINS.get(about, ())}
    yield from (Obstacle(about, text, (ended.run.id,)) for about, text in found if about not in explained)


def find_plan_obstacle(ended: EndedRun) -> str | None:
    """Return why rows that were scored can never be planned first under the policy; None where they can, or it does not ask."""
    found = list(_judge(ended, [name for name in ended.policy.checks if name == "planned_first"]))
    return _say(found[0], ended) if found else None


def _find_missing(ended: EndedRun) -> Iterator[tuple[str, str]]:
    run, files = ended.run, ended.run.record.get("files", {})
    demands: Mapping[str, Callable[[], object]] = {
        "model": lambda: require_model(run, files),
        "holdout": lambda: require_holdout(run),
        "predictions": lambda: None if PREDICTIONS in files else require_recorded(run, None),
        "policy": lambda: None if ended.task is None else ended.policy.rule_of(ended.task),
    }
    for about, demand in demands.items():
        try:
            demand()
        except (UsageError, Refused) as exc:
            yield about, _spell(exc, run)


def _spell(error: WorkbenchError, run: Run) -> str:
    """Return what nominating will say, of whichever run: what many runs have in common is said once."""
    what = error.what.replace(f"Run {run.id}", "The run")
    return " ".join(filter(None, (what, *error.reasons, error.next_step)))


def _judge(ended: EndedRun, checks: Iterable[str]) -> Iterator[Finding]:
    evidence, policy = _imagine(ended), ended.policy
    for name in checks:
        finding = CHECKS[name](evidence, policy)
        finding = replace(finding, severity=weigh(finding, policy.severity_of(name)))
        if finding.status in _TOLD[name] and finding.severity is not Severity.ADVISORY:
            yield finding


def _say(finding: Finding, ended: EndedRun) -> str:
    waived = " It may be waived." if finding.severity is Severity.WAIVABLE else ""
    if finding.check != "planned_first" or finding.status is not Status.FAIL:
        return f"{finding.reason}{waived}"
    if not ended.before:
        return f"{finding.reason} None that is still the same did.{waived}"
    named = f"What stood there is {' or '.join(ended.before)}: `workbench nominate RUN --model NAME --policy {ended.before[0]}`."
    return f"{finding.reason} {named}{waived}"


def _imagine(ended: EndedRun) -> Evidence:
    """Return the evidence as good as it can become of this run."""
    task: Task = next(iter(ended.policy.metrics)) if ended.task is None else ended.task
    scored, holdout = ended.scored, _imagine_holdout(ended)
    return Evidence(
        identity=_identify(ended),
        execution=Execution(1, 1, in_order=True, error=None, failed_cell=None, completed=True),
        files_unmodified=True,
        datasets=tuple(DatasetFact(**item) for item in ended.run.record.get("datasets", ())),
        holdout=holdout,
        score=scored.score if scored else _imagine_score(ended, task),
        baseline=None,
        champion=None,
        champion_version=None,
        model=ModelFact(ended.formats, (), (), "skops", ended.first.difference or 0.0, ended.first.fault),
        answers={},
        plan=ended.plan,
        tries=ended.tries,
        sample=scored.sample if scored else _imagine_sample(holdout, task),
        disclosures=ended.disclosures,
        own_code=ended.own_code,
        calibration=scored.calibration if scored else None,
        classes=(scored and scored.classes) or _ANY_CLASSES,
        authorship=ended.authorship,
        local_files=ended.local_files,
    )


# As if labels were none of the model's: that they differ is not known before what is served was asked.
_ANY_CLASSES = ClassesFact((), (), Share(1.0, 1.0, 1.0), (), "score", None, None, None, None, None)


def _identify(ended: EndedRun) -> Identity:
    run, written = ended.run, ended.authorship
    return Identity(
        model="",
        version=0,
        endpoint="",
        run_id=run.id,
        run_state=run.state,
        draft=False,
        authors=tuple(sorted({run.author, *(written.authors if written else ())})),
        notebook=run.notebook,
        notebook_digest=run.notebook_digest,
        parameters=run.parameters,
        git_commit=None,
        git_dirty=None,
        lock_digest=None,
        bundle_digest="",
        ended=run.ended,
    )


def _imagine_holdout(ended: EndedRun) -> HoldoutFact | None:
    run = ended.run
    if run.holdout is None:
        return None
    shared, covered = run.record.get("shared", {"rows": 0, "alike": 0}), ended.scored is None or ended.scored.covered
    return HoldoutFact(run.holdout["digest"], run.holdout["rows"], shared["rows"], covered, shared["alike"])


def _imagine_sample(holdout: HoldoutFact | None, task: str) -> SampleFact | None:
    """Return a sample of all rows, each its own, with as many of each class as there can be."""
    if holdout is None:
        return None
    return SampleFact(holdout.rows, holdout.rows // 2 if has_classes(task) else None, strangers=0)


def _imagine_score(ended: EndedRun, task: Task) -> ScoreFact | None:
    rule = ended.policy.metrics.get(task)
    return ScoreFact(task, rule.name, rule.metric.direction, 0.0, None) if rule else None


# A holdout that nobody else has


@dataclass(frozen=True)
class Peer:
    """A run that one would be compared with; `serves` is what it is served as (`model/version`), empty where it is not."""

    run: Run
    serves: str = ""


def find_lonely_holdout(run: Run, peers: Sequence[Peer]) -> Obstacle | None:
    """Return that a run cannot be compared with its peers, all of them on other rows; None where it has none.

    The peers come with what is served first, then the newest.
    """
    known = [peer for peer in peers if peer.run.holdout is not None]
    if run.holdout is None or not known:
        return None
    first = known[0].run
    asked = f"; {known[0].serves} is asked about these rows at the nomination" if known[0].serves else ""
    text = (
        f"No other run was scored on just these rows, holdout {_name(run)}, so no other run can be compared with it row by row. "
        f"{_describe_peers(known)} Where the same rows are meant, log them as run {first.id} did: same data, split, seed and "
        f"columns, the target among them; the same data split anew is a try more on it. Where they are new on purpose, nothing is "
        f"to be done{asked}."
    )
    return Obstacle("comparison", text, (run.id,))


def find_scattered_holdouts(groups: Sequence[Sequence[Run]]) -> Obstacle:
    """Return that runs, grouped by their holdouts, cannot be compared with each other, and that to choose among them is to try."""
    runs = [run.id for group in groups for run in group]
    text = (
        f"{len(runs):,} runs were scored on {len(groups):,} different holdouts, so their scores cannot be compared, and none of "
        "the runs is the best. Where these are splits of the same data (by another seed, say), the highest score is the luckiest "
        "split, and each run is a try on the data: keep the split the same in all runs. Where each is to have rows of its own, "
        "such as months, nothing is to be done."
    )
    return Obstacle("comparison", text, tuple(runs))


def _describe_peers(peers: Sequence[Peer]) -> str:
    first = peers[0]
    who = f"{first.serves}, which is served, is run {first.run.id}" if first.serves else f"Run {first.run.id}"
    others = sum(peer.run.holdout == first.run.holdout for peer in peers[1:])
    company = f", as {others:,} {'other was' if others == 1 else 'others were'}" if others else ""
    return f"{who}{' and' if first.serves else ''} was scored on holdout {_name(first.run)}{company}."


def _name(run: Run) -> str:
    """Return the holdout of a run as people tell it from others."""
    holdout = run.holdout or {}
    named = "" if holdout["name"] == holdout["role"] else f"{holdout['name']!r} "
    return f"{named}{short(holdout['digest'])} ({holdout['rows']:,} rows)"


def merge_obstacles(obstacles: Iterable[Obstacle]) -> list[Obstacle]:
    """Return each obstacle once with all runs it stands in the way of, in the order they were found.

    Of many that are about one thing and differ in their numbers the first is told, for all of their runs.
    """
    runs: dict[str, dict[str, tuple[str, ...]]] = {}
    for each in obstacles:
        texts = runs.setdefault(each.about, {})
        before = texts.get(each.text, ())
        texts[each.text] = (*before, *(run for run in each.runs if run not in before))
    return [merged for about, texts in runs.items() for merged in _merge_texts(about, texts)]


_MOST_TEXTS = 2


def _merge_texts(about: str, texts: Mapping[str, tuple[str, ...]]) -> Iterator[Obstacle]:
    if len(texts) <= _MOST_TEXTS:
        yield from (Obstacle(about, text, of) for text, of in texts.items())
        return
    (first, own), *others = texts.items()
    everyone = tuple(dict.fromkeys((*own, *(run for _, of in others for run in of))))
    text = f"{first} (Of run {own[0]}; {len(everyone) - len(own):,} others have the like of it, with other numbers.)"
    yield Obstacle(about, text, everyone)
