"""Real runs executed again: what repeats is told from what does not, and a run that failed goes on only on unchanged ground."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import AUTHOR, NOTEBOOKS, run_command
from workbench.config import Settings
from workbench.errors import Refused, RunFailed
from workbench.notebooks.normalisation import NORMALISATIONS, OWN_NAMES
from workbench.replays.replay import Replay, Sameness
from workbench.runs.run import Run, RunState
from workbench.workflow import Workbench

FIT = "model.fit(train[features[:columns]], train.bought)"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Iterator[Workbench]:
    opened = Workbench.open(Settings(make_project(tmp_path_factory.mktemp("replayed") / "project"), author=AUTHOR))
    yield opened
    opened.store.close()


@pytest.fixture(scope="module")
def whole(bench: Workbench) -> Run:
    """A finished run of a notebook in the project, with everything a run can keep."""
    path = Path(shutil.copy(NOTEBOOKS / "logs_everything.ipynb", bench.settings.project / "whole.ipynb"))
    return bench.run(path, {"strength": 0.5})


def copy_notebook(bench: Workbench, name: str, copy: str) -> Path:
    return Path(shutil.copy(NOTEBOOKS / f"{name}.ipynb", bench.settings.project / f"{copy}.ipynb"))


def rewrite(path: Path, old: str, new: str) -> None:
    """Change one place of a notebook's source."""
    document = json.loads(path.read_text(encoding="utf-8"))
    found = [cell for cell in document["cells"] if old in cell["source"]]
    assert len(found) == 1
    found[0]["source"] = found[0]["source"].replace(old, new)
    path.write_text(json.dumps(document), encoding="utf-8")


def run_to_failure(bench: Workbench, path: Path) -> Run:
    with pytest.raises(RunFailed) as failed:
        bench.run(path, {})
    return bench.show(failed.value.what.split()[1])


def sameness(replay: Replay) -> dict[str, Sameness]:
    return {line.name: line.sameness for line in replay.lines}


