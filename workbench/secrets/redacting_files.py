"""Redacting files: what a notebook wrote by itself into its run's folder; text is rewritten, what cannot be is removed."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from workbench.secrets.redaction import REDACTED, Redactor

_LARGEST_FILE_BYTES = 1024**3
_LARGEST_UNPACKED_BYTES = 4 * 1024**3
_CHUNK_BYTES = 64 * 1024**2
_LONGEST_STREAM_BYTES = 8 * 1024**2
_MOST_STREAMS = 20_000
_DEEPEST_ARCHIVE = 3
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_COMPRESSED: Mapping[bytes, Callable[[io.BytesIO], Any]] = {
    b"\x1f\x8b\x08": lambda file: gzip.GzipFile(fileobj=file),
    **{b"BZh%d1AY&SY" % level: bz2.BZ2File for level in range(1, 10)},
    b"\xfd7zXZ\0": lzma.LZMAFile,
}
_PACKED = (*_COMPRESSED, b"PK\x03\x04")
_BINARY = (*_PACKED, b"PAR1", b"%PDF", b"\x89PNG")
_BROKEN = (
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)


@dataclass(frozen=True)
class Redacted:
    """The files of a folder that held a value, by their posix relative path: rewritten without it, or removed."""

    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def failure(self) -> str | None:
        """Why the run cannot be kept as it is: evidence that was removed is not there any more; None when nothing was."""
        if not self.removed:
            return None
        return f"Removed, for it held a secret or could not be searched for one: {', '.join(self.removed)}."


def redact_folder(folder: Path, redactor: Redactor) -> Redacted:
    """Cut the values out of the files below a folder; what is no text is searched, packed or not, and removed when it holds one.

    Follows no link and opens only plain files. Raises OSError when the disk does not let a file be removed.
    """
    if not redactor:
        return Redacted()
    _open_up(folder)
    changed: list[str] = []
    removed: list[str] = []
    for path in sorted(_walk(folder), key=lambda path: len(path.parts)):
        if not os.path.lexists(path):
            continue  # its folder was removed
        name = redactor.redact_text(os.fsencode(path.relative_to(folder)).decode(errors="replace"))
        if _has_secret_name(path, folder, redactor) or not _can_be_kept(path, redactor, partial(changed.append, name)):
            _remove(path, folder)
            removed.append(name)
    return Redacted(tuple(changed), tuple(removed))


def empty_folder(folder: Path, *, keep: Collection[str] = ()) -> None:
    """Remove all that a notebook wrote below a folder but for these names, as far as the disk lets it."""
    with suppress(OSError):
        _open_up(folder)
        for path in [path for path in folder.iterdir() if path.name not in keep]:
            with suppress(OSError):
                _open_up(path)
                for _ in _walk(path):  # which opens up what is locked below
                    pass
                _remove(path, folder)


def _has_secret_name(path: Path, folder: Path, redactor: Redactor) -> bool:
    names = [path.relative_to(folder), *([path.readlink()] if path.is_symlink() else [])]
    return any(redactor.finds(os.fsencode(name)) for name in names)


def _walk(folder: Path) -> Iterator[Path]:
    for path, folders, files in os.walk(folder, followlinks=False):
        for name in (*folders, *files):
            yield Path(path, name)
        for name in folders:
            _open_up(Path(path, name))


def _open_up(folder: Path) -> None:
    """A folder that its own notebook locked is searched as well."""
    if not folder.is_symlink() and folder.is_dir():
        folder.chmod(0o755)


def _can_be_kept(path: Path, redactor: Redactor, on_change: Callable[[], None]) -> bool:
    """Rewrite a text file without the values; False for what must go."""
    if not stat.S_ISREG(path.lstat().st_mode):
        return True
    try:
        content = _read(path)
        if content is None or not _is_text(path, content):
            return content is not None and not finds_in_bytes(content, redactor)
        redacted = _redact_text_file(path, content, redactor)
    except (OSError, RecursionError, MemoryError):
        return False
    if redacted != content:
        _rewrite(path, redacted)
        on_change()
    return True


def _read(path: Path) -> bytes | None:
    """Return a file's bytes, None for more than can be searched."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(_LARGEST_FILE_BYTES + 1)
    return content if len(content) <= _LARGEST_FILE_BYTES else None


def _remove(path: Path, folder: Path) -> None:
    """Remove a file, and the folders below `folder` that are empty without it: nobody left those."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
    for parent in path.parents:
        if parent == folder or any(parent.iterdir()):
            return
        parent.rmdir()


def _rewrite(path: Path, content: bytes) -> None:
    """Put other bytes in a file's place, whole or not at all."""
    temporary = path.with_name(f".{path.name}.redacted"[-200:])
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)


