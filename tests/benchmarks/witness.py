"""What it costs a kernel that it tells which files it opens, in seconds of processor time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.line import Line
from workbench.executors import kernel_witness

_TIMES = 15
_WATCH = Path(kernel_witness.__file__).read_text(encoding="utf-8")
_OPENS = {
    "1,000 times a file is opened to write": "for n in range(1000): open('x', 'w').close()",
    "1,000 files are written, each for the first time": "for n in range(1000): open(f'{n}', 'w').close()",
    "1,000 times a file is renamed": "open('x', 'w').close()\nfor n in range(500): os.rename('x', 'y'); os.rename('y', 'x')",
}


def measure(folder: Path) -> Iterator[Line]:
    """Files that are opened and renamed in a process that tells so, and in one that does not."""
    for number, (what, code) in enumerate(_OPENS.items()):
        pairs = [
            [_time(folder / f"{number}-{turn}-{told}", code, is_told=told) for told in (True, False)]
            for turn in range(_TIMES)
        ]
        told, untold = ([pair[side] for pair in pairs] for side in (0, 1))
        yield Line(f"{what}, in a run", told, "in a process that tells nobody", untold)


def _time(folder: Path, code: str, *, is_told: bool) -> float:
    """Return the processor time that code takes in a process of its own, in a new folder."""
    (folder / "run").mkdir(parents=True)
    watch = f"{_WATCH}\nwatch({str(folder / 'run' / 'journal')!r}, [{str(folder)!r}], [], None)"
    start = f"exec({watch!r}, {{'__name__': 'witness'}})\n" if is_told else ""
    whole = f"{start}import os, time\nbegan = time.process_time()\n{code}\nprint(time.process_time() - began)"
    done = subprocess.run([sys.executable, "-c", whole], cwd=folder, capture_output=True, text=True, check=True)
    return float(done.stdout)
