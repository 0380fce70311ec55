"""The whole story on one machine: `python -m workbench.demo`. Every step is a real command and is checked."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from workbench.cli import terminal
from workbench.comparisons.verdict import Verdict
from workbench.config import find_notebook, find_template
from workbench.demo_tools import (
    AUTHOR,
    DemoFailed,
    acting_as,
    ask,
    command,
    find_free_port,
    quietly,
    require,
    say,
    serving,
    shown,
    spell,
    time_process,
)
from workbench.errors import WorkbenchError
from workbench.evidence.evidence import Status
from workbench.records.digest import short
from workbench.signing.ssh_signatures import allowed_signer, make_key
from workbench.workflow import Workbench

HOME = "runs/demo"
OF_THE_DEMO = {"CHECKPOINTS": "checkpoints", "POLICY": "policy.yaml"}
WAIVED, WAIVED_DAYS = "holdout_wear", 30
MODEL = "breast-cancer"
VALIDATOR, OWNER = "grace@demo.example", "linus@demo.example"
ANSWERS = {
    "intended_use": "Second opinion for radiologists on digitised images; never the only ground for a diagnosis.",
    "data_rights": "Public research data, published for this purpose with scikit-learn under a free licence.",
    "limitations": "One hospital, 569 patients, measured before 1995; other scanners need a new holdout.",
    "harm": "A missed tumour delays treatment; every negative answer is read by a second radiologist.",
}


_TRUTH, _OWN_TRUTH = (f"truth = {what}" for what in (r"holdout[\"malignant\"]", "(score > 0.5).astype(int)"))


@dataclass
class Demo:
    """What the steps hand on to each other."""

    folder: Path
    started: float
    step: int = 0

    def heading(self, text: str) -> None:
        """Announce a step with the time so far."""
        self.step += 1
        terminal.print_heading(f"{self.step}. {text}", time.monotonic() - self.started)

    def key(self, principal: str) -> Path:
        """Where a demo reviewer's key lies."""
        return self.folder / "demo-keys" / principal.partition("@")[0]


def main() -> int:
    """Run every step; return 0 only when each did what it says."""
    try:
        _run_demo()
    except WorkbenchError as exc:
        terminal.print_error(exc)
        return exc.exit_code or 1
    except KeyboardInterrupt:
        terminal.print_error(DemoFailed("The demo was stopped.", next_step="Run it again; it starts afresh."))
        return 1
    return 0


def _run_demo() -> None:
    checkout = Path(__file__).resolve().parents[1]
    if (checkout / "notebooks").is_dir():
        os.chdir(checkout)
    # The demo starts afresh each time, so what it saw before must not count.
    demo = Demo(Path.cwd() / HOME, time.monotonic())
    os.environ |= {"WORKBENCH_HOME": str(demo.folder), "WORKBENCH_AUTHOR": AUTHOR, "WORKBENCH_JOBS": "2"}
    os.environ |= {f"WORKBENCH_{key}": str(demo.folder / name) for key, name in OF_THE_DEMO.items()}
    shutil.rmtree(HOME, ignore_errors=True)
    _write_policy(demo)
    notebook = str(shown(find_notebook("10_train_breast_cancer.ipynb")))
    for step in (_sweep, _compare, _serve_baseline, _review, _promote, _predict, _tamper, _score_oneself):
        step(demo, notebook)
    _finish(demo)


def _write_policy(demo: Demo) -> None:
    """Write the project's own policy: the standard one, with fewer tries than the sweep will make, and for shallow clones too."""
    standard = find_template("policies", "standard.yaml").read_text(encoding="utf-8").replace(": standard", ": demo")
    own = standard.replace("most_tries: 30", "most_tries: 12").replace("rs_known: {}", "rs_known: {severity: advisory}")
    require(own.count("most_tries: 12") == 1, "the standard policy limits the tries on a holdout")
    demo.folder.mkdir(parents=True)
    (demo.folder / "policy.yaml").write_text(own, encoding="utf-8")


def _sweep(demo: Demo, notebook: str) -> None:
    demo.heading("Run a notebook as a baseline, then as a sweep of 12")
    command("run", notebook, "-p", "family=stump")
    families = "family=logistic_regression,random_forest,hist_gradient_boosting"
    sweep = ("sweep", notebook, "-p", families, "-p", "strength=0.03,0.1,0.3,1")
    terminal.print_command(spell(sweep))
    taken_s = time_process("workbench", *sweep)
    runs = Workbench.open().list_runs()
    require(len(runs) == 13 and all(run.is_finished for run in runs), "13 runs finished")
    for run in runs:
        for name in ("notebook.ipynb", "report.html", "provenance.json", "predictions.parquet", "model/model.skops"):
            require((demo.folder / "by-id" / run.id / name).is_file(), f"run {run.id} left {name}")
    _compare_with_papermill(notebook, runs=len(runs) - 1, taken_s=taken_s)


