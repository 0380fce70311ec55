"""The files of a release are the ones that were promoted under its name, and come back to the byte when they are lost."""

from __future__ import annotations

import shutil

import pytest

from tests.integration.governed import MODEL, OWNER, Governed
from tests.integration.test_promotion import free_port
from workbench.config import serving_variables
from workbench.errors import NotFound, Refused
from workbench.packaging.release_folder import read_tree
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
        audit=lambda _: None,
        port=free_port(),
        log=settings.home_folder / "log",
        environment={**serving_variables(settings), **{f"WORKBENCH_{name}": text for name, text in told.items()}},
    ).stop()


def test_a_served_process_is_told_which_release_it_is_to_be(
    released: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, str] = {}
    monkeypatch.setattr(
        "workbench.serving.bentoml_server.serve_bento", lambda *_, **options: told.update(options["environment"])
    )
    released.bench.serve(MODEL, port=free_port())
    assert told["WORKBENCH_SUBJECT"] == "shop/2"


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
    released.acting(OWNER).answer("shop/2", "harm", "Said later: nobody was asked whether it harms anybody.")
    with pytest.raises(NotFound, match="The files of shop/2 are lost") as lost:
        released.bench.verify("shop/2")
    assert "`workbench promote shop/2` builds it again" in lost.value.next_step
    entries = released.bench.store.read_ledger()
    assert released.bench.promote("shop/2").decision.is_allowed
    assert released.bench.store.read_ledger() == entries
    assert released.bench.rollback(MODEL).decision.is_allowed
    assert {version: read_tree(folder) for version, folder in folders.items()} == before


def test_a_lost_release_whose_frozen_parts_changed_is_not_built_again(released: Governed) -> None:
    shutil.rmtree(released.bento(2))
    path = released.bench.settings.models_folder / MODEL / "2" / "bundle" / "release" / "model" / "contract.json"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(Refused, match=r"release/model/contract.json was changed"):
        released.bench.promote("shop/2")
    assert not released.bento(2).exists()
