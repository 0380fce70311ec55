"""A signed release of a small model as a Bento, made once."""

from pathlib import Path

import pytest

from tests.integration.release_builder import (
    InspectedModel,
    Signers,
    build_signed_bento,
    build_unsigned_release,
    make_signers,
    prepare_model,
    sign_release,
    train_model,
)


@pytest.fixture(scope="session")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Signers:
    return make_signers(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> InspectedModel:
    return prepare_model(train_model(), tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def release(inspected: InspectedModel, signers: Signers) -> dict[str, bytes]:
    return sign_release(build_unsigned_release(inspected), signers)


@pytest.fixture(scope="session")
def bento(inspected: InspectedModel, signers: Signers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_signed_bento(inspected, signers, tmp_path_factory.mktemp("home"))
