"""Stock MLflow loads a model that was logged, and answers what its endpoint answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC

import workbench as wb
from tests.unit.serving.test_application import MODEL, Client, post
from workbench.errors import Refused, UsageError
from workbench.models.contract import parse_contract
from workbench.models.frames import to_rows
from workbench.models.mlflow_loading import ALLOW_OWN_CODE, _load_pyfunc
from workbench.models.mlflow_model import describe_model
from workbench.models.own_code_source import OwnModule
from workbench.models.own_modules import OwnModules
from workbench.models.skops_loader import list_types_to_trust
from workbench.models.skops_predictor import load_skops_predictor
from workbench.runs import spool
from workbench.runs.provenance import read_packages
from workbench.serving.answering import build_application

ROWS = 40
DRAWN = np.random.default_rng(0)
PLAIN = pd.DataFrame({"x": DRAWN.normal(size=ROWS), "n": DRAWN.integers(0, 9, ROWS)})
HALF = PLAIN["x"].to_numpy() > 0


def mixed() -> pd.DataFrame:
    """Columns of every kind a request can carry, with gaps where a column may have some."""
    dates = pd.date_range("2026-01-01", periods=ROWS, freq="7h").astype("datetime64[us]")
    gaps = np.where(np.arange(ROWS) % 7 == 0, np.nan, PLAIN["x"])
    return pd.DataFrame(
        {
            "number": gaps,
            "single": PLAIN["x"].astype("float32"),
            "small": PLAIN["n"].astype("int8"),
            "large": PLAIN["n"].astype("uint64"),
            "account": 2**53 + 1 + PLAIN["n"].astype("int64"),
            "counted": pd.array([None if n % 7 == 0 else n for n in range(ROWS)], dtype="Int64"),
            "flag": PLAIN["n"] > 4,
            "maybe": pd.array([None if n % 7 == 0 else n % 2 == 0 for n in range(ROWS)], dtype="boolean"),
            "town": [None if n % 9 == 0 else ("Ulm", "Bern")[n % 2] for n in range(ROWS)],
            "size": pd.Categorical([("S", "M", "L")[n % 3] for n in range(ROWS)], ["S", "M", "L"], ordered=True),
            "seen": dates,
            "local": dates.tz_localize("Europe/Berlin"),
            "took": pd.to_timedelta(np.arange(ROWS), unit="min"),
        }
    )


def of_texts() -> Any:
    encoded = ColumnTransformer([("texts", OneHotEncoder(handle_unknown="ignore"), ["town", "size"])], remainder="drop")
    return make_pipeline(encoded, LogisticRegression())


def of_numbers(*columns: str) -> Any:
    return make_pipeline(ColumnTransformer([("numbers", SimpleImputer(), [*columns])]), LogisticRegression())


THREE = np.array(["barolo", "grignolino", "barbera"])[np.arange(ROWS) % 3]
EXAMPLES: dict[str, tuple[Any, pd.DataFrame, Any, dict[str, Any]]] = {
    "labels one and two": (LogisticRegression(), PLAIN, HALF + 1, {}),
    "labels that are texts": (LogisticRegression(), PLAIN, np.where(HALF, "left", "stayed"), {}),
    "flags": (HistGradientBoostingClassifier(max_iter=5), PLAIN, HALF, {}),
    "three classes": (LogisticRegression(), PLAIN, THREE, {}),
    "no probabilities": (LinearSVC(), PLAIN, HALF.astype(int), {}),
    "regression": (LinearRegression(), PLAIN, PLAIN["x"] * 3, {}),
    "large whole numbers": (of_numbers("account", "single"), mixed(), HALF.astype(int), {"as_text": ["account"]}),
    "texts and categories": (of_texts(), mixed(), HALF.astype(int), {"as_text": ["account"]}),
}


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return what logs a model and describes it as publishing does; its folder is what MLflow is given."""

    def log_one(model: Any, features: pd.DataFrame, **how: Any) -> Path:
        monkeypatch.setenv(spool.FOLDER_VARIABLE, str(tmp_path))
        logged = wb.log_model(model, features, **how)
        folder = tmp_path / spool.MODEL
        assert folder.is_dir(), logged
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        described = describe_model(
            parse_contract(files["contract.json"]),
            read_packages(),
            python="3.11.7",
            trusted_types=list_types_to_trust(files["model.skops"]),
            run="ab" * 6,
        )
        for name, text in described.items():
            (folder / name).write_text(text, encoding="utf-8")
        return folder

    return log_one


