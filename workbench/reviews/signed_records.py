"""What people sign in a review: each kind of statement, and how it is read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workbench.ledger.events import SignedKind
from workbench.reviews.approval import Statement, parse_statement
from workbench.reviews.objection import Objection, parse_objection
from workbench.reviews.waiver import Waiver, parse_waiver

SignedRecord = Statement | Waiver | Objection

READERS: Mapping[SignedKind, Callable[[bytes], SignedRecord]] = {
    "approval": parse_statement,
    "waiver": parse_waiver,
    "objection": parse_objection,
}
