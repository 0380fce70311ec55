"""Code under review beside the notebook: each module as it runs or ran, and how it differs from the version it is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.evidence.evidence import Evidence
from workbench.models.model_facts import ModuleFact
from workbench.models.own_code_source import find_source_fault
from workbench.reviews.changes import LONGEST_SOURCE, CodeDiff, compare_lines
from workbench.runs.local_files import LocalModule

Standing = Literal["new", "changed", "the same", "gone"]


@dataclass(frozen=True)
class ReviewedModule:
    """A module: the names in it that the model holds, its digest, its whole source, and what changed in it.

    A module that is `gone` has no source any more; the digest is the one it had. Where a source was not kept, the `fault` of `code`
    says so. `note` says how local code stands to git.
    """

    name: str
    names: tuple[str, ...]
    digest: str
    standing: Standing
    source: str
    code: CodeDiff
    note: str = ""


def review_own_code(
    facts: Sequence[ModuleFact], sources: Mapping[str, bytes], before: Mapping[str, bytes], gone: Sequence[ModuleFact]
) -> tuple[ReviewedModule, ...]:
    """Return every own module of a version, by name, and those that it no longer has; `before` are those of the other version."""
    now = [_review(fact, sources[fact.name], before.get(fact.name)) for fact in facts]
    lost = [_lost(fact.name, fact.digest) for fact in gone if fact.name not in sources]
    return tuple(sorted([*now, *lost], key=lambda each: each.name))


def review_local_code(
    after: Evidence, sources: Mapping[str, str], before: Evidence | None, then: Mapping[str, str]
) -> tuple[ReviewedModule, ...]:
    """Return the local code that ran in a version's run and is not the model's own, by path, and that which no longer runs."""
    now, old = (_list_local(evidence) for evidence in (after, before))
    found = [_review_local(module, old.get(path), sources.get(path), then.get(path)) for path, module in now.items()]
    gone = [_lost(path, module.digest or "") for path, module in old.items() if path not in now]
    return tuple(sorted([*found, *gone], key=lambda each: each.name))


def _list_local(evidence: Evidence | None) -> dict[str, LocalModule]:
    """Return local modules by path, without those that are shown as the model's own."""
    if evidence is None or evidence.local_files is None:
        return {}
    own = {fact.digest for fact in evidence.own_code}
    return {module.path: module for module in evidence.local_files.modules if module.digest not in own}


def _review_local(module: LocalModule, old: LocalModule | None, source: str | None, then: str | None) -> ReviewedModule:
    standing: Standing = "new" if old is None else "the same" if old.digest == module.digest else "changed"
    code = _compare_local(source, "" if standing == "new" else then)
    misread = find_source_fault(source.encode()) if source else None
    note = f"{module.standing}{f'; read it with care: {misread}' if misread else ''}"
    return ReviewedModule(module.path, (), module.digest or "", standing, source or "", code, note)


def _compare_local(source: str | None, then: str | None) -> CodeDiff:
    if source is None or then is None:
        return CodeDiff(fault="Its source was not kept: it is long, no text, or holds a secret.")
    before, after = (_number(text.encode()) for text in (then, source))
    longest = max(len(before), len(after))
    return CodeDiff(fault=f"It has {longest:,} lines.") if longest > LONGEST_SOURCE else compare_lines(before, after)


def _lost(name: str, digest: str) -> ReviewedModule:
    return ReviewedModule(name, (), digest, "gone", "", CodeDiff())


def _review(fact: ModuleFact, source: bytes, before: bytes | None) -> ReviewedModule:
    standing: Standing = "new" if before is None else "the same" if before == source else "changed"
    code = compare_lines(_number(before or b""), _number(source))
    return ReviewedModule(fact.name, fact.names, fact.digest, standing, source.decode(), code)


def _number(source: bytes) -> list[tuple[int, str]]:
    return [*enumerate(source.decode().splitlines(), 1)]
