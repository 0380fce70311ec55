"""From a release's files to a Bento whose `src/` holds exactly those files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import yaml

from workbench.errors import Refused, Unavailable, UsageError
from workbench.files.trees import WHAT_DISKS_NEED, read_tree, sync_folder, sync_tree, write_tree
from workbench.models.model_files import SKOPS_FILE
from workbench.models.own_modules import find_packages
from workbench.models.served_code import BYTECODE
from workbench.records.yaml_documents import read_yaml

SERVICE = "workbench.bentoml_service:Endpoint"
BUILD_TIMEOUT_S = 300
_PACKAGE = Path(__file__).resolve().parents[1]
_SKOPS_PACKAGES = ("pandas", "scikit-learn", "scipy", "skops")
_NAME = re.compile(r"[a-z0-9]([-._a-z0-9]{0,61}[a-z0-9])?")


def build_bento(files: Mapping[str, bytes], *, name: str, version: str, bentofile: bytes, home: Path) -> Path:
    """Build a Bento of exactly these files and return its folder, `home/bentos/<name>/<version>`.

    Nothing is fetched and nothing is written outside of `home`; the folder appears whole or not at all. Raises
    UsageError for a name BentoML cannot take, Refused when that version exists or BentoML would not keep the files,
    Unavailable when building failed.
    """
    for part in (name, version):
        if not _NAME.fullmatch(part):
            raise UsageError(
                f"{part!r} cannot name a Bento.", why="Lower-case letters, digits, and - . _ between them."
            )
    target = home.resolve() / "bentos" / name / version
    if os.path.lexists(target):
        raise Refused(
            f"{name}:{version} exists already.", next_step="A release is never overwritten; promote a new version."
        )
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=home.resolve()) as scratch:
        built = _build(Path(scratch), files, name, version, _complete_bentofile(bentofile, files))
        _require_same_files(built / "src", files)
        sync_tree(built)
        _move(built, target)
    return target


def _complete_bentofile(bentofile: bytes, files: Mapping[str, bytes]) -> bytes:
    """Return the bentofile with the packages that a model of scikit-learn, and its own code, need; others need none."""
    if f"release/model/{SKOPS_FILE}" not in files:
        return bentofile
    document = read_yaml(bentofile).value
    model = {path.rpartition("/")[2]: content for path, content in files.items() if path.startswith("release/model/")}
    needed = [*_SKOPS_PACKAGES, *(name for name in find_packages(model) if name not in _SKOPS_PACKAGES)]
    document["python"]["packages"] += [f"{name}=={metadata.version(name)}" for name in needed]
    return yaml.safe_dump(document, sort_keys=False).encode()


def _build(scratch: Path, files: Mapping[str, bytes], name: str, version: str, bentofile: bytes) -> Path:
    write_tree(files, scratch / "context")
    (scratch / "bentofile.yaml").write_bytes(bentofile)
    (scratch / "home").mkdir()
    command = [sys.executable, "-P", str(Path(__file__).with_name("bentoml_build.py"))]
    command += [str(scratch / "bentofile.yaml"), str(scratch / "context"), name, version]
    try:
        done = subprocess.run(
            command, cwd=scratch, env=_environment(scratch), capture_output=True, timeout=BUILD_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as exc:
        raise Unavailable(f"BentoML did not build {name}:{version} within {BUILD_TIMEOUT_S} s.") from exc
    built = scratch / "home" / "bentos" / name / version
    if done.returncode or not built.is_dir():
        raise Unavailable(f"BentoML did not build {name}:{version}.", why=_last_lines(done.stderr + done.stdout))
    return built


def _environment(scratch: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
    return {
        **kept,
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "BENTOML_HOME": str(scratch / "home"),
        "BENTOML_DO_NOT_TRACK": "True",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _last_lines(output: bytes) -> list[str]:
    return [line for line in output.decode(errors="replace").splitlines() if line.strip()][-5:]


def _require_same_files(source: Path, files: Mapping[str, bytes]) -> None:
    # BentoML adds its reading of the bentofile; a Bento is served without it, and nobody approved it.
    (source / "bentofile.yaml").unlink(missing_ok=True)
    for path in files:
        if path.endswith(f"/{BYTECODE}"):  # left out, whatever it is
            (source / path).touch()
    kept = read_tree(source)
    differing = sorted(path for path in {*kept, *files} if kept.get(path) != files.get(path))
    if differing:
        raise Refused(
            "BentoML did not keep the release's files.",
            why=[f"{path} was dropped, added or changed." for path in differing],
            next_step="BentoML leaves out .git, .DS_Store, __pycache__ and venv: name no own module so, and nominate a new run.",
        )


def _move(built: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        built.rename(target)
        sync_folder(target.parent)
    except OSError as exc:
        shutil.rmtree(built, ignore_errors=True)
        raise Unavailable(f"{target} was not written.", why=str(exc), next_step=WHAT_DISKS_NEED) from exc
