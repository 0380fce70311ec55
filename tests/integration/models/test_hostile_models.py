"""A model folder that somebody made to harm whoever opens it harms nobody: where it is nominated, audited and served."""

from __future__ import annotations

from pathlib import Path

import pytest
import skops.io

from tests.conftest import NOTEBOOKS, examples
from tests.integration.governed import MODEL, Governed, reasons_of
from tests.soak import hostile_models
from tests.soak.hostile_model_files import corpus
from tests.soak.hostile_models import OPENS, Outcome, find_faults, find_unwarned, try_folders
from tests.soak.hostile_skops import SKOPS_MODELS, Canary, pack_skops
from tests.soak.model_places import PLACES
from workbench.errors import Refused

SOME = ("pickle_as_skops",)
WHOLE = ("skops_partial_in_a_pipeline", "contract_twice_a_key")


def test_a_hostile_folder_is_refused_with_a_reason_at_every_place_and_runs_nothing() -> None:
    outcomes, calls, sang = try_folders(SOME)
    assert len(outcomes) == len(SOME) * len(PLACES)
    assert [fault for outcome in outcomes for fault in find_faults(outcome)] == []
    assert calls == []
    # It does what it was made for where nobody looks first.
    assert set(SOME) <= set(sang)


def test_what_runs_reaches_outside_hangs_or_is_silent_would_be_noticed() -> None:
    sound = Outcome("pickle_as_skops", "nominate", "no", (), False, 1.0, 0)
    assert find_faults(sound) == []
    for change in ({"said": None}, {"noted": ("open to write /x",)}, {"fired": True}, {"fault": "it hung"}):
        assert find_faults(Outcome(**{**vars(sound), **change}))
    assert find_faults(Outcome(**{**vars(sound), "peak_bytes": 2**40}))


def test_what_a_server_opens_must_have_been_refused_when_it_was_nominated() -> None:
    refused, opened = (
        Outcome("onnx_brought_along", place, said, (), False, 1.0, 0)
        for place, said in (("nominate", "no"), ("serve", None))
    )
    assert find_unwarned([refused, opened]) == []
    for nominated in (Outcome(**{**vars(refused), "said": None}), Outcome(**{**vars(refused), "fault": "it hung"})):
        assert find_unwarned([nominated, opened])


def test_the_corpus_is_as_large_as_was_asked_for_and_names_each_once() -> None:
    names = [each.name for each in corpus()]
    assert len(names) == len(set(names)) >= 70
    assert {*SOME, *WHOLE, *OPENS} <= {*names}
    assert hostile_models.prove


@pytest.mark.parametrize("name", SKOPS_MODELS)
def test_nothing_that_is_kept_slips_past_what_skops_itself_checks(name: str, tmp_path: Path) -> None:
    """It is held without being told whom to trust, as its own users hold it, and either says no or names what it does not know."""
    content = pack_skops(SKOPS_MODELS[name](Canary(tmp_path / "canary", 9)))
    unread = (AttributeError, LookupError, TypeError, ValueError)
    with pytest.raises((skops.io.exceptions.UntrustedTypesFoundException, *unread)):
        skops.io.loads(content)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("name", examples(WHOLE, WHOLE[:1]))
def test_a_run_that_logs_a_hostile_model_is_nominated_with_the_reason_and_never_promoted(
    nominated: Governed, tmp_path: Path, name: str
) -> None:
    canary = Canary(tmp_path / "away" / "canary", 9)
    canary.path.parent.mkdir()
    notebook = tmp_path / "logs_a_hostile_model.ipynb"
    logged = (NOTEBOOKS / "logs_everything.ipynb").read_text(encoding="utf-8")
    spoil = (
        "from pathlib import Path; import os; from tests.soak.hostile_model_files import corpus, Canary; "
        f"next(each for each in corpus() if each.name == '{name}')"
        f".write(Path(os.environ['WORKBENCH_SPOOL'], 'model'), Canary(Path('{canary.path}'), 9))"
    )
    ending = "wb.log_model(model, holdout[features[:columns]])"
    root = Path(__file__).resolve().parents[3]
    code = f"{ending}\\nimport sys; sys.path.insert(0, '{root}')\\n{spoil}"
    notebook.write_text(logged.replace(ending, code), encoding="utf-8")
    run = nominated.bench.run(notebook, {"strength": 0.25})
    assert run.is_finished, run.error
    review = nominated.bench.nominate(run.id, MODEL)
    assert review.evidence.model.load_error
    assert review.evidence.model.served_as is None
    nominated.answer_all(review.subject)
    nominated.approve(review.subject)
    with pytest.raises(Refused) as refused:
        nominated.bench.promote(review.subject)
    assert "model" in reasons_of(refused).lower()
    assert not canary.path.exists()
