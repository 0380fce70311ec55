"""The files of a release are the ones that were promoted under its name, and come back to the byte when they are lost."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import free_port
from tests.integration.governed import MODEL, OWNER, Governed
from workbench.config import find_template, serving_variables
from workbench.errors import NotFound, Refused
from workbench.files.trees import read_tree
from workbench.ledger.ledger import Event
from workbench.releases import releases
from workbench.releases.release import Release
from workbench.reviews import nominees
from workbench.serving.bentoml_server import serve_bento


def test_a_release_moved_to_the_place_of_another_does_not_verify_nor_start(released: Governed) -> None:
    """Version 1 was approved too, and every signature in it holds: only, it is not what was asked for."""
    shutil.rmtree(released.bento(2) / "src")
    shutil.copytree(released.bento(1) / "src", released.bento(2) / "src")
    reasons = released.bench.verify("shop/2").decision.reasons
    assert "These are the files of shop/1, not of shop/2." in reasons
    assert "release/evidence.json is not what was promoted." in reasons
    with pytest.raises(Refused, match="These are the files of shop/1"):
        released.bench.serve(MODEL, port=free_port())
    with pytest.raises(Refused) as refused:
        start_unaudited(released, SUBJECT="shop/2")
    assert refused.value.reasons == ("These are the files of shop/1, not of shop/2.",)


def start_unaudited(released: Governed, **told: str) -> None:
    """Start what lies in version 2's folder, judged by nobody but itself and what it is told from outside."""
    settings = released.bench.settings
    serve_bento(
        released.bento(2),
        audit=read_tree,
        port=free_port(),
        log=settings.home_folder / "log",
        environment={**serving_variables(settings), **{f"WORKBENCH_{name}": text for name, text in told.items()}},
    ).stop()


def test_a_served_process_is_told_which_release_it_is_to_be(
    released: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {}
    monkeypatch.setattr("workbench.serving.bentoml_server.serve_bento", lambda *_, **options: told.update(options))
    released.bench.serve(MODEL, port=free_port())
    assert told["environment"]["WORKBENCH_SUBJECT"] == "shop/2"


def test_a_release_that_is_changed_between_audit_and_start_is_served_as_it_was_audited(
    released: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, judge = released.bento(2) / "src", releases.judge_release
    before = read_tree(source)

    def judge_then_change(*judged: Any) -> Release:
        release = judge(*judged)
        (source / "workbench" / "__init__.py").write_text("raise SystemExit('changed')")
        return release

    monkeypatch.setattr(releases, "judge_release", judge_then_change)
    with released.bench.serve(MODEL, port=free_port()) as server:
        assert read_tree(server.home / "src") == before != read_tree(source)


def test_an_approval_put_into_a_release_after_its_promotion_is_refused(released: Governed) -> None:
    folder = released.bento(2) / "src" / "release" / "approvals"
    for suffix in ("statement.json", "sig"):
        shutil.copy(folder / f"001.{suffix}", folder / f"003.{suffix}")
    reasons = released.bench.verify("shop/2").decision.reasons
    assert "release/approvals/003.sig is not what was promoted." in reasons


def test_a_lost_release_is_built_again_to_the_byte_from_what_was_approved(released: Governed) -> None:
    folders = {version: released.bento(version) / "src" for version in (1, 2)}
    before = {version: read_tree(folder) for version, folder in folders.items()}
    for version in folders:
        shutil.rmtree(released.bento(version))
    later = {"question": "harm", "answer": "Said later, past the command: nobody was asked whether it harms anybody."}
    released.bench.store.append_entry(Event.ANSWERED, actor=OWNER, subject="shop/2", body=later)
    with pytest.raises(NotFound, match="The files of shop/2 are lost") as lost:
        released.bench.verify("shop/2")
    assert "`workbench promote shop/2` builds it again" in lost.value.next_step
    entries = released.bench.store.read_ledger()
    assert released.bench.promote("shop/2").decision.is_allowed
    assert released.bench.store.read_ledger() == entries
    assert released.bench.rollback(MODEL).decision.is_allowed
    assert {version: read_tree(folder) for version, folder in folders.items()} == before


def test_another_template_of_the_card_changes_no_nominee_that_was_made_with_this_one(
    released: Governed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, review = read_tree(released.bento(2) / "src"), released.bench.review("shop/2")
    edited = tmp_path / "model_card.md"
    edited.write_text(find_template("model_card.md").read_text(encoding="utf-8") + "\nEdited.\n", encoding="utf-8")
    monkeypatch.setattr(nominees, "find_template", lambda _: edited)
    assert released.bench.review("shop/2").approvals == review.approvals
    shutil.rmtree(released.bento(2))
    assert released.bench.promote("shop/2").decision.is_allowed
    assert read_tree(released.bento(2) / "src") == before


def test_a_nominee_from_before_the_template_was_kept_has_the_card_of_today(
    released: Governed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = released.bench.settings
    entries = [
        replace(entry, body={name: value for name, value in entry.body.items() if name != nominees.CARD_TEMPLATE})
        for entry in released.bench.store.read_ledger()
    ]
    (settings.models_folder / MODEL / "2" / nominees.CARD_TEMPLATE).unlink()
    shipped = nominees.load_nominee("shop/2", settings=settings, entries=entries)
    assert shipped.card == (released.bento(2) / "src" / "release" / "model_card.md").read_bytes()
    edited = tmp_path / "model_card.md"
    edited.write_text("# Another", encoding="utf-8")
    monkeypatch.setattr(nominees, "find_template", lambda _: edited)
    assert nominees.load_nominee("shop/2", settings=settings, entries=entries).card != shipped.card


def test_a_lost_release_whose_frozen_parts_changed_is_not_built_again(released: Governed) -> None:
    shutil.rmtree(released.bento(2))
    path = released.bench.settings.models_folder / MODEL / "2" / "bundle" / "release" / "model" / "contract.json"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(Refused, match=r"release/model/contract.json was changed"):
        released.bench.promote("shop/2")
    assert not released.bento(2).exists()
