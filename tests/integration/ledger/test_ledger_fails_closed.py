"""With a ledger that cannot be written nothing is decided, nothing is half-done, and everything can still be read (P5)."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import examples, own_environment
from tests.integration.governed import Governed
from tests.soak import ledger_faults
from workbench.ledger.ledger import Event
from workbench.runs.sqlalchemy_store import Store


@pytest.fixture(scope="module")
def governed(tmp_path_factory: pytest.TempPathFactory) -> Governed:
    return ledger_faults.make_project(tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="module")
def url(governed: Governed) -> Iterator[str]:
    with ledger_faults.served(governed) as found:
        yield found


@pytest.mark.parametrize("name", examples(ledger_faults.FAULTS, ["a read-only file"]))
def test_a_ledger_that_cannot_be_written_stops_every_verb_and_no_read(governed: Governed, url: str, name: str) -> None:
    if name in ledger_faults.NEED_A_MOUNT and not ledger_faults.can_mount():
        pytest.skip("this machine lets us mount no disk")
    assert ledger_faults.find_faults(governed, name, url) == []


LIMITED = """
import resource, signal, sys
from pathlib import Path
from workbench.errors import Unavailable
from workbench.runs.sqlalchemy_store import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(sys.argv[1], last_seen=Path(sys.argv[2]))
resource.setrlimit(resource.RLIMIT_FSIZE, (16384, resource.RLIM_INFINITY))
try:
    store.ledger.require_privilege()
except Unavailable as exc:
    print(exc.what, exc.reasons, exc.next_step)
    print(len(store.read_ledger()))
"""


def test_files_that_may_not_grow_are_as_a_full_disk(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/workbench.db"
    store = Store(address)
    store.append_entry(Event.NOMINATED, actor="ada@example.org", subject="shop/1", body={})
    store.close()
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, address, str(tmp_path / "seen")],
        env=own_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["1"], done.stderr
    assert "did not answer" in done.stdout
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
