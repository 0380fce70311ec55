"""What is not approved to the byte is never started, by us or by BentoML itself, and the reason is said."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import free_port
from tests.integration.release_builder import (
    InspectedModel,
    Signers,
    build_unsigned_release,
    make_signers,
    sign_release,
)
from tests.integration.serving.started_bentos import auditor, start
from tests.unit.evidence.builders import build_execution
from workbench.errors import Refused, Unavailable, UsageError
from workbench.files.trees import read_tree, write_tree
from workbench.releases.release import audit_release
from workbench.releases.release_audit import audit_folder, read_policy
from workbench.reviews.bundle import MANIFEST
from workbench.signing.ssh_signatures import find_signature_fault


@contextmanager
def copied(bento: Path, folder: Path) -> Iterator[Path]:
    yield Path(shutil.copytree(bento, folder / "copy"))


# What is not approved


def kinds_of_file(release: dict[str, bytes]) -> dict[str, str]:
    return {
        "code": "workbench/serving/answering.py",
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
    "name", ["workbench/extra.py", "release/model/.hidden", "release/__pycache__/a.pyc", "json.py"]
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


def test_the_command_of_bentoml_itself_refuses_with_an_exit_code_and_leaves_no_bytecode(bento, tmp_path):
    with copied(bento, tmp_path) as copy:
        environment = {"PATH": os.environ["PATH"], "BENTOML_HOME": str(tmp_path / "home")}
        done = subprocess.run(
            [sys.executable, "-m", "bentoml", "serve", str(copy), "--port", str(free_port())],
            env={**environment, "BENTOML_DO_NOT_TRACK": "True", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert read_tree(copy / "src") == read_tree(bento / "src")
    assert done.returncode != 0
    assert "WORKBENCH_ALLOWED_SIGNERS does not name a file" in done.stdout + done.stderr
