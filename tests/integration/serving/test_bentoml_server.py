import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier

from tests.conftest import examples
from tests.integration.release_builder import (
    InspectedModel,
    Signers,
    build_signed_bento,
    build_unsigned_release,
    make_signers,
    prepare_model,
    sign_release,
    train_model,
)
from tests.unit.evidence.builders import build_execution
from workbench.errors import Refused, Unavailable, UsageError
from workbench.files.trees import read_tree, write_tree
from workbench.records.digest import sha256_hex
from workbench.releases.release import audit_release
from workbench.releases.release_audit import audit_folder, read_policy
from workbench.reviews.bundle import MANIFEST
from workbench.serving import bentoml_server
from workbench.serving.bentoml_server import BentoServer, require_free_port, serve_bento
from workbench.signing.ssh_signatures import find_signature_fault

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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Signers:
    return make_signers(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> InspectedModel:
    return prepare_model(train_model(), tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def release(inspected: InspectedModel, signers: Signers) -> dict[str, bytes]:
    return sign_release(build_unsigned_release(inspected), signers)


@pytest.fixture(scope="module")
def bento(inspected: InspectedModel, signers: Signers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_signed_bento(inspected, signers, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def server(bento: Path, signers: Signers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BentoServer]:
    with start(bento, signers, tmp_path_factory.mktemp("log") / "serve.log") as running:
        yield running


@pytest.fixture(scope="module")
def client(server: BentoServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=20) as connected:
        yield connected


def auditor(signers: Signers) -> Callable[[Path], Mapping[str, bytes]]:
    now = datetime.now(UTC).isoformat()
    trusted = signers.allowed_signers
    return lambda folder: audit_folder(folder, allowed_signers=trusted, least_principals=2, now=now).files


def trust(signers: Signers) -> dict[str, str]:
    return {"WORKBENCH_ALLOWED_SIGNERS": str(signers.allowed_signers)}


def start(bento: Path, signers: Signers, log: Path, **changes: Any) -> BentoServer:
    asked = {"audit": auditor(signers), "port": free_port(), "log": log, "environment": trust(signers)}
    return serve_bento(bento, **{**asked, **changes})


@contextmanager
def copied(bento: Path, folder: Path) -> Iterator[Path]:
    yield Path(shutil.copytree(bento, folder / "copy"))


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
    assert not list(bento.rglob("__pycache__"))


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


@pytest.mark.parametrize("name", examples(LOST, ["no folder"]))
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


# What is not approved


def kinds_of_file(release: dict[str, bytes]) -> dict[str, str]:
    return {
        "code": "workbench/serving/application.py",
        "package": "workbench/__init__.py",
        "model": "release/model/model.onnx",
        "contract": "release/model/contract.json",
        "manifest": MANIFEST,
        "evidence": "release/evidence.json",
        "policy": "release/policy.yaml",
        "card": "release/model_card.md",
        "statement": "release/approvals/001.statement.json",
    }


KINDS = sorted(kinds_of_file({}))


@pytest.mark.parametrize("kind", KINDS)
def test_one_changed_byte_is_refused_with_the_reason(kind, bento, signers, tmp_path):
    with copied(bento, tmp_path) as copy:
        path = copy / "src" / kinds_of_file({})[kind]
        path.write_bytes(path.read_bytes()[:-1] + b"#")
        with pytest.raises(Refused) as caught:
            auditor(signers)(copy / "src")
    assert caught.value.reasons
    told = [path.name, "cannot be read", "policy cannot be used"]
    assert any(text in reason for reason in caught.value.reasons for text in told), caught.value


@pytest.mark.parametrize(
    "name", ["workbench/extra.py", "release/model/.hidden", "workbench/__pycache__/a.pyc", "json.py"]
)
def test_an_added_file_is_refused_by_name(name, bento, signers, tmp_path):
    with copied(bento, tmp_path) as copy:
        (copy / "src" / name).parent.mkdir(exist_ok=True)
        (copy / "src" / name).write_bytes(b"")
        with pytest.raises(Refused, match=f"{name} was added"):
            auditor(signers)(copy / "src")


def test_a_linked_file_is_refused(bento, signers, tmp_path):
    with copied(bento, tmp_path) as copy:
        model = copy / "src" / "release" / "model" / "model.onnx"
        shutil.move(model, tmp_path / "elsewhere")
        model.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(Refused, match="not a regular file"):
            auditor(signers)(copy / "src")


def test_a_missing_file_is_refused(bento, signers, tmp_path):
    with copied(bento, tmp_path) as copy:
        (copy / "src" / "release" / "model" / "model.onnx").unlink()
        (copy / "src" / "release" / "approvals" / "002.sig").unlink()
        with pytest.raises(Refused) as caught:
            auditor(signers)(copy / "src")
    assert any("model.onnx is missing" in reason for reason in caught.value.reasons)
    assert any("Approval 2 is incomplete" in reason for reason in caught.value.reasons)


@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_bit_outside_of_a_signature_is_refused(data, release, signers):
    path = data.draw(st.sampled_from(sorted(path for path in release if not path.endswith(".sig") and release[path])))
    position = data.draw(st.integers(0, len(release[path]) - 1))
    changed = bytearray(release[path])
    changed[position] ^= 1 << data.draw(st.integers(0, 7))
    decision = audit_release(
        {**release, path: bytes(changed)},
        verify=lambda approval, statement: find_signature_fault(
            approval, statement, allowed_signers=signers.allowed_signers
        ),
        read_policy=read_policy,
        least_principals=2,
        now=datetime.now(UTC).isoformat(),
    ).decision
    assert not decision.is_allowed


def test_an_approval_that_ran_out_is_refused(bento, signers):
    later = (datetime.now(UTC) + timedelta(days=31)).isoformat()
    with pytest.raises(Refused, match="holds from"):
        audit_folder(bento / "src", allowed_signers=signers.allowed_signers, least_principals=2, now=later)


def test_more_approvers_than_the_policy_asks_for_can_be_demanded(bento, signers):
    now = datetime.now(UTC).isoformat()
    with pytest.raises(Refused, match="asks for 3 approving people"):
        audit_folder(bento / "src", allowed_signers=signers.allowed_signers, least_principals=3, now=now)


def test_signatures_by_strangers_are_refused(bento, tmp_path):
    with pytest.raises(Refused, match="does not hold"):
        auditor(make_signers(tmp_path))(bento / "src")


def test_a_release_cannot_say_whom_to_trust(bento, signers, tmp_path):
    with copied(bento, tmp_path) as copy:
        inside = copy / "src" / "release" / "allowed_signers"
        shutil.copy(signers.allowed_signers, inside)
        with pytest.raises(Refused, match="inside of the release"):
            audit_folder(copy / "src", allowed_signers=inside, least_principals=2, now=datetime.now(UTC).isoformat())


def test_a_folder_without_a_release_is_refused(tmp_path, signers):
    with pytest.raises(Refused, match="holds no release"):
        auditor(signers)(tmp_path)


def test_what_the_outer_audit_refuses_is_never_started(bento, signers, tmp_path):
    with copied(bento, tmp_path) as copy:
        (copy / "src" / "workbench" / "__init__.py").write_text(f"open({str(tmp_path / 'canary')!r}, 'w')")
        with pytest.raises(Refused, match="was changed"):
            start(copy, signers, tmp_path / "log")
    assert not (tmp_path / "canary").exists()
    assert not (tmp_path / "log").exists()


def test_what_is_changed_after_the_audit_is_never_started(bento, signers, inspected, tmp_path):
    def audit_then_change(folder: Path) -> Mapping[str, bytes]:
        files = auditor(signers)(folder)
        (folder / "workbench" / "__init__.py").write_text(f"open({str(tmp_path / 'canary')!r}, 'w')")
        (folder / "json.py").write_text(f"open({str(tmp_path / 'canary')!r}, 'w')")
        return files

    with copied(bento, tmp_path) as copy, start(copy, signers, tmp_path / "log", audit=audit_then_change) as running:
        answer = httpx.post(f"{running.url}/predict", json={"rows": inspected.trained.rows[:2]})
        assert answer.status_code == 200
        assert running.home.stat().st_mode & 0o777 == 0o700
    assert not (tmp_path / "canary").exists()
    assert not running.home.exists()


def test_a_disk_that_does_not_take_the_copy_is_said_and_leaves_nothing(bento, signers, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(Unavailable, match="was not served"):
        start(bento, signers, tmp_path / "log", audit=lambda _: {"a": b"1", "a/b": b"2"})
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_serve_is_a_wrong_call(tmp_path, signers):
    with pytest.raises(UsageError):
        start(tmp_path, signers, tmp_path / "log")


# The service itself, without the outer audit


def refusal(bento: Path, signers: Signers, log: Path, **changes: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        start(bento, signers, log, audit=read_tree, **changes)
    return caught.value


def test_a_changed_release_does_not_start_and_says_every_reason(bento, signers, tmp_path):
    with copied(bento, tmp_path) as copy:
        model = copy / "src" / "release" / "model" / "model.onnx"
        model.write_bytes(model.read_bytes() + b"\0")
        (copy / "src" / "release" / "model_card.md").write_text("# Rewritten\n")
        refused = refusal(copy, signers, tmp_path / "log")
    assert "release/model/model.onnx was changed." in refused.reasons
    assert any("release/model_card.md changed since it was signed" in reason for reason in refused.reasons)
    assert refused.next_step


@pytest.mark.soak
def test_an_unsigned_release_does_not_start(inspected, signers, tmp_path):
    write_tree(build_unsigned_release(inspected), tmp_path / "bento" / "src")
    refused = refusal(tmp_path / "bento", signers, tmp_path / "log")
    assert "Role owner: 0 of 1 approvals." in refused.reasons
    assert "Role validator: 0 of 1 approvals." in refused.reasons


@pytest.mark.soak
def test_a_signed_release_whose_checks_failed_does_not_start(inspected, signers, tmp_path):
    failed = build_unsigned_release(inspected, execution=build_execution(executed_cells=8))
    write_tree(sign_release(failed, signers), tmp_path / "bento" / "src")
    refused = refusal(tmp_path / "bento", signers, tmp_path / "log")
    assert [reason.partition(".")[0] for reason in refused.reasons] == ["run_finished: FAIL"]


def test_a_server_that_trusts_nobody_does_not_start(bento, signers, tmp_path):
    told = {"WORKBENCH_LEAST_PRINCIPALS": "none", "WORKBENCH_ALLOWED_SIGNERS": "release/allowed_signers"}
    refused = refusal(bento, signers, tmp_path / "log", environment=told)
    assert [reason.partition(",")[0] for reason in refused.reasons] == [
        "WORKBENCH_ALLOWED_SIGNERS is 'release/allowed_signers'",
        "WORKBENCH_LEAST_PRINCIPALS is 'none'",
    ]


def test_an_approved_model_that_cannot_be_loaded_does_not_become_ready(inspected, signers, tmp_path):
    broken = InspectedModel({**inspected.files, "model.onnx": b"\x08\x09broken"}, inspected.fact, inspected.trained)
    write_tree(sign_release(build_unsigned_release(broken), signers), tmp_path / "bento" / "src")
    refused = refusal(tmp_path / "bento", signers, tmp_path / "log")
    assert "cannot be run" in refused.what


def test_the_command_of_bentoml_itself_refuses_with_an_exit_code(bento, tmp_path):
    with copied(bento, tmp_path) as copy:
        environment = {
            "PATH": os.environ["PATH"],
            "BENTOML_HOME": str(tmp_path / "home"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(
            [sys.executable, "-m", "bentoml", "serve", str(copy), "--port", str(free_port())],
            env={**environment, "BENTOML_DO_NOT_TRACK": "True", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode != 0
    assert "WORKBENCH_ALLOWED_SIGNERS does not name a file" in done.stdout + done.stderr
