"""What a reviewer may ask for in the review, as callbacks, and the key that signs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from workbench.reviews.review import Review


@dataclass(frozen=True)
class Key:
    """Where a key lies, and the passphrase that opens it this once (never shown, never kept)."""

    path: str
    passphrase: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Requests:
    """One callback for each request; each returns the review as it is then, and raises what speaks against it.

    `answer` takes question and text, `approve` role and key, `object_to` text and key, `clear` an objection's number, text and
    key, `waive` check, reason, role, last day and key. `find_keyholder` says whose key lies at a path, None when nobody is known to
    hold it.
    """

    answer: Callable[[str, str], Review]
    approve: Callable[[str, Key], Review]
    object_to: Callable[[str, Key], Review]
    clear: Callable[[int, str, Key], Review]
    waive: Callable[[str, str, str, str, Key], Review]
    find_keyholder: Callable[[str], str | None]
