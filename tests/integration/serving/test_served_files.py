"""A server opens a release only when it holds what a model may hold, whoever signed it."""

from __future__ import annotations

import warnings

import pytest

from tests.unit.evidence.builders import build_evidence, build_model
from workbench.errors import Refused
from workbench.releases.release import Release
from workbench.releases.release_audit import AuditedRelease
from workbench.reviews.decision import decide

with warnings.catch_warnings(action="ignore"):  # a library that BentoML brings says so when it is imported
    from workbench.bentoml_service import MODEL, open_application


def audited(**files: bytes) -> AuditedRelease:
    """Return an audited release whose model consists of these files; `__` in a name is a dot."""
    evidence = build_evidence(model=build_model(served_as="skops"))
    release = Release(evidence, "ab" * 32, decide("serve", "tumour/3", []), ("vera@example.org",))
    return AuditedRelease(release, {f"{MODEL}{name.replace('__', '.')}": content for name, content in files.items()})


@pytest.mark.parametrize("name", ["model__pkl", "MLmodel", "code/loader__py", "requirements__txt", "__hidden"])
def test_a_signed_release_with_a_file_that_no_model_may_have_is_not_opened(name: str) -> None:
    with pytest.raises(Refused, match="files that are not allowed") as caught:
        open_application(audited(model__skops=b"PK\x03\x04", contract__json=b"{}", **{name: b"x"}), lambda *_: None)
    assert name.replace("__", ".") in caught.value.reasons[0]


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        ({"model__skops": b"PK\x03\x04"}, "contract.json"),
        ({"contract__json": b"{}"}, "model.skops"),
        ({}, "model.skops"),
    ],
)
def test_a_signed_release_without_its_model_or_contract_says_what_is_missing(
    files: dict[str, bytes], missing: str
) -> None:
    with pytest.raises(Refused) as caught:
        open_application(audited(**files), lambda *_: None)
    assert caught.value.reasons[0].startswith(f"There is no {missing}")
