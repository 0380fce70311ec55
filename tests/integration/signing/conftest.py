"""What the tests of signatures share: keys are made once a file."""

from __future__ import annotations

import pytest

from tests.integration.signing.keys import EVE, Keys
from tests.unit.people import OWNER, VALIDATOR
from workbench.signing.ssh_signatures import allowed_signer, make_key


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    private = {name: folder / name.split("@")[0] for name in (VALIDATOR, OWNER, EVE)}
    public = {name: make_key(path, name) for name, path in private.items()}
    file = folder / "allowed_signers"
    roles = {VALIDATOR: "validator", OWNER: "owner"}
    file.write_text("".join(allowed_signer(name, [role], public[name]) + "\n" for name, role in roles.items()))
    return Keys(private, public, file)
