"""Workbench: the verbs, the same for the command line, the widgets and Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.config import Settings, find_template, read_settings, serving_variables
from workbench.domain import history
from workbench.domain.comparison import Comparison
from workbench.domain.ledger import Checkpoint, Entry, Event
from workbench.domain.ledger_audit import LedgerAudit
from workbench.domain.release import Release
from workbench.domain.review import Review
from workbench.domain.run import Run, RunState
from workbench.errors import Refused, UsageError
from workbench.store.sqlalchemy_store import Store
from workbench.tracking.mlflow_tracker import MlflowTracker
from workbench.workflow.disk import disk_answers
from workbench.workflow.judging import require_allowed
from workbench.workflow.run_bench import RunBench

if TYPE_CHECKING:
    from workbench.domain.policy import Policy
    from workbench.packaging.servable_models import ServableFamily
    from workbench.serving.bentoml_server import BentoServer
    from workbench.workflow.doctor import Symptom
    from workbench.workflow.nominees import Nominee


@dataclass(frozen=True)
class Workbench(RunBench):
    """One project's workbench; `open` builds the real parts, a test may pass others."""

    @classmethod
    def open(cls, settings: Settings | None = None) -> Workbench:
        """Open the workbench of the current folder's project, or the one these settings describe."""
        settings = settings or read_settings()
        tracker = MlflowTracker(settings.tracking_address, settings.artifacts_folder)
        return cls(settings, Store(settings.store_address, last_seen=settings.checkpoints_folder), tracker)

    # Compare

    def compare(
        self,
        run_ids: Sequence[str] = (),
        *,
        reference: str | None = None,
        notebook: str | None = None,
        policy: str | None = None,
    ) -> Comparison:
        """Compare runs (default: all finished ones on the holdout of the newest) with a run or a constant prediction.

        Runs named are compared or refused; by default those that cannot be are left out and counted.
        """
        from workbench.workflow.comparing import compare_runs, count_tries

        other = self.show(reference) if reference else None
        named = {run.id: run for run in map(self.show, run_ids)}
        candidates = named.values() or self._runs_on_newest_holdout(notebook)
        runs = [run for run in candidates if other is None or run.id != other.id]
        _require_scored(runs)
        if other is not None:
            _require_scored([other])
        return compare_runs(
            runs,
            against=other,
            policy=self._read_policy(policy),
            tried=count_tries(runs[0], self.store.list_runs()),
            folder_of=self._folder,
            leave_out=not named,
        )

    def _runs_on_newest_holdout(self, notebook: str | None) -> list[Run]:
        """Return the finished runs on the holdout of the newest; a replay is the same try once more."""
        from workbench.workflow.comparing import holdout_digest, runs_on_holdout_of

        finished = (run for run in self.list_runs(notebook=notebook) if run.is_finished and holdout_digest(run))
        runs = [run for run in finished if "replay_of" not in run.provenance]
        return runs_on_holdout_of(runs[0], runs) if runs else []

    def list_models(self) -> tuple[ServableFamily, ...]:
        """Return which models can be served, by family."""
        from workbench.packaging.servable_models import list_servable

        return list_servable()

    # Nominate

    def nominate(self, run_id: str, model: str, *, policy: str | None = None, baseline: str | None = None) -> Review:
        """Register a finished run as the next version of a model, freeze the bytes it would serve, compute the evidence.

        The endpoint it may be promoted to has the model's name. `baseline` is a run to be better than (default: a constant
        prediction). Raises Refused for a run that did not finish, UsageError for one without predictions or model.
        """
        from workbench.workflow import nominating, policies, replaying

        self.store.ledger.require_privilege()  # before a replay is executed for nothing
        run = self.show(run_id)
        _require_scored([run])
        replaying.require_replayed(run, self.store.list_runs(), self.settings)
        other = self.show(baseline) if baseline else None
        if other is not None:
            _require_scored([other])
        plan = nominating.plan_nomination(
            self,
            run,
            model=history.require_model_name(model),
            policy_name=policy or self.settings.policy,
            policy_bytes=policies.find_policy(policy or self.settings.policy),
            nominator=self.settings.acting_author,
            replay=self.replay,
            baseline=other,
            last_version=history.last_version(self.store.read_ledger(), model),
        )
        with disk_answers(self.settings.models_folder):
            subject, body = nominating.freeze_nominee(plan, self.settings, self.tracker)
        self.store.append_entry(
            Event.NOMINATED,
            actor=self.settings.acting_author,
            subject=subject,
            body=body,
            require=lambda entries: history.require_new(entries, subject),
        )
        return self.review(subject)

    # Review

    def review(self, subject: str) -> Review:
        """Return the evidence, findings, questions and approvals of a nominee (`model/version`) as of now."""
        from workbench.workflow.judging import review_nominee

        return review_nominee(self.load_nominee(subject))

    def answer(self, subject: str, question: str, text: str) -> Review:
        """Answer a question only a person can answer; approvals given before become stale."""
        from workbench.workflow import reviewing

        reviewing.answer(self, subject, question, text)
        return self.review(subject)

    def approve(self, subject: str, *, role: str, key: Path, passphrase: str | None = None) -> Review:
        """Sign the nominee as it is now, in a role; raises Refused (and records that) when the principal may not.

        The principal is whoever the allowed-signers file says the key belongs to; with a key it does not know, the acting author.
        A passphrase opens the key this once.
        """
        from workbench.workflow import reviewing

        reviewing.approve(self, subject, role=role, key=key, passphrase=passphrase)
        return self.review(subject)

    def object(self, subject: str, *, text: str, key: Path, clears: int = 0, passphrase: str | None = None) -> Review:
        """Object to a nominee: it cannot be promoted until the same person clears that (`clears` is the objection's number)."""
        from workbench.workflow import reviewing

        reviewing.object_to(self, subject, text=text, key=key, clears=clears, passphrase=passphrase)
        return self.review(subject)

    def waive(
        self,
        subject: str,
        check: str,
        *,
        reason: str,
        role: str,
        until: str,
        key: Path,
        passphrase: str | None = None,
    ) -> Review:
        """Make a signed exception to one finding that did not pass, until a date or time (ISO 8601, UTC when it names no zone)."""
        from workbench.workflow import reviewing

        reviewing.waive(self, subject, check, reason=reason, role=role, until=until, key=key, passphrase=passphrase)
        return self.review(subject)

    def find_keyholder(self, key: Path) -> str | None:
        """Return who holds a key by the allowed-signers file, None when nobody is known to; raises UsageError for no key."""
        from workbench.workflow import reviewing

        return reviewing.find_keyholder(key, self.settings)

    def read_policy(self, name: str | None = None) -> tuple[Policy, bytes]:
        """Return a policy (default: the project's) and its exact bytes; raises UsageError naming each line to correct."""
        from workbench.workflow import policies

        content = policies.find_policy(name or self.settings.policy)
        return policies.read_policy(content), content

    def list_nominees(self) -> list[str]:
        """Return the nominees as `model/version`, newest first."""
        return [entry.subject for entry in reversed(self.store.read_ledger()) if entry.event is Event.NOMINATED]

    # Release

    def promote(self, subject: str) -> Release:
        """Make an approved nominee the release its endpoint serves: build the Bento, write the ledger, set the alias.

        Raises Refused (and records that) with every reason. Run again after an interruption, it finishes what is missing.
        """
        from workbench.workflow.promoting import promote

        self.store.ledger.require_privilege()
        return promote(self, subject)

    def rollback(self, endpoint: str, *, to: int | None = None, served: int | None = None) -> Release:
        """Serve the version before (or version `to`) again, if its bytes and approvals still hold.

        With `served`, only while that version is the served one: raises Refused, saying who moved it, otherwise.
        """
        from workbench.workflow.promoting import roll_back

        self.store.ledger.require_privilege()
        return roll_back(self, endpoint, to=to, served=served)

    def mend_alias(self, endpoint: str) -> list[str]:
        """Make MLflow's alias of an endpoint point to what the ledger serves, and say where it was if that was elsewhere."""
        from workbench.workflow.aliases import publish_alias

        return publish_alias(self, endpoint, before=history.served_version(self.store.read_ledger(), endpoint))

    def verify(self, subject: str) -> Release:
        """Say whether the bytes of a release may be served: signatures, files, ledger."""
        from workbench.workflow import releases

        return releases.verify_release(subject, self.settings, self.store.read_ledger())

    def find_served(self, endpoint: str) -> str:
        """Return what an endpoint serves by the ledger, as `model/version`."""
        return history.require_served(self.store.read_ledger(), endpoint)

    def serve(self, endpoint: str, *, port: int) -> BentoServer:
        """Start an endpoint's release on loopback and return when it is ready; raises Refused when it may not be served."""
        from workbench.release_audit import SUBJECT
        from workbench.serving.bentoml_server import serve_bento
        from workbench.workflow import releases

        self.store.ledger.require_privilege(writable=False)
        subject = self.find_served(endpoint)

        def audit(source: Path) -> dict[str, bytes]:
            audited = releases.read_release(source, subject, self.settings, self.store.read_ledger())
            require_allowed(self, audited.release.decision, f"workbench rollback {endpoint}")
            return audited.files

        return serve_bento(
            releases.find_release(subject, self.settings, self.store.read_ledger()),
            audit=audit,
            port=port,
            log=self.settings.home_folder / "serving" / f"{endpoint}.log",
            environment={**serving_variables(self.settings), SUBJECT: subject},
        )

    # Around

    def new(self, name: str, template: str) -> Path:
        """Copy an experiment notebook from the templates to notebooks/NAME.ipynb and return its path."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
            raise UsageError(f"{name!r} cannot name a notebook.", why="Use letters, digits, - and _.")
        path = self.settings.project / "notebooks" / f"{name}.ipynb"
        if path.exists():
            raise UsageError(f"{path} exists already.", next_step="Choose another name.")
        content = find_template("experiments", f"{template}.ipynb").read_bytes()
        with disk_answers(path.parent):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        return path

    def write_review_page(self, review: Review, path: Path) -> None:
        """Write a review as one HTML page that needs neither Jupyter nor a network."""
        from workbench.widgets.review_page import review_page

        with disk_answers(path):
            path.write_text(review_page(review), encoding="utf-8")

    def write_card_page(self, subject: str, path: Path) -> None:
        """Write a nominee's model card as one HTML page; the same card as Markdown is part of the release."""
        from workbench.domain.model_card import build_model_card
        from workbench.widgets.card_page import card_page

        nominee = self.load_nominee(subject)
        with disk_answers(path):
            path.write_text(card_page(build_model_card(nominee.evidence, nominee.policy.questions)), encoding="utf-8")

    def open_review(self, subject: str, *, port: int, say: Callable[[str], None]) -> None:
        """Serve a nominee's review on a page of its own, on loopback with a token, until Ctrl-C."""
        from workbench.workflow.voila_server import open_review

        self.load_nominee(subject)  # what cannot be reviewed is said here, not in a browser
        open_review(subject, self.settings, port=port, say=say)

    def lab(self, *, port: int, mlflow_port: int, say: Callable[[str], None]) -> None:
        """Run JupyterLab and MLflow's page on loopback until one of them ends or Ctrl-C."""
        from workbench.workflow.lab import run_lab

        self.tracker.require_answer()  # makes a database that is not there yet, before two programs would at once
        run_lab(self.settings, port=port, mlflow_port=mlflow_port, say=say)

    def examine(self) -> list[Symptom]:
        """Look at everything the workbench stands on and mend what can be mended."""
        from workbench.workflow.doctor import examine

        return examine(self)

    def inspect_ledger(self) -> tuple[list[Entry], list[str]]:
        """Return every decision in order, and what is wrong with them (nothing: the chain is whole, and holds what was seen)."""
        return self.store.inspect_ledger()

    def verify_ledger(self, *, checkpoint: Checkpoint | None = None) -> LedgerAudit:
        """Verify the chain, every signature in it, and that it holds what this machine saw and what somebody noted."""
        from workbench.workflow.auditing import verify_ledger

        return verify_ledger(self, checkpoint)

    def export_ledger(self, path: Path) -> int:
        """Write the ledger as lines that can be verified without the workbench; return how many entries it has."""
        from workbench.workflow.auditing import export_ledger

        return export_ledger(self, path)

    def accept_ledger(self, head: str) -> Checkpoint:
        """Go on with a ledger that was rolled back on purpose; `head` is its last digest, or at least 12 characters of it."""
        from workbench.workflow.auditing import accept_ledger

        return accept_ledger(self, head)

    # For the verbs

    def load_nominee(self, subject: str) -> Nominee:
        """Return a nominee as of now; raises Refused when its frozen parts were changed."""
        from workbench.workflow.nominees import load_nominee

        return load_nominee(subject, settings=self.settings, entries=self.store.read_ledger())

    # Within

    def _folder(self, run: Run) -> Path:
        return self.settings.runs_folder / run.id


def _require_scored(runs: Sequence[Run]) -> None:
    unfinished = [f"Run {run.id} is {run.state}." for run in runs if run.state is not RunState.FINISHED]
    if unfinished or not runs:
        raise Refused(
            "Only finished runs can be compared or nominated.",
            why=unfinished or ["There is no finished run with a holdout."],
            next_step="`workbench runs` lists them; run the notebook again.",
        )
