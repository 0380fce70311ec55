"""The baseline of X1: the same folders in the loaders that people use, when nothing is done about what they hold.

`python -m tests.soak.stock_loaders` reads a JSON list of model folders and opens each, in a process of its own.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from tests.soak.hostile_model_files import corpus
from tests.soak.hostile_skops import Canary

_LIMIT_S = 20
_MORE_MEMORY = 2 * 1024**3
ROOT = Path(__file__).resolve().parents[2]


def find_singing(names: Sequence[str], sound: Path, port: int) -> list[str]:
    """Return which of these folders make their canary in a stock loader."""
    with tempfile.TemporaryDirectory(prefix="workbench-soak-") as top:
        folders = {each.name: Path(top) / each.name for each in corpus() if each.name in names}
        for each in corpus():
            if each.name in folders:
                canary = _canary(folders[each.name], port)
                canary.path.parent.mkdir(parents=True)
                shutil.copytree(sound, folders[each.name] / "run")
                each.write(folders[each.name] / "run" / "model", canary)
        subprocess.run(
            [sys.executable, "-m", "tests.soak.stock_loaders"],
            input=json.dumps([str(folder / "run" / "model") for folder in folders.values()]).encode(),
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        return [name for name, folder in folders.items() if os.path.lexists(_canary(folder, port).path)]


def _canary(folder: Path, port: int) -> Canary:
    return Canary(folder / "away" / "canary", port)


def main() -> None:
    """Open every folder, whatever becomes of it."""
    import joblib
    import mlflow.pyfunc
    import mlflow.sklearn
    import skops.io

    assert joblib and mlflow and skops
    for folder in json.load(sys.stdin):
        child = os.fork()
        if child == 0:
            _open(Path(folder))
        os.waitpid(child, 0)


def _open(folder: Path) -> None:
    """Open everything in the folder, one way after the other, and leave; never returns."""
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + _MORE_MEMORY,) * 2)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(_LIMIT_S)
    for load in _loaders(folder):
        with suppress(Exception):
            load()
    os._exit(0)


def _loaders(folder: Path) -> Iterator[Callable[[], object]]:
    import joblib
    import mlflow
    import skops.io

    if (folder / "MLmodel").exists():
        yield lambda: mlflow.pyfunc.load_model(str(folder))
    for path in sorted(folder.iterdir()):
        # Of pipes and devices there is no end.
        if not path.is_file() or path.stat().st_size > 2**30:
            continue
        if path.suffix == ".skops":
            yield lambda path=path: skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))  # type: ignore[misc]
        if path.suffix not in (".onnx", ".json", ".txt", ".yaml", ".py", ".pth"):
            yield lambda path=path: joblib.load(path)  # type: ignore[misc]


if __name__ == "__main__":
    main()