# Text


def _is_text(path: Path, content: bytes) -> bool:
    if path.suffix == ".log":
        return True  # whatever bytes came in between
    if content.startswith(_BINARY) or b"\0" in content:
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _redact_text_file(path: Path, content: bytes, redactor: Redactor) -> bytes:
    if not redactor.finds(content):
        return content
    if path.suffix == ".svg":
        # The letters are drawn as well: taking out the words would leave the value to be read.
        return f'<svg xmlns="http://www.w3.org/2000/svg"><text y="1em">{REDACTED}</text></svg>'.encode()
    if path.suffix in (".json", ".jsonl", ".ndjson", ".ipynb"):
        content = _redact_json_file(content, redactor)
    return redactor.redact_bytes(content)


def _redact_json_file(content: bytes, redactor: Redactor) -> bytes:
    """Redact documents of JSON value by value, so that they can still be read; as they are where they cannot be read."""
    try:
        return _redact_json(content, redactor)
    except (ValueError, RecursionError):
        return b"\n".join(_redact_json_line(line, redactor) for line in content.split(b"\n"))


def _redact_json_line(line: bytes, redactor: Redactor) -> bytes:
    try:
        return _redact_json(line, redactor) if line.strip() else line
    except (ValueError, RecursionError):
        return redactor.redact_bytes(line)


def _redact_json(content: bytes, redactor: Redactor) -> bytes:
    document = json.loads(content)
    redacted = redactor.redact_json(document)
    return (
        content if redacted == document else json.dumps(redacted, ensure_ascii=False).encode(errors="backslashreplace")
    )


# Everything else


def finds_in_bytes(content: bytes, redactor: Redactor, depth: int = 0) -> bool:
    """True when bytes hold a value: as they are, packed (zip, gzip, bzip2, xz, zlib inside PDF or PNG), or as a Parquet table.

    What is packed too often or too large to be searched counts as found.
    """
    if redactor.finds(content):
        return True
    if content.startswith(b"PAR1"):
        return _finds_in_parquet(content, redactor)
    if content.startswith(_PACKED):
        return depth >= _DEEPEST_ARCHIVE or _finds_in_packed(content, redactor, depth)
    return any(redactor.finds(stream) for stream in _embedded_streams(content))


def _finds_in_packed(content: bytes, redactor: Redactor, depth: int) -> bool:
    opener = next((opener for magic, opener in _COMPRESSED.items() if content.startswith(magic)), None)
    try:
        if opener is not None:
            return _finds_in_stream(opener(io.BytesIO(content)), redactor, depth)
        return _finds_in_zip(content, redactor, depth)
    except _BROKEN:
        return True  # broken, encrypted, or packed in a way nobody here can read


def _finds_in_zip(content: bytes, redactor: Redactor, depth: int) -> bool:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > _LARGEST_UNPACKED_BYTES:
            return True
        return any(_finds_in_stream(archive.open(member), redactor, depth) for member in archive.infolist())


def _finds_in_stream(file: Any, redactor: Redactor, depth: int) -> bool:
    """Search a file in overlapping stretches: as large as it may be unpacked, it does not stand in memory at once."""
    held, total = b"", 0
    with file:
        while chunk := file.read(_CHUNK_BYTES):
            total += len(chunk)
            if total > _LARGEST_UNPACKED_BYTES or finds_in_bytes(held + chunk, redactor, depth + 1):
                return True
            held = chunk[-redactor.reach :]
    return False


def _embedded_streams(content: bytes) -> Iterator[bytes]:
    """Yield what is packed with zlib somewhere inside, as in PDF, PNG or joblib files."""
    for found, _ in zip(_ZLIB.finditer(content), range(_MOST_STREAMS), strict=False):
        try:
            packed = memoryview(content)[found.start() : found.start() + _LONGEST_STREAM_BYTES]
            yield zlib.decompressobj().decompress(packed, _LONGEST_STREAM_BYTES)
        except zlib.error:
            continue


def _finds_in_parquet(content: bytes, redactor: Redactor) -> bool:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError):
        return False  # no table: its bytes were searched
    return any(redactor.finds(text) for column in table.columns for text in _spell_column(column))


def _spell_column(column: Any) -> Iterator[str]:
    """Yield the values of a column as text; numbers with a fraction hold none."""
    import pyarrow as pa

    if pa.types.is_floating(column.type) or pa.types.is_boolean(column.type):
        return
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    for chunk in column.chunks:
        yield "\n".join(_spell(value) for value in chunk.to_pylist())


def _spell(value: Any) -> str:
    return value.decode(errors="surrogateescape") if isinstance(value, bytes) else str(value)
