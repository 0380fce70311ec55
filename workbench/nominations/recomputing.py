"""Recomputing: what was computed at nomination is computed again when it counts, from the run's folder, and must be the same.

What is measured (cost, largest difference) need not be the same, but must still pass. Taken over and not computed again are
`replay` and `tries`, which need another execution or the folders of other runs, and the digests of the bundle and the checklist.
Of tries is seen that they are no fewer than those that still can be counted: drafts come and go with their folders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from workbench.checks import run_checks
from workbench.comparisons.looking import find_looks, find_other_splits
from workbench.errors import NotFound, Refused, Unavailable, UsageError
from workbench.evidence.evidence import Evidence, PlanFact, Status
from workbench.evidence.recomputation import find_differing_facts
from workbench.ledger.ledger import Entry
from workbench.models.judging import confine_frozen
from workbench.models.model_files import ONNX_FILE
from workbench.nominations import nominating
from workbench.nominations.nomination import Nomination
from workbench.nominations.planning import describe_plan
from workbench.records.digest import sha256_hex, short
from workbench.reviews.challenging import find_changed_answers
from workbench.reviews.decision import find_blocking
from workbench.reviews.nominees import Nominee, find_approved
from workbench.runs.keeping import read_kept_run
from workbench.runs.looks import Look, count_distinct
from workbench.runs.project import Project
from workbench.runs.run import Run

NEXT_STEP = "Put the run's folder back from a copy, or run the notebook again and nominate that run."
_SERVED = "release/model/"
# A compiled model is made anew each time; the bytes that are served are those in the manifest.


def find_changed_facts(project: Project, nominee: Nominee) -> list[str]:
    """Return which facts about a nominee's run are not what was frozen at its nomination; empty when all are."""
    subject, frozen = nominee.subject, nominee.facts
    folder = project.settings.runs_folder / frozen.identity.run_id
    if not folder.is_dir():
        return [f"The facts of {subject} cannot be computed again: there is no {folder}."]
    try:
        plan, tries = _plan_again(project, nominee, frozen)
        now = nominating.recompute_facts(plan, frozen, project.settings)
    except (NotFound, UsageError, Refused, Unavailable) as exc:
        return [f"The facts of {subject} cannot be computed again: {exc.in_one_line}"]
    files = find_differing_files(nominee.read_bundle(), plan.kept.model_files)
    answers = find_changed_answers(frozen, nominee.challenger, nominee.before)
    changed = [*find_differing_facts(frozen, now), *find_untold_tries(frozen, tries)]
    return [*changed, *_find_failing(nominee, now), *files, *answers]


def find_untold_tries(frozen: Evidence, looks: Sequence[Look]) -> list[str]:
    """Return that the holdout had been seen more often by the nomination than it says there; empty when it had not."""
    told, seen = frozen.tries.distinct if frozen.tries else 0, count_distinct(looks)
    if seen <= told:
        return []
    return [f"tries.distinct was {told} at its nomination, and by then its holdout had been seen {seen} times."]


def _plan_again(project: Project, nominee: Nominee, frozen: Evidence) -> tuple[Nomination, list[Look]]:
    """Return the nomination as it was, with runs and ledger of then and what other runs said of this one; and what tries it had."""
    nominated = nominee.nominated
    run = project.store.find_run(frozen.identity.run_id)
    baseline = nominated.body.get("baseline")
    until = nominated.body.get("known_until", nominated.time)
    every = find_looks(project, run)
    looks = _known_of(every, until)
    entries = [entry for entry in project.store.read_ledger() if entry.sequence < nominated.sequence]
    plan = Nomination(
        read_kept_run(run, project.settings.runs_folder / run.id),
        model=frozen.identity.model,
        policy_name=nominated.body["policy"],
        policy_bytes=nominee.policy_bytes,
        nominator=nominated.actor,
        baseline=project.store.find_run(baseline) if baseline else None,
        last_version=frozen.identity.version,
        planned=_describe_plan(run, nominee, frozen, entries, looks),
        approved=find_approved(frozen.identity.model, settings=project.settings, entries=entries),
        replay=frozen.replay,
        tries=frozen.tries,
        metric=nominee.own_metric,
        judge=confine_frozen(nominee.own_metric),
    )
    return plan, [*looks, *_known_of(find_other_splits(project, run, every).anew, until)]


def _describe_plan(
    run: Run, nominee: Nominee, frozen: Evidence, entries: list[Entry], looks: list[Look]
) -> PlanFact | None:
    """Return the plan by the ledger of then; that there was a draft is taken over, for drafts come and go with their folders."""
    if frozen.score is None:
        return frozen.plan
    drafted = frozen.plan.drafted if frozen.plan else None
    return describe_plan(
        run, frozen.score.task, nominee.policy.digest, entries, looks, code=frozen.score.code, drafted=drafted
    )


def _known_of(looks: Sequence[Look], until: str) -> list[Look]:
    """Return those of the looks that were attempts which had ended at a time."""
    return [look for look in looks if look.run is not None and look.run.ended and look.run.ended <= until]


def _find_failing(nominee: Nominee, now: Evidence) -> list[str]:
    """Return each check that passed at the nomination and would block with what was measured now."""
    model = replace(nominee.evidence.model, largest_difference=now.model.largest_difference)
    measured = replace(nominee.evidence, cost=now.cost, model=model)
    passed = {found.check for found in run_checks(nominee.evidence, nominee.policy) if found.status is Status.PASS}
    failing = [found for found in run_checks(measured, nominee.policy) if found.check in passed]
    return [f"Measured again, {reason}" for reason in find_blocking(failing)]


def find_differing_files(frozen: Mapping[str, bytes], logged: Mapping[str, bytes]) -> list[str]:
    """Return which files of a frozen bundle's model are others in the run's folder: model, contract and own code."""
    served = {path.removeprefix(_SERVED): content for path, content in frozen.items() if path.startswith(_SERVED)}
    return [
        f"{name} was {_name(content)} when it was frozen and is {_name(logged.get(name))} in the run's folder."
        for name, content in sorted(served.items())
        if name != ONNX_FILE and content != logged.get(name)
    ]


def _name(content: bytes | None) -> str:
    return "nothing" if content is None else short(sha256_hex(content))
