"""What is nested more deeply than Python reads is refused, or left as it is, and never ends who reads it.

No text here is nested: the reader underneath raises what Python raises of one that is.
"""

from __future__ import annotations

import ast
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from tests.unit.models.builders import build_contract
from workbench import config, ledger_verifier
from workbench.errors import Refused, UsageError
from workbench.evidence.measures import disclosures
from workbench.executors import preloads
from workbench.models import contract, own_code_source, skops_loader
from workbench.models.boosters import stand_ins
from workbench.notebooks import notebook, parameters_cell
from workbench.records import digest, yaml_documents
from workbench.replays import replaying
from workbench.runs.folder import NOTEBOOK
from workbench.secrets import redacting_files, references
from workbench.secrets.redaction import REDACTED, Redactor

CONTRACT = build_contract([("x", "f", False)], "classification").to_bytes()
DEEP, TOKEN = "nested too deeply", "ghp_" + "a1B2" * 9
NOTHING = b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}'


def give_up(*_: object, **__: object) -> NoReturn:
    raise RecursionError(DEEP)


def run_out_of_memory(*_: object, **__: object) -> NoReturn:
    raise MemoryError(DEEP)


def replace_reader(monkeypatch: pytest.MonkeyPatch, where: Any, path: str, fail: Callable[..., Any] = give_up) -> None:
    """Let a reader fail where one module uses it; `path` is the reader's name there, as `json.loads`."""
    name, _, member = path.partition(".")
    stands_in = SimpleNamespace(**{**vars(getattr(where, name)), member: fail}) if member else fail
    monkeypatch.setattr(where, name, stands_in)


# What reads, and the reader underneath it.
REFUSED: dict[str, tuple[Any, str, Callable[[], object]]] = {
    "strict JSON": (digest, "json.loads", lambda: digest.strict_json(b"{}")),
    "a contract": (contract, "_build", lambda: contract.parse_contract(CONTRACT)),
    "a model's schema": (skops_loader, "find_archive_faults", lambda: skops_loader.find_untrusted_types(_archive())),
    "a notebook": (notebook, "json.loads", lambda: notebook.parse_notebook("n.ipynb", NOTHING)),
    "a parameters cell": (parameters_cell, "ast.parse", lambda: parameters_cell.read_parameters("x = 1")),
    "a declaration": (parameters_cell, "_read_statement", lambda: parameters_cell.read_parameters("x = 1")),
    "a value": (parameters_cell, "ast.literal_eval", lambda: parameters_cell.read_parameters("x = 1")),
    "YAML": (yaml_documents._Composer, "get_single_node", lambda: yaml_documents.read_yaml(b"x: 1")),
}


def _archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("schema.json", b"{}")
    return packed.getvalue()


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_for_its_depth_is_refused(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, path, read = REFUSED[what]
    replace_reader(monkeypatch, where, path)
    with pytest.raises((ValueError, UsageError, Refused)) as caught:
        read()
    assert not isinstance(caught.value, RecursionError)


def test_a_booster_that_cannot_be_read_for_its_depth_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_ins, "READERS", {"xgboost": give_up})
    with pytest.raises(Refused, match="not sound"):
        stand_ins.read_booster("xgboost", b"{} ", None)


@pytest.mark.parametrize("fail", [give_up, run_out_of_memory])
def test_code_that_python_gives_up_on_is_no_python(fail: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (own_code_source, parameters_cell):
        replace_reader(monkeypatch, module, "ast.parse", fail)
    assert DEEP in str(own_code_source.find_source_fault(b"x = 1\n"))
    with pytest.raises(UsageError, match=DEEP):
        parameters_cell.read_parameters("x = 1")


def test_settings_that_cannot_be_read_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "workbench.toml").write_text("jobs = 1\n", encoding="utf-8")
    replace_reader(monkeypatch, config, "tomllib.loads")
    with pytest.raises(UsageError, match="cannot be read"):
        config.read_settings(tmp_path, {})


def test_a_line_of_a_ledger_that_cannot_be_read_is_a_fault_for_the_second_verifier_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = b'{"digest":"%s","entry":{}}\n' % digest.sha256_hex(b"{}").encode()
    replace_reader(monkeypatch, ledger_verifier, "json.loads")
    assert ledger_verifier.read_lines(line) == ([], [f"line 1: {DEEP}"])


def test_a_notebook_that_cannot_be_read_is_searched_for_secrets_as_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_reader(monkeypatch, disclosures, "json.loads")
    (found,) = disclosures.measure_disclosures({NOTEBOOK: f"{{}} {TOKEN}".encode()}, known=()).found
    assert (found.kind, found.place) == ("GitHub token", "")


def test_a_run_whose_notebook_cannot_be_read_has_no_cells_to_go_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NOTEBOOK).write_bytes(NOTHING)
    replace_reader(monkeypatch, replaying, "json.loads")
    assert replaying._read_executed(tmp_path) == {"cells": []}


def test_a_cell_that_cannot_be_parsed_hides_no_import(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_reader(monkeypatch, preloads, "ast.parse", lambda code: give_up() if "\n" in code else ast.parse(code))
    assert "yaml" in preloads.find_preloads({"cells": [{"cell_type": "code", "source": "import yaml\nx = 1\n"}]})


def test_json_that_cannot_be_read_is_redacted_as_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made.json").write_text(f'["{TOKEN}"]', encoding="utf-8")
    for module in (redacting_files, references):
        replace_reader(monkeypatch, module, "json.loads")
    assert references.find_parts("[1]") == frozenset()
    redacting_files.redact_folder(tmp_path, Redactor([TOKEN]))
    assert (tmp_path / "made.json").read_text(encoding="utf-8") == f'["{REDACTED}"]'


@pytest.mark.parametrize("fail", [give_up, run_out_of_memory])
def test_a_file_that_cannot_be_searched_goes(fail: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made.json").write_bytes(b"[]")
    monkeypatch.setattr(redacting_files, "_redact_text_file", fail)
    assert redacting_files.redact_folder(tmp_path, Redactor([TOKEN])).removed == ("made.json",)
