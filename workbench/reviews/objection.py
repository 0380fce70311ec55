"""An objection: what somebody holds against a nominee; it blocks until the same person clears it, both signed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace

from workbench.evidence.evidence import ObjectionFact
from workbench.signing.namespaces import OBJECTION_NAMESPACE
from workbench.signing.statement import Shape, Signer, read_statement, write_statement

PREDICATE_TYPE = "urn:workbench:objection:2"
SHORTEST_OBJECTION = 10
# Those of before name no run; the nomination of their version does.
_WITHOUT_RUN = "urn:workbench:objection:1"
_SHAPE = Shape(
    texts=("principal", "model", "text", "run"), numbers=("version", "clears"), times=("issued",), later=("run",)
)


@dataclass(frozen=True)
class Objection:
    """What is signed: against which model version, and why; `clears` is the ledger entry of the objection it takes back (0: none).

    `subjects` maps the release's manifest to its sha256; with the run it is what the objection binds, empty in one of before.
    """

    subjects: Mapping[str, str]
    principal: str
    model: str
    version: int
    clears: int
    text: str
    issued: str
    run: str = ""

    def to_bytes(self) -> bytes:
        """Return the exact bytes to sign."""
        if self.run:
            return write_statement(PREDICATE_TYPE, self)
        return write_statement(_WITHOUT_RUN, SimpleNamespace(**{k: v for k, v in vars(self).items() if k != "run"}))

    @property
    def signer(self) -> Signer:
        """Who is to have signed it."""
        return Signer(self.principal, OBJECTION_NAMESPACE, self.issued)


def parse_objection(content: bytes) -> Objection:
    """Read an objection from its exact bytes; raises UsageError for anything this version would not have written."""
    return read_statement(content, Objection, _SHAPE, "An objection")


def settle_objections(raised: Mapping[int, Objection], cleared: Iterable[Objection]) -> tuple[ObjectionFact, ...]:
    """Return every objection by its ledger entry, with what its own author said when clearing it; others clear nothing."""
    answers = {
        clearance.clears: clearance
        for clearance in cleared
        if clearance.clears in raised and raised[clearance.clears].principal == clearance.principal
    }
    return tuple(
        ObjectionFact(
            number=number,
            principal=objection.principal,
            text=objection.text,
            raised=objection.issued,
            cleared=answers[number].issued if number in answers else None,
            resolution=answers[number].text if number in answers else None,
        )
        for number, objection in sorted(raised.items())
    )


def find_open_objections(
    objections: Iterable[ObjectionFact], raised_on: Mapping[int, str] = MappingProxyType({})
) -> list[str]:
    """Return one reason for each objection that nobody cleared; `raised_on` names the other version one was raised on."""
    return [
        f"Objection {item.number} of {item.principal}{name_other(raised_on.get(item.number))} is open: {item.text.rstrip('.')}."
        for item in objections
        if not item.cleared
    ]


def name_other(raised_on: str | None, subject: str | None = None) -> str:
    """Return the version an objection was raised on, to stand in a sentence about another one; nothing when it is that one."""
    return f" to {raised_on}, which is made of the same," if raised_on and raised_on != subject else ""
