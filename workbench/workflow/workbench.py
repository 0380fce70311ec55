"""Workbench: the verbs, the same for the command line, the widgets and Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.config import Settings, expand_path, find_template, read_settings, serving_variables
from workbench.domain.approval import Approval, require_role, signing_namespace
from workbench.domain.comparison import Comparison
from workbench.domain.decision import Decision, decide, decide_approval
from workbench.domain.ledger import Entry, Event
from workbench.domain.release import Release
from workbench.domain.review import Review
from workbench.domain.run import Run, RunState
from workbench.errors import NotFound, Refused, UsageError
from workbench.signing.ssh_signatures import allowed_signer, read_signing_key, sign_bytes
from workbench.store.sqlalchemy_store import Store, utc_now
from workbench.tracking.mlflow_tracker import MlflowTracker
from workbench.workflow.disk import disk_answers
from workbench.workflow.run_bench import RunBench

if TYPE_CHECKING:
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
        return cls(settings, Store(settings.store_address), tracker)

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
        from workbench.workflow.comparing import compare_runs

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
            tried=self._count_tried(runs[0]),
            folder_of=self._folder,
            leave_out=not named,
        )

    def _runs_on_newest_holdout(self, notebook: str | None) -> list[Run]:
        from workbench.workflow.comparing import holdout_digest

        runs = [run for run in self.list_runs(notebook=notebook) if run.is_finished and holdout_digest(run)]
        return [run for run in runs if holdout_digest(run) == holdout_digest(runs[0])]

    def _count_tried(self, run: Run) -> int:
        """How many finished runs scored themselves on the same holdout."""
        from workbench.workflow.comparing import holdout_digest

        return sum(
            other.is_finished and holdout_digest(other) == holdout_digest(run) for other in self.store.list_runs()
        )

    # Nominate

    def nominate(self, run_id: str, model: str, *, policy: str | None = None, baseline: str | None = None) -> Review:
        """Register a finished run as the next version of a model, freeze the bytes it would serve, compute the evidence.

        The endpoint it may be promoted to has the model's name. `baseline` is a run to be better than (default: a constant
        prediction). Raises Refused for a run that did not finish, UsageError for one without predictions or model.
        """
        from workbench.workflow import nominating, nominees, replaying

        run = self.show(run_id)
        _require_scored([run])
        replaying.require_replayed(run, self.store.list_runs(), self.settings)
        other = self.show(baseline) if baseline else None
        if other is not None:
            _require_scored([other])
        plan = nominating.plan_nomination(
            run,
            model=nominees.require_model_name(model),
            policy_bytes=nominees.find_policy(policy or self.settings.policy),
            nominator=self.settings.acting_author,
            baseline=other,
            tried=self._count_tried(run),
            last_version=nominees.last_version(self.store.read_ledger(), model),
        )
        with disk_answers(self.settings.models_folder):
            subject, body = nominating.freeze_nominee(plan, self.settings, self.tracker)
        self.store.append_entry(
            Event.NOMINATED,
            actor=self.settings.acting_author,
            subject=subject,
            body=body,
            require=lambda entries: nominees.require_new(entries, subject),
        )
        return self.review(subject)

    # Review

    def review(self, subject: str) -> Review:
        """Return the evidence, findings, questions and approvals of a nominee (`model/version`) as of now."""
        from workbench.workflow.nominees import review_nominee

        return review_nominee(self.load_nominee(subject))

    def answer(self, subject: str, question: str, text: str) -> Review:
        """Answer a question only a person can answer; approvals given before become stale."""
        nominee = self.load_nominee(subject)
        if question not in nominee.policy.questions:
            known = ", ".join(nominee.policy.questions)
            raise UsageError(f"The policy has no question {question!r}.", why=f"It asks: {known}.")
        if not text.strip():
            raise UsageError("An answer needs words.", next_step=nominee.policy.questions[question])
        body = {"question": question, "answer": text.strip()}
        self.store.append_entry(Event.ANSWERED, actor=self.settings.acting_author, subject=subject, body=body)
        return self.review(subject)

    def approve(self, subject: str, *, role: str, key: Path) -> Review:
        """Sign the nominee as it is now, in a role; raises Refused (and records that) when the principal may not.

        The principal is whoever the allowed-signers file says the key belongs to; with a key it does not know, the acting author.
        """
        from workbench.workflow import nominees

        nominee = self.load_nominee(subject)
        principal = nominees.find_signer(key, self.settings)
        authors = nominee.evidence.identity.authors
        decision = decide_approval(
            principal=principal, role=require_role(role), authors=authors, policy=nominee.policy, subject=subject
        )
        self.require(decision, "Ask somebody else who holds the role to review it.")
        statement = nominees.state_approval(nominee, principal=principal, role=role)
        content = statement.to_bytes()
        approval = Approval(content, sign_bytes(content, key=expand_path(key), namespace=signing_namespace(role)))
        signers = self.settings.signers_file
        fault = nominees.find_fault(approval, statement, self.settings, recorded=utc_now())
        reasons = [f"{signers} does not let this key sign as {role} for {principal}: {fault}"] if fault else []
        line = allowed_signer(principal, [role], read_signing_key(approval.signature))
        self.require(
            decide("approve", subject, reasons),
            f"Whoever keeps {signers} decides whether to add this line to it:\n{line}",
        )
        body = {"statement": content.decode(), "signature": approval.signature.decode(), "role": role}
        self.store.append_entry(Event.APPROVED, actor=principal, subject=subject, body=body)
        return self.review(subject)

    def list_nominees(self) -> list[str]:
        """Return the nominees as `model/version`, newest first."""
        return [entry.subject for entry in reversed(self.store.read_ledger()) if entry.event is Event.NOMINATED]

    # Release

    def promote(self, subject: str) -> Release:
        """Make an approved nominee the release its endpoint serves: build the Bento, write the ledger, set the alias.

        Raises Refused (and records that) with every reason. Run again after an interruption, it finishes what is missing.
        """
        from workbench.workflow.promoting import promote

        return promote(self, subject)

    def rollback(self, endpoint: str, *, to: int | None = None) -> Release:
        """Serve the version before (or version `to`) again, if its bytes and approvals still hold."""
        from workbench.workflow.promoting import roll_back

        return roll_back(self, endpoint, to=to)

    def verify(self, subject: str) -> Release:
        """Say whether the bytes of a release may be served: signatures, files, ledger."""
        from workbench.workflow import releases

        return releases.verify_release(subject, self.settings, self.store.read_ledger())

    def find_served(self, endpoint: str) -> str:
        """Return what an endpoint serves by the ledger, as `model/version`."""
        from workbench.workflow import nominees

        entries = self.store.read_ledger()
        version = nominees.served_version(entries, endpoint)
        if version is None:
            raise NotFound(f"Endpoint {endpoint} serves nothing yet.", next_step="Promote an approved nominee first.")
        return f"{nominees.model_of(entries, endpoint)}/{version}"

    def serve(self, endpoint: str, *, port: int) -> BentoServer:
        """Start an endpoint's release on loopback and return when it is ready; raises Refused when it may not be served."""
        from workbench.release_audit import SUBJECT
        from workbench.serving.bentoml_server import serve_bento
        from workbench.workflow import releases

        subject = self.find_served(endpoint)

        def audit(_: Path) -> None:
            self.require(self.verify(subject).decision, f"workbench rollback {endpoint}")

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

    def lab(self, *, port: int, mlflow_port: int, say: Callable[[str], None]) -> None:
        """Run JupyterLab and MLflow's page on loopback until one of them ends or Ctrl-C."""
        from workbench.workflow.lab import run_lab

        self.tracker.require_answer()  # makes a database that is not there yet, before two programs would at once
        run_lab(self.settings, port=port, mlflow_port=mlflow_port, say=say)

    def examine(self) -> list[Symptom]:
        """Look at everything the workbench stands on and mend what can be mended."""
        from workbench.workflow.doctor import examine

        return examine(self)

    def read_ledger(self) -> tuple[list[Entry], list[str]]:
        """Return every decision in order, and what is wrong with their chain (nothing: it is whole)."""
        return self.store.inspect_ledger()

    # For the verbs

    def load_nominee(self, subject: str) -> Nominee:
        """Return a nominee as of now; raises Refused when its frozen parts were changed."""
        from workbench.workflow.nominees import load_nominee

        return load_nominee(subject, settings=self.settings, entries=self.store.read_ledger())

    def require(self, decision: Decision, next_step: str) -> None:
        """Record a refusal in the ledger and raise it; do nothing when the decision allows."""
        if not decision.is_allowed:
            self.store.append_entry(
                Event.REFUSED,
                actor=self.settings.acting_author,
                subject=decision.subject,
                body={"action": decision.action, "reasons": list(decision.reasons)},
            )
        decision.require(next_step)

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
