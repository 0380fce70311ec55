"""Boosters of XGBoost, LightGBM and CatBoost answer as text, and compiled, what their library answers to rows nobody tried before.

The libraries are in an environment of this proof's own, beside the one that runs it: `boosters_trial` runs there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

from tests.soak.proof import Proof, timed_proof

ROOT = Path(__file__).resolve().parents[2]
PINNED = (
    "catboost==1.2.10",
    "lightgbm==4.7.0",
    "polars==2.1.0",
    "polars-runtime-32==2.1.0",
    "six==1.17.0",
    "xgboost-cpu==3.2.0",
)
_MOST_S = 3_600


def prove(n: int) -> Proof:
    """Fit every model of the trial and ask it, its text and its compiled form for `n` rows each."""
    claim = "Boosters answer as text and compiled what their library answers: labels the same, scores within the bounds stated"
    return timed_proof(claim, lambda: _try(n))


def _try(n: int) -> tuple[int, Sequence[str], str]:
    with tempfile.TemporaryDirectory(prefix="workbench-boosters-") as folder:
        python, fault = make_environment(Path(folder))
        if fault:
            return 0, (), f"skipped, for no environment with {', '.join(PINNED)} could be made: {fault}"
        done = subprocess.run(
            [python, "-m", "tests.soak.boosters_trial", str(n)],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=_MOST_S,
        )  # fmt: skip
    if done.returncode:
        return 1, (f"the trial ended with {done.returncode}: {done.stderr[-500:]}",), ""
    said = json.loads(done.stdout.splitlines()[-1])
    return said["n"], said["failures"], said["details"]


def make_environment(folder: Path) -> tuple[str, str]:
    """Return the Python of an environment that sees this one's packages and the pinned ones, and what hindered it."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    # The packages are those of the environment that runs the proof; only what is pinned comes on top.
    packages = next((folder / "lib").glob("python*/site-packages"))
    seen = sysconfig.get_path("purelib")
    (packages / "beside.pth").write_text(f"import site; site.addsitedir({seen!r})\n", encoding="utf-8")
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", *PINNED],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = [line for line in done.stderr.splitlines() if "WARNING" not in line]
    return python, " ".join(lines[-1:])[:200] if done.returncode else ""


if __name__ == "__main__":
    sys.stdout.write(f"{prove(int(sys.argv[1]))}\n")
