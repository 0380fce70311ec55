"""Secrets kept in files: the first line, or the whole of a PEM file."""

from __future__ import annotations

import stat
import warnings
from collections.abc import Mapping
from pathlib import Path

_LARGEST_BYTES = 64 * 1024


def read_file_secret(place: str, _: Mapping[str, str], project: Path) -> str:
    """Return the first line of a file below `project` or anywhere, the whole of a key that begins with `-----BEGIN`.

    Raises LookupError saying why there is none; warns when other people of this machine can read the file.
    """
    try:
        path = project / Path(place).expanduser()
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise LookupError("it is not a file.")
        with path.open("rb") as file:
            text = file.read(_LARGEST_BYTES).decode()
    except OSError as exc:
        raise LookupError(f"the file cannot be read: {exc.strerror or exc}.") from exc
    except (ValueError, RuntimeError) as exc:
        raise LookupError("it is no text file that can be read.") from exc
    if mode & stat.S_IROTH:
        # No reason to refuse: containers mount their secrets like this.
        warnings.warn(f"Everybody on this machine can read file:{place}; `chmod 600` it.", stacklevel=2)
    return text.rstrip("\r\n") if text.startswith("-----BEGIN ") else next(iter(text.splitlines()), "")