def refusal(call: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as refused:
        call()
    assert refused.value.next_step
    return refused.value


# Replay


def test_a_run_repeats_itself_to_the_last_byte_of_its_model(bench: Workbench, whole: Run) -> None:
    replay = bench.replay(whole.id)
    assert replay.reasons == ()
    assert (replay.verdict, replay.run_id) == (Sameness.IDENTICAL, whole.id)
    assert {"roc_auc", "predictions", "model/model.skops", "holdout holdout"} <= set(sameness(replay))
    again = bench.show(replay.replay_id)
    assert again.is_finished
    assert (again.id != whole.id, again.provenance["replay_of"]) == (True, whole.id)
    assert (again.parameters, again.notebook_digest) == (whole.parameters, whole.notebook_digest)
    assert again.record["files"]["model/model.skops"] == whole.record["files"]["model/model.skops"]
    assert "replay_of" not in bench.show(whole.id).provenance
    assert again.id not in {each.run_id for each in bench.compare(notebook=whole.notebook).runs}
    assert again.id in {each.run_id for each in bench.compare([again.id]).runs}


def test_a_run_that_warns_and_measures_in_a_warm_kernel_repeats_itself_in_a_cold_one(bench: Workbench) -> None:
    run = bench.run(copy_notebook(bench, "warns_and_measures", "loud"), {})
    replay = bench.replay(run.id, cold=True)
    kernels = [bench.show(each).record["kernel"] for each in (run.id, replay.replay_id)]
    assert (replay.verdict, replay.reasons, kernels) == (Sameness.IDENTICAL, (), ["warm", "cold"])
    assert set(replay.normalised) == {OWN_NAMES, *(each.name for each in NORMALISATIONS)} - {"date of a drawing"}


def test_what_differs_each_time_is_named_and_ends_with_three(bench: Workbench) -> None:
    run = bench.run(copy_notebook(bench, "differs_each_time", "chance"), {})
    done = run_command(bench.settings.project, "replay", run.id, "--json")
    assert done.returncode == 3, done.stderr
    told = json.loads(done.stdout)
    assert (told["verdict"], told["run_id"]) == ("different", run.id)
    found = {line["name"]: line["sameness"] for line in told["lines"]}
    assert {name: found[name] for name in ("chance", "predictions", "cell 3 stdout")} == dict.fromkeys(
        ("chance", "predictions", "cell 3 stdout"), "different"
    )
    assert (found["rounds"], found["cell 3 output 1 text/plain"]) == ("identical", "identical")
    assert [row["row"] for row in told["worst_predictions"]] == ["second"]
    assert len(told["reasons"]) == 3


def test_a_replay_is_read_by_people_too(bench: Workbench, whole: Run) -> None:
    done = run_command(bench.settings.project, "replay", whole.id)
    assert done.returncode == 0, done.stderr
    assert f"repeats run {whole.id}: everything is identical." in done.stdout
    assert "roc_auc" in done.stdout


def test_other_data_and_other_local_code_are_told_as_the_reason(bench: Workbench) -> None:
    path = copy_notebook(bench, "reads_shared_rows", "shared_rows")
    rewrite(path, "from pathlib import Path", "import helper\nfrom pathlib import Path")
    helper = bench.settings.project / "helper.py"
    helper.write_text("V = 1\n", encoding="utf-8")
    amounts = bench.settings.project / "amounts.txt"
    amounts.write_text("1.0 2.0", encoding="utf-8")
    run = bench.run(path, {})
    amounts.write_text("1.0 4.0", encoding="utf-8")
    helper.write_text("V = 2\n", encoding="utf-8")
    replay = bench.replay(run.id)
    assert replay.verdict is Sameness.DIFFERENT
    assert replay.reasons[0].startswith("The data is not the same: data holdout holdout: ")
    assert replay.reasons[1].startswith("code helper.py: ")
    assert sameness(replay)["mean"] is Sameness.DIFFERENT


def test_a_replay_that_fails_is_a_difference(bench: Workbench) -> None:
    path = copy_notebook(bench, "reads_shared_rows", "gone_rows")
    amounts = bench.settings.project / "amounts.txt"
    amounts.write_text("1.0", encoding="utf-8")
    run = bench.run(path, {})
    amounts.unlink()
    replay = bench.replay(run.id)
    assert replay.verdict is Sameness.DIFFERENT
    assert "FileNotFoundError" in replay.reasons[0]
    assert bench.show(replay.replay_id).state is RunState.FAILED


def test_other_code_and_another_lock_file_are_refused_together_before_anything_runs(bench: Workbench) -> None:
    path, lock = copy_notebook(bench, "finishes", "edited"), bench.settings.project / "requirements.lock"
    run = bench.run(path, {})
    before = len(bench.list_runs())
    document = json.loads(path.read_text(encoding="utf-8"))
    document["cells"].append({**document["cells"][-1], "id": "one-more"})
    path.write_text(json.dumps(document), encoding="utf-8")
    lock.write_text("numpy==1.0\n", encoding="utf-8")
    try:
        reasons = "\n".join(refusal(lambda: bench.replay(run.id)).reasons)
    finally:
        lock.unlink()
    assert f"The notebook changed since: {run.notebook_digest[:12]} then, " in reasons
    assert "The lock file changed since: none then, " in reasons
    assert len(bench.list_runs()) == before


def test_a_notebook_that_is_gone_is_refused(bench: Workbench) -> None:
    path = copy_notebook(bench, "finishes", "gone")
    run = bench.run(path, {})
    path.unlink()
    assert "The notebook changed since" in refusal(lambda: bench.replay(run.id)).reasons[0]


def test_a_run_that_failed_has_nothing_to_be_held_against(bench: Workbench) -> None:
    failed = run_to_failure(bench, NOTEBOOKS / "raises_in_cell_three.ipynb")
    refused = refusal(lambda: bench.replay(failed.id))
    assert "It is FAILED" in refused.reasons[0]
    assert f"--resume {failed.id}" in refused.next_step


def test_a_run_whose_files_were_changed_proves_nothing(bench: Workbench) -> None:
    run = bench.run(copy_notebook(bench, "finishes", "tampered"), {})
    before = len(bench.list_runs())
    (bench.settings.runs_folder / run.id / "metrics.jsonl").write_text("", encoding="utf-8")
    assert "metrics.jsonl was changed" in refusal(lambda: bench.replay(run.id)).reasons[0]
    assert len(bench.list_runs()) == before


# Resume


def test_a_resumed_run_is_nominated_only_after_a_replay_that_came_out_the_same(bench: Workbench) -> None:
    path = copy_notebook(bench, "logs_everything", "fails_until_fixed")
    rewrite(path, FIT, f"raise ValueError('not yet')\n{FIT}")
    failed = run_to_failure(bench, path)
    rewrite(path, "raise ValueError('not yet')\n", "")
    resumption = bench.plan_resumption(failed.id, path, {})
    assert (resumption.cell, resumption.is_cell_changed) == (3, True)

    resumed = bench.run(path, resumption.parameters, origin=resumption.provenance)
    origin = {"run": failed.id, "cell": 3, "how": "re-executed"}
    assert bench.show(resumed.id).provenance["resumed_from"] == origin
    refused = refusal(lambda: bench.nominate(resumed.id, "resumed"))
    assert refused.next_step == f"workbench replay {resumed.id}"
    assert f"cell 3 of run {failed.id}" in refused.reasons[0]

    replay = bench.replay(resumed.id)
    assert replay.verdict is Sameness.IDENTICAL
    assert bench.nominate(resumed.id, "resumed").subject == "resumed/1"
    # Not what was once said about the replay counts, but what is there now.
    (bench.settings.runs_folder / replay.replay_id / "metrics.jsonl").write_text("", encoding="utf-8")
    assert "metrics.jsonl was changed" in "\n".join(refusal(lambda: bench.nominate(resumed.id, "resumed")).reasons)


def test_a_replay_that_came_out_otherwise_does_not_make_a_resumed_run_promotable(bench: Workbench) -> None:
    path = copy_notebook(bench, "differs_each_time", "fails_by_chance")
    rewrite(path, "object()", "raise ValueError")
    failed = run_to_failure(bench, path)
    rewrite(path, "raise ValueError", "object()")
    resumed = bench.run(path, {}, origin=bench.plan_resumption(failed.id, path, {}).provenance)
    replay = bench.replay(resumed.id)
    reasons = "\n".join(refusal(lambda: bench.nominate(resumed.id, "chance")).reasons)
    assert f"its replay {replay.replay_id} is different: " in reasons


def test_the_command_says_what_is_executed_again_and_where_it_goes_on(bench: Workbench) -> None:
    path = copy_notebook(bench, "raises_in_cell_three", "mended")
    failed = run_to_failure(bench, path)
    rewrite(path, 'raise ValueError("the third cell fails")', "'mended'")
    rewrite(path, 'raise RuntimeError("never reached")', "'reached'")
    done = run_command(bench.settings.project, "run", "--resume", failed.id, "--json")
    assert done.returncode == 0, done.stderr
    says = "Cells 1-2 are unchanged and are executed again; it goes on from cell 3, which was changed."
    assert says in done.stderr
    assert json.loads(done.stdout)["provenance"]["resumed_from"]["run"] == failed.id


def test_a_changed_beginning_and_other_parameters_are_refused_together(bench: Workbench) -> None:
    path = copy_notebook(bench, "raises_in_cell_three", "changed_before")
    failed = run_to_failure(bench, path)
    document = json.loads(path.read_text(encoding="utf-8"))
    cells = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    cells[1]["source"] += "\nanother = 1"
    path.write_text(json.dumps(document), encoding="utf-8")
    before = len(bench.list_runs())
    (name, value) = next(iter(failed.parameters.items()))
    refused = refusal(lambda: bench.plan_resumption(failed.id, path, {name: value + 1}))
    assert refused.reasons == ("Cell 2 was changed.", f"Parameter {name} was {value}, is {value + 1}.")
    assert len(bench.list_runs()) == before


def test_a_run_that_finished_is_not_gone_on_with(bench: Workbench, whole: Run) -> None:
    path = bench.settings.project / "whole.ipynb"
    assert "is FINISHED" in refusal(lambda: bench.plan_resumption(whole.id, path, {})).reasons[0]


def test_a_run_whose_kernel_died_goes_on_from_the_cell_it_died_in(bench: Workbench) -> None:
    path = NOTEBOOKS / "kills_its_kernel.ipynb"
    failed = run_to_failure(bench, path)
    source = [cell["source"] for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    deadly = next(number for number, text in enumerate(source, 1) if "kill" in text)
    assert bench.plan_resumption(failed.id, path, {}).cell == deadly


def test_a_run_that_left_no_notebook_stopped_in_no_known_cell(bench: Workbench) -> None:
    path = copy_notebook(bench, "raises_in_cell_three", "without_trace")
    failed = run_to_failure(bench, path)
    (bench.settings.runs_folder / failed.id / "notebook.ipynb").unlink()
    assert "no cell that is known" in refusal(lambda: bench.plan_resumption(failed.id, path, {})).reasons[0]
