"""Foreseeing: what is certain of a nomination is looked up when runs end or a holdout is at hand, and not a minute later.

Nothing here keeps a run from anything; it reads what is small (records, the ledger, texts, predictions and the names of the
holdout's rows), no features and no model.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from workbench.comparisons.holdouts import holdout_digest
from workbench.comparisons.looking import find_looks_at
from workbench.comparisons.tries import find_other_rules
from workbench.errors import NotFound, Refused, UsageError, WorkbenchError
from workbench.evidence.measures.authorship import measure_authorship
from workbench.evidence.measures.disclosures import measure_disclosures
from workbench.evidence.measures.tries import measure_tries
from workbench.ledger.history import find_endpoints, find_nominations, model_of, served_version
from workbench.ledger.ledger import Event
from workbench.models.contract import Contract, parse_contract
from workbench.models.first_answers import FirstAnswers, parse_first_answers
from workbench.models.model_files import CONTRACT_FILE, find_formats
from workbench.models.own_modules import is_own_file, read_modules
from workbench.models.predictions import Predictions
from workbench.models.scorecard import parse_scorecard
from workbench.nominations.obstacles import (
    EndedRun,
    Obstacle,
    Peer,
    find_lonely_holdout,
    find_obstacles,
    find_plan_obstacle,
    find_scattered_holdouts,
    find_undeclared_holdout,
    is_to_be_nominated,
    merge_obstacles,
)
from workbench.nominations.planning import describe_plan, read_own_policy
from workbench.nominations.scored_rows import ScoredRows, measure_scored_rows
from workbench.policies.policy import Policy
from workbench.policies.policy_files import find_policy
from workbench.records.clock import utc_now
from workbench.records.digest import sha256_hex
from workbench.runs.folder import DATASETS, FIRST_ANSWERS, KEPT, MODEL, PREDICTIONS, REPORT
from workbench.runs.keeping import read_recorded, read_row_ids
from workbench.runs.kept_run import KeptRun
from workbench.runs.logged_calls import read_plain_file
from workbench.runs.looks import Look
from workbench.runs.project import Project
from workbench.runs.run import Run
from workbench.stats.task import Task

_LOG = logging.getLogger(__name__)
_MOST_PEERS, _RECENT_RUNS = 50, 20
_LARGEST_SCORED = 10_000_000  # bytes, some hundred thousand rows
_LARGEST_SEARCHED = 1_000_000  # bytes: what is larger costs more than to be told of a secret early is worth
# What holds rows or a model, and no text; the report is what the notebook shows once more.
_UNSEARCHED = (".parquet", ".skops", ".onnx", ".png", ".jpg", ".jpeg", ".gif", REPORT)


def foresee_obstacles(project: Project, runs: Sequence[Run]) -> list[Obstacle]:
    """Return what stands in the way of nominating these runs under the project's policy, and of comparing them with others.

    Each is said once, with the runs it is about. Of runs without a model only the second: not every run is to be nominated. What
    is counted or searched here is at most what nominating will find.
    """
    ended = [run for run in runs if run.is_finished]
    undeclared = [found for run in ended if not is_to_be_nominated(run) and (found := find_undeclared_holdout(run))]
    if not any(run.holdout or is_to_be_nominated(run) for run in ended):
        return merge_obstacles(undeclared)
    try:
        known = _Known(project)
        return merge_obstacles([*undeclared, *known.find_obstacles(ended), *known.find_lonely(ended)])
    except WorkbenchError as exc:  # a policy or a ledger that cannot be read was told before they ran
        _LOG.debug("What stands in the way of a nomination is not known: %s", exc)
        return []


def warn_of_scored_rows(project: Project, run: Run, rows: str) -> bool:
    """Say it where a run on these rows can never pass `planned_first`; `rows` says whose they are."""
    with suppress(WorkbenchError):
        known = _Known(project)
        if obstacle := find_plan_obstacle(known.describe_scored(run, None)):
            what = f"What is scored on {rows} cannot pass planned_first under policy {project.settings.policy}."
            _LOG.warning("%s", WorkbenchError(what, why=obstacle))
            return True
    return False


def warn_before_runs(project: Project, notebook: str, digest: str) -> None:
    """Say the same before a notebook runs again whose runs, with just these cells, all scored the same rows."""
    recent = project.store.list_runs(notebook=notebook, limit=_RECENT_RUNS)
    alike = [run for run in recent if run.notebook_digest == digest and run.holdout and is_to_be_nominated(run)]
    if len({holdout_digest(run) for run in alike}) == 1:
        warn_of_scored_rows(project, replace(alike[0], started=utc_now()), f"the rows of run {alike[0].id}")


class _Known:
    """What a project's policy, ledger and runs say, each read once."""

    def __init__(self, project: Project) -> None:
        self._project, self._settings = project, project.settings
        self.policy = read_own_policy(
            find_policy(self._settings.policy, self._settings.project), self._settings.project
        )
        self._entries = project.store.read_ledger()
        self._looks: dict[str, list[Look]] = {}
        self._row_ids: dict[str, tuple[str, ...] | None] = {}

    def find_obstacles(self, runs: Sequence[Run]) -> Iterator[Obstacle]:
        """Yield what stands in the way of each run; of one whose files cannot be read, nothing."""
        for run in filter(is_to_be_nominated, runs):
            with suppress(Refused):
                yield from find_obstacles(self.describe(run))

    def describe(self, run: Run) -> EndedRun:
        """Return what is known of a run as it ended."""
        kept = KeptRun(run, _read_texts(run, self._settings.runs_folder / run.id))
        contract, authorship = _find_contract(kept), kept.authorship
        task = contract.task if contract else None
        is_new = not find_endpoints(self._entries)  # lines that a release approved need nobody to be told
        return replace(
            self.describe_scored(run, task),
            task=task,
            formats=find_formats(_list_model_files(run)),
            first=_find_first_answers(kept),
            own_code=read_modules(
                {name: each for name, each in kept.model_files.items() if is_own_file(name)}
            ).to_facts(),
            disclosures=measure_disclosures(
                {path: each for path, each in kept.files.items() if len(each) <= _LARGEST_SEARCHED},
                known={run.author, *(authorship.people if authorship else ())},
            ),
            authorship=measure_authorship(authorship, None, self.policy.authors) if is_new else None,
            local_files=kept.local_files,
            scored=self._measure_scored(run),
        )

    def _measure_scored(self, run: Run) -> ScoredRows | None:
        """Return what the predictions of a run give; None where there are none that can be scored, or very many."""
        folder = self._settings.runs_folder / run.id
        with suppress(UsageError, OSError):
            if run.holdout is not None and (folder / PREDICTIONS).stat().st_size <= _LARGEST_SCORED:
                predictions = read_recorded(run, folder)
                return measure_scored_rows(run, predictions, self._find_row_ids(run, folder), self.policy)
        return None

    def _find_row_ids(self, run: Run, folder: Path) -> tuple[str, ...] | None:
        digest = str(holdout_digest(run))
        if digest not in self._row_ids:
            self._row_ids[digest] = read_row_ids(run, folder)
        return self._row_ids[digest]

    def describe_scored(self, run: Run, task: Task | None) -> EndedRun:
        """Return what is known of the rows that a run was scored on."""
        ended, usual = EndedRun(run, self.policy), next(iter(self.policy.metrics))
        if run.holdout is None or (rule := self.policy.metrics.get(task or usual)) is None:
            return ended
        looks = self._find_looks(run.holdout["digest"])
        code = _find_code(self.policy, task or usual)
        plan = describe_plan(run, task or usual, self.policy.digest, self._entries, looks, code=code)
        others = find_other_rules(self.policy.digest, self._entries, looks)
        tries = measure_tries(looks, rule, _read_nothing, other_rules=others)
        return replace(
            ended, plan=plan, tries=tries, before=self._list_policies(before=plan.first_scored) if plan else ()
        )

    def _find_looks(self, digest: str) -> list[Look]:
        if digest not in self._looks:
            self._looks[digest] = find_looks_at(self._project, digest)
        return self._looks[digest]

    def _list_policies(self, *, before: str) -> tuple[str, ...]:
        """Return the policies that were in the ledger before a time and can be named as they were then."""
        plans = [entry.body for entry in self._entries if entry.event is Event.PLANNED and entry.time < before]
        named = {str(body["policy_name"]): body["policy"] for body in plans}
        return tuple(sorted(name for name, digest in named.items() if self._find_digest(name) == digest))

    def _find_digest(self, name: str) -> str | None:
        try:
            return sha256_hex(find_policy(name, self._settings.project))
        except UsageError:
            return None

    def find_lonely(self, runs: Sequence[Run]) -> Iterator[Obstacle]:
        """Yield that runs have different holdouts; where all have one that none but they has, whom they cannot be compared with."""
        groups: dict[str, list[Run]] = {}
        for run in runs:
            if digest := holdout_digest(run):
                # Another column of the same rows is no other holdout.
                groups.setdefault(_find_pairing(run) or digest, []).append(run)
        if len(groups) > 1:
            yield find_scattered_holdouts(list(groups.values()))
            return
        for group in groups.values():
            own = {run.id for run in group}
            others = [look.run for look in self._find_looks(str(holdout_digest(group[0]))) if look.run]
            if pairing := _find_pairing(group[0]):
                others += self._project.store.list_attempts_naming(pairing, limit=len(own) + 1)
            if {run.id for run in others} <= own and (found := find_lonely_holdout(group[0], self._list_peers(group))):
                yield replace(found, runs=tuple(run.id for run in group))

    def _list_peers(self, group: Sequence[Run]) -> list[Peer]:
        """Return whom these runs are compared with: what is served for the same columns, then the newest of their notebook."""
        own, notebook = {run.id for run in group}, group[0].notebook
        recent = self._project.store.list_runs(notebook=notebook, limit=len(own) + _MOST_PEERS)
        others = [run for run in recent if run.is_finished and run.id not in own]
        served = [
            peer for peer in self._list_served() if peer.run.notebook == notebook or self._are_alike(peer.run, group[0])
        ]
        known = {peer.run.id for peer in served}
        return [*served, *(Peer(run) for run in others if run.id not in known)]

    def _list_served(self) -> Iterator[Peer]:
        nominated = find_nominations(self._entries)
        for endpoint in find_endpoints(self._entries):
            subject = f"{model_of(self._entries, endpoint)}/{served_version(self._entries, endpoint)}"
            with suppress(NotFound, KeyError):
                yield Peer(self._project.store.find_run(nominated[subject].body["run"]), subject)

    def _are_alike(self, one: Run, other: Run) -> bool:
        """True where two runs' models answer requests with the same columns."""
        pair = [
            _find_contract(KeptRun(run, _read_texts(run, self._settings.runs_folder / run.id))) for run in (one, other)
        ]
        return all(pair) and len({(each.task, each.names) for each in pair if each}) == 1


