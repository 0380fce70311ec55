"""A Bento as a running process: started on loopback, awaited until it answers, stopped without orphans."""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from workbench.errors import Refused, Unavailable, UsageError
from workbench.files.disk import find_write_fault
from workbench.files.processes import name_starter
from workbench.files.python_processes import python_command, python_variables

SERVICE = "workbench.bentoml_service:Endpoint"
_HOST = "127.0.0.1"
_TURN_S = 1.0
READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
_POLL_S = 0.05
ALLOWED_HOSTS = "WORKBENCH_ALLOWED_HOSTS"
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
_LOG = logging.getLogger(__name__)
_REFUSED = "workbench.errors.Refused: "


@dataclass
class BentoServer:
    """A Bento that is being served; leave the `with` block, or call `stop`, to end it and everything it started."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    home: Path = field(repr=False)
    log_fault: Unavailable | None = None

    def __enter__(self) -> BentoServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait(self, tell: Callable[[Unavailable], None] = _LOG.warning) -> int:
        """Return the exit code once it has ended; an interrupt (Ctrl-C) stops it and is passed on.

        `tell` hears it, once, when what the service says is kept elsewhere than it should be, or cannot be kept any more.
        """
        told = self.log_fault
        if told:
            tell(told)
        try:
            # In turns: an interrupt that comes just before Python begins to wait is heard when it looks up again.
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    return self.process.wait(_TURN_S)
                if told is None and (fault := find_write_fault(self.log.parent)):
                    tell(told := _lose_log(self.log, fault, "It goes on answering, and what it says is lost."))
        finally:
            self.stop()

    def stop(self) -> None:
        """End the server and its workers: asked first, killed after `STOP_TIMEOUT_S`; harmless when it has ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_TIMEOUT_S)
        _kill_rest(self.process, self.home)
        shutil.rmtree(self.home, ignore_errors=True)


