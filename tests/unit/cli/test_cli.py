"""The command line says what to do, refuses what is wrong in words, and never shows a traceback."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.conftest import NOTEBOOKS
from workbench.cli.chapters import CHAPTERS, read_chapter
from workbench.cli.main import COMMANDS, run_command
from workbench.models.servable_models import list_servable

ROOT = Path(__file__).parents[3]
HOSTILE_IDS = [
    "..", "../..", "../../etc/passwd", "/", "%", "_", "*", "'; drop table runs; --", '" or 1=1', "a\nb", "\x00", "x" * 5000,
    "00000000", "ffffffffffffffff", "ABCDEF12", "\uff13f9a1c27", "{run.id}", "$HOME", "[red]", " ", "tumour", "tumour/", "/3",
    "tumour/x", "tumour/-1", "tumour/1/2", "Tumour/1", "tumour/1 ", "../tumour/1", "tumour/99999",
]  # fmt: skip


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """An empty project, with the settings of nobody else."""
    for name in [name for name in os.environ if name.startswith("WORKBENCH_") and name != "WORKBENCH_KERNELS_KEPT_MIN"]:
        monkeypatch.delenv(name)
    (tmp_path / "pyproject.toml").write_text("[tool.workbench]\nauthor = 'ada@example.org'\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    yield tmp_path
    signal.signal(signal.SIGTERM, before)


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    code = run_command(arguments)
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def options_of(command: click.Command) -> list[str]:
    return [option for parameter in command.params for option in parameter.opts]


# Help


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(capsys, name):
    code, out, _ = run(capsys, name, "--help")
    assert code == 0
    assert out.startswith(f"Usage: workbench {name} ")
    assert COMMANDS[name].help.endswith(".")
    options = [parameter for parameter in COMMANDS[name].params if isinstance(parameter, click.Option)]
    assert all(option.help for option in options)


def test_help_lists_the_chapters_and_reads_one_in_80_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run(capsys, "help")
    assert code == 0
    assert re.findall(r"^([a-z]+)  ", out, re.MULTILINE) == list(CHAPTERS)
    code, out, _ = run(capsys, "help", "runs")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert all(text in out for text in ("LOST", "workbench runs --help"))
    assert "|---|" not in out


def test_help_reads_a_chapter_for_users_with_every_name_whole(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for chapter in CHAPTERS:
        told, *_ = read_chapter(chapter).partition("**To add**")
        page = run(capsys, "help", chapter)[1]
        assert page.count("…") == told.count("…"), chapter
        assert "](" not in page
        assert "To add" not in page


def test_help_of_a_command_is_the_commands(capsys):
    assert run(capsys, "help", "serve") == run(capsys, "serve", "--help")


def test_help_of_what_is_not_there_names_what_is_near(capsys):
    code, _, err = run(capsys, "help", "modles")
    assert code == 2
    assert "Near it are models" in err
    assert "Next: `workbench help`" in err


def test_help_finds_what_a_word_or_a_chapter_speaks_of(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for asked in ("cost", "own-metrics", "recall"):
        code, out, _ = run(capsys, "help", asked)
        assert (code, out.split("  ")[0], "More: workbench help stats" in out) == (0, "own metric", True)
    code, out, _ = run(capsys, "help", "optuna")
    assert code == 0
    assert re.search(r"^sweeps  ", out, re.MULTILINE)


def test_without_a_command_the_commands_are_listed(capsys):
    code, out, err = run(capsys)
    assert code == 2
    assert all(re.search(rf"^  {name} ", out + err, re.MULTILINE) for name in COMMANDS)


def test_the_version_is_told(capsys):
    code, out, _ = run(capsys, "--version")
    assert (code, out) == (0, "workbench, version 0.1.0\n")


@pytest.mark.parametrize("name", ["runs", "show", "compare", "models", "review", "verify", "ledger", "doctor"])
def test_every_reading_command_takes_json(name):
    assert "--json" in options_of(COMMANDS[name])


# Which models can be served


def test_the_models_that_can_be_served_are_listed_by_family_in_80_columns(capsys, project, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run(capsys, "models")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert all(each.family in out for each in list_servable())
    assert "KNeighborsClassifier" in out


def test_the_models_that_can_be_served_are_listed_completely_as_json(capsys, project):
    _, out, _ = run(capsys, "models", "--json")
    found = json.loads(out)
    assert [each["family"] for each in found] == [each.family for each in list_servable()]
    assert all((each["compiled"] or each["uncompiled"]) and each["reason"] for each in found)
    assert {*found[0]} == {"family", "compiled", "uncompiled", "reason", "checked"}
    assert "LogisticRegression" in found[0]["compiled"]


# Wrong usage


@pytest.mark.parametrize(
    "arguments",
    [
        ["rnu"],
        ["--jobs"],
        ["run"],
        ["run", "--parameter"],
        ["runs", "--limit", "0"],
        ["runs", "--limit", "-5"],
        ["runs", "--limit", "many"],
        ["sweep", "n.ipynb", "--jobs", "0"],
        ["nominate", "3f9a1c27"],
        ["approve", "tumour/3"],
        ["approve", "tumour/3", "--role", "owner"],
        ["rollback", "tumour", "--to", "0"],
        ["serve", "tumour", "--port", "70000"],
        ["show", "a", "b"],
        ["ledger", "--jsn"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_two_and_tells_how_to_get_help(project, capsys, arguments):
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert "Error: " in err
    assert err.startswith("Usage: workbench") or "requires an argument" in err
    assert out == ""


@pytest.mark.parametrize("command", ["run", "sweep"])
@pytest.mark.parametrize("path", ["missing.ipynb", "notebooks", "..", "a\nb.ipynb", "[red].ipynb"])
def test_a_notebook_that_is_not_there_ends_with_two(project, capsys, command, path):
    (project / "notebooks").mkdir()
    code, _, err = run(capsys, command, path)
    assert code == 2
    assert err.startswith("There is no notebook ")
    assert "  Next: " in err


def write_notebook(project: Path, source: str = "seed: int = 0") -> str:
    cell = {"cell_type": "code", "source": source, "metadata": {"tags": ["parameters"]}, "outputs": []}
    document = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]}
    (project / "n.ipynb").write_text(json.dumps(document), encoding="utf-8")
    return "n.ipynb"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["seed"], "'seed' is not NAME=VALUE."),
        (["seed=1", "seed=2"], "seed is given more than once."),
        (["seed=x"], "seed is 'x'; expected a whole number."),
        (["seed=1e999"], "seed is not a finite JSON value"),
        (["seed=NaN"], "seed is 'NaN'; expected a whole number."),
        (["seed=" + "9" * 5000], "seed is "),
        (["=1"], "'' is not a parameter of this notebook; it has seed."),
        (["seed\nimport os=1"], "'seed\\nimport os' is not a parameter"),
        (["__import__('os')=1"], "is not a parameter"),
        (["sed=1", "seed=0.5"], "'sed' is not a parameter"),
    ],
    ids=range(10),
)
@pytest.mark.parametrize("command", ["run", "sweep"])
def test_parameters_that_do_not_fit_start_nothing(project, capsys, command, given, says):
    notebook = write_notebook(project)
    code, _, err = run(capsys, command, notebook, *[part for text in given for part in ("-p", text)])
    assert code == 2
    assert says in err
    assert run(capsys, "runs", "--json")[1] == "[]\n"


def test_a_sweep_of_far_too_many_runs_is_not_started(project, capsys):
    notebook = write_notebook(project, "a = 0\nb = 0")
    code, _, err = run(capsys, "sweep", notebook, "-p", "a=0..9999", "-p", "b=0..9999")
    assert code == 2
    assert "A sweep of 100,000,000 runs is not started." in err


def test_a_notebook_without_code_is_refused(project, capsys):
    (project / "n.ipynb").write_text('{"nbformat": 4, "cells": []}', encoding="utf-8")
    code, _, err = run(capsys, "run", "n.ipynb")
    assert code == 2
    assert err == (
        "n.ipynb cannot be used.\n  - None of its cells holds code.\n  Next: Write some, save the notebook and run it again.\n"
    )


def test_a_notebook_without_parameters_is_told_how_to_get_them(project, capsys):
    shutil.copy(NOTEBOOKS / "no_parameters_cell.ipynb", project / "n.ipynb")
    for command in (["run", "n.ipynb", "-p", "rounds=3"], ["sweep", "n.ipynb", "-p", "rounds=1..3"]):
        code, _, err = run(capsys, *command)
        assert code == 2
        assert err == (
            "1 parameter does not fit the notebook.\n  - 'rounds' is not a parameter of this notebook; it has none.\n"
            "  Next: Nothing was started; put what may be given into a cell of its own, such as `seed: int = 0`, and tag that cell "
            "`parameters` (JupyterLab: right sidebar, property inspector, cell tags), or run it without parameters.\n"
        )


def test_bytes_that_are_no_text_are_refused_at_the_door(project, capsys):
    code, _, err = run(capsys, "review", "tumour/1", "--answer", "harm=\udcff")
    assert (code, err) == (2, "The command cannot be read.\n  - 'harm=\\udcff' is not UTF-8.\n")


def test_wrong_settings_are_all_told(project, capsys, monkeypatch):
    monkeypatch.setenv("WORKBENCH_JOBS", "many")
    monkeypatch.setenv("WORKBENCH_COLOUR", "red")
    code, _, err = run(capsys, "runs")
    assert code == 2
    assert err.count("\n  - ") == 2


# Names that name nothing


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "NAME"],
        ["compare", "NAME"],
        ["compare", "--reference", "NAME"],
        ["nominate", "NAME", "--model", "tumour"],
        ["review", "NAME"],
        ["review", "NAME", "--answer", "harm=none"],
        ["approve", "NAME", "--role", "owner", "--key", "key"],
        ["promote", "NAME"],
        ["verify", "NAME"],
        ["rollback", "NAME"],
        ["serve", "NAME"],
    ],
    ids=" ".join,
)
def test_a_name_that_names_nothing_ends_with_two(project, capsys, arguments):
    for name in HOSTILE_IDS:
        code, out, err = run(capsys, *[name if part == "NAME" else part for part in arguments])
        assert (code, out) == (2, ""), name
        assert err
    assert {path.name for path in project.iterdir()} <= {"pyproject.toml", "runs"}
    assert run(capsys, "ledger", "--json")[1] == '{\n  "entries": [],\n  "faults": []\n}\n'


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "-", "a b", "x" * 65, "ä"])
def test_a_notebook_is_made_only_under_a_plain_name(project, capsys, name):
    code, _, err = run(capsys, "new", "--", name)
    assert code == 2
    assert "cannot name a notebook" in err
    assert not (project / "notebooks").exists()


@pytest.mark.parametrize("template", ["none", "../../notebooks/10_train_breast_cancer", "/etc/passwd", ""])
def test_a_template_that_is_not_there_names_those_that_are(project, capsys, template):
    code, _, err = run(capsys, "new", "churn", "--template", template)
    assert code == 2
    assert "classification" in err


def test_a_new_notebook_is_made_once(project, capsys):
    code, out, _ = run(capsys, "new", "churn")
    assert code == 0
    assert "notebooks/churn.ipynb" in out.replace("\n", "")
    document = json.loads((project / "notebooks" / "churn.ipynb").read_text(encoding="utf-8"))
    assert not any(cell.get("outputs") for cell in document["cells"])
    code, _, err = run(capsys, "new", "churn")
    assert code == 2
    assert "exists already" in err


# An empty project


def test_an_empty_project_says_how_to_begin(project, capsys):
    code, out, _ = run(capsys, "runs")
    assert code == 0
    assert "workbench run " in out


def test_there_is_nothing_to_compare_and_that_is_said(project, capsys):
    code, out, err = run(capsys, "compare")
    assert code in (2, 3)
    assert "There is no run yet." in err
    assert "  Next: " in err
    assert out == ""


def test_an_empty_ledger_is_whole(project, capsys):
    code, out, _ = run(capsys, "ledger")
    assert code == 0
    assert "✓ The chain of 0 entries is whole" in out


@pytest.mark.parametrize(("command", "expected"), [("runs", []), ("ledger", {"entries": [], "faults": []})])
def test_json_of_an_empty_project_is_complete(project, capsys, command, expected):
    code, out, err = run(capsys, command, "--json")
    assert (code, json.loads(out), err) == (0, expected, "")


def test_everything_is_written_below_home(project, capsys):
    run(capsys, "runs")
    assert {path.name for path in project.iterdir()} == {"pyproject.toml", "runs"}


def test_home_may_lie_elsewhere(project, capsys, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(project / "elsewhere"))
    assert run(capsys, "runs")[0] == 0
    assert (project / "elsewhere" / "workbench.db").is_file()
    assert not (project / "runs").exists()


# When the machine does not play along


def test_a_store_that_cannot_be_opened_is_told_in_three_parts(project, capsys):
    (project / "runs").write_text("a file where the folder should be", encoding="utf-8")
    code, _, err = run(capsys, "runs")
    assert code == 1
    assert "\n  - " in err
    assert "\n  Next: " in err


def test_a_store_that_is_no_database_is_told(project, capsys):
    (project / "runs").mkdir()
    (project / "runs" / "workbench.db").write_bytes(b"not a database at all, but long enough to look at" * 100)
    code, _, err = run(capsys, "runs")
    assert code == 1
    assert "not a database" in err


def test_a_reader_that_stops_reading_ends_it_quietly(project):
    code = "from workbench.cli.main import run_command; import sys; sys.exit(run_command(['--help']))"
    done = subprocess.run(
        ["bash", "-c", f'{sys.executable} -c "{code}" 2>err.txt | true; cat err.txt'],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Traceback" not in done.stdout


def test_the_module_is_the_command(project):
    done = subprocess.run(
        [sys.executable, "-m", "workbench", "show", "../.."], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("'../..' is neither a run's id nor the name of one.\n")


def test_every_executor_can_be_asked_for_by_its_name():
    from workbench.runs.executing import EXECUTORS

    (option,) = [each for each in COMMANDS["sweep"].params if each.name == "executor"]
    assert option.type.choices == tuple(EXECUTORS)
