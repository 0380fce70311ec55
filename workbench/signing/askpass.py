"""A passphrase for one run of `ssh-keygen`: handed over by an inherited pipe, never by argument, environment or file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import UsageError

# What ssh-keygen reads of an answer, and less than any pipe holds.
_MOST_BYTES = 1000


@dataclass(frozen=True)
class Handover:
    """What a child process needs to be given the passphrase: variables that name the asking program, and the pipe it reads."""

    environment: dict[str, str]
    descriptors: tuple[int, ...]


@contextmanager
def hand_over(passphrase: str | None) -> Iterator[Handover]:
    """Offer a passphrase to one child process, once; whoever asks a second time is told nothing (None: nothing is offered).

    Raises UsageError for a passphrase that `ssh-keygen` could not read.
    """
    if not passphrase:
        yield Handover({}, ())
        return
    with tempfile.TemporaryDirectory(prefix="workbench-askpass-") as folder:
        reader = _fill_pipe(passphrase)
        try:
            program = _write_program(Path(folder) / "askpass", reader)
            yield Handover({"SSH_ASKPASS": str(program), "SSH_ASKPASS_REQUIRE": "force"}, (reader,))
        finally:
            os.close(reader)


def _fill_pipe(passphrase: str) -> int:
    content = passphrase.encode()
    if len(content) > _MOST_BYTES or not passphrase.isprintable():
        raise UsageError(
            "The passphrase cannot be used.",
            why=f"It is one line of at most {_MOST_BYTES} bytes.",
            next_step="Type it.",
        )
    reader, writer = os.pipe()
    os.write(writer, content)
    os.close(writer)
    return reader


def _write_program(path: Path, reader: int) -> Path:
    """Write the program that `ssh-keygen` asks: it says what is in the pipe, which is then empty."""
    path.write_text(f"#!/bin/sh\nexec cat /dev/fd/{reader}\n", encoding="utf-8")
    path.chmod(0o700)
    return path
