"""A Bento of an approved release is started, answers as its model does, says who approved it, and leaves nothing behind."""

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from sklearn.neighbors import KNeighborsClassifier

from tests.conftest import examples
from tests.integration.release_builder import Signers, build_signed_bento, prepare_model, train_model
from tests.integration.serving.started_bentos import auditor, start, trust
from workbench.errors import Unavailable
from workbench.files.trees import read_tree, write_tree
from workbench.records.digest import sha256_hex
from workbench.reviews.bundle import MANIFEST
from workbench.serving import bentoml_server
from workbench.serving.bentoml_server import BentoServer, require_free_port

BLOCKED = (
    "sklearn",
    "mlflow",
    "papermill",
    "jupyter_core",
    "jupyter_client",
    "nbformat",
    "nbclient",
    "IPython",
    "pandas",
    "skops",
)


@pytest.fixture(scope="module")
def server(bento: Path, signers: Signers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BentoServer]:
    with start(bento, signers, tmp_path_factory.mktemp("log") / "serve.log") as running:
        yield running


@pytest.fixture(scope="module")
def client(server: BentoServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=20) as connected:
        yield connected


def members(server: BentoServer) -> list[int]:
    """Return the processes that were started for a server and still run, wherever they hang in the tree."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("BENTOML_HOME") == str(server.home) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


# What an approved release answers


def test_an_approved_release_answers_like_the_model_with_its_digest(client, inspected, release):
    answer = client.post("/predict", json={"rows": inspected.trained.rows})
    assert answer.status_code == 200
    assert answer.json()["scores"] == pytest.approx(inspected.trained.scores.tolist(), abs=1e-12)
    digest = sha256_hex(release[MANIFEST])
    assert answer.json()["model"] == {"name": "tumour", "version": "3", "digest": digest}
    assert answer.headers["x-model-digest"] == digest


def test_bentoml_lets_us_answer_before_its_middlewares_and_counts_what_we_answered(client, inspected):
    """What is relied on of BentoML 1.4: were it not so, the same would be answered, through its middlewares."""
    client.get("/nowhere")
    theirs = {*re.findall(r'bentoml_service_request_total\{endpoint="([^"]+)"', client.get("/metrics").text)}
    assert "/nowhere" in theirs
    assert not theirs & {"/predict", "/model", "/openapi.json"}
    before = _count_answered(client)
    client.post("/predict", json={"rows": inspected.trained.rows[:1]})
    client.post("/predict", content=b"{", headers={"content-type": "application/json"})
    after = _count_answered(client)
    assert {status: after[status] - before.get(status, 0) for status in ("200", "400")} == {"200": 1, "400": 1}


def _count_answered(client: httpx.Client) -> dict[str, float]:
    counted = r'^workbench_request_seconds_count\{status="(\d+)"\} ([0-9.]+)$'
    found = re.findall(counted, client.get("/metrics").text, re.MULTILINE)
    return {status: float(count) for status, count in found}


def test_it_names_who_approved_it(client):
    assert client.get("/model").json()["approved_by"] == ["otto@example.org", "vera@example.org"]


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz", "/metrics", "/openapi.json"])
def test_what_operations_ask_for_is_answered(client, path):
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"rows":[{"x0":NaN}]}', "application/json", 400),
        (b'{"rows":[{}]}', "application/json", 422),
        (b'{"rows":[]}', "text/plain", 415),
        (b" " * 2_000_000, "application/json", 413),
    ],
    ids=["broken", "not_a_number", "missing", "form", "large"],
)
def test_a_malformed_request_is_explained_and_the_next_is_answered(client, body, kind, status, inspected):
    answer = client.post("/predict", content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.content)["status"] == status
    assert client.post("/predict", json={"rows": inspected.trained.rows[:1]}).status_code == 200


def test_a_large_body_without_a_declared_size_is_cut_off(server):
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(4_000):
            sent += 16_384
            yield b" " * 16_384

    with httpx.Client(base_url=server.url, timeout=20) as own:
        try:
            status = own.post("/predict", content=chunks(), headers={"content-type": "application/json"}).status_code
        # The server may hang up while we still send; what it must not do is read on.
        except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
            status = 413
    assert status == 413
    assert sent < 20 * 1024 * 1024


def test_a_page_that_points_its_own_name_here_is_not_answered(client):
    assert client.get("/model", headers={"host": "evil.example"}).status_code == 421


def test_bentoml_shows_no_page_of_its_own(client):
    assert client.get("/").status_code == 404
    assert client.get("/docs.json").status_code == 404


def test_serving_writes_nothing_into_the_bento(server, client, bento, release, signers):
    assert client.get("/model").status_code == 200
    assert read_tree(server.home / "src") == auditor(signers)(bento / "src")
    assert not [path for path in bento.rglob("__pycache__") if path.is_dir()]


def test_a_port_that_is_taken_is_said_clearly(server, bento, signers, tmp_path):
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(Unavailable, match=f"Port {port}"):
        start(bento, signers, tmp_path / "log", port=port)
    with pytest.raises(Unavailable):
        require_free_port("127.0.0.1", 70_000)


def test_a_compiled_model_is_served_without_the_libraries_it_was_made_with(bento, signers, inspected, tmp_path):
    blocker = "\n".join(
        [
            "import sys, pathlib",
            "class Blocker:",
            "    def find_spec(self, name, path=None, target=None):",
            f"        if name.partition('.')[0] in {BLOCKED!r}:",
            f"            pathlib.Path({str(tmp_path / 'tried')!r}).open('a').write(name + chr(10))",
            "            raise ModuleNotFoundError(name + ' is blocked', name=name)",
            "sys.meta_path.insert(0, Blocker())",
        ]
    )
    write_tree({"sitecustomize.py": blocker.encode()}, tmp_path / "blocker")
    environment = {**trust(signers), "PYTHONPATH": str(tmp_path / "blocker")}
    with start(bento, signers, tmp_path / "log", environment=environment) as running:
        answer = httpx.post(f"{running.url}/predict", json={"rows": inspected.trained.rows[:2]})
        assert answer.status_code == 200
    assert not (tmp_path / "tried").exists()


def test_a_model_that_is_not_compiled_is_served_by_its_own_library(signers, tmp_path):
    inspected = prepare_model(train_model(KNeighborsClassifier()), tmp_path / "model")
    assert inspected.fact.served_as == "skops"
    bento = build_signed_bento(inspected, signers, tmp_path / "home")
    with start(bento, signers, tmp_path / "log") as running:
        answer = httpx.post(f"{running.url}/predict", json={"rows": inspected.trained.rows[:2]}, timeout=20)
    assert answer.json()["scores"] == pytest.approx(inspected.trained.scores[:2].tolist())


def test_stopping_leaves_no_process_behind(bento, signers, tmp_path):
    with start(bento, signers, tmp_path / "log") as running:
        assert len(members(running)) >= 2
    assert members(running) == []
    assert not running.home.exists()


@pytest.mark.soak
def test_a_killed_supervisor_leaves_no_worker_behind(bento, signers, tmp_path):
    with start(bento, signers, tmp_path / "log") as running:
        running.process.kill()
        running.process.wait()
        assert members(running)
    assert members(running) == []


@pytest.mark.soak
def test_a_server_that_ends_by_itself_is_noticed(bento, signers, tmp_path):
    with start(bento, signers, tmp_path / "log") as running:
        running.process.send_signal(signal.SIGTERM)
        assert running.wait() == 0
    assert members(running) == []


# Where nothing can be kept


def without_a_folder(folder: Path) -> None:
    folder.write_text("a file lies where the folder would", encoding="utf-8")


def on_a_disk(*fault: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        folder.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True)
        if mounted.returncode:
            pytest.skip("only root may mount a small disk")
        subprocess.run([*fault, str(folder)], check=False, capture_output=True)

    return make


LOST = {
    "no folder": without_a_folder,
    "a read-only disk": on_a_disk("mount", "-o", "remount,ro"),
    "a full disk": on_a_disk("sh", "-c", 'head -c 1M /dev/urandom >"$0/filler"'),
}


@pytest.mark.parametrize("name", examples(LOST, []))
def test_where_its_log_cannot_be_written_a_release_is_served_and_that_is_said(bento, signers, tmp_path, name):
    folder = tmp_path / "serving"
    LOST[name](folder)
    try:
        with start(bento, signers, folder / "shop.log") as running:
            assert httpx.get(f"{running.url}/model").status_code == 200
            assert running.log_fault is not None
            assert running.log_fault.what == f"{folder / 'shop.log'} cannot be written."
            assert str(running.log) in running.log_fault.reasons[1]
            assert "bentoml" in running.log.read_text(encoding="utf-8").lower()
            environments = [psutil.Process(pid).environ()["WORKBENCH_STARTED_BY"] for pid in members(running)]
            assert {each.split()[0] for each in environments} == {str(os.getpid())}  # so that a doctor can tell orphans
            running.log.unlink()
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


def test_a_log_that_cannot_be_written_any_more_is_told_once_and_serving_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(bentoml_server, "_TURN_S", 0.01)
    (tmp_path / "home").mkdir()
    waiting = subprocess.Popen(["sh", "-c", "read line"], stdin=subprocess.PIPE, start_new_session=True)
    lost = BentoServer("", waiting, tmp_path / "gone" / "shop.log", tmp_path / "home")
    told: list[Unavailable] = []

    def tell(fault: Unavailable) -> None:
        told.append(fault)
        threading.Timer(0.2, waiting.stdin.close).start()

    assert lost.wait(tell) == 1
    assert [fault.what for fault in told] == [f"{tmp_path / 'gone' / 'shop.log'} cannot be written."]
    assert "what it says is lost" in told[0].reasons[1]
