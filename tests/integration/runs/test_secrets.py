"""Real kernels and real secrets: what a notebook shows of them is nowhere to be read afterwards."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from tests.conftest import run_command
from tests.soak.secrets_kept import KINDS, SURFACES, plant_secrets

VALUE = 'sk-4f9a\'Q7zL "x"'


@pytest.fixture
def copy_tracking(blank_tracking: Path) -> Callable[[Path], None]:
    """Return what gives a project its MLflow database."""

    def copy(project: Path) -> None:
        (project / "runs").mkdir()
        shutil.copy(blank_tracking, project / "runs" / "mlflow.db")

    return copy


def write_notebook(project: Path, *cells: str, declared: str = 'token: wb.Secret = "env:PLANTED"') -> Path:
    path = project / "notebook.ipynb"
    parameters = nbformat.v4.new_code_cell(f"import workbench as wb\n\n{declared}", metadata={"tags": ["parameters"]})
    made = nbformat.v4.new_notebook(cells=[parameters, *map(nbformat.v4.new_code_cell, cells)])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, path)
    return path


def holding(project: Path, value: str) -> list[str]:
    """The kept files in which a value can be read."""
    files = [path for path in (project / "runs").rglob("*") if path.is_file()]
    spelt = [value.encode(), json.dumps(value)[1:-1].encode()]
    return [path.name for path in files if any(each in path.read_bytes() for each in spelt)]


def only_run(project: Path) -> Path:
    [folder] = (project / "runs" / "by-id").iterdir()
    return folder


def test_no_secret_can_be_read_wherever_it_was_planted(copy_tracking: Callable[[Path], None]) -> None:
    plants = plant_secrets(1, make_project=copy_tracking)
    assert len(plants) == len(SURFACES)
    assert [plant for plant in plants if plant.places] == []


def test_what_is_not_known_to_be_secret_is_found_on_every_surface(copy_tracking: Callable[[Path], None]) -> None:
    plants = plant_secrets(1, known=False, make_project=copy_tracking)
    assert {plant.surface for plant in plants if plant.places} == set(SURFACES)


def test_there_are_two_hundred_plants() -> None:
    assert len(KINDS) * len(SURFACES) == 200


def test_a_notebook_gets_the_value_and_everything_else_the_reference(project: Path) -> None:
    path = write_notebook(project, f"assert wb.secret(token) == {VALUE[:3]!r} + {VALUE[3:]!r}\nprint(token, wb.params)")
    done = run_command(project, "run", str(path), PLANTED=VALUE)
    assert done.returncode == 0, done.stderr
    assert json.loads((only_run(project) / "parameters.json").read_bytes()) == {"token": "env:PLANTED"}
    assert "env:PLANTED" in (only_run(project) / "notebook.ipynb").read_text(encoding="utf-8")


def test_a_secret_in_a_file_of_the_project_is_read_and_kept_out(project: Path) -> None:
    (project / "token.txt").write_text(f"{VALUE}\n", encoding="utf-8")
    (project / "token.txt").chmod(0o600)
    path = write_notebook(project, "print(wb.secret(token))", declared='token: wb.Secret = "file:token.txt"')
    done = run_command(project, "run", str(path))
    assert done.returncode == 0, done.stderr
    assert holding(project, VALUE) == []
    assert "[secret]" in (only_run(project) / "notebook.ipynb").read_text(encoding="utf-8")


def test_an_exception_that_says_a_secret_fails_the_run_without_it(project: Path) -> None:
    path = write_notebook(project, "raise ValueError('it is ' + wb.secret(token))")
    done = run_command(project, "run", str(path), PLANTED=VALUE)
    assert done.returncode == 1
    assert "ValueError: it is [secret]" in done.stderr
    assert holding(project, VALUE) == []


def test_evidence_with_a_secret_in_it_is_removed_and_fails_the_run(project: Path) -> None:
    logged = "wb.log_predictions([0, 1], [0, 1], [0.1, 0.9], slices={'by': [wb.secret(token), 'x']})"
    done = run_command(project, "run", str(write_notebook(project, logged)), PLANTED=VALUE)
    assert done.returncode == 1
    assert "predictions.parquet" in done.stderr
    assert not (only_run(project) / "predictions.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "PLANTED is not set"),
        (("-p", "token=file:missing"), "cannot be read"),
        (("-p", "token=" + VALUE), "no reference, and not shown"),
    ],
    ids=["no variable", "no file", "the value itself"],
)
def test_what_leads_to_no_secret_is_refused_before_anything_starts(
    project: Path, arguments: tuple[str, ...], says: str
) -> None:
    done = run_command(project, "run", str(write_notebook(project, "1")), *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert VALUE not in done.stderr
    assert not (project / "runs" / "by-id").exists()


def test_a_secret_given_as_an_ordinary_parameter_is_refused_before_anything_is_recorded(project: Path) -> None:
    path = write_notebook(project, "1", declared='address: str = ""')
    done = run_command(project, "run", str(path), "-p", f"address=https://x/{VALUE}", OTHER_TOKEN=VALUE)
    assert done.returncode == 2
    assert "address holds the value of the secret OTHER_TOKEN" in done.stderr
    assert VALUE not in done.stderr
    assert not (project / "runs" / "by-id").exists()
