"""How long ten thousand runs take to be read as columns, beside MLflow's own search, and to be searched and sorted in a browser."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from tests.benchmarks.line import Line, timed
from tests.benchmarks.many_runs import write_mlflow_runs, write_runs
from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.runs.table.copying import read_columns
from workbench.runs.table.mlflow_sqlalchemy_columns import MlflowColumns

MANY, NEW = 10_000, 10
METRICS, PARAMS, TAGS = 20, 18, 2
ASKED = [
    *(f"metrics.metric_{number}" for number in range(METRICS)),
    *(f"params.param_{number}" for number in range(PARAMS)),
    *(f"tags.tag_{number}" for number in range(TAGS)),
]
# The wide store: experiments, runs of each, parameters of a run.
WIDE = (50, 1_500, 150)


def measure(folder: Path) -> Iterator[Line]:
    """Ten thousand runs of forty columns: read for the first time, again, and after ten new ones."""
    database = _make_database(folder / "mlflow.db")
    _write(database, "many", MANY, (METRICS, PARAMS, TAGS))
    theirs = [_search(database) for _ in range(2)]
    cold = [timed(lambda number=number: _read(database, folder / f"cold{number}")) for number in range(5)]
    _read(database, folder / "kept")
    warm = [timed(lambda: _read(database, folder / "kept")) for _ in range(9)]
    what = f"a table of {MANY:,} runs and {len(ASKED)} columns"
    yield Line(f"{what}, the first time", cold, "mlflow.search_runs", theirs)
    yield Line(f"{what}, again", warm, "mlflow.search_runs", theirs)
    later = []
    for number in range(5):
        _write(database, f"new {number}", NEW, (METRICS, PARAMS, TAGS), first=MANY + NEW * number)
        later.append(timed(lambda: _read(database, folder / "kept")))
    yield Line(f"{what}, after {NEW} new runs", later, "mlflow.search_runs", theirs)


def measure_wide(folder: Path) -> Iterator[Line]:
    """Very many runs of very many parameters, of which five columns are asked for: once, as a stress."""
    experiments, runs, params = WIDE
    database = _make_database(folder / "mlflow.db")
    for number in range(experiments):
        _write(database, f"experiment {number}", runs, (2, params, 0), first=number * runs)
    asked = ["metrics.metric_0", *(f"params.param_{number}" for number in range(4))]
    cold = [timed(lambda: _read(database, folder / "kept", asked))]
    warm = [timed(lambda: _read(database, folder / "kept", asked)) for _ in range(3)]
    what = f"five columns of {experiments} experiments of {runs:,} runs of {params} parameters"
    yield Line(f"{what}, the first time", cold, "the same again", warm)


def measure_browser(folder: Path) -> Iterator[Line]:
    """From an event to the frame that shows its result, in JupyterLab in headless Chromium: nine of ten at most as long as said."""
    from tests.e2e.jupyterlab import Lab, Server, open_browser
    from workbench.config import read_settings
    from workbench.workflow import Workbench

    home = folder / "project"
    bench = Workbench.open(read_settings(folder, {"WORKBENCH_HOME": str(home)}))
    write_runs(bench.store, MANY)
    bench.store.close()
    cells = [f"import os\nos.environ['WORKBENCH_HOME'] = {str(home)!r}\nimport workbench as wb", "wb.runs()"]
    with open_browser() as browser, Server(folder / "lab").run() as server:
        lab = Lab(browser, server)
        lab.open(server.write("runs.ipynb", cells)).locator(".wb-live .wb-grid").wait_for(timeout=60_000)
        found = lab.page.evaluate(_FRAMES)
        lab.close()
    for act, times in found.items():
        times_ms = sorted(times)
        slowest = times_ms[int(0.95 * len(times_ms)) :]
        yield Line(
            f"{act} {MANY:,} rows, to the painted frame, 95th of 100",
            slowest[:1],
            "its median",
            [statistics.median(times)],
            unit="ms",
        )


# Each act waits for a quiet moment first; a frame is painted when a message behind its callback arrives.
_FRAMES = """async () => {
  const view = document.querySelector(".wb-live");
  const input = view.querySelector("input[type=search]");
  const heads = [...view.querySelectorAll(".wb-grid .wb-sort")];
  const box = view.querySelector(".wb-grid");
  const painted = () => new Promise((done) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => done(performance.now());
    channel.port2.postMessage(0);
  }));
  const measure = async (act) => {
    await new Promise((done) => setTimeout(done, 50));
    const begun = performance.now();
    act();
    return (await painted()) - begun;
  };
  const found = { "search": [], "sort": [], "scroll": [], "brush": [] };
  const words = ["s", "sv", "svm", "", "0.8", "0.88", "for", "forest", "9", "", "12", "ridge", "a", "größe", "x", "0.001", ""];
  for (let turn = 0; turn < 6; turn++) for (const word of words)
    found.search.push(await measure(() => { input.value = word; input.dispatchEvent(new Event("input", { bubbles: true })); }));
  for (let turn = 0; turn < 100; turn++) found.sort.push(await measure(() => heads[turn % heads.length].click()));
  for (let turn = 0; turn < 100; turn++) found.scroll.push(await measure(() => { box.scrollTop = (7919 * turn) % 300000; }));
  const strips = [...view.querySelectorAll(".wb-strip")];
  const press = (strip, key, shiftKey) =>
    strip.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }));
  const keys = ["ArrowDown", "PageDown", "ArrowDown", "PageUp", "ArrowUp"];
  for (let turn = 0; turn < 100; turn++) {
    const [strip, key] = [strips[turn % strips.length], keys[Math.floor(turn / 7) % keys.length]];
    found.brush.push(await measure(() => press(strip, key, turn % 3 === 0)));
  }
  return found;
}"""


def _make_database(path: Path) -> Path:
    tracker = MlflowTracker(f"sqlite:///{path}", path.parent / "artifacts")
    tracker.require_answer()
    return path


def _write(database: Path, experiment: str, count: int, names: tuple[int, int, int], *, first: int = 0) -> None:
    from mlflow.tracking import MlflowClient

    number = MlflowClient(f"sqlite:///{database}").create_experiment(experiment, str(database.parent / "artifacts"))
    write_mlflow_runs(database, number, count, names, first=first)


def _read(database: Path, copy: Path, asked: list[str] = ASKED) -> int:
    found = read_columns(MlflowColumns(sa.create_engine(f"sqlite:///{database}")), asked, copy)
    assert {*asked} <= {*found.arrays}
    return len(found)


_SEARCH = """
import json, sys, time
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.search_runs(search_all_experiments=True, max_results=10)
begun = time.perf_counter()
found = mlflow.search_runs(search_all_experiments=True, max_results=100_000)
print(json.dumps([time.perf_counter() - begun, len(found)]))
"""


def _search(database: Path) -> float:
    """Return how long MLflow's own search takes, warmed up, in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-c", _SEARCH, f"sqlite:///{database}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    took_s, count = json.loads(done.stdout.splitlines()[-1])
    assert count == MANY
    return float(took_s)
