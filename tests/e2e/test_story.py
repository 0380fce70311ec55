"""The whole story as `make demo` tells it, and what it leaves behind, asked once more from outside."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pyarrow.parquet as pq
import pytest

from tests.conftest import run_command, start_command
from tests.e2e.transcript import CHECKOUT, TRANSCRIPT, copy_checkout, demo_settings, find_differences, run_demo
from workbench.signing.ssh_signatures import allowed_signer, make_key

MODEL = "breast-cancer"
REGRESSION = "notebooks/11_train_diabetes.ipynb"
REVIEWERS = {"grace@example.org": "validator", "linus@example.org": "owner"}
ANSWERS = {
    "intended_use": "Plans how many check-ups a clinic needs next year, never the care of one person.",
    "data_rights": "Published for research with scikit-learn, under a free licence.",
    "limitations": "442 patients of one study; nobody knows how it does elsewhere.",
    "harm": "Too few check-ups would be planned; a physician looks at every month's numbers.",
}


class Story:
    """A project with a model that is served: ways to run a command there, to read its JSON, and to serve its endpoint."""

    def __init__(self, project: Path, home: Path, model: str, **settings: str) -> None:
        self.project, self.home, self.model, self.settings = project, home, model, settings

    def command(self, *arguments: str, expect: int = 0, **settings: str) -> str:
        done = run_command(self.project, *arguments, **self.settings | settings)
        assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout if expect == 0 else done.stderr

    def read(self, *arguments: str) -> Any:
        return json.loads(self.command(*arguments, "--json"))

    def stored_prediction(self, run: str) -> tuple[dict[str, Any], float]:
        """Return the first holdout row as a caller would send it, and what the notebook predicted for it."""
        row = pq.read_table(self.home / "by-id" / run / "features.parquet").slice(0, 1).to_pylist()[0]
        score = pq.read_table(self.home / "by-id" / run / "predictions.parquet").column("score")[0].as_py()
        return {name: value for name, value in row.items() if not name.startswith("__index")}, score

    @contextmanager
    def serving(self) -> Iterator[httpx.Client]:
        """Serve the endpoint until the block ends; Ctrl-C stops it."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = start_command(self.project, "serve", self.model, "--port", str(port), **self.settings)
        try:
            line = process.stdout.readline() if process.stdout else ""
            assert line.startswith(f"Serving {self.model}/"), process.communicate()
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
                yield client
        finally:
            process.terminate()
            process.communicate(timeout=60)
        assert find_servers(self.project) == []


