"""Own code under review: each module as it would run, and how it differs from the version it is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.models.model_facts import ModuleFact
from workbench.reviews.changes import CodeDiff, compare_lines

Standing = Literal["new", "changed", "the same", "gone"]


@dataclass(frozen=True)
class ReviewedModule:
    """An own module: the names in it that the model holds, its digest, its whole source, and what changed in it.

    A module that is `gone` has no source any more; the digest is the one it had.
    """

    name: str
    names: tuple[str, ...]
    digest: str
    standing: Standing
    source: str
    code: CodeDiff


def review_own_code(
    facts: Sequence[ModuleFact], sources: Mapping[str, bytes], before: Mapping[str, bytes], gone: Sequence[ModuleFact]
) -> tuple[ReviewedModule, ...]:
    """Return every own module of a version, by name, and those that it no longer has; `before` are those of the other version."""
    now = [_review(fact, sources[fact.name], before.get(fact.name)) for fact in facts]
    lost = [
        ReviewedModule(fact.name, (), fact.digest, "gone", "", CodeDiff()) for fact in gone if fact.name not in sources
    ]
    return tuple(sorted([*now, *lost], key=lambda each: each.name))


def _review(fact: ModuleFact, source: bytes, before: bytes | None) -> ReviewedModule:
    standing: Standing = "new" if before is None else "the same" if before == source else "changed"
    code = compare_lines(_number(before or b""), _number(source))
    return ReviewedModule(fact.name, fact.names, fact.digest, standing, source.decode(), code)


def _number(source: bytes) -> list[tuple[int, str]]:
    return [*enumerate(source.decode().splitlines(), 1)]
