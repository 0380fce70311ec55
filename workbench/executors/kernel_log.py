"""What a kernel writes past the notebook, to its file descriptors 1 and 2: kept beside the run, without the secrets we know."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from workbench.secrets.redaction import RedactingWriter, Redactor

_CHUNK_BYTES = 65_536
_DRAIN_TIMEOUT_S = 10


@contextmanager
def open_log(path: Path, secrets: Sequence[str]) -> Iterator[BinaryIO]:
    """Open a kernel's log for its whole life; with secrets it is a pipe, and what comes through is redacted on the way to disk.

    Everything that writes to it must have ended when the context does.
    """
    if not secrets:
        with path.open("wb") as log:
            yield log
        return
    receiving, sending = os.pipe()
    reader = threading.Thread(target=_copy, args=(receiving, path, secrets), daemon=True)
    reader.start()
    try:
        with os.fdopen(sending, "wb", buffering=0) as log:
            yield log
    finally:
        reader.join(_DRAIN_TIMEOUT_S)


def _copy(receiving: int, path: Path, secrets: Sequence[str]) -> None:
    with (
        os.fdopen(receiving, "rb", buffering=0) as source,
        RedactingWriter(path.open("wb"), Redactor(secrets)) as writer,
    ):
        while chunk := source.read(_CHUNK_BYTES):
            writer.write(chunk)
