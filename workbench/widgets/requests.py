"""What a reviewer may ask for in the review, as callbacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workbench.reviews.request import ApprovalRequest, ObjectionRequest, WaiverRequest
from workbench.reviews.review import Review
from workbench.signing.key import Key


@dataclass(frozen=True)
class Requests:
    """One callback for each request; each returns the review as it is then, and raises what speaks against it.

    `answer` takes question and text. `find_keyholder` says whose key lies at a path, None when nobody is known to hold it.
    """

    answer: Callable[[str, str], Review]
    approve: Callable[[ApprovalRequest, Key], Review]
    object_to: Callable[[ObjectionRequest, Key], Review]
    waive: Callable[[WaiverRequest, Key], Review]
    find_keyholder: Callable[[Path], str | None]
