"""An overlap: how many of the rows that what is served is asked about it was trained on; of these it knows the answers."""

from __future__ import annotations

from dataclasses import dataclass

KEEP_THE_SPLIT = (
    "Keep the split: hold out the rows that it was judged on (the same seed for the split), or rows that are new to it, "
    "and run the notebook again."
)


@dataclass(frozen=True)
class OverlapFact:
    """Of `rows` that what is served is asked about it was trained on `shared_rows`, exactly or but for rounding, case and blanks.

    `shared_rows` is None where nobody can tell, and `untold` says why and what to do.
    """

    rows: int
    shared_rows: int | None
    untold: str = ""

    def is_left_out(self, most: float) -> bool:
        """True where it was trained on more than `most` of the rows: it is not compared on these."""
        return self.shared_rows is not None and not self.shared_rows <= most

    def count_compared(self, most: float) -> int:
        """Return on how many rows it is compared."""
        return self.rows - (self.shared_rows or 0) if self.is_left_out(most) else self.rows

    def tell(self, compared: int) -> str:
        """Say what is known of it, and on how many rows it was `compared`; nothing where it was trained on none of them."""
        if self.shared_rows is None:
            return "Nobody can tell whether the champion was trained on these rows; that could only flatter it."
        if not self.shared_rows:
            return ""
        trained = f"The champion was trained on {self.shared_rows:,} of the {self.rows:,} rows"
        if compared < self.rows:
            return f"{trained}; compared on the other {compared:,}."
        return f"{trained}, no more than the policy allows."
