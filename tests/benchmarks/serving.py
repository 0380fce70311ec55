"""What an answer costs: the compiled model in process, and the guarded endpoint over HTTP."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.benchmarks.line import Line

_CONNECTIONS = 8
_SECONDS = 5.0
_CALLS, _ROUNDS = 20, 3
# What BentoML's documentation would have one write for the same model.
_PLAIN_SERVICE = """
import bentoml, pandas as pd, skops.io as sio
@bentoml.service(workers=1)
class Plain:
    def __init__(self):
        self.model = sio.load("model.skops", trusted=["sklearn.tree._tree.Tree"])
    @bentoml.api
    def predict(self, rows: list[dict[str, float]]) -> list[float]:
        return self.model.predict_proba(pd.DataFrame(rows))[:, 1].tolist()
"""

# The same without BentoML, on uvicorn with uvloop and httptools: no contract, no signature, no limit.
_BARE_SERVICE = """
import json
import numpy as np, onnxruntime
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession("model.onnx", options)
async def predict(request):
    rows = json.loads(await request.body())["rows"]
    table = np.array([list(row.values()) for row in rows], dtype="float64")
    return JSONResponse({"scores": session.run(["scores"], {"numbers": table})[0][:, -1].tolist()})
async def ready(request):
    return JSONResponse({})
