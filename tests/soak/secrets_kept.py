"""Secrets are planted wherever a notebook can show one, and looked for afterwards in everything the workbench has kept.

The search shares no code with the redaction. It undoes what hides a text from a plain search: databases are read row by row,
archives and tables are unpacked, the outputs of a notebook are joined. Not planted is what nobody can find: a value that is
encrypted, drawn as pixels, printed one character at a time among others, or written outside of the run's folder.
"""

from __future__ import annotations

import base64
import html
import io
import itertools
import json
import random
import re
import shutil
import sqlite3
import string
import tempfile
import urllib.parse
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pandas as pd

from tests.conftest import AUTHOR, run_command
from tests.soak.proof import SEED, Proof, timed_proof

_PIECE = 12

# What secrets look like. Each takes a random text, so that no two plants have the same value.
KINDS: Mapping[str, Callable[[str], str]] = {
    "token": lambda r: f"sk-{r}",
    "eight characters": lambda r: r[:8],
    "digits": lambda r: str(int(r.encode().hex(), 16))[:20],
    "hex": lambda r: r.encode().hex(),
    "base64": lambda r: base64.b64encode(r.encode()).decode(),
    "quotes": lambda r: f"{r[:6]}\"'`{r[6:]}\"'",
    "blanks": lambda r: f"{r[:6]} {r[6:12]}  {r[12:]} x",
    "tabs and lines": lambda r: f"{r[:8]}\t{r[8:]}\n{r[::-1]}",
    "percent signs": lambda r: f"%{r[:6]}%41%{r[6:]}%%",
    "backslashes": lambda r: f"{r[:6]}\\n\\{r[6:]}\\x41\\",
    "markup": lambda r: f"<b>{r}&amp;</b>&lt;",
    "other letters": lambda r: f"päß{r[:8]}日本語{r[8:]}é",
    "beyond the first plane": lambda r: f"🔑{r[:8]}\U0001d4b3{r[8:]}",
    "a key of 4 kB": lambda r: _make_key(r, 62),
    "JSON": lambda r: json.dumps({"type": "account", "private_key": r, "id": f"{r[::-1]}\n"}),
    "address": lambda r: f"postgresql://ada:{r}@db.example.org:5432/main?ssl=1",
    "signed token": lambda r: ".".join(base64.urlsafe_b64encode(f"{r}{i}".encode()).decode().rstrip("=") for i in range(3)),
    "shell signs": lambda r: f"${{{r[:6]}}};$({r[6:]})|*?#~",
    "commas and colons": lambda r: f"{r[:6]},{r[6:12]}:{r[12:]};=,",
    "pattern": lambda r: f"^{r[:6]}(.*)[{r[6:]}]+$",
}  # fmt: skip


def _make_key(seed: str, lines: int) -> str:
    drawn = random.Random(seed)
    body = ("".join(drawn.choices(string.ascii_letters + string.digits + "+/", k=64)) for _ in range(lines))
    return "\n".join(["-----BEGIN PRIVATE KEY-----", *body, "-----END PRIVATE KEY-----"])


_BEGIN = """
import base64, html, json, logging, os, subprocess, sys, urllib.parse
from pathlib import Path

import pandas as pd
from IPython.display import HTML, display

folder = Path(os.environ["WORKBENCH_SPOOL"])
"""

