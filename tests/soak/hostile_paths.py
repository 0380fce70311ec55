"""X3: texts that lead elsewhere, at every input, while every file that is opened is looked at.

Nothing outside of the project is written; nothing outside is read or listed but our own code and exactly what a path that a
person gave names. `python -m tests.soak.hostile_paths` is the child that is watched: it reads how many texts to try.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from tests.conftest import AUTHOR, NOTEBOOKS
from tests.soak.governed_world import POLICY
from tests.soak.hostile_input import traversals
from tests.soak.odd_paths import INPUTS, VERBS, _at_home, _try_command, _try_verb
from tests.soak.proof import Proof, timed_proof
from tests.soak.surroundings import Surroundings, make_surroundings
from tests.soak.watched import Allowed, Watch, library_folders

ROOT = Path(__file__).resolve().parents[2]
# Where a person names a file: it may be read. All others take an id or a name, and no text of theirs is a path.
PATHS = frozenset(
    {
        *("run notebook", "sweep notebook", "compare policy", "diff policy", "nominate policy", "approve key"),
        *("policy show name", "policy check names", "object key", "waive key"),
        *("Workbench.object", "Workbench.waive", "Workbench.read_policy"),
        *("Workbench.run", "Workbench.approve", "Workbench.nominate policy", "Workbench.plan_resumption"),
    }
)
_PROGRAMS = ("git", "ssh-keygen", sys.executable)
_WRITES = ("review html", "review card")
_MODEL = "shop"


def try_texts(size: int) -> tuple[int, list[str]]:
    """Try `size` texts at every input, in a child that is watched; return how many calls, and what was wrong."""
    with tempfile.TemporaryDirectory(prefix="workbench-soak-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tests.soak.hostile_paths"],
            input=json.dumps({"size": size, "folder": folder}),
            capture_output=True,
            text=True,
            cwd=ROOT,
            # What Python writes for itself is nobody's fault.
            env={**os.environ, "TMPDIR": folder, "PYTHONDONTWRITEBYTECODE": "1"},
            check=False,
        )
    if done.returncode:
        return 0, [f"the proof itself ended with {done.returncode}: {done.stderr[-2000:]}"]
    answer = json.loads(done.stdout.splitlines()[-1])
    return answer["calls"], answer["faults"]


def prove(size: int) -> Proof:
    """Try `size` texts that lead elsewhere at every input of the command line and of the Workbench."""
    return timed_proof("X3: no text at any input makes a file outside be read, listed or written", lambda: _try(size))


def _try(size: int) -> tuple[int, Sequence[str], str]:
    calls, faults = try_texts(size)
    return calls, faults, f"{size} texts at {len(INPUTS)} inputs and {len(VERBS)} verbs, every opened file looked at"


# The child


def main() -> None:
    """Try the texts and say what was wrong."""
    task = json.load(sys.stdin)
    top = Path(task["folder"])
    temporary = top / "temporary"
    temporary.mkdir()
    os.environ["XDG_STATE_HOME"] = str(temporary / "state")  # what is remembered of the ledger, outside of the project
    around = make_surroundings(top / "around", _make_project)
    noted = temporary / "noted"
    tempfile.tempdir = str(temporary)
    with contextlib.redirect_stdout(io.StringIO()):
        run = around.bench.run(around.project / "logs_everything.ipynb", {})
        around.bench.nominate(run.id, _MODEL, policy=str(POLICY))
    texts = [*traversals(task["size"] - 1, around.canary), *_links(around)][: task["size"]]
    # What this machine saw of the ledger is the workbench's own, and lies outside of the project: nobody puts it back with it.
    own = (str(around.project), str(temporary), str(around.bench.settings.checkpoints_folder))
    watch = Watch(noted, Allowed((*library_folders(), str(ROOT / "templates"), *own), own, _PROGRAMS))
    watch.arm()
    calls, faults = _call_everything(around, watch, texts, noted, run.id)
    calls += _write_pages(around, watch, texts, noted, faults)
    faults += ["the canary sings"] if around.canary.exists() else []
    click.echo(json.dumps({"calls": calls, "faults": faults[:200]}))
    around.bench.store.close()


def _make_project(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "workbench.toml").write_text(f'author = "{AUTHOR}"\n', encoding="utf-8")
    shutil.copy(NOTEBOOKS / "logs_everything.ipynb", folder)
    return folder


def _links(around: Surroundings) -> Iterator[str]:
    """Yield names of links in the project that lead outside."""
    (around.project / "link").symlink_to(around.folder)
    yield "link/page.html"


def _call_everything(
    around: Surroundings, watch: Watch, texts: Sequence[str], noted: Path, run_id: str
) -> tuple[int, list[str]]:
    faults: list[str] = []
    for name, call in INPUTS.items():
        # A page is written where a person says, whatever lies there: only below, and only into the surroundings.
        for text in texts if name not in _WRITES else ():
            given = text.replace("\0", "")  # no process can be started with a NUL among its arguments
            with _at_home(around.project), _looked_at(watch, name, given, noted, faults):
                faults += [fault] if (fault := _try_command(call, given, run_id)) else []
    for name, verb in VERBS.items():
        for text in texts:
            with _at_home(around.project), _looked_at(watch, f"Workbench.{name}", text, noted, faults):
                faults += [f"{name}: {fault}"] if (fault := _try_verb(verb, around.bench, text)) else []
    return len(texts) * (len(INPUTS) + len(VERBS) - len(_WRITES)), faults


@contextlib.contextmanager
def _looked_at(watch: Watch, name: str, text: str, noted: Path, faults: list[str]) -> Iterator[None]:
    """Add to the faults what was opened meanwhile that the text does not name."""
    before = noted.stat().st_size
    watch.also = _named_by(text) if name in PATHS else ()
    yield
    watch.also = ()
    with noted.open("rb") as log:
        log.seek(before)
        faults += sorted({f"{name} {text[:80]!r}: {json.loads(line)}" for line in log})


def _named_by(text: str) -> tuple[str, ...]:
    """Return the file that a person means by a path, its folder's listing not included."""
    with contextlib.suppress(ValueError, OSError, RuntimeError):
        return (os.path.realpath(Path(text).expanduser()),)
    return ()


def _write_pages(around: Surroundings, watch: Watch, texts: Sequence[str], noted: Path, faults: list[str]) -> int:
    """Write a review where a text says, when that is in the surroundings: there and nowhere else is something written."""
    tried = 0
    for text in texts:
        with _at_home(around.project):
            named = [path for path in _named_by(text) if path.startswith(f"{around.folder}{os.sep}")]
        ours = (str(around.project / "runs"), str(around.canary), str(around.project / "workbench.toml"))
        # Not Path.is_dir: that raises for a name that is too long.
        if not named or os.path.isdir(named[0]) or named[0].startswith(ours):  # noqa: PTH112
            continue
        tried += 1
        with _at_home(around.project), _looked_at(watch, "review page", text, noted, faults):
            watch.also = (named[0],)
            faults += [fault for each in _WRITES if (fault := _try_command(INPUTS[each], text, ""))]
    return tried


if __name__ == "__main__":
    main()
