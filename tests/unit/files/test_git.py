"""Git is asked about folders of others: whatever their own settings name, nothing of it runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.files.git import ask_git

QUESTIONS = (
    ("config", "user.email"),
    ("rev-parse", "HEAD"),
    ("status", "--porcelain", "--untracked-files=no"),
    ("log", "-1", "--format=%ae%n%ce", "--", "train.ipynb"),
)


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.email=ada@example.org", "-c", "user.name=Ada", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """A program that does nothing but write down that it ran."""
    program = tmp_path / "stand-in"
    program.write_text(f"#!/bin/sh\necho ran >>{tmp_path}/ran\nexit 1\n", encoding="utf-8")
    program.chmod(0o700)
    return program


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "train.ipynb").write_text("{}", encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def name_a_monitor(checkout: Path, stand_in: Path) -> None:
    git(checkout, "config", "core.fsmonitor", str(stand_in))


def name_a_hook(checkout: Path, stand_in: Path) -> None:
    (checkout / ".git" / "hooks").mkdir(exist_ok=True)
    stand_in.rename(checkout / ".git" / "hooks" / "post-index-change")
    os.utime(checkout / "train.ipynb", (1, 1))  # git looks at it again, and keeps what it saw


def name_a_verifier(checkout: Path, stand_in: Path) -> None:
    signer = stand_in.with_name("signer")
    says = 'echo "[GNUPG:] SIG_CREATED " >&2\necho -----BEGIN PGP SIGNATURE-----\necho -----END PGP SIGNATURE-----\n'
    signer.write_text(f"#!/bin/sh\ncat >/dev/null\n{says}", encoding="utf-8")
    signer.chmod(0o700)
    git(checkout, "-c", f"gpg.program={signer}", "commit", "-q", "--amend", "--no-edit", "-S")
    git(checkout, "config", "log.showSignature", "true")
    git(checkout, "config", "gpg.program", str(stand_in))


def name_who_fetches(checkout: Path, stand_in: Path) -> None:
    tree = git(checkout, "rev-parse", "HEAD^{tree}")
    settings = {"url": str(checkout), "promisor": "true", "uploadpack": str(stand_in)}
    for name, value in settings.items():
        git(checkout, "config", f"remote.origin.{name}", value)
    git(checkout, "config", "protocol.file.allow", "always")
    (checkout / ".git" / "objects" / tree[:2] / tree[2:]).unlink()


@pytest.mark.parametrize("settings", [name_a_monitor, name_a_hook, name_a_verifier, name_who_fetches])
def test_what_a_repository_would_have_git_run_is_not_run(
    checkout: Path, stand_in: Path, settings: Callable[[Path, Path], None]
) -> None:
    settings(checkout, stand_in)
    copy, ran = shutil.copytree(checkout, checkout.with_name("copy")), stand_in.with_name("ran")
    for question in QUESTIONS:
        ask_git(checkout, *question)
    assert not ran.exists()
    for question in QUESTIONS:
        subprocess.run(["git", "-C", str(copy), *question], capture_output=True, check=False)
    assert ran.exists(), "asked plainly, git runs it"


def test_what_git_says_is_returned_and_what_it_cannot_say_is_nothing(checkout: Path, tmp_path: Path) -> None:
    assert ask_git(checkout, "log", "-1", "--format=%ae") == "ada@example.org"
    assert ask_git(checkout, "rev-parse", "no-such-branch") is None
    assert ask_git(tmp_path / "nowhere", "rev-parse", "HEAD") is None
