"""What is served and does not verify is told by the doctor, with what was looked at and does help."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import examples, run_command
from tests.integration.governed import MODEL, OWNER, VALIDATOR, Governed
from workbench.errors import NotFound, Refused
from workbench.workflow.doctor import Symptom


def examine(governed: Governed) -> Symptom:
    return next(symptom for symptom in governed.bench.examine() if symptom.part == f"endpoint {MODEL}")


def append_to(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


CHANGED = ["src/release/model/contract.json", "src/workbench/evidence/features.py", "src/release/evidence.json"]


@pytest.mark.parametrize("changed", examples(CHANGED, CHANGED[:1]))
def test_the_doctor_tells_that_what_is_served_was_changed_and_its_advice_mends_it(
    released: Governed, changed: str, tmp_path: Path
) -> None:
    assert examine(released) == Symptom("endpoint shop", True, "serves version 2, which verifies")
    append_to(released.bento(2) / changed)
    told = examine(released)
    assert (told.is_well, told.found.partition(":")[0]) == (False, "version 2 does not verify")
    assert told.found.partition(": ")[2] == " ".join(released.bench.verify("shop/2").decision.reasons)
    place = released.bento(2).relative_to(released.bench.settings.project)
    assert told.remedy.startswith(f"Move {place} away")
    with pytest.raises(Refused) as refused:
        released.bench.promote("shop/2")
    assert refused.value.next_step == told.remedy
    released.bento(2).rename(tmp_path / "changed")
    assert f"The files of {MODEL}/2 are lost." in examine(released).found
    assert "`workbench promote shop/2`" in told.remedy
    released.bench.promote("shop/2")
    assert examine(released).is_well


def test_where_what_was_frozen_does_not_help_either_the_version_before_does_if_it_verifies(released: Governed) -> None:
    append_to(released.bento(2) / "src" / "release" / "policy.yaml")
    append_to(released.bench.settings.models_folder / MODEL / "2" / "policy.yaml")
    assert released.bench.find_remedy("shop/2") == "`workbench rollback shop` serves version 1 again."
    append_to(released.bento(1) / "src" / "release" / "policy.yaml")
    assert released.bench.find_remedy("shop/2").startswith("No earlier version can take its place: `workbench nominate")


def test_who_lost_a_signer_is_told_to_nominate_the_run_again(released: Governed) -> None:
    signers = released.bench.settings.signers_file
    lines = signers.read_text(encoding="utf-8").splitlines(keepends=True)
    signers.write_text("".join(line for line in lines if VALIDATOR not in line), encoding="utf-8")
    told, run = examine(released), released.bench.review("shop/2").evidence.identity.run_id
    assert not told.is_well
    assert f"`workbench nominate {run} --model shop`" in told.remedy
    done = run_command(released.project, "verify", "shop/2")
    assert (done.returncode, f"Next: {told.remedy}" in " ".join(done.stderr.split())) == (3, True)


def test_what_cannot_be_verified_or_gone_back_to_says_what_there_is(nominated: Governed) -> None:
    with pytest.raises(NotFound, match=r"shop/1 was never released") as unreleased:
        nominated.bench.verify("shop/1")
    assert "`workbench review shop/1`" in unreleased.value.next_step
    with pytest.raises(NotFound, match="There is no shop/7") as unknown:
        nominated.bench.verify("shop/7")
    assert "promote" not in unknown.value.next_step
    with pytest.raises(NotFound, match="serves nothing yet") as unserved:
        nominated.bench.find_served(MODEL)
    assert unserved.value.reasons == ()
    nominated.approve("shop/1")
    nominated.acting(OWNER).promote("shop/1")
    with pytest.raises(NotFound, match="no version to go back to") as alone:
        nominated.bench.rollback(MODEL)
    assert "`workbench verify shop/1`" in alone.value.next_step