def _compare_with_papermill(notebook: str, *, runs: int, taken_s: float) -> None:
    """Run one of the sweep's sets, the quickest to fit, with the command papermill, and say what each took."""
    output = f"{HOME}/with-papermill.ipynb"
    parameters = ("-p", "family", "logistic_regression", "-p", "strength", "1")
    terminal.say("")
    terminal.say("One of the 12 once more, with the command papermill:")
    terminal.print_command([f"$ papermill {shlex.quote(notebook)} {output} \\", f"      {' '.join(parameters)}"])
    papermill_s = time_process("papermill", notebook, output, *parameters, quiet=True)
    each = (
        f"{runs} runs, two at a time, each recorded and reported, took {taken_s:.0f} s with the command's own start and end: "
        f"{taken_s / runs:.1f} s a run."
    )
    terminal.say(each)
    terminal.say(f"The command papermill takes {papermill_s:.1f} s for one of them and records no run.")


def _baseline() -> str:
    return [run.id for run in Workbench.open().list_runs() if run.parameters["family"] == "stump"][-1]  # not its replay


def _best() -> str:
    return Workbench.open().compare(reference=_baseline()).best.run_id


def _compare(demo: Demo, _: str) -> None:
    demo.heading("Compare all with the baseline, on the same 171 patients")
    command("compare", "--reference", _baseline())
    require(Workbench.open().compare(reference=_baseline()).best.verdict is Verdict.BETTER, "the best run is BETTER")


def _serve_baseline(demo: Demo, _: str) -> None:
    demo.heading("Reviewers get keys; the baseline becomes the first release")
    people = {VALIDATOR: "validator", OWNER: "owner", AUTHOR: "validator"}
    keys = {who: make_key(demo.key(who), f"{who} DEMO KEY, made by make demo") for who in people}
    lines = [allowed_signer(who, [role], keys[who]) for who, role in people.items()]
    trust = demo.folder / "trust" / "allowed_signers"
    trust.parent.mkdir(parents=True)
    trust.write_text(
        "# Demo keys without passphrase, made by make demo: trust them for nothing else.\n" + "\n".join(lines) + "\n",
        encoding="utf-8",
    )
    terminal.say(f"Demo keys are in {shown(demo.key(OWNER).parent)}, who may sign as what is in {shown(trust)}")
    say(
        "13 tries on these rows are one more than the policy allows, whichever run is nominated; Linus makes an exception:"
    )
    with quietly():
        command("nominate", _baseline(), "--model", MODEL)
        reason = "It is only what others are held against; a new holdout is drawn next month."
        _waive(demo, f"{MODEL}/1", _in(days=WAIVED_DAYS).date().isoformat(), reason)
        _answer(f"{MODEL}/1")
        _sign(demo, f"{MODEL}/1")
    command("promote", f"{MODEL}/1")


def _review(demo: Demo, _: str) -> None:
    demo.heading("Nominate the best run; people answer and sign, never its author")
    subject = f"{MODEL}/2"
    command("nominate", _best(), "--model", MODEL, "--baseline", _baseline())
    say("Ada, who ran it, tries to approve it with her own key:")
    command("approve", subject, "--role", "validator", "--key", str(shown(demo.key(AUTHOR))), expect=3)
    say("Promoting without approvals:")
    command("promote", subject, expect=3)
    say("The tries are still one more than the policy allows. Linus makes an exception, for some seconds only:")
    end = _in(seconds=6)
    _waive(demo, subject, end.isoformat(timespec="seconds"))
    with quietly():
        _answer(subject)
        _sign(demo, subject)
    time.sleep(max((end - datetime.now(UTC)).total_seconds(), 0) + 1)
    say("Everybody has signed; meanwhile the exception has expired:")
    command("promote", subject, expect=3)
    say("A new one, until a date. It came after the signatures, so these do not count any more:")
    with quietly():
        _waive(demo, subject, _in(days=WAIVED_DAYS).date().isoformat())
    command("promote", subject, expect=3)
    say("Both look at it again and sign:")
    _sign(demo, subject)


def _in(**time_from_now: float) -> datetime:
    return datetime.now(UTC) + timedelta(**time_from_now)


_BEARABLE = "The best three are of one family and within the margin; a new holdout is drawn next month."


def _waive(demo: Demo, subject: str, until: str, reason: str = _BEARABLE) -> None:
    key = ("--role", "owner", "--key", str(shown(demo.key(OWNER))))
    command("waive", subject, WAIVED, "--until", until, "--reason", reason, *key)


def _answer(subject: str) -> None:
    answers = [part for name, text in ANSWERS.items() for part in ("--answer", f"{name}={text}")]
    with acting_as(VALIDATOR):
        command("review", subject, *answers)


def _sign(demo: Demo, subject: str) -> None:
    for principal, role in ((VALIDATOR, "validator"), (OWNER, "owner")):
        command("approve", subject, "--role", role, "--key", str(shown(demo.key(principal))))


