"""What nominating or comparing would find is said when a run ends, or a holdout is at hand; the advice that goes with it works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import AUTHOR, NOTEBOOKS, own_environment, run_command
from tests.integration.governed import Governed
from workbench.config import Settings
from workbench.errors import Refused, UsageError
from workbench.evidence.evidence import Status
from workbench.notebooks.notebook import parse_notebook
from workbench.workflow import Workbench

SOURCE = (NOTEBOOKS / "logs_everything.ipynb").read_text(encoding="utf-8")
STEP = "StandardScaler(), LogisticRegression("
# A type that nobody reviewed, and what the refusal says to use instead.
REFUSED = f"BisectingKMeans(2), {STEP.partition(' ')[2]}"
IMPORTED = "from sklearn.linear_model import"
pytestmark = pytest.mark.usefixtures("kept_parents")


def write_notebook(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    """Write the notebook that logs everything with some of its words replaced."""
    source = SOURCE
    for before, after in changes:
        assert before in source
        source = source.replace(before, after)
    path = folder / name
    path.write_text(source, encoding="utf-8")
    return path


def test_a_model_that_can_never_be_served_fails_no_run_and_is_said_once_for_all_runs_with_what_to_write(
    nominated: Governed,
) -> None:
    imports = (IMPORTED, f"from sklearn.cluster import BisectingKMeans, KMeans; {IMPORTED}")
    project = nominated.project
    write_notebook(project, "refused.ipynb", (STEP, REFUSED), imports)
    done = run_command(project, "sweep", "refused.ipynb", "-p", "seed=0,1")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert said.count("Before one of them is compared or nominated:") == said.count("logged no model") == 1
    assert "model: The run logged no model. The model cannot be served, and was not logged." in said
    assert "Instead of sklearn.cluster._bisect_k_means.BisectingKMeans" in said and ": use KMeans." in said
    runs = nominated.bench.list_runs(notebook="refused.ipynb")
    unserved = runs[0]
    shown = " ".join(run_command(project, "show", unserved.id).stdout.split())
    assert "Nobody reviewed sklearn.cluster._bisect_k_means.BisectingKMeans." in shown
    page = (nominated.bench.settings.runs_folder / unserved.id / "report.html").read_text(encoding="utf-8")
    assert "The notebook goes on; without a model its run cannot be nominated." in page
    with pytest.raises(UsageError, match="logged no model") as caught:
        nominated.bench.nominate(unserved.id, "unserved")
    assert "use KMeans" in caught.value.next_step

    write_notebook(project, "refused.ipynb", (STEP, REFUSED.replace("Bisecting", "")), imports)
    done = run_command(project, "run", "refused.ipynb")
    assert (done.returncode, done.stdout.count("nominated:")) == (0, 0), done.stdout
    review = nominated.bench.nominate(nominated.bench.list_runs(limit=1)[0].id, "served", policy="minimal")
    found = {finding.check: finding.status for finding in review.findings}
    assert (found["safe_format"], found["model_loads"]) == (Status.PASS, Status.PASS)


LOGGED = "wb.log_predictions(holdout.index, "


def test_rows_of_other_names_and_a_metric_nobody_logged_are_told_when_the_run_ended_and_the_right_run_is_compared(
    nominated: Governed,
) -> None:
    bench = nominated.bench
    metric = 'wb.log_metrics({\\"roc_auc\\": roc_auc_score(holdout.bought, score)})'
    changes = ((LOGGED, LOGGED.replace("holdout.index", "range(200)")), (metric, "pass"))
    first = bench.run(write_notebook(nominated.project, "wrong.ipynb", *changes), {})
    told = {each.about: each.text for each in bench.foresee_obstacles([first])}
    assert "every row id of the holdout" in told["holdout_untouched"]
    assert "The notebook did not log roc_auc" in told["metric_recomputed"]
    right = bench.run(write_notebook(nominated.project, "right.ipynb"), {"strength": 0.5})
    assert not {"holdout_untouched", "metric_recomputed"} & {each.about for each in bench.foresee_obstacles([right])}
    compared = bench.compare()
    assert (right.id in {run.run_id for run in compared.runs}, first.id in {run.run_id for run in compared.runs}) == (
        True,
        False,
    )
    assert any(first.id in why and "0 are among the holdout's 200" in why for why in compared.unpaired)
    assert len(compared.seen) == compared.tried
    with pytest.raises(UsageError, match="was not scored on just the holdout's rows"):
        bench.compare([right.id, first.id])


def test_a_finished_run_without_a_holdout_is_told_what_to_write_by_run_and_by_compare(nominated: Governed) -> None:
    declared = 'wb.log_dataset(holdout, role=\\"holdout\\", target=\\"bought\\")'
    path = write_notebook(nominated.project, "undeclared.ipynb", (declared, "pass"), ("wb.log_model(", "print("))
    advice = "wb.log_dataset(holdout, role='holdout', target='...')"
    (told,) = nominated.bench.foresee_obstacles([run := nominated.bench.run(path, {})])
    assert (told.about, advice in told.text) == ("holdout", True)
    with pytest.raises(Refused, match="There is nothing to compare") as caught:
        nominated.bench.compare(notebook="undeclared.ipynb")
    assert caught.value.reasons == (f"It finished and names no holdout: run {run.id} of undeclared.ipynb.",)
    assert advice in caught.value.next_step


def test_a_holdout_nobody_else_has_is_told_with_what_is_served_and_the_same_rows_again_are_not(
    released: Governed,
) -> None:
    other = write_notebook(released.project, "another.ipynb", ("default_rng(7)", "default_rng(8)"))
    (told,) = released.bench.foresee_obstacles([released.bench.run(other, {})])
    served = released.bench.review("shop/2").evidence
    assert (told.about, served.holdout is None) == ("comparison", False)
    assert f"shop/2, which is served, is run {served.identity.run_id}" in told.text
    assert f"was scored on holdout {served.holdout.digest[:12]} (200 rows)" in told.text
    write_notebook(released.project, "another.ipynb")
    assert released.bench.foresee_obstacles([released.bench.run(other, {})]) == []


def test_a_sweep_over_splits_has_no_best_and_says_once_that_each_split_is_a_try(nominated: Governed) -> None:
    then, now = "train, holdout = table[:300], table[300:]", "table = table.sample(frac=1, random_state=seed)\\n"
    write_notebook(nominated.project, "splits.ipynb", (then, now + then))
    done = run_command(nominated.project, "sweep", "splits.ipynb", "-p", "seed=11,12")
    said = " ".join(done.stdout.split())
    assert "No best roc_auc: the 2 runs were scored on 2 different holdouts." in said
    assert (said.count("comparison: 2 runs were scored on 2 different holdouts"), said.count("- comparison")) == (1, 1)
    assert "Best roc_auc" not in said
    compared = nominated.bench.compare(notebook="splits.ipynb")
    assert (compared.tried, compared.other_splits) == (4, 3)  # and the two runs of the nominated project


def test_rules_that_came_after_the_first_score_are_told_in_a_draft_at_once_and_new_rows_are_not(
    nominated: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = nominated.project / "later.yaml"
    standard = Workbench.open(Settings(nominated.project, author=AUTHOR)).read_policy()[1]
    policy.write_bytes(standard.replace(b"margin: 0.005", b"margin: 0.004"))
    cells = [
        cell for cell in parse_notebook("draft.ipynb", SOURCE.encode()).document["cells"] if cell["cell_type"] == "code"
    ]
    looking = "\n".join("".join(cell["source"]) for cell in cells[:2])
    again = 'wb.log_dataset(holdout, role="holdout", target="bought")'
    new = "wb.log_dataset(pd.DataFrame(generator.normal(size=(300, 2))), role='holdout')"
    draft = nominated.project / "draft.py"
    draft.write_text(f"{looking}\n{again}\nprint('new rows', file=__import__('sys').stderr)\n{new}\n", encoding="utf-8")
    environment = own_environment(WORKBENCH_POLICY=str(policy), WORKBENCH_AUTHOR=AUTHOR)
    done = subprocess.run(
        [sys.executable, str(draft)], cwd=nominated.project, env=environment, capture_output=True, text=True, check=True
    )
    before, _, after = done.stderr.partition("new rows")
    assert before.count(f"What is scored on these rows cannot pass planned_first under policy {policy}.") == 1
    assert "--policy standard" in before
    assert "planned_first" not in after
