"""papermill's and nbclient's own tests, with ordinary and with warm kernels: `python -m tests.soak.engines_own_tests [FOLDER]`.

FOLDER holds the source distributions of the installed versions (`papermill-*.tar.gz`, `nbclient-*.tar.gz`); without it pip
fetches them. What the tests need besides is installed into a temporary folder. Exits with 1 when a test passes with ordinary
kernels and not with warm ones.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import click

from workbench.executors.warm_kernels import KERNEL_NAME

KERNEL = Path(__file__).resolve().parents[2] / "templates" / "kernels" / KERNEL_NAME / "kernel.json"
# Not by PYTHONPATH: what is beside is the tests' and not the kernels'.
_RUN = "import sys; sys.path.insert(0, sys.argv.pop(1)); import pytest; sys.exit(pytest.main(sys.argv[1:]))"
_TELL = """
import os
from pathlib import Path
_how = "warm" if "kernel_parent" in Path(f"/proc/{{os.getppid()}}/cmdline").read_text() else "ordinary"
with open({file!r}, "a") as _told: _told.write(_how + "\\n")
del os, Path, _how, _told
"""


@dataclass(frozen=True)
class Suite:
    """The tests of one package: where they lie in its sources, what they need and how pytest is to run them."""

    package: str
    tests: str
    needs: Sequence[str]
    options: Sequence[str] = ()


SUITES = (
    Suite(
        "papermill",
        "papermill/tests",
        ["papermill[all]", "boto3", "moto>=5,<5.2", "pytest-cov", "pytest-env", "pytest-mock", "requests"],
    ),
    # Its warnings are errors, and pytest-asyncio warns of what is not said.
    Suite("nbclient", "tests", ["nbclient[test]"], ["-o", "asyncio_default_fixture_loop_scope=function"]),
)


def main() -> None:
    """Run each suite with both kinds of kernels and say how many tests passed, and which only with ordinary ones."""
    with tempfile.TemporaryDirectory(prefix="workbench-soak-") as top:
        given = Path(sys.argv[1]) if sys.argv[1:] else None
        faults = [fault for suite in SUITES for fault in compare(suite, given, Path(top) / suite.package)]
    sys.exit("\n".join(["Passed with ordinary kernels only:", *faults]) if faults else 0)


def compare(suite: Suite, given: Path | None, folder: Path) -> list[str]:
    """Return the tests of a suite that pass with ordinary kernels alone."""
    folder.mkdir()
    sources, beside = unpack(suite, given, folder), install(suite, folder / "beside")
    passed = {kind: run_tests(suite, sources, beside, folder / kind) for kind in ("ordinary", "warm")}
    return sorted(passed["ordinary"] - passed["warm"])


def unpack(suite: Suite, given: Path | None, folder: Path) -> Path:
    """Return the folder of the sources of the installed version."""
    name = f"{suite.package}-{version(suite.package)}"
    if given is None:
        pip("download", "--no-deps", "--no-binary", ":all:", name.replace("-", "==", 1), "-d", str(folder))
    with tarfile.open((given or folder) / f"{name}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder / name


def install(suite: Suite, beside: Path) -> Path:
    """Install what is not here into a folder of its own, and return it; what is here stays as it is."""
    report = json.loads(pip("install", "--dry-run", "--report", "-", *suite.needs))
    missing = [f"{each['metadata']['name']}=={each['metadata']['version']}" for each in report["install"]]
    pip("install", "--no-deps", "--target", str(beside), *missing)
    return beside


def pip(*arguments: str) -> str:
    command = [sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def run_tests(suite: Suite, sources: Path, beside: Path, folder: Path) -> set[str]:
    """Run the tests with `python3` being an ordinary kernel or, in the folder `warm`, a warm one; return those that passed."""
    told, results = folder / "started", folder / "results.xml"
    (startup := folder / "ipython" / "profile_default" / "startup").mkdir(parents=True)
    (startup / "tell.py").write_text(_TELL.format(file=str(told)), encoding="utf-8")
    environment = {**os.environ, "IPYTHONDIR": str(folder / "ipython")}
    if folder.name == "warm":
        environment["JUPYTER_PATH"] = str(write_kernel(folder))
    options = ["-q", "-p", "no:randomly", f"--junitxml={results}", *suite.options]
    command = [sys.executable, "-c", _RUN, str(beside), *options, suite.tests]
    done = subprocess.run(command, cwd=sources, env=environment, capture_output=True, text=True, check=False)
    if not results.is_file():
        raise SystemExit(f"The tests of {suite.package} did not start:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return report(f"{suite.package} {version(suite.package)}, {folder.name} kernels", results, told)


def write_kernel(folder: Path) -> Path:
    """Write the warm kernel under the name that the tests use, and return the folder where Jupyter has to look."""
    kernel = folder / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(KERNEL.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def report(what: str, results: Path, told: Path) -> set[str]:
    """Print how many tests passed and how many kernels were of which kind; return those that passed."""
    outcomes = dict(read_outcomes(ET.parse(results).iter("testcase")))
    kinds = Counter(told.read_text(encoding="utf-8").split())
    passed = {name for name, outcome in outcomes.items() if outcome == "passed"}
    skipped = sum(outcome == "skipped" for outcome in outcomes.values())
    started = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    click.echo(
        f"{what}: {len(passed)} of {len(outcomes) - skipped} passed, {skipped} skipped; kernels started: {started}"
    )
    for name in sorted(name for name, outcome in outcomes.items() if outcome == "failed"):
        click.echo(f"  failed: {name}")
    return passed


def read_outcomes(cases: Iterable[ET.Element]) -> Iterable[tuple[str, str]]:
    said: Mapping[str, str] = {"failure": "failed", "error": "failed", "skipped": "skipped"}
    for case in cases:
        outcomes = [said[child.tag] for child in case if child.tag in said]
        yield f"{case.get('classname')}::{case.get('name')}", outcomes[0] if outcomes else "passed"


if __name__ == "__main__":
    main()