# Where a notebook shows them: one cell each, in which `v` is the value.
SURFACES: Mapping[str, str] = {
    "parameter": "v = wb.secret(token)\nprint(wb.params, v)\nv",
    "stdout": (
        "sys.stdout.write(v[: len(v) // 2]); sys.stdout.flush()\nprint('between', file=sys.stderr, flush=True)\n"
        "print(v[len(v) // 2 :]); print(json.dumps([v])); print(base64.b64encode(b'x' + v.encode()).decode())\n"
        "print(urllib.parse.quote(v)); print(v.encode().hex()); print(html.escape(v)); print(repr(v), flush=True)"
    ),
    "stderr": (
        "logging.getLogger().warning('it is %s', v); logging.getLogger().warning('%r', {v: v})\n"
        "print(base64.encodebytes(b'-' * 50 + v.encode()).decode(), file=sys.stderr)"
    ),
    # An error that is shown fails the run: every other notebook only says it, and finishes.
    "traceback": (
        "try:\n    raise ValueError(v, {'key': v})\nexcept ValueError:\n    if packed:\n        get_ipython().showtraceback()\n"
        "    else:\n        print(get_ipython().InteractiveTB.text(*sys.exc_info()))"
    ),
    "display": (
        "display(HTML(f'<p title=\"{html.escape(v)}\">{v}</p>'))\n"
        "display({'text/plain': v, 'application/json': {v: [v]}}, raw=True)"
    ),
    "plot": (
        "picture = f'<svg xmlns=\"http://www.w3.org/2000/svg\"><!-- {html.escape(v)} --><text>{html.escape(v)}</text></svg>'\n"
        "display({'image/svg+xml': picture, 'text/plain': 'a plot'}, raw=True); (folder / 'plot.svg').write_text(picture)\n"
        "png = base64.b64encode(b'\\x89PNG\\r\\n\\x1a\\n' + b'tEXtTitle\\0' + v.encode()).decode()\n"
        "display({'image/png': png, 'text/plain': 'a plot'}, raw=True)"
    ),
    "mlflow": (
        "import mlflow\nmlflow.log_param('planted', v[:5000]); mlflow.set_tag('planted', v[:5000])\n"
        "mlflow.log_text(v, 'planted.txt'); mlflow.log_dict({'v': v}, 'planted.json')"
    ),
    "environment": "print(dict(os.environ)); (folder / 'environment.json').write_text(json.dumps(dict(os.environ)))",
    "rows": (
        "rows = pd.DataFrame({'a': [1.0, 2.0]}, index=[v, 'other'])\nwb.log_dataset(rows, role='train', name='planted')\n"
        "if packed:\n    wb.log_predictions([0, 1], [0, 1], [0.1, 0.9], slices={'planted': [v, 'other']})"
    ),
    "files": (
        "(folder / 'notes.txt').write_text(v); (folder / 'lines.jsonl').write_text(json.dumps({'v': v}) + '\\n')\n"
        "os.write(1, v.encode()); os.write(2, v[:4].encode()); os.write(2, v[4:].encode())\n"
        "subprocess.run([sys.executable, '-c', 'import os; print(os.environ[\"PLANTED_FILES_TOKEN\"])'], check=True)"
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Plant:
    """One secret on one surface, and where it could still be read afterwards."""

    kind: str
    surface: str
    places: tuple[str, ...]


def plant_secrets(
    count: int, *, known: bool = True, seed: int = SEED, make_project: Callable[[Path], object] = lambda _: None
) -> list[Plant]:
    """Run `count` notebooks, each with another kind of secret on every surface, and return what could be read afterwards.

    With `known=False` the values have names that tell nothing: all that is planted must then be found, or the search is blind.
    """
    drawn = random.Random(seed)
    kinds = list(itertools.islice(itertools.cycle(KINDS), count))
    return [plant for number, kind in enumerate(kinds) for plant in _plant(kind, number, known, drawn, make_project)]


def _plant(
    kind: str, number: int, known: bool, drawn: random.Random, make_project: Callable[[Path], object]
) -> list[Plant]:
    top = Path(tempfile.mkdtemp(prefix="workbench-soak-"))
    project, values = top / "project", {surface: KINDS[kind](_draw(drawn)) for surface in SURFACES}
    try:
        project.mkdir()
        make_project(project)
        (project / "workbench.toml").write_text(f'author = "{AUTHOR}"\n', encoding="utf-8")
        said = _run(project, values, known, packed=number % 2 == 1)
        kept = [("what the commands said", said), *_read_all(project / "runs")]
        _require_it_ran(kept)
        return [Plant(kind, surface, tuple(_find(value, kept))) for surface, value in values.items()]
    finally:
        shutil.rmtree(top, ignore_errors=True)


def _draw(drawn: random.Random) -> str:
    return "".join(drawn.choices(string.ascii_letters + string.digits, k=20))


def _run(project: Path, values: Mapping[str, str], known: bool, *, packed: bool) -> str:
    """Run the notebook with the values in its environment and return everything the commands said."""
    environment = {_name_variable(surface, known): value for surface, value in values.items()}
    path = project / "plants.ipynb"
    nbformat.write(_make_notebook(known, packed), path)
    done = run_command(project, "run", str(path), **environment)
    shown = run_command(project, "show", *_ids(project), "--json", **environment)
    return "\n".join((done.stdout, done.stderr, shown.stdout, shown.stderr))


def _ids(project: Path) -> list[str]:
    return [folder.name for folder in (project / "runs" / "by-id").iterdir()]


def _name_variable(surface: str, known: bool) -> str:
    # The parameter's is declared, those of the others have a telling name.
    telling = f"PLANTED_{surface.upper()}" + ("_TOKEN" if surface != "parameter" else "")
    return telling if known else f"PLANTED_{surface.upper()}_VALUE"


def _make_notebook(known: bool, packed: bool) -> nbformat.NotebookNode:
    kind = "wb.Secret" if known else "str"
    declared = (
        f'import workbench as wb\n\ntoken: {kind} = "env:{_name_variable("parameter", known)}"\npacked: bool = {packed}'
    )
    cells = [nbformat.v4.new_code_cell(declared, metadata={"tags": ["parameters"]}), nbformat.v4.new_code_cell(_BEGIN)]
    for surface, source in SURFACES.items():
        variable = _name_variable(surface, known)
        opened = "" if surface == "parameter" else f"v = os.environ[{variable!r}]\n"
        source = source if known else source.replace("PLANTED_FILES_TOKEN", variable)
        cells.append(nbformat.v4.new_code_cell(opened + source))
    cells.append(nbformat.v4.new_code_cell("print('every surface', 'was reached')"))
    return nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )


def _require_it_ran(kept: Sequence[tuple[str, str]]) -> None:
    # What was not shown need not be looked for.
    text = "".join(text for name, text in kept if name.endswith("notebook.ipynb, joined"))
    assert "every surface was reached" in text, text[-3000:] or [name for name, _ in kept]


# The search


def _read_all(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield every file below a folder as text, under its name: as it is, and unpacked where that makes a difference."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name, content = str(path.relative_to(folder)), path.read_bytes()
        yield name, f"{name}\n{content.decode(errors='replace')}"
        yield from ((f"{name}, {how}", text) for how, text in _unpack(path, content))


def _unpack(path: Path, content: bytes) -> Iterator[tuple[str, str]]:
    if path.suffix == ".db":
        yield "rows", "\n".join(_read_rows(path))
    elif path.suffix == ".parquet":
        yield "table", "\n".join(str(value) for value in pd.read_parquet(path).to_numpy().ravel())
    elif path.suffix == ".ipynb":
        yield "joined", "".join(_read_outputs(json.loads(content)))
    elif path.suffix in (".json", ".jsonl"):
        yield "values", "\n".join(_strings(json.loads(line) for line in _documents(content)))
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield "members", "\n".join(archive.read(name).decode(errors="replace") for name in archive.namelist())


def _read_rows(path: Path) -> Iterator[str]:
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):
                yield from (each.decode(errors="replace") if isinstance(each, bytes) else str(each) for each in row)
    finally:
        database.close()


def _documents(content: bytes) -> list[bytes]:
    try:
        json.loads(content)
    except ValueError:
        return [line for line in content.splitlines() if line.strip()]
    return [content]


def _strings(document: object) -> Iterator[str]:
    if isinstance(document, dict):
        for key, value in document.items():
            yield str(key)
            yield from _strings(value)
    elif isinstance(document, str | int | float):
        yield str(document)
    elif document is not None:
        for item in document:  # type: ignore[attr-defined]
            yield from _strings(item)


def _read_outputs(document: Mapping[str, object]) -> Iterator[str]:
    """Yield what a notebook says, one stream after the other, then everything else."""
    outputs = [output for cell in document["cells"] for output in cell.get("outputs", [])]  # type: ignore[attr-defined]
    for stream in ("stdout", "stderr"):
        yield from ("".join(output["text"]) for output in outputs if output.get("name") == stream)
    for output in outputs:
        yield re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(_strings(output)))


