"""The key somebody signs with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Key:
    """Where a key lies, its private half or the public one for an agent, and the passphrase that opens it this once.

    A passphrase is never shown and never kept.
    """

    path: Path
    passphrase: str | None = field(default=None, repr=False)
