#!/usr/bin/env bash
# BentoML 1.4.39, seen on 2026-11-30.
#
# What a build packs is not what its list says.
# 1. A file that `include` names by its full path is left out when a folder above it is called venv, .venv, .git or __pycache__. The build
#    succeeds and says nothing; a package with a subpackage of that name is missing a part when the Bento is started.
# 2. `exclude` wins, and a pattern without a slash holds at every depth: "*.py" takes away the service itself, and the build succeeds.
#
# Ends with 1 when that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bentoml==1.4.39
mkdir -p "$folder/context/package/"{venv,.venv,.git,__pycache__}
cat >"$folder/context/service.py" <<'PYTHON'
import bentoml


@bentoml.service
class Doubling:
    @bentoml.api
    def double(self, number: float) -> float:
        return 2 * number
PYTHON
touch "$folder/context/package/__init__.py" "$folder/context/package/"{venv,.venv,.git,__pycache__}/table.csv
cat >"$folder/seen.py" <<'PYTHON'
import sys
from pathlib import Path

import bentoml

HIDDEN = [f"package/{folder}/table.csv" for folder in ("venv", ".venv", ".git", "__pycache__")]
KEPT = ["service.py", "package/__init__.py"]


def build(name, **lists):
    bento = bentoml.bentos.build("service:Doubling", build_ctx="context", name=name, version="1", **lists)
    source = Path(bento.path) / "src"
    packed = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()} - {"bentofile.yaml"}
    print(f"{lists}: {sorted(packed)}")
    return packed


listed = build("listed", include=[*KEPT, *HIDDEN])
excluded = build("excluded", include=KEPT, exclude=["*.py"])
as_seen = listed == set(KEPT) and excluded == set()
sys.exit(not as_seen)
PYTHON
export HOME="$folder" BENTOML_HOME="$folder/bentos" BENTOML_DO_NOT_TRACK=True
cd "$folder"
"$folder/venv/bin/python" -W ignore "$folder/seen.py" 2>"$folder/log" || { tail -n 5 "$folder/log"; exit 1; }
