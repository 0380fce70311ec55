"""Own code from the notebook to the answer: its source is recorded, reviewed, approved, and only those bytes are run."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pandas as pd
import pytest

from tests.conftest import AUTHOR, free_port
from tests.integration.governed import MODEL, STRANGER, Governed, open_governed, reasons_of, trust
from tests.integration.own_code import FEATURES, SCALING, write_notebook
from workbench.errors import Refused
from workbench.reviews.request import ApprovalRequest
from workbench.signing.key import Key

UNITS = "MILLIMETRES = 1\n"


@pytest.fixture(scope="module")
def nominated_with_own_code(
    tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path], reviewers_keys: Path
) -> Governed:
    """A project in which shop/1 holds own code, ran a module more beside it, and is answered."""
    governed = open_governed(make_project(tmp_path_factory.mktemp("own") / "project"), reviewers_keys)
    trust(governed.bench.settings, reviewers_keys)
    notebook = write_notebook(governed.project / "notebooks")
    scaling = notebook.with_name("scaling.py")
    scaling.write_text(SCALING.splitlines(keepends=True)[0], encoding="utf-8")
    commit(scaling, STRANGER)
    scaling.write_text(SCALING, encoding="utf-8")
    commit(scaling, AUTHOR)
    notebook.with_name("units.py").write_text(UNITS, encoding="utf-8")
    notebook.write_text(notebook.read_text(encoding="utf-8").replace("from features", "import units; from features"))
    run = governed.bench.run(notebook, {})
    governed.answer_all(governed.bench.nominate(run.id, MODEL).subject)
    return governed


def commit(path: Path, author: str) -> None:
    """Put a file under git as its author."""
    git = ["git", "-c", f"user.name={author}", "-c", f"user.email={author}"]
    for command in (["init", "-q"], ["add", path.name], ["commit", "-q", "-m", "Own code"]):
        subprocess.run([*git, *command], cwd=path.parent, check=True)


def test_who_wrote_a_line_of_own_code_is_an_author_and_cannot_approve_it_whoever_changed_it_last(
    nominated_with_own_code,
):
    evidence = nominated_with_own_code.bench.review(f"{MODEL}/1").evidence
    assert STRANGER in evidence.identity.authors
    assert [file.path for file in evidence.authorship.files] == [
        "notebooks/holds_own_code.ipynb", "notebooks/features.py", "notebooks/scaling.py", "notebooks/units.py"
    ]  # fmt: skip
    nominated_with_own_code.list_key(STRANGER, "owner")
    request, key = ApprovalRequest("owner"), Key(nominated_with_own_code.key_of(STRANGER))
    with pytest.raises(Refused) as refused:
        nominated_with_own_code.acting(STRANGER).approve(f"{MODEL}/1", request, key)
    assert f"{STRANGER} is an author of the run" in reasons_of(refused)


def test_what_is_reviewed_is_every_line_that_runs(nominated_with_own_code):
    review = nominated_with_own_code.bench.review(f"{MODEL}/1")
    assert [(each.name, each.names, each.source, each.standing) for each in review.own_code] == [
        ("features", ("Centre",), FEATURES, "new"),
        ("scaling", (), SCALING, "new"),
    ]
    assert [(each.name, each.digest) for each in review.own_code] == [
        (each.name, each.digest) for each in review.evidence.own_code
    ]
    assert review.evidence.model.served_as == "skops"
    assert [(each.name, each.served, each.reason) for each in review.evidence.serving.tried] == [
        ("compiled", False, "It holds own code, which nothing can compile.")
    ]
    assert {finding.check: finding.status for finding in review.findings}["safe_format"] == "PASS"


def test_local_code_that_ran_and_that_the_model_does_not_hold_is_reviewed_too(nominated_with_own_code):
    review = nominated_with_own_code.bench.review(f"{MODEL}/1")
    assert [(each.name, each.source, each.standing, each.note) for each in review.local_code] == [
        ("notebooks/units.py", UNITS, "new", "not in git")
    ]
    files = review.evidence.local_files
    assert {each.path: str(each.standing) for each in files.modules} == {
        "notebooks/features.py": "not in git",
        "notebooks/scaling.py": "committed",
        "notebooks/units.py": "not in git",
    }
    assert files.is_complete
    status = {finding.check: finding.status for finding in review.findings}
    assert (status["run_unmodified"], status["authors_known"]) == ("PASS", "PASS")


def test_it_is_served_as_the_model_answers_and_refused_once_a_byte_of_it_changes(
    nominated_with_own_code, reviewers_keys, tmp_path
):
    project = Path(shutil.copytree(nominated_with_own_code.project, tmp_path / "project"))
    governed = open_governed(project, reviewers_keys)
    governed.approve(f"{MODEL}/1")
    governed.bench.promote(f"{MODEL}/1")
    folder = governed.bench.settings.runs_folder / governed.bench.review(f"{MODEL}/1").evidence.identity.run_id
    rows = pd.read_parquet(folder / "features.parquet").to_dict("records")
    scores = pd.read_parquet(folder / "predictions.parquet")["score"].tolist()
    with governed.bench.serve(MODEL, port=free_port()) as server:
        answer = httpx.post(f"{server.url}/predict", json={"rows": rows[:50]}).json()
    assert answer["scores"] == pytest.approx(scores[:50], abs=1e-12)
    source = governed.bento(1) / "src" / "release" / "model" / "scaling.py"
    source.write_text(SCALING.replace("-", "+"))
    with pytest.raises(Refused) as refused:
        governed.bench.serve(MODEL, port=free_port())
    assert "release/model/scaling.py was changed." in reasons_of(refused)
