"""Environment: packages, Python, lock file and machine of the two runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.comparisons.difference.pair import Pair
from workbench.comparisons.difference.part import Likeness, Part, count_of, enumerate_all, lay_out
from workbench.records.digest import short

_MACHINE = {"system": "system", "architecture": "architecture", "processors": "processors"}
_MOST_NAMED = 2


def compare_environments(pair: Pair) -> Part:
    """Compare what was installed, by the versions of the packages that a run names and by the digest of all of them."""
    before, after = (side.run.provenance for side in pair.sides)
    if unknown := tuple(
        f"What run {side.name} ran on was not recorded." for side in pair.sides if not side.run.provenance
    ):
        return Part("environment", Likeness.UNKNOWN, "It is not known of both.", unknown=unknown)
    packages, around = _list_packages(pair, before, after), _list_around(pair, before, after)
    named = len(after.get("packages") or {})
    others, unknown = _compare_others(
        [each.get("packages_digest") for each in (before, after)], named, is_seen=bool(packages)
    )
    if packages or around or others is Likeness.DIFFERENT:
        told = [*_name(packages, others), *(str(row["what"]) for row in around)]
        says = f"{enumerate_all(told)} {'differs' if len(told) == 1 and len(packages) == 1 else 'differ'}."
        tables = lay_out("Environment", [*packages, *around])
        upshot = _spell_upshot(packages, around, others)
        return Part("environment", Likeness.DIFFERENT, says[:1].upper() + says[1:], upshot, tables, unknown=unknown)
    if unknown:
        return Part("environment", Likeness.UNKNOWN, f"{count_of(named, 'named package')}, the same.", unknown=unknown)
    says = f"Python {after.get('python')}, all installed packages ({named:,} by name) and the machine, the same."
    return Part("environment", Likeness.SAME, says)


def _compare_others(digests: list[Any], named: int, *, is_seen: bool) -> tuple[Likeness, tuple[str, ...]]:
    """Return how alike all packages are, and what of that nobody can tell; `is_seen`: some of those named differ."""
    if None in digests:
        return Likeness.UNKNOWN, ("Whether all other packages are the same was not recorded.",)
    if digests[0] == digests[1]:
        return Likeness.SAME, ()
    if is_seen:
        return Likeness.DIFFERENT, (
            f"Whether others than the {named:,} packages a run names differ too was not recorded.",
        )
    return Likeness.DIFFERENT, (f"Packages differ beside the {named:,} that a run names; which was not recorded.",)


def _list_packages(pair: Pair, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    then, now = (each.get("packages") or {} for each in (before, after))
    names = [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
    return [{"what": name, **pair.row(then.get(name), now.get(name))} for name in names]


def _list_around(pair: Pair, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    shown = [
        ("Python", before.get("python"), after.get("python")),
        ("lock file", _spell_lock(before), _spell_lock(after)),
        *((name, _of_machine(before, key), _of_machine(after, key)) for key, name in _MACHINE.items()),
    ]
    return [{"what": what, **pair.row(one, other)} for what, one, other in shown if one != other]


def _spell_lock(provenance: Mapping[str, Any]) -> str | None:
    digest = provenance.get("lock_digest")
    return f"{provenance.get('lock_file')}, sha256 {short(digest)}" if digest else None


def _of_machine(provenance: Mapping[str, Any], key: str) -> Any:
    return (provenance.get("machine") or {}).get(key)


def _name(packages: list[dict[str, Any]], others: Likeness) -> list[str]:
    if packages:
        return [count_of(len(packages), "named package")]
    return ["packages"] if others is Likeness.DIFFERENT else []


def _spell_upshot(packages: list[dict[str, Any]], around: list[dict[str, Any]], others: Likeness) -> str:
    """Return what differs that can change a score, the machine where it is nothing else."""
    lasting = [row for row in around if row["what"] == "Python"]
    named = [f"{row['what']} ({row['A'] or 'none'} → {row['B'] or 'none'})" for row in (*packages, *lasting)]
    if len(named) > _MOST_NAMED:
        return count_of(len(named), "package")
    return enumerate_all(named) or ("packages" if others is Likeness.DIFFERENT else "the machine or lock file")
