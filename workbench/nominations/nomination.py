"""A nomination: a finished run that is to become the next version of a model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from workbench.checks import read_frozen_policy, read_policy
from workbench.evidence.evidence import Identity, PlanFact
from workbench.evidence.measures.authorship import Approved, measure_authorship
from workbench.evidence.measures.tries import TriesFact
from workbench.policies.own_metrics import FrozenMetric
from workbench.policies.policy import Policy
from workbench.replays.replay_fact import ReplayFact
from workbench.runs.kept_run import KeptRun
from workbench.runs.run import Run
from workbench.stats.metrics import Metric


@dataclass(frozen=True)
class Nomination:
    """What is to be nominated: a finished run, read once, for which model (its endpoint has the same name), under which policy.

    `baseline` is the run it is held against, None for a constant prediction; `tries` counts those on its holdout that ended by
    `known_until`; `last_version` is the highest that was nominated before, `approved` what is released of the model. `planned` is
    what the ledger said of it before it ran, `replay` and `tries` what other runs say about it. `metric` is the project's
    own that the policy judges it by, and `judge` executes it; None where that is a built-in one.
    """

    kept: KeptRun
    model: str
    policy_name: str
    policy_bytes: bytes
    nominator: str
    baseline: Run | None
    last_version: int
    known_until: str = ""
    approved: Approved | None = None
    planned: PlanFact | None = None
    replay: ReplayFact | None = None
    tries: TriesFact | None = None
    metric: FrozenMetric | None = None
    judge: Metric | None = None

    @property
    def run(self) -> Run:
        """The run."""
        return self.kept.run

    @property
    def authors(self) -> tuple[str, ...]:
        """Everybody who made it: who ran it, who nominates it, and who wrote the lines of its code that count by the policy."""
        written = measure_authorship(self.kept.authorship, self.approved, self.policy.authors)
        return tuple(sorted({self.run.author, self.nominator, *(written.authors if written else ())}))

    @property
    def named(self) -> frozenset[str]:
        """Everybody whose name stands in what it kept."""
        written = self.kept.authorship
        return frozenset({*self.authors, *(written.people if written else ())})

    @cached_property
    def policy(self) -> Policy:
        """By which rules it is judged."""
        if self.judge is None:
            return read_policy(self.policy_bytes)
        return read_frozen_policy(self.policy_bytes, self.judge)

    def identify(self, bundle_digest: str) -> Identity:
        """Return which model this is and where it came from; its version is not known yet."""
        run, provenance = self.run, self.run.provenance
        return Identity(
            model=self.model,
            version=0,
            endpoint=self.model,
            run_id=run.id,
            run_state=run.state,
            draft=False,
            authors=self.authors,
            notebook=run.notebook,
            notebook_digest=run.notebook_digest,
            parameters=run.parameters,
            git_commit=provenance.get("git_commit"),
            git_dirty=run.git_dirty,
            lock_digest=provenance.get("lock_digest"),
            bundle_digest=bundle_digest,
            ended=run.ended,
        )
