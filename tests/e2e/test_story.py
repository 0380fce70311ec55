"""The whole story through the installed command line, one process a step, as a team would live it."""

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
from tests.e2e.demonstration import TRANSCRIPT, copy_checkout, find_differences, run_demo
from workbench.signing.ssh_signatures import allowed_signer, make_key

ROOT = Path(__file__).parents[2]
NOTEBOOK = "notebooks/11_train_diabetes.ipynb"
REVIEWERS = {"grace@example.org": "validator", "linus@example.org": "owner"}
ANSWERS = {
    "intended_use": "Plans how many check-ups a clinic needs next year, never the care of one person.",
    "data_rights": "Published for research with scikit-learn, under a free licence.",
    "limitations": "442 patients of one study; nobody knows how it does elsewhere.",
    "harm": "Too few check-ups would be planned; a physician looks at every month's numbers.",
}


class Story:
    """What the steps hand on: the project, and a way to run a command as somebody and to read its JSON."""

    def __init__(self, project: Path) -> None:
        self.project = project

    def command(self, *arguments: str, expect: int = 0, **environment: str) -> str:
        done = run_command(self.project, *arguments, **environment)
        assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout if expect == 0 else done.stderr

    def read(self, *arguments: str, **environment: str) -> Any:
        return json.loads(self.command(*arguments, "--json", **environment))

    def trust_reviewers(self) -> None:
        lines = [allowed_signer(who, [role], make_key(self.key(who), who)) for who, role in REVIEWERS.items()]
        signers = self.project / "runs" / "trust" / "allowed_signers"
        signers.parent.mkdir()
        signers.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def key(self, who: str) -> Path:
        return self.project / "keys" / who.partition("@")[0]

    def release(self, run: str) -> str:
        """Nominate, answer, sign and promote a run; return the release as model/version."""
        review = self.read("nominate", run, "--model", "diabetes")
        subject = f"diabetes/{review['evidence']['identity']['version']}"
        answers = [part for name, text in ANSWERS.items() for part in ("--answer", f"{name}={text}")]
        self.command("review", subject, *answers, WORKBENCH_AUTHOR="grace@example.org")
        for who, role in REVIEWERS.items():
            self.command("approve", subject, "--role", role, "--key", str(self.key(who)), WORKBENCH_AUTHOR=who)
        self.command("promote", subject)
        return subject

    def stored_prediction(self, run: str) -> tuple[dict[str, Any], float]:
        """Return the first holdout row as a caller would send it, and what the notebook predicted for it."""
        folder = self.project / "runs" / "by-id" / run
        row = pq.read_table(folder / "features.parquet").slice(0, 1).to_pylist()[0]
        score = pq.read_table(folder / "predictions.parquet").column("score")[0].as_py()
        return {name: value for name, value in row.items() if not name.startswith("__index")}, score

    @contextmanager
    def serving(self) -> Iterator[httpx.Client]:
        """Serve the endpoint until the block ends; Ctrl-C stops it."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = start_command(self.project, "serve", "diabetes", "--port", str(port))
        try:
            line = process.stdout.readline() if process.stdout else ""
            assert line.startswith("Serving diabetes/"), process.communicate()
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
def story(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Story:
    project = make_project(tmp_path_factory.mktemp("story") / "project")
    (project / "notebooks").mkdir()
    shutil.copy(ROOT / NOTEBOOK, project / NOTEBOOK)
    return Story(project)


def require_right_answers(story: Story, client: httpx.Client, run: str, subject: str) -> None:
    """The endpoint answers as the notebook did, names the exact release, and says what is wrong with a request."""
    row, expected = story.stored_prediction(run)
    answer = client.post("/predict", json={"rows": [row]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["scores"] == [pytest.approx(expected, rel=1e-5)]
    model = answer.json()["model"]
    assert f"{model['name']}/{model['version']}" == subject
    assert model["digest"] == story.read("verify", subject)["digest"]
    for body, status in ((b'{"rows": [{"bmi": "large"}]}', 422), (b'{"rows": [', 400), (b'{"rows": [NaN]}', 400)):
        wrong = client.post("/predict", content=body, headers={"content-type": "application/json"})
        assert (wrong.status_code, wrong.headers["content-type"]) == (status, "application/problem+json"), wrong.text


def require_a_changed_byte_is_refused(story: Story, subject: str) -> None:
    model = next((story.project / "runs/bentos/bentos" / subject / "src/release/model").glob("model.*"))
    content = model.read_bytes()
    model.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    refused = story.command("serve", "diabetes", expect=3)
    assert f"release/model/{model.name} was changed." in refused
    assert "Next: workbench rollback diabetes" in refused
    story.command("verify", subject, expect=3)


def test_from_a_sweep_to_a_served_model_a_refusal_and_the_way_back(story: Story) -> None:
    runs = story.read("sweep", NOTEBOOK, "-p", "strength=0.1,1,10")
    assert [run["state"] for run in runs] == ["FINISHED"] * 3
    compared = story.read("compare")
    assert {run["run_id"] for run in compared["runs"]} == {run["id"] for run in runs}
    assert {run["verdict"] for run in compared["runs"]} == {"BETTER"}
    best, second = (run["run_id"] for run in compared["runs"][:2])

    story.trust_reviewers()
    assert story.release(second) == "diabetes/1"
    assert story.release(best) == "diabetes/2"
    assert story.read("review", "diabetes/2")["evidence"]["champion"]["runs"][0]["verdict"] in ("BETTER", "NOT WORSE")
    with story.serving():
        pass  # stopped as soon as it answers: nothing of it goes on
    with story.serving() as client:
        require_right_answers(story, client, best, "diabetes/2")

    require_a_changed_byte_is_refused(story, "diabetes/2")
    story.command("rollback", "diabetes")
    with story.serving() as client:
        require_right_answers(story, client, second, "diabetes/1")
    ledger = story.read("ledger")
    assert ledger["faults"] == []
    assert [entry["event"] for entry in ledger["entries"]].count("promoted") == 2
    assert ledger["entries"][-1]["event"] == "rolled_back"
    assert [entry["subject"] for entry in ledger["entries"] if entry["event"] == "refused"] == ["diabetes/2"]
    doctor = {symptom["part"]: symptom for symptom in story.read("doctor")}
    assert doctor["endpoint diabetes"]["found"] == "serves version 1, alias agrees"


def test_the_demo_says_from_any_folder_what_its_transcript_says(tmp_path: Path) -> None:
    checkout, elsewhere = copy_checkout(tmp_path / "checkout"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = run_demo(checkout, elsewhere)
    assert done.returncode == 0, done.stdout[-3000:]
    assert find_differences(TRANSCRIPT.read_text(encoding="utf-8"), done.stdout) == []
    assert (checkout / "runs" / "demo" / "workbench.db").is_file()
    assert list(elsewhere.iterdir()) == []
