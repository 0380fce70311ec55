"""Settings come from one file and the environment, and whatever is wrong with them is said at once."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from workbench.config import (
    TRUST_PATHS,
    Settings,
    expand_path,
    find_bentofile,
    find_notebook,
    find_template,
    kernel_environment,
    read_settings,
    serving_variables,
    settings_variables,
)
from workbench.errors import NotFound, UsageError
from workbench.runs.sqlalchemy_store import Store


def write_project(folder: Path, table: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(f"[tool.workbench]\n{table}\n", encoding="utf-8")
    return folder


def problems_of(folder: Path, environment: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        read_settings(folder, environment or {})
    assert caught.value.next_step
    return caught.value.reasons


# Where settings come from


def test_a_project_without_settings_gets_the_defaults(tmp_path):
    write_project(tmp_path, "")
    assert read_settings(tmp_path, {}) == Settings(tmp_path)


def test_the_environment_wins_over_the_file(tmp_path):
    write_project(tmp_path, 'author = "file@example.org"\njobs = 3')
    settings = read_settings(tmp_path, {"WORKBENCH_AUTHOR": "env@example.org"})
    assert (settings.author, settings.jobs) == ("env@example.org", 3)


def test_an_empty_variable_changes_nothing(tmp_path):
    write_project(tmp_path, "jobs = 3")
    assert read_settings(tmp_path, {"WORKBENCH_JOBS": "", "WORKBENCH_HOME": ""}).jobs == 3


@pytest.mark.parametrize(
    "field", [field for field in fields(Settings) if field.name != "project"], ids=lambda f: f.name
)
def test_every_setting_can_be_set_in_the_file_and_in_the_environment(tmp_path, field):
    value = {"int": 7, "Count": 0, "Size": "1GB"}.get(field.type, "elsewhere")
    write_project(tmp_path, f"{field.name} = {value!r}")
    assert getattr(read_settings(tmp_path, {}), field.name) == value
    write_project(tmp_path, "")
    told = f"/{value}" if field.name in TRUST_PATHS else str(value)
    assert str(getattr(read_settings(tmp_path, {f"WORKBENCH_{field.name.upper()}": told}), field.name)) == told


def test_a_workbench_toml_wins_over_the_pyproject_beside_it(tmp_path):
    write_project(tmp_path, "jobs = 3")
    (tmp_path / "workbench.toml").write_text("jobs = 4", encoding="utf-8")
    assert read_settings(tmp_path, {}).jobs == 4


def test_a_folder_finds_the_nearest_project_above_it(tmp_path):
    outer = write_project(tmp_path / "outer", "jobs = 3")
    inner = write_project(outer / "inner", "")
    deep = inner / "notebooks" / "old"
    deep.mkdir(parents=True)
    assert read_settings(deep, {}) == Settings(inner)


def test_a_pyproject_without_our_table_is_no_project(tmp_path):
    outer = write_project(tmp_path / "outer", "jobs = 3")
    (outer / "library").mkdir()
    (outer / "library" / "pyproject.toml").write_text("[project]\nname = 'library'", encoding="utf-8")
    assert read_settings(outer / "library", {}) == Settings(outer, jobs=3)


def test_a_git_checkout_is_a_project(tmp_path):
    write_project(tmp_path, "jobs = 3")
    (tmp_path / "checkout" / ".git").mkdir(parents=True)
    assert read_settings(tmp_path / "checkout", {}) == Settings(tmp_path / "checkout")


# What is refused


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("jobs = 0", "jobs is 0, not a whole number above 0."),
        ("jobs = -1", "jobs is -1, not a whole number above 0."),
        ("jobs = true", "jobs is True, not a whole number above 0."),
        ("jobs = 2.0", "jobs is 2.0, not a whole number above 0."),
        ("jobs = 99999999999999999999", "jobs is 99999999999999999999, not a whole number above 0."),
        ("jobs = '²'", "jobs is '²', not a whole number above 0."),
        ("jobs = ['1']", "jobs is ['1'], not a whole number above 0."),
        ("retries = -1", "retries is -1, not a whole number."),
        ("memory = '2 apples'", "memory is '2 apples', not a size such as 500MB or 2GB."),
        ("home = 3", "home is 3, not a text on one line."),
        ("home = ['runs']", "home is ['runs'], not a text on one line."),
        ('author = "a\\nb"', "author is 'a\\nb', not a text on one line."),
        ("[tool.workbench.policy]\nname = 'x'", "policy is {'name': 'x'}, not a text on one line."),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(tmp_path, table, reason):
    write_project(tmp_path, table)
    assert problems_of(tmp_path) == (reason,)


@given(
    st.integers(-9, 2_000_000).map(str)
    | st.text("019²٣", min_size=1, max_size=8)
    | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
)
def test_a_number_from_the_environment_is_a_number_above_zero_or_refused(text):
    try:
        jobs = read_settings(Path(__file__).parent, {"WORKBENCH_JOBS": text}).jobs
    except UsageError:
        assert not text.isascii() or not text.isdecimal() or len(text.lstrip("0")) > 6 or int(text) == 0
        return
    assert text.isascii()
    assert jobs == int(text) > 0


def test_one_error_lists_every_problem(tmp_path):
    write_project(tmp_path, "jbos = 3\njobs = 0\nproject = '/'")
    reasons = problems_of(tmp_path, {"WORKBENCH_LEAST_PRINCIPALS": "two", "WORKBENCH_COLOUR": "red"})
    assert len(reasons) == 5
    assert [reason.split()[0] for reason in reasons] == ["'colour'", "'jbos'", "'project'", "jobs", "least_principals"]
    assert "author, cell_timeout_s, checkpoints, disk" in reasons[0].replace("allowed_signers, ", "")


@pytest.mark.parametrize(
    "content", ["jobs = ", "[tool", "\x00", "[tool]\nworkbench = 3", "[[tool.workbench]]\njobs = 2"]
)
def test_a_broken_file_is_named(tmp_path, content):
    (tmp_path / "pyproject.toml").write_text(content, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_settings(tmp_path, {})
    assert str(tmp_path / "pyproject.toml") in caught.value.what
    assert caught.value.reasons


def test_a_tool_that_is_no_table_is_no_project(tmp_path):
    write_project(tmp_path, "jobs = 3")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "pyproject.toml").write_text("tool = 3", encoding="utf-8")
    assert read_settings(tmp_path / "inner", {}).project == tmp_path


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "workbench.toml").write_bytes(b"author = '\xff'")
    with pytest.raises(UsageError, match="cannot be read"):
        read_settings(tmp_path, {})


@pytest.mark.parametrize("key", TRUST_PATHS)
@pytest.mark.parametrize("path", ["trust/signers", "./strict", "../runs", "strict.yaml"])
def test_a_path_that_trust_hangs_on_is_whole_in_the_environment(tmp_path, key, path):
    write_project(tmp_path, f"{key} = {path!r}")
    assert getattr(read_settings(tmp_path, {}), key) == path
    (reason,) = problems_of(tmp_path, {f"WORKBENCH_{key.upper()}": path})
    assert reason.startswith(f"WORKBENCH_{key.upper()} is {path!r}, which would be another place in each project")
    for whole in (f"/{path}", f"~/{path}"):
        assert getattr(read_settings(tmp_path, {f"WORKBENCH_{key.upper()}": whole}), key) == whole


def test_a_bare_name_in_the_environment_is_a_policy_and_no_home(tmp_path):
    write_project(tmp_path, "")
    assert read_settings(tmp_path, {"WORKBENCH_POLICY": "strict"}).policy == "strict"
    assert problems_of(tmp_path, {"WORKBENCH_HOME": "strict"})


@pytest.mark.parametrize("variables", [{"XDG_STATE_HOME": "state"}, {"XDG_STATE_HOME": "", "HOME": "."}])
def test_what_was_seen_is_never_remembered_in_a_folder_that_is_another_one_elsewhere(tmp_path, monkeypatch, variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match="cannot be remembered") as caught:
        _ = Settings(tmp_path).checkpoints_folder
    assert "WORKBENCH_CHECKPOINTS" in caught.value.next_step
    assert Settings(tmp_path, checkpoints="/seen").checkpoints_folder == Path("/seen")


# Where things are


def test_by_default_everything_written_lies_below_home(tmp_path):
    settings = Settings(tmp_path)
    folders = (
        settings.runs_folder,
        settings.drafts_folder,
        settings.models_folder,
        settings.bento_home,
        settings.artifacts_folder,
        settings.signers_file,
    )
    assert all(folder.is_relative_to(tmp_path / "runs") for folder in folders)
    assert settings.store_address == f"sqlite:///{tmp_path}/runs/workbench.db"
    assert settings.tracking_address == f"sqlite:///{tmp_path}/runs/mlflow.db"


def test_home_and_signers_may_lie_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "ada"))
    settings = Settings(tmp_path / "p", home="~/work", allowed_signers="/etc/signers")
    assert settings.home_folder == tmp_path / "ada" / "work"
    assert settings.signers_file == Path("/etc/signers")
    assert Settings(tmp_path, home=str(tmp_path / "x")).home_folder == tmp_path / "x"
    assert Settings(tmp_path, allowed_signers="trust.txt").signers_file == tmp_path / "trust.txt"


def test_addresses_are_taken_as_they_are_set(tmp_path):
    settings = Settings(tmp_path, store_url="postgresql://db/workbench", tracking_uri="https://mlflow.example.org")
    assert settings.store_address == "postgresql://db/workbench"
    assert settings.tracking_address == "https://mlflow.example.org"


def test_somebody_is_always_at_work(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(tmp_path / "none"))
    assert Settings(tmp_path, author="ada@example.org").acting_author == "ada@example.org"
    assert "@" in Settings(tmp_path).acting_author
    (tmp_path / "none").write_text("[user]\nemail = grace@example.org\n", encoding="utf-8")
    assert Settings(tmp_path).acting_author == "grace@example.org"


@pytest.mark.parametrize("email", [b"ad\xe4@example.org", b"Ada <ada@example.org>", b"mailto:ada@example.org"])
def test_an_author_of_git_who_could_not_be_a_principal_is_refused(tmp_path, monkeypatch, email):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    (tmp_path / "config").write_bytes(b"[user]\nemail = " + email + b"\n")
    with pytest.raises(UsageError, match="cannot be an author"):
        _ = Settings(tmp_path).acting_author
    assert Settings(tmp_path, author="ada@example.org").acting_author == "ada@example.org"


@pytest.mark.parametrize("key", ["home", "allowed_signers"])
def test_a_home_of_nobody_is_refused(tmp_path, key):
    settings = read_settings(tmp_path, {f"WORKBENCH_{key.upper()}": "~nobody-of-this-name/x"})
    with pytest.raises(UsageError, match="There is no folder ~nobody-of-this-name/x") as caught:
        _ = settings.signers_file if key == "allowed_signers" else settings.home_folder
    assert caught.value.reasons
    assert caught.value.next_step


@pytest.mark.parametrize("name", ["what?now", "50%3F", "a%b", "a#b", "a b", "é{x}'\""])
def test_the_databases_lie_below_home_whatever_the_project_is_called(tmp_path, name):
    settings = Settings(tmp_path / name)
    assert make_url(settings.store_address).database == str(settings.home_folder / "workbench.db")
    assert make_url(settings.tracking_address).database == str(settings.home_folder / "mlflow.db")
    Store(settings.store_address).close()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (settings.home_folder / "workbench.db").is_file()


# What processes are told


def test_a_kernel_is_told_where_to_log_and_nothing_about_the_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", "elsewhere")
    monkeypatch.setenv("WORKBENCH_STORE_URL", "postgresql://ada:secret@db/workbench")
    monkeypatch.setenv("WORKBENCH_SPOOL", "of another run")
    monkeypatch.setenv("MLFLOW_RUN_ID", "of another run")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    environment = kernel_environment(spool=tmp_path, project=tmp_path / "x", tracking={"MLFLOW_RUN_ID": "abc"})
    assert {name: value for name, value in environment.items() if name.startswith("WORKBENCH_")} == {
        "WORKBENCH_SPOOL": str(tmp_path),
        "WORKBENCH_PROJECT": str(tmp_path / "x"),
    }
    assert environment["MLFLOW_RUN_ID"] == "abc"
    assert environment["CUDA_VISIBLE_DEVICES"] == "1"


def test_inside_a_kernel_the_settings_can_be_read(tmp_path):
    assert read_settings(write_project(tmp_path, ""), {"WORKBENCH_SPOOL": str(tmp_path)}) == Settings(tmp_path)


def test_a_served_process_is_told_whom_to_trust_in_settings_it_can_read(tmp_path):
    settings = Settings(write_project(tmp_path, ""), least_principals=3)
    told = read_settings(tmp_path, serving_variables(settings))
    assert (told.signers_file, told.least_principals) == (settings.signers_file, 3)


# Templates


def test_templates_notebooks_and_the_bentofile_are_found():
    assert find_template("policies", "standard.yaml").is_file()
    assert find_notebook("10_train_breast_cancer.ipynb").is_file()
    assert find_bentofile().is_file()


@pytest.mark.parametrize("name", ["none.yaml", "../../pyproject.toml", "../../README.md", "/etc/passwd"])
def test_a_template_outside_of_the_templates_is_not_found(name):
    with pytest.raises(NotFound) as caught:
        find_template("policies", name)
    assert "standard" in caught.value.what


@pytest.mark.parametrize("given", ["a\0b", "~root*\0.ipynb", "~\0"])
def test_a_path_no_file_can_have_is_refused(given):
    with pytest.raises(UsageError, match="is no path"):
        expand_path(given)


def test_what_was_seen_of_a_ledger_is_kept_outside_of_home_by_the_xdg_state_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert Settings(tmp_path / "p").checkpoints_folder == tmp_path / "state" / "workbench" / "checkpoints"
    assert Settings(tmp_path / "p", checkpoints="seen").checkpoints_folder == tmp_path / "p" / "seen"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings(tmp_path / "p").checkpoints_folder == tmp_path / ".local" / "state" / "workbench" / "checkpoints"


@pytest.mark.parametrize("policy", ["", 'policy = "policies/own.yaml"'])
def test_another_process_reads_the_settings_that_this_one_has(tmp_path, policy):
    folder = write_project(tmp_path / "project", f'author = "ada@example.org"\nlongest_text = 5\n{policy}')
    settings = read_settings(folder, {})
    told = read_settings(tmp_path, settings_variables(settings))
    assert (told.author, told.longest_text) == (settings.author, settings.longest_text)
    for place in ("home_folder", "signers_file", "checkpoints_folder", "store_address", "tracking_address"):
        assert getattr(told, place) == getattr(settings, place)
    assert told.project / told.policy == (folder / settings.policy if policy else tmp_path / "standard")


def test_the_longest_text_can_be_set_in_the_environment(tmp_path):
    assert read_settings(tmp_path, {"WORKBENCH_LONGEST_TEXT": "250000"}).longest_text == 250_000
