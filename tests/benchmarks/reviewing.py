"""How long a reviewer waits: from a fresh Python to the view of a nominee that is held against the served version."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.line import Line, alternate
from tests.conftest import AUTHOR
from tests.integration.governed import MODEL, ROLES, open_governed, trust
from workbench.signing.ssh_signatures import make_key

_REPETITIONS = 5


def measure(folder: Path) -> Iterator[Line]:
    """Open a review in a Python of its own, beside MLflow's client that looks up the same run there."""
    os.environ["XDG_STATE_HOME"] = str(folder / "state")  # what is remembered of the ledger, outside of the project
    project, keys = folder / "reviewed", folder / "keys"
    project.mkdir()
    (project / "workbench.toml").write_text(f'author = "{AUTHOR}"\n', encoding="utf-8")
    for principal in (*ROLES, AUTHOR):
        make_key(keys / principal.partition("@")[0], principal)
    governed = open_governed(project, keys)
    trust(governed.bench.settings, keys)
    served = governed.nominate(1.0)
    governed.answer_all(served)
    governed.approve(served)
    governed.bench.promote(served)
    nominee = governed.nominate(0.5)
    run = governed.bench.show(governed.bench.list_runs()[0].id)
    tracked, address = str(run.tracked_as), governed.bench.settings.tracking_address
    governed.bench.store.close()

    def python(code: str) -> None:
        subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, cwd=project, capture_output=True)

    ours, theirs = alternate(
        lambda: python(f"import workbench as wb; wb.review({nominee!r})"),
        lambda: python(f"import mlflow; mlflow.MlflowClient({address!r}).get_run({tracked!r})"),
        _REPETITIONS,
    )
    yield Line(f"open the review of {MODEL}/2, from a fresh Python", ours, "MLflow's client: look up its run", theirs)
