"""What is kept of a run holds no secret: its notebook, its report, its reason, and what it wrote by itself."""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import os
import pickle
import re
import warnings
import zipfile
import zlib

import numpy as np
import pandas as pd
import pytest

from tests.unit.evidence.builders import build_execution
from tests.unit.people import AUTHOR, ENDED
from workbench.executors.jobs import Outcome
from workbench.notebooks.redacting import redact_document
from workbench.runs.collecting import RunFolder, collect_run
from workbench.runs.folder import REPORT
from workbench.runs.redacting import redact_abandoned
from workbench.runs.run import Run, RunState
from workbench.secrets import redacting_files
from workbench.secrets.redacting_files import empty_folder, redact_folder
from workbench.secrets.redaction import REDACTED, Redactor

VALUE = "pa\"ss\\w'ör d%41/+&x<y>"
PLAIN = "sk-4f9aQ7zL"
# The executed notebook


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def shown(data):
    return {"output_type": "display_data", "metadata": {}, "data": data}


def notebook(*cells):
    made = [
        {"cell_type": "code", "metadata": {}, "source": "x", "execution_count": 1, "outputs": list(c)} for c in cells
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}


def redact(*cells, value=PLAIN):
    return redact_document(notebook(*cells), Redactor([value]))


def texts(document):
    return [output["text"] for cell in document["cells"] for output in cell["outputs"]]


def test_a_secret_printed_in_two_halves_is_found_across_outputs_streams_and_cells():
    halves = PLAIN[:5], PLAIN[5:]
    assert texts(redact([stream(halves[0]), stream(halves[1])])) == [REDACTED, ""]
    assert texts(redact([stream("a" + halves[0]), stream("!", "stderr"), stream(halves[1] + "b")])) == [
        f"a{REDACTED}",
        "!",
        "b",
    ]
    assert texts(redact([stream(halves[0])], [stream(halves[1])])) == [REDACTED, ""]


def test_lines_of_a_stream_are_read_as_one_text():
    assert texts(redact([stream([PLAIN[:5], PLAIN[5:]])])) == [REDACTED]


def test_a_traceback_is_redacted_whatever_colours_stand_in_it():
    lines = ["\x1b[31mValueError\x1b[0m", f"{PLAIN[:4]}\x1b[32m{PLAIN[4:]}\x1b[0m"]
    document = redact([{"output_type": "error", "ename": "ValueError", "evalue": PLAIN, "traceback": lines}])
    assert PLAIN not in re.sub(r"\x1b\[\d+m", "", json.dumps(document))
    assert document["cells"][0]["outputs"][0]["ename"] == "ValueError"


def test_html_and_json_are_redacted_and_pictures_that_hold_a_secret_are_dropped():
    svg = f"<svg><!-- {PLAIN} --><use href='#glyph-73'/></svg>"
    png = base64.encodebytes(b"\x89PNG" + zlib.compress(f"title {PLAIN}".encode())).decode()
    document = redact(
        [shown({"text/html": f"<b>{PLAIN}</b>"}), shown({"image/svg+xml": svg}), shown({"image/png": png})],
        [
            shown({"application/json": {PLAIN: 1}}),
            shown({"text/html": f"<p>{svg}"}),
            shown({"image/png": "iVBORw0KGgo="}),
        ],
    )
    bundles = [output["data"] for cell in document["cells"] for output in cell["outputs"]]
    assert bundles == [
        {"text/html": f"<b>{REDACTED}</b>"},
        {"text/plain": REDACTED},
        {"text/plain": REDACTED},
        {"application/json": {REDACTED: 1}},
        {"text/plain": REDACTED},
        {"image/png": "iVBORw0KGgo="},
    ]


def test_sources_and_metadata_are_redacted_and_the_words_of_the_format_are_kept():
    given = notebook([stream("stdout")])
    given["cells"][0]["source"] = [f"x = '{PLAIN}'\n", "y"]
    given["metadata"] = {"papermill": {"exception": PLAIN}}
    document = redact_document(given, Redactor([PLAIN, "stdout", "stream"]))
    assert document["cells"][0]["source"] == f"x = '{REDACTED}'\ny"
    assert document["metadata"] == {"papermill": {"exception": REDACTED}}
    assert document["cells"][0]["outputs"] == [stream(REDACTED)]


# Files


