"""Secrets are referred to, resolved where they are used, and known before anything runs."""

from __future__ import annotations

import sys
import types

import pytest

import workbench as wb
from workbench.errors import UsageError
from workbench.notebooks.parameters import Parameter, bind_parameters, parse_value, parse_values
from workbench.notebooks.parameters_cell import read_parameters
from workbench.notebooks.value_types import ValueType
from workbench.runs import spool
from workbench.runs.redacting import find_redactor
from workbench.secrets.references import SECRET, find_parts, guess_secrets, is_sensitive_name, parse_reference
from workbench.secrets.sources import NoSecret, resolve_secret

VALUE = "pa\"ss\\w'ör d%41/+&x<y>"
PLAIN = "sk-4f9aQ7zL"
ADDRESS = "postgresql://ada:hunter2hunter2@db.example.org/main"


# References


@pytest.mark.parametrize(
    "text", ["env:API_TOKEN", "file:/run/secrets/x", "file:a b.txt", "keyring:mail/ada", "keyring:a/b/c"]
)
def test_a_reference_is_kept_as_it_was_written(text):
    assert str(parse_reference(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        PLAIN,
        "env:",
        "env:1A",
        "env:A-B",
        "env:A B",
        "file:",
        "keyring:mail",
        "keyring:/ada",
        "vault:x",
        "env:A\n",
        5,
        None,
    ],
)
def test_what_is_no_reference_is_none(text):
    assert parse_reference(text) is None


@pytest.mark.parametrize("annotation", ["wb.Secret", "Secret", "workbench.Secret", "wb.Secret | None"])
def test_a_notebook_declares_a_secret_by_its_type(annotation):
    [parameter] = read_parameters(f'import workbench as wb\ntoken: {annotation} = "env:API_TOKEN"')
    assert (parameter.type.kind, parameter.default) == (SECRET, "env:API_TOKEN")


def test_the_type_of_a_secret_can_be_used_by_hand():
    assert wb.Secret is str
    assert wb.secret is spool.secret


def test_a_secret_that_stands_in_the_cell_itself_is_refused_and_not_repeated():
    with pytest.raises(UsageError) as refused:
        read_parameters(f"token: Secret = {PLAIN!r}")
    assert "env:NAME" in str(refused.value)
    assert PLAIN not in str(refused.value)


TOKEN = Parameter("token", ValueType(SECRET), "env:API_TOKEN")


@pytest.mark.parametrize("value", [PLAIN, "", 12345678, ["env:A"], None])
def test_a_value_given_for_a_secret_is_refused_and_not_repeated(value):
    with pytest.raises(UsageError) as refused:
        bind_parameters((TOKEN,), {"token": value})
    assert "a reference to a secret" in str(refused.value)
    assert not value or str(value) not in str(refused.value)


def test_a_reference_is_read_from_the_command_line_as_text():
    assert parse_value(TOKEN, "env:OTHER") == "env:OTHER"
    assert parse_values(TOKEN, "env:A,env:B") == ["env:A", "env:B"]


# Sources


def resolve(reference, tmp_path, **environment):
    return resolve_secret(reference, environment=environment, project=tmp_path)


def test_each_source_gives_its_value(tmp_path, monkeypatch):
    (tmp_path / "token").write_text(f"{PLAIN}\nnot this\n", encoding="utf-8")
    (tmp_path / "key.pem").write_text("-----BEGIN KEY-----\nabc\n-----END KEY-----\n", encoding="utf-8")
    for path in tmp_path.iterdir():
        path.chmod(0o600)
    monkeypatch.setitem(sys.modules, "keyring", stand_in_keyring({("mail", "ada"): PLAIN}))
    monkeypatch.setitem(sys.modules, "keyring.errors", sys.modules["keyring"].errors)
    assert resolve("env:API_TOKEN", tmp_path, API_TOKEN=PLAIN) == PLAIN
    assert resolve("file:token", tmp_path) == resolve(f"file:{tmp_path}/token", tmp_path) == PLAIN
    assert resolve("file:key.pem", tmp_path) == "-----BEGIN KEY-----\nabc\n-----END KEY-----"
    assert resolve("keyring:mail/ada", tmp_path) == PLAIN
    with pytest.raises(NoSecret, match="no password of bob"):
        resolve("keyring:mail/bob", tmp_path)


