"""A nominee that misses a limit which may be waived, made once and copied."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import MakeOnce
from tests.integration.governed import MODEL, Governed, open_governed
from tests.integration.reviews.objecting import reach_too_high


@pytest.fixture(scope="session")
def high_once(make_once: MakeOnce, nominated_once: Path, reviewers_keys: Path) -> Path:
    """The project of all with shop/3: the run of shop/1 under a policy whose limit it misses."""

    def make(folder: Path) -> None:
        project = Path(shutil.copytree(nominated_once, folder / "project"))
        with pytest.MonkeyPatch.context() as patch:
            # Other copies of the same project went on in another way: what was seen of them is not remembered here.
            patch.setenv("XDG_STATE_HOME", str(folder / "state"))
            governed = open_governed(project, reviewers_keys)
            run_id = governed.bench.review("shop/1").evidence.identity.run_id
            governed.bench.nominate(run_id, MODEL, policy=str(reach_too_high(folder)))
            governed.answer_all("shop/3")
            governed.bench.store.close()

    return make_once("high", make) / "project"


@pytest.fixture
def high(high_once: Path, tmp_path: Path, reviewers_keys: Path) -> Governed:
    return open_governed(Path(shutil.copytree(high_once, tmp_path / "high")), reviewers_keys)
