"""Measures the workbench beside what people use otherwise, in one run: `make bench`. Figures are ratios; nothing here is a test.

Each line runs both sides alternately and takes medians, so that a busy machine burdens both alike.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import (
    bootstrap,
    commands,
    compared_runs,
    diff,
    engine,
    ledger,
    reviewing,
    run_table,
    serving,
    tracking,
    witness,
)
from tests.benchmarks.line import Line, alternate, timed

REPORT = Path(__file__).with_name("REPORT.md")
ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Measure everything, print the table and write the report; with names of files, only what is in these, and no report."""
    only = sys.argv[1:]
    folder = Path(tempfile.mkdtemp(prefix="workbench-bench-"))
    try:
        lines = []
        for measure in (
            _imports,
            commands.measure_single_runs,
            commands.measure_cross_validation,
            commands.measure_reading,
            commands.measure_kept_memory,
            engine.measure_two_lines,
            engine.measure_breast_cancer,
            engine.measure_memory,
            engine.measure_growth,
            run_table.measure,
            run_table.measure_wide,
            run_table.measure_browser,
            bootstrap.measure,
            compared_runs.measure,
            diff.measure,
            tracking.measure,
            witness.measure,
            reviewing.measure,
            ledger.measure_verifying,
            ledger.measure_appending,
            serving.measure_rows,
            serving.measure_http,
        ):
            if only and measure.__module__.rpartition(".")[2] not in only:
                continue
            place = folder / f"{measure.__module__}.{measure.__name__}"
            place.mkdir()
            for line in measure(place):
                lines.append(line)
                print(_row(line), flush=True)
        if not only:
            REPORT.write_text(_report(lines), encoding="utf-8")
            print(f"\nWritten to {REPORT.relative_to(ROOT)}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})


def _imports(_: Path) -> Iterator[Line]:
    nothing = statistics.median([timed(lambda: _python("pass")) for _ in range(5)])
    ours, theirs = alternate(lambda: _python("import workbench"), lambda: _python("import mlflow"), 5)
    yield Line("import workbench", [t - nothing for t in ours], "import mlflow", [t - nothing for t in theirs])


def _row(line: Line) -> str:
    ours, theirs = (f"{_short(statistics.median(values))} {line.unit}" for values in (line.ours, line.theirs))
    return f"| {line.what} | {ours} | {line.other} | {theirs} | {_short(line.ratio)} times | {len(line.ours)} |"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def _rounded(values: list[float]) -> list[float]:
    return [float(f"{value:.3g}") for value in values]


def _report(lines: list[Line]) -> str:
    commit = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    machine = f"{engine.describe_machine()}, Python {platform.python_version()}"
    return "\n".join(
        [
            "# Benchmark report",
            "",
            f"Measured {datetime.now(UTC):%Y-%m-%d} at commit {commit.stdout.strip() or 'none'} on {machine}, by `make bench`.",
            "Medians of n repetitions, all in one run. A ratio above 1 is in the workbench's favour; beside a floor it says how",
            "far off that is.",
            "",
            "| what | workbench | beside it | takes | ratio | n |",
            "|---|---:|---|---:|---:|---:|",
            *(_row(line) for line in lines),
            "",
            "```json",
            json.dumps(
                {
                    f"{line.what} | {line.other}": {
                        "ours": _rounded(line.ours),
                        "theirs": _rounded(line.theirs),
                        "unit": line.unit,
                    }
                    for line in lines
                }
            ),
            "```",
            "",
        ]
    )


if __name__ == "__main__":
    main()
