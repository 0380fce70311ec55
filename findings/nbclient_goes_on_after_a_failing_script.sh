#!/usr/bin/env bash
# nbclient 0.11.0, nbconvert 7.17.2 and papermill 2.7.0 with ipykernel 7.4.0 and IPython 9.18.1, seen on 2026-11-30.
#
# A cell whose error is raised by `%run file.py`, or below `%%capture`, shows the error among its outputs, but the kernel's reply says that
# the cell went well, and nbclient asks for nothing else. So `jupyter execute` and `jupyter nbconvert --execute` run the cells behind it and
# end with 0, though neither was told to allow errors. papermill looks at the outputs too, but only when all is over: it ends with 1 after
# the cells behind the error have run and done whatever they do.
#
# Ends with 1 when that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nbclient==0.11.0 nbconvert==7.17.2 papermill==2.7.0 \
  ipykernel==7.4.0 ipython==9.18.1 jupyter-client==8.10.0 nbformat==5.11.1
cat >"$folder/seen.py" <<'PYTHON'
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

TOOLS = {
    "jupyter execute": ["jupyter_core", "execute", "asked.ipynb", "--output=saved"],
    "jupyter nbconvert": ["jupyter_core", "nbconvert", "--execute", "--to", "notebook", "--output", "saved", "asked.ipynb"],
    "papermill": ["papermill", "asked.ipynb", "saved.ipynb", "--no-progress-bar"],
}
Path("fails.py").write_text("raise ValueError('the script fails')\n")


def execute(tool, source):
    """Return how a tool ended with a cell and one behind it, and whether the second was run."""
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [new_code_cell(source), new_code_cell("open('went_on', 'w').close()")]
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": spec}), "asked.ipynb")
    Path("went_on").unlink(missing_ok=True)
    done = subprocess.run([sys.executable, "-m", *TOOLS[tool]], stderr=subprocess.DEVNULL)
    return done.returncode, Path("went_on").exists()


seen = {}
for source in ("raise ValueError('plain')", "%run fails.py", "%%capture\nraise ValueError('captured')"):
    for tool in TOOLS:
        seen[source[:4], tool] = code, went_on = execute(tool, source)
        print(f"{source.splitlines()[0]:26} {tool:18} ends with {code}, {'went on' if went_on else 'stopped'}")
plain = [seen["rais", tool] for tool in TOOLS]
hidden = [[seen[start, tool] for tool in TOOLS] for start in ("%run", "%%ca")]
sys.exit(not (plain == [(1, False)] * 3 and hidden == [[(0, True), (0, True), (1, True)]] * 2))
PYTHON
export HOME="$folder" JUPYTER_DATA_DIR="$folder/jupyter" JUPYTER_RUNTIME_DIR="$folder/runtime"
cd "$folder"
PATH="$folder/venv/bin:$PATH" "$folder/venv/bin/python" -W ignore "$folder/seen.py"