def _find_pairing(run: Run) -> str | None:
    card = parse_scorecard(run.record.get("scores"))
    return card.pairing if card else None


def _read_nothing(run: Run) -> Predictions:
    """Stand in for what would be scored anew: how often rows were seen is known without it."""
    raise UsageError(f"Run {run.id} is not scored again.")


def _list_model_files(run: Run) -> dict[str, bytes]:
    """Return the names of a model's files, with nothing in them."""
    inside = f"{MODEL}/"
    return {path.removeprefix(inside): b"" for path in run.record.get("files", ()) if path.startswith(inside)}


def _read_texts(run: Run, folder: Path) -> dict[str, bytes]:
    """Return what a run keeps that is neither rows nor a model; what cannot be read is left out."""
    found = {}
    for path in run.record.get("files", ()):
        if not path.startswith(f"{DATASETS}/") and not path.endswith(_UNSEARCHED):
            with suppress(OSError, ValueError):
                if not path.startswith(f"{KEPT}/") or (folder / path).stat().st_size <= _LARGEST_SEARCHED:
                    found[path] = read_plain_file(folder / path)
    return found


def _find_contract(kept: KeptRun) -> Contract | None:
    try:
        return parse_contract(kept.model_files[CONTRACT_FILE])
    except (KeyError, UsageError):
        return None


def _find_first_answers(kept: KeptRun) -> FirstAnswers:
    try:
        return parse_first_answers(kept.files[FIRST_ANSWERS])
    except (KeyError, ValueError, TypeError):
        return FirstAnswers()


def _find_code(policy: Policy, task: Task) -> str | None:
    """Return the sha256 of the file of a metric of the project's own, None for a built-in one, or where it cannot be read."""
    rule = policy.metrics.get(task)
    with suppress(UsageError):
        return rule.metric.code if rule else None
    return None