def write_all(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def parquet(**columns):
    file = io.BytesIO()
    pd.DataFrame(columns).to_parquet(file)
    return file.getvalue()


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


B = VALUE.encode()
TEXT_FILES = {
    "notes.txt": b"x " + B,
    "a/table.csv": b"a,b\n1," + B,
    "made.json": json.dumps({VALUE: [VALUE]}).encode(),
    "lines.jsonl": b"\n".join(json.dumps({"n": i, "v": VALUE}).encode() for i in range(3)) + b"\n",
    "half.jsonl": b'{"a": 1}\n{"b": "' + B,
    "plot.svg": b"<svg><!-- " + html.escape(VALUE).encode() + b" --></svg>",
    "kernel.log": b"\xff\x00 " + B,
    "page.html": html.escape(VALUE).encode(),
}
PACKED_FILES = {
    "table.parquet": parquet(a=["x", VALUE]),
    "nested.parquet": parquet(a=[[VALUE], []]),
    "category.parquet": pd.DataFrame({"a": [VALUE, "x"]}).astype("category").pipe(lambda t: parquet(**dict(t.items()))),
    "column.parquet": parquet(**{VALUE: [1.0]}),
    "model.skops": zipped(schema=b"{}", state=b"x" * 999 + B),
    "twice.zip": zipped(inner=zipped(state=B)),
    "logs.gz": gzip.compress(B),
    "logs.bz2": bz2.compress(B),
    "logs.xz": lzma.compress(B),
    "joblib.z": zlib.compress(B),
    "figure.pdf": b"%PDF-1.4 stream\n" + zlib.compress(B) + b"\nendstream",
    "array.npy": saved(np.array([VALUE, "x"])),
    "pickled.pkl": pickle.dumps([VALUE, b"\xff\0"]),
    "wide.txt": VALUE.encode("utf-16"),
    "broken.gz": gzip.compress(os.urandom(99))[:-12],
    f"named {PLAIN}.txt": b"",
    f"{PLAIN}/inside.txt": b"x",
}


PACKED = {"state.zip": zipped(x=b"x" * 999), "logs.gz": gzip.compress(b"x" * 999)}
LIMITS = {
    "_LARGEST_FILE_BYTES": max(map(len, PACKED.values())),
    "_LARGEST_UNPACKED_BYTES": 999,
    "_DEEPEST_ARCHIVE": 1,
}


@pytest.mark.parametrize(("limit", "least"), LIMITS.items())
def test_what_is_too_large_or_packed_too_often_to_be_searched_is_removed(tmp_path, monkeypatch, limit, least):
    monkeypatch.setattr(redacting_files, limit, least)
    write_all(tmp_path, PACKED)
    assert redact_folder(tmp_path, Redactor([VALUE])).removed == ()
    monkeypatch.setattr(redacting_files, limit, least - 1)
    removed = {*redact_folder(tmp_path, Redactor([VALUE])).removed}
    assert removed == ({"state.zip"} if limit == "_LARGEST_FILE_BYTES" else {"logs.gz", "state.zip"})


def test_an_archive_that_says_it_is_too_large_is_removed_before_anything_of_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(redacting_files, "_LARGEST_UNPACKED_BYTES", 998)
    monkeypatch.setattr(zipfile.ZipFile, "open", pytest.fail)
    write_all(tmp_path, {"state.zip": PACKED["state.zip"]})
    assert redact_folder(tmp_path, Redactor([VALUE])).removed == ("state.zip",)


@pytest.mark.parametrize("name", TEXT_FILES)
def test_text_is_rewritten_without_the_secret(tmp_path, name):
    write_all(tmp_path, {name: TEXT_FILES[name], "clean.txt": b"clean"})
    redacted = redact_folder(tmp_path, Redactor([VALUE]))
    assert (redacted.changed, redacted.removed, redacted.failure) == ((name,), (), None)
    content = (tmp_path / name).read_bytes()
    assert REDACTED.encode() in content
    assert b"ss\\w" not in content
    assert not Redactor([VALUE]).finds(content)
    assert (tmp_path / "clean.txt").read_bytes() == b"clean"


def test_json_that_was_redacted_can_still_be_read(tmp_path):
    write_all(tmp_path, TEXT_FILES)
    redact_folder(tmp_path, Redactor([VALUE]))
    assert json.loads((tmp_path / "made.json").read_bytes()) == {REDACTED: [REDACTED]}
    lines = (tmp_path / "lines.jsonl").read_bytes().splitlines()
    assert [json.loads(line) for line in lines] == [{"n": i, "v": REDACTED} for i in range(3)]


@pytest.mark.parametrize("name", PACKED_FILES)
def test_what_is_no_text_is_removed_and_the_run_is_told(tmp_path, name):
    write_all(tmp_path, {name: PACKED_FILES[name]})
    redacted = redact_folder(tmp_path, Redactor([VALUE, PLAIN]))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert redacted.changed == ()
    assert name.replace(PLAIN, REDACTED).partition("/")[0] in redacted.failure
    assert PLAIN not in redacted.failure


def test_files_without_the_secret_stay_as_they_are_and_links_are_not_followed(tmp_path):
    run, outside = tmp_path / "run", tmp_path / "outside.txt"
    run.mkdir()
    outside.write_bytes(B)
    write_all(run, PACKED_FILES | TEXT_FILES)
    kept = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != "broken.gz"}
    (run / "broken.gz").unlink()
    (run / "link").symlink_to(outside)
    os.mkfifo(run / "pipe")
    redacted = redact_folder(run, Redactor(["quite-another-value"]))
    assert (redacted.changed, redacted.removed) == ((), ())
    assert {path: path.read_bytes() for path in kept} == kept
    assert outside.read_bytes() == B