def ask_endpoint(folder: Path, frame: pd.DataFrame) -> dict[str, Any]:
    contract = parse_contract((folder / "contract.json").read_bytes())
    predict = load_skops_predictor((folder / "model.skops").read_bytes(), contract, OwnModules())
    body = json.dumps({"rows": to_rows(frame[list(contract.names)], contract)}).encode()
    return post(Client(build_application(predict, contract, MODEL)), body).json()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("example", EXAMPLES)
def test_stock_mlflow_answers_what_the_endpoint_answers(example: str, log: Callable[..., Path]) -> None:
    import mlflow.pyfunc

    model, features, truth, how = EXAMPLES[example]
    folder = log(model.fit(features, truth), features, **how)
    loaded = mlflow.pyfunc.load_model(str(folder))
    shuffled = features.sample(frac=1, random_state=0)[[*reversed(features.columns)]].assign(more=1)
    answered = loaded.predict(shuffled)
    told = ask_endpoint(folder, shuffled)
    assert answered["scores"].tolist() == told["scores"]
    assert ("labels" in answered) is ("labels" in told)
    if "labels" in told:
        assert answered["labels"].tolist() == told["labels"] == model.predict(shuffled[features.columns]).tolist()
    assert answered.index.equals(shuffled.index)
    assert [each.name for each in loaded.metadata.signature.inputs] == list(features.columns)
    assert [each.name for each in loaded.metadata.signature.outputs] == list(answered.columns)


def test_what_it_needs_is_pinned_and_the_loader_is_ours(log: Callable[..., Path]) -> None:
    folder = log(LogisticRegression().fit(PLAIN, HALF), PLAIN)
    lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    packages = read_packages()
    assert {line.partition("==")[0]: line.partition("==")[2] for line in lines} == {
        name: packages[name] for name in ("mlflow", "numpy", "pandas", "scikit-learn", "scipy", "skops", "workbench")
    }
    flavor = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))["flavors"]["python_function"]
    assert (flavor["loader_module"], flavor["env"]["virtualenv"]) == (_load_pyfunc.__module__, "python_env.yaml")


def test_rows_that_no_endpoint_would_take_are_refused_by_row_and_column(log: Callable[..., Path]) -> None:
    model = _load_pyfunc(str(log(LogisticRegression().fit(PLAIN, HALF), PLAIN)))
    with pytest.raises(UsageError) as caught:
        model.predict(PLAIN.assign(n=PLAIN["n"] + 0.5))
    assert "Row 0, column 'n': expected a whole number" in caught.value.reasons[0]
    with pytest.raises(UsageError, match="It lacks n"):
        model.predict(PLAIN[["x"]])
    with pytest.raises(UsageError, match="There are no rows to answer"):
        model.predict(PLAIN[:0])


def test_a_model_that_is_a_pickle_by_another_name_is_never_opened(log: Callable[..., Path]) -> None:
    folder = log(LogisticRegression().fit(PLAIN, HALF), PLAIN)
    (folder / "model.skops").write_bytes(b"\x80\x04\x95.")
    with pytest.raises(Refused, match=r"cannot be read|not sound"):
        _load_pyfunc(str(folder))
    (folder / "model.skops").unlink()
    with pytest.raises(Refused, match="no model of a run"):
        _load_pyfunc(str(folder))


def test_own_code_runs_only_where_the_caller_says_so(log: Callable[..., Path], tmp_path: Path) -> None:
    folder = log(LogisticRegression().fit(PLAIN, HALF), PLAIN)
    sang = tmp_path / "sang"
    source = f"import pathlib\n\npathlib.Path({str(sang)!r}).touch()\n\n\ndef double(rows):\n    return rows\n".encode()
    for name, content in OwnModules((OwnModule("own_trend", source, ("double",), False),)).to_files().items():
        (folder / name).write_bytes(content)
    with pytest.raises(Refused, match="own code") as caught:
        _load_pyfunc(str(folder))
    assert "own_trend" in caught.value.reasons[0]
    assert not sang.exists()
    assert _load_pyfunc(str(folder), {ALLOW_OWN_CODE: True}).predict(PLAIN)["labels"].tolist()
    assert sang.exists()
