"""An older copy of the home is put back: this machine's memory notices, and so does any reviewer's note of a later head (P4)."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.conftest import AUTHOR
from tests.soak.proof import SEED, Proof, timed_proof
from workbench.config import Settings
from workbench.errors import Refused
from workbench.ledger.ledger import Checkpoint, Event, head_of
from workbench.workflow import Workbench


def _whole_home(copy: Path, home: Path) -> None:
    shutil.rmtree(home)
    shutil.copytree(copy, home)


def _database_only(copy: Path, home: Path) -> None:
    for path in home.glob("workbench.db*"):
        path.unlink()
    for path in copy.glob("workbench.db*"):
        shutil.copy2(path, home)


def _nothing(_: Path, home: Path) -> None:
    shutil.rmtree(home)


# How somebody goes back; the copy was taken from a store that was open or closed.
WAYS: Mapping[str, Callable[[Path, Path], None]] = {
    "the whole home": _whole_home,
    "the database": _database_only,
    "nothing at all": _nothing,
}


def _append(bench: Workbench, count: int) -> Checkpoint:
    for number in range(count):
        bench.store.append_entry(
            Event.ANSWERED, actor=AUTHOR, subject="shop/1", body={"question": "harm", "answer": str(number)}
        )
    return head_of(bench.store.read_ledger())


def find_faults(folder: Path, way: str, draw: random.Random) -> list[str]:
    """Go back once, and return by whom it was not noticed."""
    settings = Settings(folder / "project", author=AUTHOR, checkpoints=str(folder / "seen"))
    bench, copy = Workbench.open(settings), folder / "copy"
    _append(bench, draw.randrange(1, 30))
    if draw.random() < 0.5:
        bench.store.close()
    shutil.copytree(settings.home_folder, copy)
    noted = _append(bench, draw.randrange(1, 30))
    bench.store.close()
    WAYS[way](copy, settings.home_folder)
    # Whoever goes on with the copy does not make it another one.
    elsewhere = Settings(settings.project, author=AUTHOR, checkpoints=str(folder / "elsewhere"))
    _append(Workbench.open(elsewhere), draw.choice([0, 1, 40]))
    unnoticed = [
        f"this machine's {name}" for name in _verbs(bench) if not _is_refused(_verbs(Workbench.open(settings))[name])
    ]
    if not Workbench.open(settings).inspect_ledger()[1]:
        unnoticed.append("`workbench ledger`")
    if not Workbench.open(elsewhere).verify_ledger(checkpoint=noted).faults:
        unnoticed.append("a reviewer's checkpoint")
    return [f"{way} put back was not noticed by {who}" for who in unnoticed]


def _verbs(bench: Workbench) -> dict[str, Callable[[], object]]:
    return {
        "promote": lambda: bench.promote("shop/1"),
        "rollback": lambda: bench.rollback("shop"),
        "serve": lambda: bench.serve("shop", port=1),
        "append": lambda: _append(bench, 1),
    }


def _is_refused(call: Callable[[], object]) -> bool:
    try:
        call()
    except Refused as exc:
        return "the ledger was rolled back or rewritten" in exc.what
    except Exception:
        return False
    return False


def prove(size: int) -> Proof:
    """Go back `size` times, in every way in turn."""
    return timed_proof(
        "P4: whoever puts an older ledger back is noticed by the machine and by a note", lambda: _try(size)
    )


def _try(size: int) -> tuple[int, Sequence[str], str]:
    draw = random.Random(SEED)
    faults: list[str] = []
    for number in range(size):
        folder = Path(tempfile.mkdtemp(prefix="workbench-rollback-"))
        try:
            (folder / "project").mkdir()
            faults += find_faults(folder, list(WAYS)[number % len(WAYS)], draw)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return size, faults, f"{', '.join(WAYS)} put back, then gone on with for up to 40 entries"
