"""`workbench policy` shows what a policy asks for and names every line of one that cannot be used."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.test_cli import project, run  # noqa: F401 - a fixture
from tests.unit.policies.builders import STANDARD_POLICY, build_policy_bytes
from workbench.policies import policy_files
from workbench.records.digest import sha256_hex

pytestmark = pytest.mark.usefixtures("project")
DIGEST = sha256_hex(build_policy_bytes())


def test_the_projects_policy_is_shown_in_words(capsys):
    code, out, err = run(capsys, "policy", "show")
    assert (code, err) == (0, "")
    said = " ".join(out.split())
    assert said.startswith("Policy standard, tier 2, sha256 ")
    assert "classification: roc_auc, margin 0.005, limit 0.8" in said
    assert "beats_baseline waivable" in said
    assert "who may waive: owner, for 90 days at most" in said
    assert "2 different people, never an author; an approval holds 180 days" in said


def test_a_policy_is_shown_as_json_whole(capsys):
    code, out, err = run(capsys, "policy", "show", "standard", "--json")
    shown = json.loads(out)
    assert (code, err) == (0, "")
    assert (shown["name"], shown["tier"], shown["digest"]) == ("standard", 2, DIGEST)
    assert shown["severities"]["beats_baseline"] == "waivable"
    assert shown["waivers"] == {"roles": ["owner"], "most_days": 90}


def test_a_policy_that_can_be_used_is_named_by_its_digest(capsys):
    for names in ((), ("standard",), (str(STANDARD_POLICY),)):
        code, out, err = run(capsys, "policy", "check", *names)
        assert (code, err) == (0, "")
        assert f"standard, tier 2, 23 checks, sha256 {DIGEST}" in " ".join(out.split())


@pytest.fixture
def wrong(tmp_path):
    """A policy with two lines to correct."""
    path = tmp_path / "wrong.yaml"
    path.write_bytes(build_policy_bytes().replace(b"tier: 2", b"tier: 4").replace(b"principals: 2", b"principals: 0"))
    return path


def test_every_line_to_correct_is_named_and_the_call_was_wrong(capsys, wrong):
    code, _, err = run(capsys, "policy", "check", str(wrong), "standard")
    assert code == 2
    said = " ".join(err.split())
    assert "tier: 4 is no tier. Write tier: 1 (high risk), 2 or 3 (low risk)." in said
    assert "approvals.principals: 0 is no count. Write a whole number of at least 1." in said
    assert said.count("wrong.yaml: Line ") == 2


def test_what_cannot_be_used_cannot_be_shown(capsys, wrong):
    code, out, err = run(capsys, "policy", "show", str(wrong))
    assert (code, out) == (2, "")
    assert "tier: 4 is no tier" in " ".join(err.split())


@pytest.mark.parametrize("name", ["nowhere.yaml", "no-such", ".", "x" * 5000, "../standard", "a\0b"])
@pytest.mark.parametrize("verb", ["show", "check"])
def test_a_policy_that_is_not_there_is_told_as_such(capsys, verb, name):
    code, _, err = run(capsys, "policy", verb, name)
    assert code == 2
    assert err


def test_what_is_no_file_or_too_large_is_no_policy(capsys, tmp_path, monkeypatch):
    large = tmp_path / "large.yaml"
    large.write_bytes(build_policy_bytes())
    monkeypatch.setattr(policy_files, "LARGEST_BYTES", len(build_policy_bytes()) - 1)
    for name, why in (("/dev/null", "It is no file."), (str(tmp_path), "It is no file."), (str(large), "larger than")):
        code, _, err = run(capsys, "policy", "show", name)
        assert (code, why in err) == (2, True), err


def test_a_team_of_two_is_warned_that_nobody_would_be_left(capsys, tmp_path):
    signers = tmp_path / "runs" / "trust" / "allowed_signers"
    signers.parent.mkdir(parents=True)
    lines = [f'{who}@example.org namespaces="workbench.approval.{role}" ssh-ed25519 {key}' for who, role, key in (
        ("ada", "owner", "AAAAC3NzaC1lZDI1NTE5AAAAIA=="), ("grace", "validator", "AAAAC3NzaC1lZDI1NTE5AAAAIQ==")
    )]  # fmt: skip
    signers.write_text("\n".join(lines) + "\n", encoding="utf-8")
    code, out, err = run(capsys, "policy", "check")
    assert (code, err) == (0, "")
    assert "Warning. Nobody could approve what ada@example.org runs: 0 of 1 as owner" in " ".join(out.split())


def test_a_metric_of_the_projects_own_is_named_checked_and_shown_without_executing_it(capsys, project, tmp_path):  # noqa: F811
    table = '[metrics.gain]\nfunction = "metrics.py:gain"\ndirection = "higher"\ntasks = ["classification"]\n'
    path = tmp_path / "own.yaml"
    path.write_bytes(build_policy_bytes().replace(b"name: roc_auc, margin", b"name: gain, margin", 1))
    assert "'gain' is no metric of it." in run(capsys, "policy", "check", str(path))[2]
    (project / "workbench.toml").write_text(table, encoding="utf-8")
    code, _, err = run(capsys, "policy", "check", str(path))
    assert (code, "metrics.py: No such file or directory." in " ".join(err.split())) == (2, True)
    source = "def gain(truth, score, rows):\n    return truth\n\nraise RuntimeError\n"
    (project / "metrics.py").write_text(source, encoding="utf-8")
    assert run(capsys, "policy", "check", str(path))[0] == 0
    shown = json.loads(run(capsys, "policy", "show", str(path), "--json")[1])
    assert shown["metrics"]["classification"] == {"name": "gain", "margin": 0.005, "limit": 0.8}