app = Starlette(routes=[Route("/predict", predict, methods=["POST"]), Route("/readyz", ready)])
"""


def _fitted() -> tuple[Any, Any, list[dict[str, float]]]:
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier

    data = load_breast_cancer(as_frame=True)
    model = RandomForestClassifier(200, random_state=0).fit(data.data, data.target)
    return model, data.data, data.data.head(1).to_dict("records")


def measure_rows(_: Path) -> Iterator[Line]:
    """Score one row in each form a model can be served in, and by the fitted estimator; CPU time, in milliseconds."""
    import pandas as pd
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    from workbench.models.compiler.onnx_compiler import compile_own, compile_preparation
    from workbench.models.onnx_predictor import load_onnx_predictor
    from workbench.models.skops_predictor import predictor_of, prepared_predictor_of

    model, table, rows = _fitted()
    contract = _contract_of(table)
    compiled, frame = load_onnx_predictor(compile_own(model, contract), contract), pd.DataFrame(rows)
    estimator = "the fitted estimator"
    yield _line(
        "a forest of 200 trees, compiled", lambda: compiled(rows), estimator, lambda: model.predict_proba(frame)
    )
    table, rows, contract = _mixed()
    lines = _pipeline(LogisticRegression()).fit(table, table.amount > 300)
    compiled_lines, own_lines = (
        load_onnx_predictor(compile_own(lines, contract), contract),
        predictor_of(lines, contract),
    )
    itself = "the pipeline itself, asked with a frame"
    yield _line("texts, gaps and a regression, compiled", lambda: compiled_lines(rows), itself, lambda: own_lines(rows))
    near = _pipeline(KNeighborsClassifier()).fit(table, table.amount > 300)
    prepared = prepared_predictor_of(near, compile_preparation(near, contract), contract)
    own_near = predictor_of(near, contract)
    yield _line(
        "texts, gaps and neighbors, preparation compiled", lambda: prepared(rows), itself, lambda: own_near(rows)
    )


def _line(what: str, ours: Callable[[], object], other: str, theirs: Callable[[], object]) -> Line:
    from tests.benchmarks.line import Line

    pairs = [(_spent(ours) * 1000, _spent(theirs) * 1000) for _ in range(12)]
    return Line(f"score one row: {what}", [a for a, _ in pairs], other, [b for _, b in pairs], unit="ms")


def _spent(action: Callable[[], object]) -> float:
    """Return the CPU seconds of one call, as the mean of twenty."""
    began = time.process_time()
    for _ in range(_CALLS):
        action()
    return (time.process_time() - began) / _CALLS


def _contract_of(table: Any) -> Any:
    from workbench.models.contract import Contract
    from workbench.models.frames import describe_columns

    return Contract("classification", describe_columns(table), classes=(0, 1))


def _mixed() -> tuple[Any, list[dict[str, Any]], Any]:
    """Return a table of numbers with gaps and texts, one of its rows, and its contract."""
    import numpy as np
    import pandas as pd

    from workbench.models.frames import to_rows

    generator = np.random.default_rng(0)
    numbers = {name: generator.normal(300, 900, 2000).round(2) for name in ("amount", "age", "income", "ratio")}
    texts = {name: generator.choice(["north", "south", "east", "west"], 2000) for name in ("region", "plan", "device")}
    table = pd.DataFrame({**numbers, **texts})
    table.loc[::9, "age"] = np.nan
    return table, to_rows(table.head(1)), _contract_of(table)


def _pipeline(last: Any) -> Any:
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    return make_pipeline(
        make_column_transformer(
            (numbers, make_column_selector(dtype_include="number")),
            (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
        ),
        last,
    )


def measure_http(folder: Path) -> Iterator[Line]:
    """What an answer to one row costs all processes of a server: a verified release, a bare framework, a plain BentoML service."""
    from sklearn.ensemble import RandomForestClassifier

    from tests.benchmarks.line import Line
    from tests.integration import release_builder

    trained = release_builder.train_model(RandomForestClassifier(200, random_state=0))
    inspected = release_builder.prepare_model(trained, _made(folder / "trained"))
    body = {"rows": trained.holdout.head(1).to_dict("records")}
    costs: list[list[float]] = [[], [], []]
    rates: list[list[float]] = [[], [], []]
    with (
        _guarded(folder, inspected) as guarded,
        _bare(folder, inspected.files) as bare,
        _plain(folder, trained.model) as plain,
    ):
        for _ in range(_ROUNDS):
            for server, cost, rate in zip((guarded, bare, plain), costs, rates, strict=True):
                before = server.cpu_s()
                found = asyncio.run(_load(server.port, body))
                cost.append((server.cpu_s() - before) / (found * _SECONDS) * 1e6)
                rate.append(found)
        waits = [_wait_beside_large(guarded.port, trained.holdout) for _ in range(_ROUNDS)]
    what = "answer one row of 30 numbers"
    starlette, bento = "Starlette, json and onnxruntime with nothing on", "a plain @bentoml.api"
    yield Line(f"{what}, processor time of a verified release", costs[0], starlette, costs[1], "µs")
    yield Line(f"{what}, processor time of a verified release", costs[0], bento, costs[2], "µs")
    yield Line(f"{what}, {_CONNECTIONS} connections", rates[0], bento, rates[2], "requests/s", True)
    beside, alone = [wait[0] for wait in waits], [wait[1] for wait in waits]
    yield Line("p95 of small requests while four clients send all rows a body may hold", beside, "alone", alone, "ms")


@dataclass
class _Server:
    port: int
    pid: int

    def cpu_s(self) -> float:
        """Return the processor time of the process and all it started, ended ones too."""
        import psutil

        root = psutil.Process(self.pid)
        times = [each.cpu_times() for each in (root, *root.children(recursive=True))]
        return float(sum(each.user + each.system for each in times))


def _wait_beside_large(port: int, table: Any) -> tuple[float, float]:
    """Return what a caller of one row waits, in ms at the 95th percentile, beside four of a thousand rows, and alone."""
    rows = table.sample(1_000, replace=True, random_state=0).to_dict("records")
    small, large = (_spell(port, {"rows": part}) for part in (rows[:1], rows))

    async def wait(clients: int) -> float:
        end = time.perf_counter() + _SECONDS
        waits: list[float] = []
        others = [_client(port, large, end) for _ in range(clients)]
        await asyncio.gather(_client(port, small, end, waits), *others)
        return float(sorted(waits)[int(0.95 * len(waits))]) * 1000

    return asyncio.run(wait(4)), asyncio.run(wait(0))


@contextmanager
def _guarded(folder: Path, inspected: Any) -> Iterator[_Server]:
    from tests.integration import release_builder
    from workbench.files.trees import read_tree
    from workbench.serving.bentoml_server import serve_bento

    port, signers = _free_port(), release_builder.make_signers(_made(folder / "keys"))
    bento = release_builder.build_signed_bento(inspected, signers, folder / "guarded")
    trust = {"WORKBENCH_ALLOWED_SIGNERS": str(signers.allowed_signers)}
    with serve_bento(bento, audit=read_tree, port=port, log=folder / "guarded.log", environment=trust) as server:
        yield _Server(port, server.process.pid)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@contextmanager
def _bare(folder: Path, files: Mapping[str, bytes]) -> Iterator[_Server]:
    home, port = folder / "bare", _free_port()
    home.mkdir()
    (home / "bare.py").write_text(_BARE_SERVICE, encoding="utf-8")
    (home / "model.onnx").write_bytes(files["model.onnx"])
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "bare:app",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-access-log",
    ]
    yield from _run(command, home, port, {})


@contextmanager
def _plain(folder: Path, model: Any) -> Iterator[_Server]:
    import skops.io

    home, port = folder / "plain", _free_port()
    home.mkdir()
    (home / "service.py").write_text(_PLAIN_SERVICE, encoding="utf-8")
    skops.io.dump(model, home / "model.skops")
    command = [sys.executable, "-m", "bentoml", "serve", "service:Plain", "--host", "127.0.0.1", "--port", str(port)]
    yield from _run(command, home, port, {"BENTOML_HOME": str(home / "bentoml")})


def _run(command: list[str], home: Path, port: int, environment: Mapping[str, str]) -> Iterator[_Server]:
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=home, env={**os.environ, **environment}, stdout=log, stderr=log)
    try:
        _await_ready(port)
        yield _Server(port, server.pid)
    finally:
        server.terminate()
        server.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_ready(port: int) -> None:
    for _ in range(300):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise TimeoutError(f"nothing is ready on port {port}")


async def _load(port: int, body: dict[str, Any]) -> float:
    """Return answered requests a second over a fixed time, keep-alive, one request at a time on each connection."""
    request, end = _spell(port, body), time.perf_counter() + _SECONDS
    counts = await asyncio.gather(*(_client(port, request, end) for _ in range(_CONNECTIONS)))
    return sum(counts) / _SECONDS


def _spell(port: int, body: dict[str, Any]) -> bytes:
    content = json.dumps(body).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


async def _client(port: int, request: bytes, end: float, waits: list[float] | None = None) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answered = 0
    while time.perf_counter() < end:
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode(errors="replace"))
        length = next(
            int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        )
        await reader.readexactly(length)
        answered += 1
        if waits is not None:
            waits.append(time.perf_counter() - began)
    writer.close()
    return answered
