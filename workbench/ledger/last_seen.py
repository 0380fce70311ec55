"""What this machine saw last of each ledger, kept outside of the home: who puts an old copy back does not put this back.

One file a ledger, named by the digest of its first entry, holds the highest entry that was seen; one file a place (a database)
says which ledger was seen there, so that another one, or none, in its place is noticed too. Neither ever goes back by itself.
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.errors import Unavailable
from workbench.ledger.ledger import Checkpoint, Entry, find_checkpoint_fault, head_of
from workbench.records.digest import canonical_json, sha256_hex, strict_json

_DIGEST = re.compile(r"[0-9a-f]{64}")


class LastSeen:
    """The memory of one machine about the ledger at one place (a text that tells databases apart)."""

    def __init__(self, folder: Path, place: str) -> None:
        self._folder = folder
        self._place_file = folder / f"place-{sha256_hex(place.encode())[:32]}.json"

    def recall(self, entries: Sequence[Entry]) -> list[Checkpoint]:
        """Return what was seen of this ledger, and of the one that was seen at this place when that is another.

        Raises OSError or ValueError when that cannot be read.
        """
        names = [entries[0].digest] if entries else []
        names += [name for name in [self._ledger_of_place()] if name and name not in names]
        return [seen for seen in map(self._read_seen, names) if seen]

    def find_fault(self, entries: Sequence[Entry]) -> str | None:
        """Return in what these entries lack what was seen, None when they hold all of it."""
        try:
            return find_first_fault(entries, self.recall(entries))
        except (OSError, ValueError) as exc:
            return f"What was seen of the ledger cannot be read: {exc}"

    def note(self, entries: Sequence[Entry]) -> None:
        """Remember the last of these verified entries, unless more was seen; that it cannot be written is no reason to stop."""
        with suppress(OSError, ValueError):
            if entries and not self._knows(entries):
                with self._locked():
                    seen = self._read_seen(entries[0].digest)
                    if seen is None or seen.sequence < entries[-1].sequence:
                        self._write(entries)
                    elif self._ledger_of_place() != entries[0].digest:
                        self._write_place(entries)

    def accept(self, entries: Sequence[Entry]) -> None:
        """Remember the last of these entries whatever was seen before, also of another ledger at this place."""
        try:
            with self._locked():
                self._write(entries) if entries else self._place_file.unlink(missing_ok=True)
        except OSError as exc:
            raise self._unavailable(exc) from exc

    def require_writable(self) -> None:
        """Raise Unavailable when nothing could be remembered."""
        try:
            with self._locked(), tempfile.TemporaryFile(dir=self._folder) as trial:
                trial.write(bytes(4096))
        except OSError as exc:
            raise self._unavailable(exc) from exc

    def _unavailable(self, exc: OSError) -> Unavailable:
        return Unavailable(
            f"What was seen of the ledger cannot be kept in {self._folder}.",
            why=str(exc),
            next_step="Fix its rights or free some space, or name another folder with the setting checkpoints.",
        )

    def _knows(self, entries: Sequence[Entry]) -> bool:
        seen = self._read_seen(entries[0].digest)
        return seen == head_of(entries) and self._ledger_of_place() == entries[0].digest

    def _ledger_of_place(self) -> str | None:
        if not self._place_file.is_file():
            return None
        record = strict_json(self._place_file.read_bytes())
        name = record.get("ledger") if isinstance(record, dict) else None
        if not isinstance(name, str) or not _DIGEST.fullmatch(name):
            raise ValueError(f"{self._place_file} names no ledger")
        return name

    def _read_seen(self, ledger: str) -> Checkpoint | None:
        return read_last_seen(self._folder, ledger)

    def _write(self, entries: Sequence[Entry]) -> None:
        head = head_of(entries)
        record = {"ledger": entries[0].digest, "sequence": head.sequence, "digest": head.digest}
        _write_atomically(self._folder / f"{entries[0].digest}.json", canonical_json(record))
        self._write_place(entries)

    def _write_place(self, entries: Sequence[Entry]) -> None:
        content = canonical_json({"ledger": entries[0].digest})
        if not self._place_file.is_file() or self._place_file.read_bytes() != content:
            _write_atomically(self._place_file, content)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def find_first_fault(entries: Sequence[Entry], seen: Sequence[Checkpoint]) -> str | None:
    """Return in what entries lack one of the checkpoints, None when they hold all."""
    faults = (find_checkpoint_fault(entries, checkpoint) for checkpoint in seen)
    return next((fault for fault in faults if fault), None)


def read_last_seen(folder: Path, ledger: str) -> Checkpoint | None:
    """Return the highest entry seen of the ledger that begins with this digest; raises ValueError for a file that is no record."""
    path = folder / f"{ledger}.json"
    if not _DIGEST.fullmatch(ledger) or not path.is_file():
        return None
    record = strict_json(path.read_bytes())
    if not isinstance(record, dict) or record.get("ledger") != ledger:
        raise ValueError(f"{path} is not about this ledger")
    sequence, digest = record.get("sequence"), record.get("digest")
    if type(sequence) is not int or sequence < 1 or not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise ValueError(f"{path} holds no checkpoint")
    return Checkpoint(sequence, digest)


def _write_atomically(path: Path, content: bytes) -> None:
    """Write a file that is the old one or the new one, whatever happens meanwhile."""
    file, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(file, "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
