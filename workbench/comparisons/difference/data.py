"""Data: the tables that were logged, by columns, rows in common and how their values are distributed; and files that were read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.comparisons.difference.pair import Pair, Side
from workbench.comparisons.difference.part import DiffTable, Likeness, Part, count_of, enumerate_all, lay_out
from workbench.comparisons.difference.shared_rows import count_common, count_ids
from workbench.comparisons.difference.shift import Shifts, list_shifts
from workbench.records.digest import short, strict_json
from workbench.runs.folder import HOLDOUT, TRAINING
from workbench.runs.tables import LoggedTable, path_of_table, read_table

# Of so few different values each one counts; of more their share of the rows does.
_FEW, _ANOTHER_SHARE = 50, 0.05
_NEVER = "Neither run logged a table (`wb.log_dataset`)."


@dataclass(frozen=True)
class PairedTable:
    """A table in one role of the two runs, as their records have it; None on a side that logged none."""

    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        """What people call it: its role, and its name where that is another one."""
        fact = self.after or self.before or {}
        return str(fact["role"]) if fact["name"] in ("", fact["role"]) else f"{fact['role']} {fact['name']}"

    @property
    def is_same(self) -> bool:
        """True where both logged the very same rows."""
        return self.before is not None and self.after is not None and self.before["digest"] == self.after["digest"]


def compare_data(pair: Pair) -> Part:
    """Compare the tables by their digests, and those that differ by what was kept of them."""
    tables = pair_tables(*(side.run.record.get("datasets", ()) for side in pair.sides))
    differing = [each for each in tables if not each.is_same]
    reads = _list_reads(pair)
    if not differing and not reads:
        return _say_same(tables)
    read = [_ReadPair(pair, each) for each in differing]
    rows = [each.describe() for each in read]
    columns = [row for each in read for row in each.list_columns()]
    gaps = [row for each in read for row in each.list_gaps()]
    shifts, shifted, unknown = _measure_shifts(pair, differing)
    told = [count_of(len(differing), "table")] if differing else []
    told += [f"{count_of(len(reads), 'file')} that {'was' if len(reads) == 1 else 'were'} read"] if reads else []
    same = len(tables) - len(differing)
    kept = f"; {count_of(same, 'table')} {'is' if same == 1 else 'are'} the same" if same else ""
    return Part(
        "data",
        Likeness.DIFFERENT,
        f"{enumerate_all(told)} {'differs' if len(differing) + len(reads) == 1 else 'differ'}{kept}.{shifted}",
        f"data ({', '.join([*(each.upshot for each in read), *(['files that were read'] if reads else [])])})",
        (
            *lay_out("Tables", rows),
            *lay_out("Columns", columns),
            *shifts,
            *lay_out("Missing and different values", gaps),
            *lay_out("Files read", reads),
        ),
        unknown=(*(fault for each in read for fault in each.faults), *unknown),
    )


def _say_same(tables: Sequence[PairedTable]) -> Part:
    if not tables:
        return Part("data", Likeness.UNKNOWN, "On which rows they ran is not known.", unknown=(_NEVER,))
    says = f"{count_of(len(tables), 'table')} ({', '.join(each.name for each in tables)}), the same to the byte."
    return Part("data", Likeness.SAME, says)


def pair_tables(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[PairedTable]:
    """Return which table of one run took the place of which: by role and name, then by role; the holdout first."""
    then, now = ({(each["role"], each["name"]): each for each in tables} for tables in (before, after))
    found = [PairedTable(then[key], now[key]) for key in now if key in then]
    lone = [
        [table for key, table in tables.items() if key not in others] for tables, others in ((then, now), (now, then))
    ]
    for table in lone[1]:
        other = next((each for each in lone[0] if each["role"] == table["role"]), None)
        lone[0] = [each for each in lone[0] if each is not other]
        found.append(PairedTable(other, table))
    found += [PairedTable(table, None) for table in lone[0]]
    return sorted(found, key=lambda each: not each.name.startswith("holdout"))


class _ReadPair:
    """A table that differs, with what both runs kept of it; `faults` says why that cannot be read."""

    def __init__(self, pair: Pair, tables: PairedTable) -> None:
        self._pair, self._tables = pair, tables
        self.faults: list[str] = []
        self._before, self._after = (
            self._read(side, fact) for side, fact in zip(pair.sides, (tables.before, tables.after), strict=True)
        )

    def _read(self, side: Side, fact: Mapping[str, Any] | None) -> LoggedTable | None:
        if fact is None:
            return None
        path = path_of_table(fact["role"], fact["name"])
        if path not in side.files:
            self.faults.append(f"{self._tables.name}: {side.explain(path)}")
            return None
        try:
            return read_table(path, strict_json(side.files[path]))
        except (ValueError, KeyError, TypeError, RecursionError) as exc:
            self.faults.append(f"{self._tables.name} of run {side.name} cannot be read: {exc!r}.")
            return None

    @property
    def upshot(self) -> str:
        before, after = self._tables.before, self._tables.after
        if before is None or after is None:
            return f"{self._tables.name} {'added' if before is None else 'not there any more'}"
        rows = "" if before["rows"] == after["rows"] else f" {before['rows']:,} → {after['rows']:,} rows"
        return f"{self._tables.name}{rows}"

    def describe(self) -> dict[str, Any]:
        before, after = self._tables.before, self._tables.after
        common, how = self._count_common()
        return {
            "table": self._tables.name,
            "rows A": before["rows"] if before else None,
            "rows B": after["rows"] if after else None,
            "in common": common,
            "told by": how,
            "columns A": before["columns"] if before else None,
            "columns B": after["columns"] if after else None,
        }

    def _count_common(self) -> tuple[int | None, str]:
        """Return how many rows are in both tables, one for one, and by what they are known to be the same."""
        before, after = self._before, self._after
        if before is None or after is None:
            return None, "not known" if self.faults else "in one run alone"
        if found := count_common(before, after):
            return found
        if self._pair.shared.is_one:
            return count_ids(before, after), "row ids alone"
        return None, "not known: other columns"

    def list_columns(self) -> Iterator[dict[str, Any]]:
        if self._before is None or self._after is None:
            return
        then, now = (_name_types(table) for table in (self._before, self._after))
        for name in dict.fromkeys([*now, *then]):
            if then.get(name) != now.get(name):
                what = "added" if name not in then else "removed" if name not in now else "another type"
                yield {
                    "table": self._tables.name,
                    "column": name,
                    "what": what,
                    **self._pair.row(then.get(name), now.get(name)),
                }

    def list_gaps(self) -> list[dict[str, Any]]:
        """Return the columns with another share of missing values, or of different ones, the largest change first."""
        if self._before is None or self._after is None:
            return []
        then, now = ({each.name: each for each in table.profile or ()} for table in (self._before, self._after))
        sizes = self._before.fact.rows, self._after.fact.rows
        rows = []
        for name in [name for name in now if name in then]:
            missing = [each.missing / size for each, size in zip((then[name], now[name]), sizes, strict=True)]
            if missing[0] != missing[1] or _are_others(then[name].distinct, now[name].distinct, sizes):
                shown = (f"{each.missing:,} missing, {each.distinct:,} different" for each in (then[name], now[name]))
                rows.append(
                    (
                        abs(missing[1] - missing[0]),
                        {"table": self._tables.name, "column": name, **self._pair.row(*shown)},
                    )
                )
        return [row for _, row in sorted(rows, key=lambda each: -each[0])]


# As a table's file names what columns must have in common (by numpy's kinds).
_TYPES = {
    "O": "text or mixed",
    "U": "text",
    "M": "time",
    "m": "duration",
    "f4": "number of 4 bytes",
    "f2": "number of 2 bytes",
}


def _name_types(table: LoggedTable) -> dict[str, str]:
    return {column: _TYPES.get(kind, kind) for column, kind in table.types}


def _are_others(before: int, after: int, sizes: tuple[int, int]) -> bool:
    """True where another number of different values is no matter of how many rows there are."""
    shares = before / sizes[0], after / sizes[1]
    return before != after and (min(before, after) <= _FEW or abs(shares[0] - shares[1]) > _ANOTHER_SHARE)


_HOW_TO_READ = (
    "PSI is the population stability index (0: the same; beyond 0.25 usually called large). What two draws of one population stay "
    "below in 95 of 100 such tables stands beside it. A and B: the mean, or the commonest value."
)


def _measure_shifts(pair: Pair, differing: Sequence[PairedTable]) -> tuple[tuple[DiffTable, ...], str, tuple[str, ...]]:
    """Return how far columns are distributed otherwise, as tables and in words, and what of that nobody can tell."""
    both = [each for each in differing if each.before and each.after]
    holdouts = [each.name for each in both if each.name.startswith("holdout")]
    others = [each.name for each in both if each.name not in holdouts]
    asked = ((HOLDOUT, "holdout", holdouts), (TRAINING, "training", others))
    found = [_ask_shifts(pair, path, name, tables) for path, name, tables in asked if tables]
    rows = sorted((row for each in found for row in each.rows), key=lambda row: -row["PSI"])
    tables = lay_out("Distribution of columns", rows, _HOW_TO_READ)
    return tables, "".join(each.says for each in found), tuple(each.fault for each in found if each.fault)


def _ask_shifts(pair: Pair, path: str, name: str, tables: Sequence[str]) -> Shifts:
    """Return how the rows that are kept shifted: of the holdout all, of other tables some that the logged model was fitted on."""
    digests = [side.digest_of(path) for side in pair.sides]
    if digests[0] == digests[1] is not None:
        return Shifts(says=f" The {name} rows that are kept hold the same values.")
    missing = [side for side in pair.sides if path not in side.files]
    if missing:
        kept = (
            "kept no rows of it" if path == HOLDOUT else "kept none: those are kept that its logged model was fitted on"
        )
        why = dict.fromkeys(side.faults.get(path, f"run {side.name} {kept}").rstrip(".") for side in missing)
        return Shifts(fault=f"How the columns of {', '.join(tables)} are distributed is not known: {'; '.join(why)}.")
    return list_shifts(name, *(side.files[path] for side in pair.sides))


def _list_reads(pair: Pair) -> list[dict[str, Any]]:
    """Return the files that both read and that were others, as far as their digests are known, and those that one read alone."""
    told = [(side.run.record.get("local_files") or {}).get("reads", ()) for side in pair.sides]
    then, now = ({each["path"]: each for each in reads} for reads in told)
    rows = []
    for path in sorted({*then, *now}):
        one, other = then.get(path), now.get(path)
        if one is None or other is None or one["digest"] != other["digest"] or one["bytes"] != other["bytes"]:
            rows.append({"file": path, **pair.row(*(_spell_read(each) for each in (one, other)))})
    return rows


def _spell_read(read: Mapping[str, Any] | None) -> str | None:
    return f"{read['bytes']:,} bytes, sha256 {short(read['digest'] or '') or 'unknown'}" if read else None
