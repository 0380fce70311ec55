"""The same notebook without a kernel, many times in one process: by ploomber-engine, and as the plain function it could be.

`python -m tests.benchmarks.in_process floor|ploomber NOTEBOOK REPEATS FOLDER` prints the seconds of each repetition as JSON; the
first one, which imports everything, is not among them.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.line import timed


def main(how: str, notebook: str, repeats: str, folder: str) -> None:
    """Run the notebook once to warm up, then `repeats` times, each with another seed."""
    os.environ |= {"MPLBACKEND": "Agg", "PLOOMBER_STATS_ENABLED": "false", "DO_NOT_TRACK": "true"}
    warnings.simplefilter("ignore")
    os.environ["WORKBENCH_SPOOL"] = folder
    run = {"floor": _compile, "ploomber": _open_ploomber}[how](Path(notebook))
    run(0)
    print(json.dumps([timed(lambda seed=seed: run(seed)) for seed in range(int(repeats))]))


def _compile(path: Path) -> Callable[[int], None]:
    """Return a function that runs the notebook's cells in a fresh namespace; nothing is captured, recorded or reported."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [
        compile("".join(cell["source"]), f"cell {n}", "exec")
        for n, cell in enumerate(cells)
        if cell["cell_type"] == "code"
    ]

    def run(seed: int) -> None:
        namespace: dict[str, object] = {}
        for number, cell in enumerate(code):
            exec(cell, namespace)
            if number == 0 and "seed" in namespace:
                namespace["seed"] = seed

    return run


def _open_ploomber(path: Path) -> Callable[[int], None]:
    from ploomber_engine import execute_notebook

    def run(seed: int) -> None:
        parameters = {"seed": seed} if "seed" in path.read_text(encoding="utf-8") else {}
        execute_notebook(path, output_path=None, parameters=parameters, verbose=False, progress_bar=False)

    return run


if __name__ == "__main__":
    main(*sys.argv[1:])
