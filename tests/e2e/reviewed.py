"""A project with a served version, a changed one to review, and reviewers with keys: one of them behind a passphrase."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.canaries import lay_canaries
from tests.conftest import AUTHOR, NOTEBOOKS
from tests.integration.governed import MODEL, OWNER, VALIDATOR, Governed, open_governed, trust
from workbench.signing.ssh_signatures import make_key

PASSPHRASE = "correct horse 'battery' staple"
SUBJECT = f"{MODEL}/2"


def prepare_project(folder: Path, make_project: Callable[[Path], Path]) -> Governed:
    """Make it: shop/1 is served, shop/2 was made by a notebook with other code and parameters and is not answered yet."""
    keys = folder / "keys"
    for principal in (OWNER, AUTHOR):
        make_key(keys / principal.partition("@")[0], principal)
    validator = keys / VALIDATOR.partition("@")[0]
    make_key(validator, VALIDATOR)
    governed = open_governed(make_project(folder / "project"), keys)
    trust(governed.bench.settings, keys)
    imported = lay_canaries(governed.project)
    governed.answer_all(_nominate(governed, "random_state=seed", 1.0))
    governed.approve(f"{MODEL}/1")
    governed.bench.promote(f"{MODEL}/1")
    assert _nominate(governed, "max_iter=200", 0.5) == SUBJECT
    governed.bench.store.close()
    assert not imported.exists(), imported.read_text()  # by kernels, inspections, builds
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", PASSPHRASE, "-f", str(validator)], check=True, capture_output=True)
    return governed


def _nominate(governed: Governed, option: str, strength: float) -> str:
    """Write the notebook with this option of the model, run it and nominate the run."""
    document = json.loads((NOTEBOOKS / "logs_everything.ipynb").read_text(encoding="utf-8"))
    document["cells"][3]["source"] = document["cells"][3]["source"].replace("random_state=seed", option)
    path = governed.project / "notebooks" / "logs_everything.ipynb"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    run = governed.bench.run(path, {"strength": strength})
    return governed.bench.nominate(run.id, MODEL).subject
