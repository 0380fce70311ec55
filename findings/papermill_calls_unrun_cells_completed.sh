#!/usr/bin/env bash
# papermill 2.7.0 with nbclient 0.11.0 and ipykernel 7.4.0, seen on 2026-11-30.
#
# When a kernel is killed (as by a machine that runs out of memory) papermill ends with an error, and saves a notebook without any: the
# cell that was running, and all those behind it, have the status "completed", no cell has an output that is an error, and the notebook's
# own `exception` is null. Who reads the saved notebook, and not papermill's exit code, takes the run for a success. What tells the truth
# is that a cell behind the killed one has no execution count, and no time at which it started. The killed cell itself has both.
#
# Ends with 1 when that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  papermill==2.7.0 nbclient==0.11.0 ipykernel==7.4.0 jupyter-client==8.10.0 nbformat==5.11.1
cat >"$folder/seen.py" <<'PYTHON'
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

CELLS = (
    "x = 1",
    "import os, pathlib, time; pathlib.Path('part').write_text(str(os.getpid())); os.rename('part', 'pid'); time.sleep(600)",
    "print('never run')",
)
spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
nbformat.write(new_notebook(cells=[*map(new_code_cell, CELLS)], metadata={"kernelspec": spec}), "asked.ipynb")
command = [sys.executable, "-m", "papermill", "asked.ipynb", "saved.ipynb", "--no-progress-bar"]
running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
while not Path("pid").exists() and running.poll() is None:
    time.sleep(0.1)
os.kill(int(Path("pid").read_text()), signal.SIGKILL)
print("papermill ends with", running.wait())

saved = nbformat.read("saved.ipynb", 4)
noted = [cell.metadata.papermill for cell in saved.cells]
states = [each.status for each in noted]
errors = [output for cell in saved.cells for output in cell.outputs if output.output_type == "error"]
counts, starts = [cell.execution_count for cell in saved.cells], [each.start_time is not None for each in noted]
print("its cells:", states, "errors among their outputs:", len(errors))
print("exception of the notebook:", saved.metadata.papermill.exception)
print("execution counts:", counts, "started:", starts)
silent = states == ["completed"] * 3 and not errors and saved.metadata.papermill.exception is None
sys.exit(not (running.returncode and silent and counts == [1, 2, None] and starts == [True, True, False]))
PYTHON
export HOME="$folder" JUPYTER_DATA_DIR="$folder/jupyter" JUPYTER_RUNTIME_DIR="$folder/runtime"
cd "$folder"
"$folder/venv/bin/python" -W ignore "$folder/seen.py"
