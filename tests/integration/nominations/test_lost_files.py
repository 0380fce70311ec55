"""What was frozen of the version that is served and is lost: it is said what to put back where, and the doctor tells of it."""

from __future__ import annotations

import pytest

from tests.integration.governed import Governed
from workbench.errors import Refused
from workbench.workflow.doctor import Symptom, examine


def doctor_says(governed: Governed) -> dict[str, Symptom]:
    return {each.part: each for each in examine(governed.bench) if each.part.startswith("nominee")}


@pytest.mark.parametrize("name", ["predictions.parquet", "facts.json"])
def test_a_lost_file_of_what_is_served_is_put_back_where_it_was(released: Governed, name: str) -> None:
    assert all(each.is_well for each in doctor_says(released).values())
    home = released.bench.settings.home_folder
    path = home / "models" / "shop" / "2" / name
    path.rename(path.with_suffix(".away"))
    with pytest.raises(Refused) as refused:
        released.bench.review("shop/1")
    folder = f"{home.name}/models/shop/2"
    assert refused.value.reasons == (f"{folder}/{name}: No such file or directory",)
    assert refused.value.next_step.startswith(f"Put {folder} back from a copy")
    told = doctor_says(released)["nominee shop/2"]
    assert (told.is_well, told.found) == (False, f"{folder}/{name} is gone.")
    assert told.remedy.startswith(f"Put {folder} back from a copy")
    path.with_suffix(".away").rename(path)
    assert all(each.is_well for each in doctor_says(released).values())
    assert released.bench.review("shop/1").evidence.champion_version == 2


@pytest.mark.parametrize("name", ["holdout.parquet", "training_rows.json", "bundle/release/model/contract.json"])
def test_and_so_is_a_changed_one(released: Governed, name: str) -> None:
    path = released.bench.settings.models_folder / "shop" / "2" / name
    path.write_bytes(path.read_bytes() + b" ")
    told = doctor_says(released)["nominee shop/2"]
    assert not told.is_well
    assert name.removeprefix("bundle/") in told.found