def _find(value: str, kept: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield where a value can be read, and how it is spelt there."""
    spelt = {how: text for how, text in _spell(value) if len(text) >= 8}
    for name, content in kept:
        squeezed = re.sub(r"\s+", "", content)
        for how, text in spelt.items():
            if text in content or re.sub(r"\s+", "", text) in squeezed:
                yield f"{name} ({how})"


def _spell(value: str) -> Iterator[tuple[str, str]]:
    content = value.encode()
    yield from (
        ("raw", value),
        ("JSON", json.dumps(value)[1:-1]),
        ("repr", repr(value)[1:-1]),
        ("HTML", html.escape(value)),
    )
    yield from (("JSON in JSON", json.dumps(json.dumps(value))[3:-3]), ("hex", content.hex()))
    yield from (("URL", urllib.parse.quote(value)), ("all URL", urllib.parse.quote(value, safe="")))
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + content).decode()[4 if shift else 0 : -4]
        yield from ((f"base64 {shift}", encoded), (f"URL base64 {shift}", encoded.replace("+", "-").replace("/", "_")))
    yield from ((f"piece {piece}", text) for piece, text in enumerate(_pieces(value)))


def _pieces(value: str) -> Iterator[str]:
    """Yield the pieces of a long value that are as secret as the whole: what is split must not be left in its halves."""
    body = re.sub(r"-----[A-Z ]+-----", "", value)
    if len(body) >= 4 * _PIECE and "example.org" not in body and "account" not in body:
        yield from (body[start : start + _PIECE] for start in range(0, len(body) - _PIECE, _PIECE))


def prove(size: int) -> Proof:
    """Plant `size` secrets (ten a notebook) and count those that could be read afterwards."""
    return timed_proof("No planted secret can be read in what is kept", lambda: _try(size))


def _try(size: int) -> tuple[int, Sequence[str], str]:
    plants = plant_secrets(-(-size // len(SURFACES)))
    failures = [f"{plant.kind} on {plant.surface}: {', '.join(plant.places[:5])}" for plant in plants if plant.places]
    return len(plants), failures, f"{len(KINDS)} kinds of secrets, {len(SURFACES)} surfaces"
