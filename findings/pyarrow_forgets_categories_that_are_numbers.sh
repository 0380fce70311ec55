#!/usr/bin/env bash
# pyarrow 25.0.1 with pandas 3.1.1, seen on 2026-11-30.
#
# A column of categories that are texts comes back from Parquet with all of its categories and their order. One whose categories are
# numbers, flags or dates comes back as plain numbers, flags or dates, though the file's own notes, for pandas, still say "categorical" and
# "ordered": codes, unused categories and order are gone without a word. An encoder or a booster that tells categories from numbers by the
# column's type treats the same table in another way after it was saved. The Feather format, of the same library, keeps them all.
#
# Ends with 1 when that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==25.0.1 pandas==3.1.1 numpy==2.4.6
cat >"$folder/seen.py" <<'PYTHON'
import json
import sys
import warnings

import pandas as pd
import pyarrow.parquet

warnings.simplefilter("error")
path = sys.argv[1]
days = pd.to_datetime(["2026-11-30", "2026-11-29", "2026-11-28"])
frame = pd.DataFrame(
    {
        "texts": pd.Categorical(["low", "high"], categories=["low", "middle", "high"], ordered=True),
        "numbers": pd.Categorical([3, 1], categories=[3, 2, 1], ordered=True),
        "flags": pd.Categorical([True, False], categories=[True, False], ordered=True),
        "dates": pd.Categorical(days[[0, 2]], categories=days, ordered=True),
    }
)
frame.to_feather(path)
feather = pd.read_feather(path)
frame.to_parquet(path)
parquet = pd.read_parquet(path)
notes = json.loads(pyarrow.parquet.read_schema(path).metadata[b"pandas"])["columns"]
noted = {note["name"]: (note["pandas_type"], note["metadata"]["ordered"]) for note in notes}


def kept(read):
    return [name for name in frame if read[name].dtype == frame[name].dtype]


for name in frame:
    print(f"{name}: noted as {noted[name]}, read as {parquet[name].dtype} {parquet[name].tolist()}")
print("kept by Parquet:", kept(parquet), "by Feather:", kept(feather))
as_noted = set(noted.values()) == {("categorical", True)}
sys.exit(not (as_noted and kept(parquet) == ["texts"] and kept(feather) == list(frame)))
PYTHON
"$folder/venv/bin/python" "$folder/seen.py" "$folder/table"