def _promote(demo: Demo, _: str) -> None:
    demo.heading("Promote it: a Bento of exactly the approved bytes")
    command("promote", f"{MODEL}/2")
    bench = Workbench.open()
    require(bench.tracker.read_alias(MODEL, "champion") == 2, "MLflow's alias champion is version 2")
    is_whole = not bench.inspect_ledger()[1]
    require(is_whole and bench.find_served(MODEL) == f"{MODEL}/2", "the ledger says so and is whole")
    command("ledger", "show", "--limit", "6")
    command("ledger", "verify")


def _predict(demo: Demo, _: str) -> None:
    demo.heading("Serve it on loopback and ask it")
    with serving(MODEL) as url:
        status, answer, _ = ask(f"{url}/readyz")
        require(status == 200, "it is ready")
        terminal.say("GET /readyz: 200")
        digest = _predict_one(demo, url)
        require(digest == Workbench.open().verify(f"{MODEL}/2").digest, "the answer names the release's digest")
        status, answer, _ = ask(f"{url}/predict", {"rows": [{"mean radius": "large"}]})
        require(status == 422, "a malformed request is refused")
        problem = json.loads(answer)
        terminal.say(f"A malformed request: {status} {problem['title']}")
        for found in problem["problems"][:2]:
            terminal.say(f"  - row {found['row']}, {found['column']}: expected {found['expected']}, got {found['got']}")


def _predict_one(demo: Demo, url: str) -> str:
    status, answer, _ = ask(f"{url}/predict", {"rows": [_holdout_row(demo)]})
    require(status == 200, f"a prediction is answered (it was {status})")
    body = json.loads(answer)
    score, version, digest = body["scores"][0], body["model"]["version"], str(body["model"]["digest"])
    terminal.say(f"POST /predict: malignant with probability {score:.3f}, by version {version}, digest {short(digest)}")
    return digest


def _holdout_row(demo: Demo) -> dict[str, Any]:
    import pyarrow.parquet as pq

    row: dict[str, Any] = pq.read_table(demo.folder / "by-id" / _best() / "features.parquet").slice(0, 1).to_pylist()[0]
    return {name: value for name, value in row.items() if not name.startswith("__index")}


def _tamper(demo: Demo, _: str) -> None:
    demo.heading("Change one bit of the release: it is refused; roll back")
    model = demo.folder / "bentos" / "bentos" / MODEL / "2" / "src" / "release" / "model" / "model.onnx"
    content = model.read_bytes()
    middle = len(content) // 2
    model.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    terminal.say(f"Changed one bit of {shown(model)}")
    command("serve", MODEL, "--port", str(find_free_port()), expect=3)
    command("verify", f"{MODEL}/2", expect=3)
    command("rollback", MODEL)
    with serving(MODEL) as url:
        require(_predict_one(demo, url) == Workbench.open().verify(f"{MODEL}/1").digest, "version 1 answers again")
    model.write_bytes(content)
    terminal.say("The bit is put back; version 2 verifies again:")
    command("verify", f"{MODEL}/2")


def _score_oneself(demo: Demo, notebook: str) -> None:
    demo.heading("A run that scores itself on truth of its own making is refused")
    own = demo.folder / "scores_itself.ipynb"
    written = Path(notebook).read_text(encoding="utf-8")
    forged = written.replace(_TRUTH, _OWN_TRUTH)
    require(written.count(_TRUTH) == 1 and forged != written, "the notebook takes its truth from the holdout")
    own.write_text(forged, encoding="utf-8")
    terminal.say(f"A copy of the notebook takes what its model says for the truth: {_OWN_TRUTH}")
    command("run", str(shown(own)))
    run = Workbench.open().list_runs()[0]
    require(run.record["metrics"]["roc_auc"] == 1, "what it logs is perfect")
    with quietly():
        command("nominate", run.id, "--model", MODEL)
    command("promote", f"{MODEL}/3", expect=3)
    (said,) = (each for each in Workbench.open().review(f"{MODEL}/3").findings if each.check == "holdout_untouched")
    require(said.status is Status.FAIL, "the truth it was scored on is not the holdout's")


def _finish(demo: Demo) -> None:
    demo.heading("Done")
    terminal.print_facts(
        {
            "runs": f"{HOME}/by-id: 13 executed notebooks with report, provenance, model and predictions",
            "report": f"{HOME}/by-id/{_best()}/report.html",
            "MLflow": f"{HOME}/mlflow.db: the same runs for everybody's tools; alias champion",
            "releases": f"{HOME}/bentos: two Bentos; {HOME}/models: their evidence",
            "ledger": f"{HOME}/workbench.db: {len(Workbench.open().inspect_ledger()[0])} decisions",
        }
    )
    terminal.say("Go on with:")
    for line, text in (
        (f"WORKBENCH_HOME=$PWD/{HOME} make lab", "JupyterLab and MLflow; open notebooks/20_compare_runs.ipynb"),
        (f"WORKBENCH_HOME=$PWD/{HOME} .venv/bin/workbench ledger", "every decision of this demo"),
        (".venv/bin/workbench new my-experiment", "a notebook of your own that runs as it is"),
    ):
        terminal.say(f"  {line}")
        terminal.say(f"      {text}")


if __name__ == "__main__":
    sys.exit(main())
