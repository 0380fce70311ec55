"""A server of somebody else's that runs beside us: in a session of its own, with a log, ended with whoever wanted it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_STOP_TIMEOUT_S = 10


@contextmanager
def run_server(
    command: Sequence[str], environment: Mapping[str, str], *, cwd: Path, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; what it says is added to the log."""
    with log.open("ab") as output:
        server = subprocess.Popen(
            command, env=dict(environment), cwd=cwd, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield server
    finally:
        _stop(server)


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End it: asked first, killed when it does not listen; harmless when it has ended."""
    server.terminate()
    try:
        server.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
