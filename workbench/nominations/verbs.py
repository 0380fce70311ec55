"""The verb of nominations, and the plan that stands before any run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.files.disk import disk_answers
from workbench.ledger import history
from workbench.ledger.ledger import Entry, Event
from workbench.replays.verbs import ReplayVerbs
from workbench.reviews.review import Review
from workbench.reviews.verbs import ReviewVerbs

if TYPE_CHECKING:
    from workbench.nominations.obstacles import Obstacle
    from workbench.runs.run import Run


class NominationVerbs(ReviewVerbs, ReplayVerbs):
    """How a run becomes a nominee."""

    def nominate(self, run_id: str, model: str, *, policy: str | None = None, baseline: str | None = None) -> Review:
        """Register a finished run as the next version of a model, freeze the bytes it would serve, compute the evidence.

        The endpoint it may be promoted to has the model's name. `baseline` is a run to be better than (default: a constant
        prediction). Raises Refused for a run that did not finish, UsageError for one without predictions or model.
        """
        from workbench.comparisons.comparing import require_scored
        from workbench.nominations import nominating
        from workbench.policies.policy_files import find_policy
        from workbench.replays import replaying

        self.store.ledger.require_privilege()  # before a replay is executed for nothing
        run = self.show(run_id)
        require_scored([run])
        replaying.require_replayed(run, self.store.list_runs(), self.settings)
        other = self.show(baseline) if baseline is not None else None
        if other is not None:
            require_scored([other])
        named = self.settings.policy if policy is None else policy
        plan = nominating.plan_nomination(
            self,
            run,
            model=history.require_model_name(model),
            policy_name=named,
            policy_bytes=find_policy(named, self.settings.project),
            nominator=self.settings.acting_author,
            replay=self.replay,
            baseline=other,
            last_version=history.last_version(self.store.read_ledger(), model),
        )
        with disk_answers(self.settings.models_folder):
            champion = nominating.find_champion(self, model)
            subject, body = nominating.freeze_nominee(plan, self.settings, self.tracker, champion)

        def require(entries: Sequence[Entry]) -> None:
            history.require_new(entries, subject)
            self.show(run.id)  # nobody deleted it meanwhile

        self.store.append_entry(
            Event.NOMINATED, actor=self.settings.acting_author, subject=subject, body=body, require=require
        )
        return self.review(subject)

    def foresee_obstacles(self, runs: Sequence[Run]) -> list[Obstacle]:
        """Return what stands in the way of nominating runs that ended, as far as it is certain already; none where all is well."""
        from workbench.nominations.foreseeing import foresee_obstacles

        return foresee_obstacles(self, runs)

    def list_standings(self, runs: Sequence[Run]) -> dict[str, tuple[str, ...]]:
        """Return by run what it is besides: a replay, without a model, a nominee, the champion; the ledger is read once for all."""
        from workbench.nominations.standings import list_standings

        return list_standings(runs, self.store.read_ledger())

    def before_runs(self, notebook: str, digest: str | None = None) -> None:
        """Write down by which rules the runs will be judged (pre-registration), and say where that is too late for their rows."""
        from workbench.nominations.planning import record_plan

        super().before_runs(notebook, digest)
        record_plan(self, notebook)
        if digest is not None:
            from workbench.nominations.foreseeing import warn_before_runs

            warn_before_runs(self, notebook, digest)
