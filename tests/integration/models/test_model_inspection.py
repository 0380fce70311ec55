import os
import pickle
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from tests.conftest import examples
from tests.integration.release_builder import TrainedModel, holdout_files, inspect, train_model, write_model
from tests.unit.models.builders import build_contract
from workbench.models.confinement import Limits
from workbench.models.model_files import CONTRACT_FILE, ONNX_FILE, SKOPS_FILE
from workbench.models.model_inspection import Tolerance, try_model

ROOT = Path(__file__).parents[3]


class Planter:
    """Writes a file when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self):
        return Path.touch, (self.canary,)


def twice(values):
    return values


@pytest.fixture(scope="module")
def trained():
    return train_model()


def test_a_model_that_compiles_exactly_is_served_compiled(trained, tmp_path):
    write_model(trained, tmp_path)
    fact = inspect(tmp_path)
    assert (fact.served_as, fact.load_error, fact.formats) == ("onnx", None, ("json", "skops"))
    assert fact.largest_difference is not None
    assert fact.largest_difference < 1e-12
    assert (tmp_path / ONNX_FILE).read_bytes()


@pytest.mark.parametrize("spoil", examples([None, "pickle", "contract"], [None]))
def test_a_forked_inspection_says_what_one_that_is_started_anew_says(trained, tmp_path, request, spoil):
    files = write_model(trained, tmp_path)
    if spoil:
        name = SKOPS_FILE if spoil == "pickle" else CONTRACT_FILE
        (files / name).write_bytes(pickle.dumps(trained.model) if spoil == "pickle" else b"{}")
    asked = {"data": holdout_files(tmp_path), "tolerance": Tolerance(), "onnx_path": tmp_path / ONNX_FILE}
    forked = try_model(files, **asked)
    request.getfixturevalue("cold_inspections")
    anew = try_model(files, **asked)
    assert (forked.model, forked.serving, forked.numerics) == (anew.model, anew.serving, anew.numerics)
    assert (forked.disturbed, forked.differing_labels) == (anew.disturbed, anew.differing_labels)
    assert (forked.cost is None) is (anew.cost is None) is bool(spoil)


def test_a_model_that_does_not_compile_is_served_by_itself(tmp_path):
    write_model(train_model(make_pipeline(FunctionTransformer(np.sinh), LogisticRegression())), tmp_path)
    fact = inspect(tmp_path)
    assert (fact.served_as, fact.largest_difference, fact.load_error) == ("skops", 0.0, None)
    assert not (tmp_path / ONNX_FILE).exists()


def test_scores_that_are_not_the_models_show_as_a_difference(trained, tmp_path):
    write_model(replace(trained, scores=np.clip(trained.scores + 0.25, 0, None)), tmp_path)
    fact = inspect(tmp_path)
    assert fact.largest_difference == pytest.approx(0.25 / np.ptp(trained.scores + 0.25))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: replace(t, scores=t.scores[:-1]), "do not fit"),
        (lambda t: replace(t, holdout=t.holdout.assign(x1=None)), "does not keep the contract"),
        (lambda t: replace(t, holdout=t.holdout.rename(columns={"x1": "y"})), "other columns"),
        (lambda t: replace(t, scores=t.scores * np.nan), "not all numbers"),
    ],
    ids=["fewer_scores", "missing_values", "other_columns", "no_scores"],
)
def test_a_holdout_that_does_not_fit_is_said_in_words(trained, tmp_path, change, reason):
    write_model(change(trained), tmp_path)
    fact = inspect(tmp_path)
    assert fact.served_as is None
    assert fact.load_error is not None
    assert reason in fact.load_error


def test_a_pickle_under_another_name_is_never_opened(trained, tmp_path):
    canary = tmp_path / "canary"
    folder = write_model(trained, tmp_path)
    for name in (SKOPS_FILE, "extra.pkl", "extra.json"):
        (folder / name).write_bytes(pickle.dumps(Planter(canary)))
    fact = inspect(tmp_path)
    assert [reason.split(":")[0] for reason in fact.refused_files] == ["extra.json", "extra.pkl", SKOPS_FILE]
    assert fact.served_as is None
    assert not canary.exists()


@pytest.mark.parametrize("name", [ONNX_FILE, "notes.json"])
def test_a_file_that_would_not_be_served_is_refused_by_name(trained, tmp_path, name):
    (write_model(trained, tmp_path) / name).write_bytes(b"\x08\x09\x00" if name == ONNX_FILE else b"{}")
    fact = inspect(tmp_path)
    assert fact.load_error == f"It has files that would not be served: {name}."
    assert fact.served_as is None


def test_types_that_are_not_trusted_are_named(trained, tmp_path):
    folder = write_model(trained, tmp_path)
    (folder / SKOPS_FILE).write_bytes(skops.io.dumps(FunctionTransformer(twice)))
    fact = inspect(tmp_path)
    assert any("twice" in name for name in fact.untrusted_types)
    assert fact.served_as is None


@pytest.mark.usefixtures("cold_inspections")
def test_a_model_whose_process_ends_is_refused(trained, tmp_path, monkeypatch):
    write_model(trained, tmp_path)
    dies = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda command, **how: popen([command[0], "-c", dies], **how))
    fact = inspect(tmp_path)
    assert (fact.served_as, fact.load_error) == (None, "The process that loaded it was ended by SIGKILL.")


def test_a_link_in_the_model_folder_is_refused(trained, tmp_path):
    folder = write_model(trained, tmp_path)
    (folder / SKOPS_FILE).rename(tmp_path / "elsewhere")
    (folder / SKOPS_FILE).symlink_to(tmp_path / "elsewhere")
    fact = inspect(tmp_path)
    assert len(fact.refused_files) == 1
    assert fact.served_as is None


def test_a_missing_model_is_said_in_words(trained, tmp_path):
    (write_model(trained, tmp_path) / SKOPS_FILE).unlink()
    assert inspect(tmp_path).load_error == f"It has no {SKOPS_FILE}."


LIMITED = {
    "time": (Limits(wall_s=0), "took longer than 0 s"),
    "processor": (Limits(cpu_s=1), signal.SIGKILL.name),
    "memory": (Limits(memory_bytes=300 * 1024**2), "no answer"),
}


@pytest.mark.parametrize(("limits", "reason"), examples(LIMITED.values(), [LIMITED["memory"]]), ids=LIMITED)
@pytest.mark.usefixtures("cold_inspections")
def test_a_model_that_takes_too_much_is_stopped_and_it_is_said_why(trained, tmp_path, limits, reason):
    write_model(trained, tmp_path)
    fact = inspect(tmp_path, limits=limits)
    assert fact.served_as is None
    assert fact.load_error is not None
    assert reason in fact.load_error


def run_confined(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    prepared = "from workbench.models.confinement import *\nimport os, socket, subprocess, pathlib\n"
    prepared += f"leave_network()\nforbid_side_effects({str(folder)!r})\n"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", prepared + textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)


@pytest.mark.parametrize(
    "code",
    [
        "socket.socket().connect(('127.0.0.1', 9))",
        "subprocess.run(['true'])",
        "os.system('true')",
        "os.fork()",
        "open('{outside}', 'w')",
        "open('{outside}', 'ab')",
        "os.open('{outside}', os.O_WRONLY | os.O_CREAT)",
        "pathlib.Path('{inside}/../canary').write_text('x')",
        "os.symlink('/', '{outside}')",
        "os.mkdir('{outside}')",
    ],
)
def test_a_confined_process_can_do_no_harm(tmp_path, code):
    inside, outside = tmp_path / "inside", tmp_path / "canary"
    inside.mkdir()
    done = run_confined(code.format(inside=inside, outside=outside), inside)
    assert done.returncode == 1
    assert "PermissionError" in done.stderr
    assert not os.path.lexists(outside)


def test_a_confined_process_may_write_where_it_should(tmp_path):
    done = run_confined(f"pathlib.Path({str(tmp_path)!r}, 'out').write_text('x')", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out").exists()


# Asked in other ways


def try_trained(trained, folder):
    model_folder = write_model(trained, folder)
    return try_model(
        model_folder,
        data=holdout_files(folder),
        tolerance=Tolerance(),
        onnx_path=folder / ONNX_FILE,
    )


def test_what_will_be_served_is_asked_singly_disturbed_and_timed(trained, tmp_path):
    tried = try_trained(trained, tmp_path)
    assert tried.numerics is not None and tried.cost is not None and tried.answers is not None
    assert (tried.numerics.rows, tried.numerics.not_finite) == (200, 0)
    assert tried.numerics.largest_batch_difference < 1e-9
    assert (tried.cost.calls, tried.cost.model_bytes) == (200, (tmp_path / ONNX_FILE).stat().st_size)
    assert {each.name for each in tried.disturbed} == {"undisturbed", "noise", "unit", "permuted"}
    assert tried.answers.shape == (1 + 5 + 4 + 4, 200)
    assert np.abs(tried.answers[0] - trained.scores).max() < 1e-9


def test_the_same_model_is_disturbed_alike_each_time(trained, tmp_path):
    first, second = (try_trained(trained, tmp_path / name) for name in ("first", "second"))
    assert (first.model, first.numerics, first.disturbed) == (second.model, second.numerics, second.disturbed)
    assert first.answers is not None and np.array_equal(first.answers, second.answers, equal_nan=True)


def test_a_category_the_model_never_saw_is_found_before_a_caller_sends_it(tmp_path):
    generator = np.random.default_rng(1)
    table = pd.DataFrame({"x": generator.normal(size=120), "kind": generator.choice(["a", "b"], 120)})
    truth = (table.x + (table.kind == "a") > 0.5).astype(int)
    encode = make_column_transformer((OneHotEncoder(), ["kind"]), ("passthrough", ["x"]))
    model = make_pipeline(encode, LogisticRegression()).fit(table, truth)
    contract = build_contract([("x", "f", False), ("kind", "O", False)], "classification")
    scores = model.predict_proba(table)[:, 1]
    tried = try_trained(TrainedModel(model, contract, table, scores), tmp_path)
    assert tried.model.load_error is None
    unseen = next(each for each in tried.disturbed if each.name == "unseen category")
    assert (unseen.error, unseen.not_finite) == (None, 120)


def test_a_model_that_does_not_load_is_not_asked_anything(trained, tmp_path):
    tried = try_trained(replace(trained, scores=trained.scores[:-1]), tmp_path)
    assert (tried.numerics, tried.cost, tried.disturbed, tried.answers) == (None, None, (), None)
