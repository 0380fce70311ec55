"""A refusal: why the model of a run was not logged, as its notebook was told; the run goes on, and cannot be nominated."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from workbench.errors import WorkbenchError
from workbench.records.digest import canonical_json, strict_json
from workbench.records.document import build_record


@dataclass(frozen=True)
class Refusal:
    """The three parts of what was said, in characters that every record can hold."""

    what: str
    why: tuple[str, ...]
    next_step: str

    def to_bytes(self) -> bytes:
        """Return it as a file of the run's folder."""
        return canonical_json(asdict(self))

    def __str__(self) -> str:
        """Say it in one paragraph."""
        return " ".join(filter(None, (self.what, *self.why, self.next_step)))


def describe_refusal(error: WorkbenchError) -> Refusal:
    """Return what an error says."""
    return Refusal(_readable(error.what), tuple(map(_readable, error.reasons)), _readable(error.next_step))


def _readable(text: str) -> str:
    return text.encode(errors="replace").decode()


def parse_refusal(content: bytes) -> Refusal:
    """Read one back; raises ValueError or TypeError for what `wb.log_model` would not have written."""
    return build_record(Refusal, strict_json(content))