def test_a_folder_that_held_nothing_but_a_secret_goes_with_it_and_so_does_a_link_that_says_one(tmp_path):
    write_all(tmp_path, {"a/b/state.zip": zipped(x=B), "a/kept.txt": b"kept"})
    (tmp_path / "link").symlink_to(f"nowhere-{PLAIN}")
    redacted = redact_folder(tmp_path, Redactor([VALUE, PLAIN]))
    assert set(redacted.removed) == {"a/b/state.zip", "link"}
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "kept.txt"]


def test_a_file_that_its_notebook_locked_away_is_searched_or_removed(tmp_path):
    write_all(tmp_path, {"locked/notes.txt": B, "unreadable.txt": B})
    (tmp_path / "locked").chmod(0)
    (tmp_path / "unreadable.txt").chmod(0)
    redact_folder(tmp_path, Redactor([VALUE]))
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in left if Redactor([VALUE]).finds(path.read_bytes())] == []


# A run


RUN = Run("3f9a1c27", "train.ipynb", "ab" * 32, {}, {}, AUTHOR, ENDED, state=RunState.RUNNING)


def collect(folder, *, failure=None, execution=None):
    outcome = Outcome(notebook([stream(f"x {VALUE} y")]), execution or build_execution(), failure)
    with warnings.catch_warnings():
        return collect_run(RUN, outcome, folder, Redactor([VALUE]))


def test_what_is_kept_of_a_run_holds_no_secret(tmp_path):
    folder = RunFolder.make(tmp_path / RUN.id)
    write_all(folder.path, TEXT_FILES)
    run = collect(folder)
    assert run.is_finished
    assert [
        path for path in folder.path.rglob("*") if path.is_file() and Redactor([VALUE]).finds(path.read_bytes())
    ] == []
    assert REDACTED in (folder.path / REPORT).read_text(encoding="utf-8")


def test_a_run_whose_evidence_had_to_be_removed_failed(tmp_path):
    folder = RunFolder.make(tmp_path / RUN.id)
    write_all(folder.path, {"predictions.parquet": PACKED_FILES["table.parquet"]})
    run = collect(folder)
    assert run.state is RunState.FAILED
    assert "predictions.parquet" in run.error
    assert VALUE not in run.error
    assert not (folder.path / "predictions.parquet").exists()


def test_why_a_run_failed_is_said_without_the_secret(tmp_path):
    run = collect(RunFolder.make(tmp_path / RUN.id), failure=f"Cell 1 raised ValueError: {VALUE}")
    assert run.error == f"Cell 1 raised ValueError: {REDACTED}"


class BlindRedactor(Redactor):
    """Knows a value, and cannot search anything for it."""

    def find_spans(self, text):
        raise RuntimeError(text)


def test_what_cannot_be_searched_for_secrets_is_not_kept(tmp_path):
    folder = RunFolder.make(tmp_path / RUN.id)
    write_all(folder.path, {"notes.txt": b"1 " + B, "parameters.json": b"{}", "sub/more.txt": B})
    execution = build_execution(error=f"ValueError: {VALUE}")
    document = notebook([stream(f"x {VALUE} y")])
    run = collect_run(
        RUN, Outcome(document, execution, f"Cell 1 raised ValueError: {VALUE}"), folder, BlindRedactor([VALUE])
    )
    assert run.state is RunState.FAILED
    assert "could not be searched for secrets" in run.error
    assert {path.name for path in folder.path.iterdir()} == {"parameters.json", REPORT}
    assert not any(Redactor([VALUE]).finds(path.read_bytes()) for path in folder.path.iterdir())


def test_a_folder_is_emptied_but_for_what_is_kept_and_nothing_beside_it(tmp_path):
    write_all(tmp_path, {"beside.txt": b"1", "run/a/b/c.txt": b"2", "run/kept.txt": b"3", "run/kept": b"4"})
    (tmp_path / "run" / "link").symlink_to(tmp_path / "beside.txt")
    (tmp_path / "run" / "gone").symlink_to("nowhere")
    (tmp_path / "run" / "a").chmod(0)
    empty_folder(tmp_path / "run", keep=["kept.txt"])
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["kept.txt"]
    assert (tmp_path / "beside.txt").read_bytes() == b"1"
    empty_folder(tmp_path / "missing")


def test_what_a_killed_run_left_is_redacted_as_far_as_its_secrets_are_known(tmp_path):
    write_all(tmp_path / "run", {"notes.txt": b"1 " + B + b" 2 " + PLAIN.encode()})
    parameters = {"token": "env:DECLARED", "gone": "env:NOT_SET", "rounds": 3}
    environment = {"DECLARED": VALUE, "OTHER_KEY": PLAIN}
    redacted = redact_abandoned(tmp_path / "run", parameters, environment, project=tmp_path)
    assert redacted.changed == ("notes.txt",)
    assert (tmp_path / "run" / "notes.txt").read_text(encoding="utf-8") == f"1 {REDACTED} 2 {REDACTED}"
    assert redact_abandoned(tmp_path / "missing", parameters, environment, project=tmp_path).changed == ()