def stand_in_keyring(known):
    module = types.ModuleType("keyring")
    module.errors = types.ModuleType("keyring.errors")
    module.errors.KeyringError = type("KeyringError", (Exception,), {})
    module.get_password = lambda service, user: known.get((service, user))
    return module


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("env:API_TOKEN", "not set"),
        ("env:SHORT", "fewer than 4"),
        ("file:missing", "No such file"),
        ("file:folder", "not a file"),
        ("file:binary", "no text file"),
        ("file:empty", "fewer than 4"),
    ],
)
def test_a_reference_that_leads_nowhere_says_why(tmp_path, reference, why):
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty").write_bytes(b"")
    for name in ("binary", "empty"):
        (tmp_path / name).chmod(0o600)
    with pytest.raises(NoSecret) as refused:
        resolve(reference, tmp_path, SHORT="abc")
    assert why in str(refused.value)
    assert reference in str(refused.value)


def test_without_the_keyring_package_one_is_told_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(NoSecret, match="pip install keyring"):
        resolve("keyring:mail/ada", tmp_path)


def test_a_value_taken_for_a_reference_is_not_repeated(tmp_path):
    with pytest.raises(NoSecret) as refused:
        resolve(PLAIN, tmp_path)
    assert PLAIN not in str(refused.value)


def test_a_file_that_everybody_can_read_is_warned_of(tmp_path):
    (tmp_path / "token").write_text(PLAIN, encoding="utf-8")
    (tmp_path / "token").chmod(0o644)
    with pytest.warns(UserWarning, match="chmod 600"):
        assert resolve("file:token", tmp_path) == PLAIN


def test_a_notebook_opens_a_reference_where_it_runs(tmp_path, monkeypatch):
    (tmp_path / "token").write_text(PLAIN, encoding="utf-8")
    (tmp_path / "token").chmod(0o600)
    monkeypatch.setenv(spool.PROJECT_VARIABLE, str(tmp_path))
    monkeypatch.setenv("API_TOKEN", VALUE)
    assert wb.secret("env:API_TOKEN") == VALUE
    assert wb.secret("file:token") == PLAIN


# What is known


@pytest.mark.parametrize(
    "name", ["API_TOKEN", "PGPASSWORD", "apiKey", "AWS_SECRET", "GOOGLE_APPLICATION_CREDENTIALS", "MY_KEYS"]
)
def test_a_telling_name_is_sensitive(name):
    assert is_sensitive_name(name)


@pytest.mark.parametrize("name", ["PATH", "TOKENIZERS_PARALLELISM", "KEYBOARD", "HOME", "SSH_AUTH_SOCK"])
def test_another_name_is_not(name):
    assert not is_sensitive_name(name)


def test_secrets_are_guessed_from_names_addresses_and_the_names_given():
    environment = {
        "A_TOKEN": PLAIN,
        "SHORT_KEY": "1234567",
        "DB": ADDRESS,
        "OWN": "own-value-1",
        "HOME": "/somewhere",
    }
    assert guess_secrets(environment, ("OWN",)) == {"A_TOKEN": PLAIN, "DB": "hunter2hunter2", "OWN": "own-value-1"}


def test_parts_of_a_secret_that_are_secret_by_themselves_are_known():
    assert find_parts('{"type": "account", "private_key": "qwErTy-123456"}') == {"qwErTy-123456"}
    assert find_parts(ADDRESS) == {"hunter2hunter2"}
    assert find_parts(PLAIN) == frozenset()


def test_the_redactor_of_a_run_knows_declared_and_guessed_secrets(tmp_path):
    redactor = find_redactor(
        {"token": "env:DECLARED", "rounds": 3},
        (TOKEN,),
        {"DECLARED": PLAIN, "OTHER_KEY": "guessed-value"},
        project=tmp_path,
    )
    assert redactor.values == ("guessed-value", PLAIN)
    assert PLAIN not in repr(redactor)


def test_one_error_lists_every_reference_that_leads_nowhere_and_every_exposed_parameter(tmp_path):
    other = Parameter("other", ValueType(SECRET), "file:missing")
    with pytest.raises(UsageError) as refused:
        find_redactor(
            {"token": "env:MISSING", "other": "file:missing", "url": [f"https://x/?k={PLAIN}"]},
            (TOKEN, other, Parameter("url", ValueType("list"), [])),
            {"HIDDEN_KEY": PLAIN},
            project=tmp_path,
        )
    assert len(refused.value.reasons) == 3
    assert "url holds the value of the secret HIDDEN_KEY" in str(refused.value)
    assert PLAIN not in str(refused.value)