def serve_bento(
    bento_folder: Path,
    *,
    audit: Callable[[Path], Mapping[str, bytes]],
    port: int,
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> BentoServer:
    """Serve a Bento with `bentoml serve` and return once it answers on `/readyz`.

    `audit` is called with the Bento's `src/` first and returns the very bytes that may be served, by path, or raises:
    the code in a bundle audits itself too, but only code from outside can be believed about changed code. What is
    started is a private copy of these bytes. `environment` adds variables, such as whom to trust; nothing else is
    inherited but the search path and the locale. Output goes to `log`. Raises Refused with the reasons of whoever
    refused, UsageError when there is no Bento, Unavailable when the port is taken, the copy cannot be written or it does
    not get ready.
    """
    source = bento_folder / "src"
    if not source.is_dir():
        raise UsageError(
            f"There is no Bento in {bento_folder}.", next_step="Name the folder that holds bento.yaml and src."
        )
    files = audit(source)
    require_free_port(_HOST, port)
    server = _start(files, port, log, environment or {})
    try:
        _await_ready(server, port, READY_TIMEOUT_S)
    except BaseException:
        server.stop()
        raise
    return server


def require_free_port(host: str, port: int, option: str = "--port") -> None:
    """Raise Unavailable when something listens on the port already."""
    with socket.socket(socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as exc:
            raise Unavailable(
                f"Port {port} on {host} cannot be used.", why=str(exc), next_step=f"Choose another with {option}."
            ) from exc


def _start(files: Mapping[str, bytes], port: int, log: Path, environment: Mapping[str, str]) -> BentoServer:
    try:
        with contextlib.ExitStack() as undo:
            home = Path(tempfile.mkdtemp(prefix="bentoml-home-"))
            undo.callback(shutil.rmtree, home, ignore_errors=True)
            # The audited folder may change at any moment, and a worker that is started again would read it again.
            source = _write_copy(files, home / "src")
            log, log_fault = _find_log(log)
            process = _launch(source, port, log, {**serving_environment(home), **environment})
            undo.pop_all()
    except OSError as exc:
        raise Unavailable(
            "The Bento was not served.",
            why=str(exc),
            next_step="Free some space, or fix the rights of the folder it names.",
        ) from exc
    return BentoServer(f"http://{_HOST}:{port}", process, log, home, log_fault)


def _find_log(wanted: Path) -> tuple[Path, Unavailable | None]:
    """Return where what a service says is kept, and what is wrong when that is not where it should be: serving goes on."""
    try:
        wanted.parent.mkdir(parents=True, exist_ok=True)
        wanted.open("wb").close()
        fault = find_write_fault(wanted.parent)
    except OSError as exc:
        fault = str(exc)
    if not fault:
        return wanted, None
    handle, name = tempfile.mkstemp(prefix=f"workbench-serving-{wanted.stem}-", suffix=".log")
    os.close(handle)
    return Path(name), _lose_log(wanted, fault, f"The service answers all the same; what it says is kept in {name}.")


def _lose_log(log: Path, fault: str, instead: str) -> Unavailable:
    remedy = "Free some space or fix the rights of its folder, then serve again; `workbench doctor` says more."
    return Unavailable(f"{log} cannot be written.", why=[fault, instead], next_step=remedy)


def _write_copy(files: Mapping[str, bytes], folder: Path) -> Path:
    folder.mkdir()
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(content)
    return folder


def _launch(source: Path, port: int, log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    arguments = ("serve", SERVICE, "--working-dir", str(source), "--host", _HOST, "--port", str(port))
    with log.open("wb") as output:
        return subprocess.Popen(
            python_command("bentoml", *arguments),
            cwd=source,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def serving_environment(home: Path) -> dict[str, str]:
    """Return the environment a served process starts with; `home` is a private folder for what BentoML writes.

    The service is named by its import path and not by the Bento's `bento.yaml`, and modules are not searched in the
    working directory: neither file nor folder outside of the audited `src/` can change what runs. Bytecode is not
    written, because in `src/` it would be a file nobody approved.
    """
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR") if name in os.environ}
    own = {
        "HOME": str(home),
        "BENTOML_HOME": str(home),
        "BENTOML_DO_NOT_TRACK": "True",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        ALLOWED_HOSTS: ",".join(LOOPBACK_HOSTS),
    }
    return python_variables({**kept, **own, **name_starter("endpoint")})


def _await_ready(server: BentoServer, port: int, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        ended = server.process.poll() is not None
        _raise_refusal(server.log)
        if ended:
            raise _not_ready(server, f"It ended with {server.process.returncode}.")
        if _is_ready(port):
            return
        time.sleep(_POLL_S)
    raise _not_ready(server, f"It did not answer within {timeout_s:g} s.")


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(_HOST, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _read_log(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()


def _raise_refusal(log: Path) -> None:
    """Raise the Refused that the served process ended with, if its log shows one."""
    lines = _read_log(log)
    start = next((n for n, line in enumerate(lines) if line.startswith(_REFUSED)), None)
    if start is None:
        return
    reasons, next_step = [], ""
    for line in lines[start + 1 :]:
        if line.startswith("  - "):
            reasons.append(line.removeprefix("  - "))
            continue
        next_step = line.removeprefix("  Next: ") if line.startswith("  Next: ") else ""
        break
    raise Refused(lines[start].removeprefix(_REFUSED), why=reasons, next_step=next_step)


def _not_ready(server: BentoServer, reason: str) -> Unavailable:
    last = [line.strip() for line in _read_log(server.log) if line.strip()][-5:]
    return Unavailable("The Bento was not served.", why=[reason, *last], next_step=f"Read {server.log}.")


def _kill_rest(process: subprocess.Popen[bytes], home: Path) -> None:
    """Kill what outlived the supervisor: BentoML's workers have sessions of their own, but all carry the same private home."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while (rest := _find_carriers(home)) and time.monotonic() < deadline:
        for pid in rest:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL_S)


def _find_carriers(home: Path) -> list[int]:
    carried = f"BENTOML_HOME={home}".encode()
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if carried in environment.read_bytes().split(b"\0"):
                found.append(int(environment.parent.name))
    return found
