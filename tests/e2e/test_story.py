"""The whole story as `make demo` tells it, and what it leaves behind, asked once more from outside."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pyarrow.parquet as pq
import pytest

from tests.conftest import run_command, start_command
from tests.e2e.transcript import TRANSCRIPT, copy_checkout, demo_settings, find_differences, run_demo

MODEL = "breast-cancer"


class Story:
    """What the demo left: ways to run a command there, to read its JSON, and to serve its endpoint."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        self.home = checkout / "runs" / "demo"

    def command(self, *arguments: str, expect: int = 0) -> str:
        done = run_command(self.checkout, *arguments, **demo_settings(self.checkout))
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
        process = start_command(self.checkout, "serve", MODEL, "--port", str(port), **demo_settings(self.checkout))
        try:
            line = process.stdout.readline() if process.stdout else ""
            assert line.startswith(f"Serving {MODEL}/"), process.communicate()
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
                yield client
        finally:
            process.terminate()
            process.communicate(timeout=60)
        assert find_servers(self.checkout) == []


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
    return Story(checkout)


def test_the_demo_leaves_what_it_says(story: Story) -> None:
    compared, runs = story.read("compare"), story.read("runs")
    assert {run["run_id"] for run in compared["runs"]} == {
        run["id"] for run in runs if "replay_of" not in run["provenance"]
    }
    assert story.read("review", f"{MODEL}/2")["evidence"]["champion"]["runs"][0]["verdict"] == "BETTER"
    ledger = story.read("ledger")
    assert ledger["faults"] == []
    assert [entry["event"] for entry in ledger["entries"]].count("promoted") == 2
    assert ledger["entries"][-1]["event"] == "rolled_back"
    assert {entry["subject"] for entry in ledger["entries"] if entry["event"] == "refused"} == {f"{MODEL}/2"}
    doctor = {symptom["part"]: symptom for symptom in story.read("doctor")}
    assert doctor[f"endpoint {MODEL}"]["found"] == "serves version 1, alias agrees"


def test_the_endpoint_answers_as_the_notebook_did_names_the_release_and_says_what_is_wrong(story: Story) -> None:
    review = story.read("review", f"{MODEL}/1")
    row, expected = story.stored_prediction(review["evidence"]["identity"]["run_id"])
    with story.serving() as client:
        answer = client.post("/predict", json={"rows": [row]})
        assert answer.status_code == 200, answer.text
        assert answer.json()["scores"] == [pytest.approx(expected, rel=1e-9)]
        model = answer.json()["model"]
        assert f"{model['name']}/{model['version']}" == f"{MODEL}/1"
        assert model["digest"] == story.read("verify", f"{MODEL}/1")["digest"]
        name = next(iter(row))
        wrong = {json.dumps({"rows": [{name: "large"}]}): 422, '{"rows": [': 400, '{"rows": [NaN]}': 400}
        for body, status in wrong.items():
            said = client.post("/predict", content=body, headers={"content-type": "application/json"})
            assert (said.status_code, said.headers["content-type"]) == (status, "application/problem+json"), said.text


def test_an_endpoint_stopped_as_soon_as_it_answers_leaves_nothing(story: Story) -> None:
    with story.serving():
        pass