def find_servers(project: Path) -> list[int]:
    """Return the processes that serve something of a project: stopped at whatever moment, the command leaves none."""
    asked = ((each.pid, each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"]))
    return [pid for pid, words in asked if "bentoml" in words and any(str(project) in word for word in words)]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The demo, run once in a copy of the tree from within another folder; it says what its transcript says."""
    checkout, elsewhere = (tmp_path_factory.mktemp("demo") / name for name in ("checkout", "elsewhere"))
    elsewhere.mkdir()
    done = run_demo(copy_checkout(checkout), elsewhere)
    assert done.returncode == 0, done.stdout[-3000:]
    assert find_differences(TRANSCRIPT.read_text(encoding="utf-8"), done.stdout) == []
    assert list(elsewhere.iterdir()) == []
    return Story(checkout, checkout / "runs" / "demo", MODEL, **demo_settings(checkout))


def test_the_demo_leaves_what_it_says(story: Story) -> None:
    compared, runs = story.read("compare"), story.read("runs")
    told = {run["id"]: run["notebook"] for run in runs if "replay_of" not in run["provenance"]}
    (forged,) = (run_id for run_id, notebook in told.items() if notebook.endswith("scores_itself.ipynb"))
    assert {run["run_id"] for run in compared["runs"]} == told.keys() - {forged}  # its truth is not that of the others
    assert story.read("review", f"{MODEL}/2")["evidence"]["champion"]["runs"][0]["verdict"] == "BETTER"
    ledger = story.read("ledger")
    assert ledger["faults"] == []
    assert [entry["event"] for entry in ledger["entries"]].count("promoted") == 2
    refused = {entry["subject"] for entry in ledger["entries"] if entry["event"] == "refused"}
    assert refused == {f"{MODEL}/2", f"{MODEL}/3"}
    before = [entry for entry in ledger["entries"] if entry["subject"] != f"{MODEL}/3" and entry["event"] != "planned"]
    assert before[-1]["event"] == "rolled_back"
    doctor = {symptom["part"]: symptom for symptom in story.read("doctor")}
    assert doctor[f"endpoint {MODEL}"]["found"] == "serves version 1, which verifies"


def require_right_answers(story: Story, client: httpx.Client, subject: str) -> None:
    """The endpoint answers as the notebook did, names the exact release, and says what is wrong with a request."""
    row, expected = story.stored_prediction(story.read("review", subject)["evidence"]["identity"]["run_id"])
    answer = client.post("/predict", json={"rows": [row]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["scores"] == [pytest.approx(expected, rel=1e-9)]
    model = answer.json()["model"]
    assert f"{model['name']}/{model['version']}" == subject
    assert model["digest"] == story.read("verify", subject)["digest"]
    wrong = {json.dumps({"rows": [{next(iter(row)): "large"}]}): 422, '{"rows": [': 400, '{"rows": [NaN]}': 400}
    for body, status in wrong.items():
        said = client.post("/predict", content=body, headers={"content-type": "application/json"})
        assert (said.status_code, said.headers["content-type"]) == (status, "application/problem+json"), said.text


def test_the_endpoint_answers_as_the_notebook_did_names_the_release_and_says_what_is_wrong(story: Story) -> None:
    with story.serving() as client:
        require_right_answers(story, client, f"{MODEL}/1")


@pytest.mark.soak
def test_an_endpoint_stopped_as_soon_as_it_answers_leaves_nothing(story: Story) -> None:
    with story.serving():
        pass


# A number instead of a class, command by command


@pytest.fixture
def diabetes(tmp_path: Path, make_project: Callable[[Path], Path]) -> Story:
    project = make_project(tmp_path / "project")
    (project / "notebooks").mkdir()
    shutil.copy(CHECKOUT / REGRESSION, project / REGRESSION)
    lines = [allowed_signer(who, [role], make_key(key_of(project, who), who)) for who, role in REVIEWERS.items()]
    signers = project / "runs" / "trust" / "allowed_signers"
    signers.parent.mkdir()
    signers.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Story(project, project / "runs", "diabetes")


def key_of(project: Path, who: str) -> Path:
    return project / "keys" / who.partition("@")[0]


def release(story: Story, run: str) -> str:
    """Nominate, answer, sign and promote a run; return the release as model/version."""
    review = story.read("nominate", run, "--model", story.model)
    subject = f"{story.model}/{review['evidence']['identity']['version']}"
    answers = [part for name, text in ANSWERS.items() for part in ("--answer", f"{name}={text}")]
    story.command("review", subject, *answers, WORKBENCH_AUTHOR="grace@example.org")
    for who, role in REVIEWERS.items():
        key = str(key_of(story.project, who))
        story.command("approve", subject, "--role", role, "--key", key, WORKBENCH_AUTHOR=who)
    story.command("promote", subject)
    return subject


def require_a_changed_byte_is_refused(story: Story, subject: str) -> None:
    model = next((story.home / "bentos" / "bentos" / subject / "src" / "release" / "model").glob("model.*"))
    content = model.read_bytes()
    model.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    refused = story.command("serve", story.model, expect=3)
    assert f"release/model/{model.name} was changed." in refused
    assert f"`workbench promote {subject}` then builds it again" in " ".join(refused.split())
    story.command("verify", subject, expect=3)


@pytest.mark.soak
def test_from_a_sweep_to_a_served_regression_a_refusal_and_the_way_back(diabetes: Story) -> None:
    runs = diabetes.read("sweep", REGRESSION, "-p", "strength=0.1,1,10")
    assert [run["state"] for run in runs] == ["FINISHED"] * 3
    compared = diabetes.read("compare")
    assert {run["run_id"] for run in compared["runs"]} == {run["id"] for run in runs}
    assert {run["verdict"] for run in compared["runs"]} == {"BETTER"}
    best, second = (run["run_id"] for run in compared["runs"][:2])

    assert release(diabetes, second) == "diabetes/1"
    assert release(diabetes, best) == "diabetes/2"
    champion = diabetes.read("review", "diabetes/2")["evidence"]["champion"]
    assert champion["runs"][0]["verdict"] in ("BETTER", "NOT WORSE")
    with diabetes.serving() as client:
        require_right_answers(diabetes, client, "diabetes/2")

    require_a_changed_byte_is_refused(diabetes, "diabetes/2")
    diabetes.command("rollback", "diabetes")
    with diabetes.serving() as client:
        require_right_answers(diabetes, client, "diabetes/1")
    ledger = diabetes.read("ledger")
    assert ledger["faults"] == []
    assert [entry["event"] for entry in ledger["entries"]].count("promoted") == 2
    assert ledger["entries"][-1]["event"] == "rolled_back"
    assert [entry["subject"] for entry in ledger["entries"] if entry["event"] == "refused"] == ["diabetes/2"]
    doctor = {symptom["part"]: symptom for symptom in diabetes.read("doctor")}
    assert doctor["endpoint diabetes"]["found"] == "serves version 1, which verifies"
