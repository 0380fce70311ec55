"""Outputs: what the cells showed that is not the same, by digest, with a short excerpt of texts; nothing is decoded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.comparisons.difference.cell_pairs import Cell, MatchedCells, list_cells, match_cells
from workbench.comparisons.difference.line_diff import diff_texts
from workbench.comparisons.difference.pair import Pair
from workbench.comparisons.difference.part import Excerpt, Likeness, Part, count_of, enumerate_all, lay_out
from workbench.notebooks.normalisation import PAGES, normalise
from workbench.records.digest import sha256_hex, short
from workbench.runs.folder import NOTEBOOK
from workbench.runs.kept_files import read_kept_files

_READ = ("stdout", "stderr", "error", "text/plain", "text/markdown", "text/latex")
# Longer texts are held against each other as they are; of all together so much is looked through for times and addresses.
LONGEST_NORMALISED, _MOST_NORMALISED = 100_000, 1_000_000
_MOST_EXCERPTS, _WINDOW, _CHUNK = 20, 4_000, 4_096


@dataclass(frozen=True)
class Output:
    """One thing a cell showed, as the notebook holds it: text, encoded bytes, or JSON."""

    kind: str
    content: Any

    @property
    def is_read(self) -> bool:
        """True for what people read line by line."""
        return self.kind in _READ

    @property
    def is_text(self) -> bool:
        """True for text and pages; false for what is encoded."""
        return self.is_read or self.kind.startswith("text/") or self.kind in PAGES or not isinstance(self.content, str)

    def spell(self) -> str:
        """Return it as one text."""
        return self.content if isinstance(self.content, str) else json.dumps(self.content, sort_keys=True)

    def describe(self) -> str:
        """Return its size, and the digest by which it is told apart where nobody would read it."""
        text = self.spell()
        size = f"{len(text):,} characters" if self.is_text else f"{3 * len(text) // 4:,} bytes"
        return size if self.is_read else f"{size}, sha256 {short(sha256_hex(text.encode(errors='replace')))}"


@dataclass
class _Budget:
    """How many characters are still looked through for what every execution has its own of."""

    left: int = _MOST_NORMALISED
    unread: int = 0

    def takes(self, *texts: str) -> bool:
        needed = sum(map(len, texts))
        is_taken = max(map(len, texts)) <= LONGEST_NORMALISED and needed <= self.left
        self.left -= needed if is_taken else 0
        self.unread += not is_taken
        return is_taken


@dataclass(frozen=True)
class _Differing:
    """An output that is not the same; None on the side that does not have it."""

    name: str
    before: Output | None
    after: Output | None


def compare_outputs(pair: Pair) -> Part:
    """Compare the outputs of the cells that are in both notebooks, wherever they stand, and the files that were kept."""
    files = [*_list_files(pair)]
    if pair.a.notebook is None or pair.b.notebook is None:
        unknown = tuple(side.explain(NOTEBOOK) for side in pair.sides if side.notebook is None)
        likeness = Likeness.DIFFERENT if files else Likeness.UNKNOWN
        return Part(
            "outputs",
            likeness,
            "What the cells showed is not known of both.",
            "",
            lay_out("Kept files", files),
            (),
            unknown,
        )
    cells, budget = match_cells(list_cells(pair.a.notebook), list_cells(pair.b.notebook)), _Budget()
    held = [found for each in cells.matched for found in _pair_outputs(each.before, each.after)]
    own = tuple(side.run.id for side in pair.sides)
    differing = [each for each in held if not _is_same(each, budget, own)]
    # What failed is read first.
    differing.sort(key=lambda each: "error" not in each.name)
    told = [f"{len(differing):,} of {count_of(len(held), 'output')}"] if differing else []
    told += [count_of(len(files), "kept file")] if files else []
    if not told:
        kept = read_kept_files(pair.b.run.record)
        more = f" and {count_of(len(kept), 'kept file')}" if kept else ""
        return Part(
            "outputs",
            Likeness.SAME,
            f"{count_of(len(held), 'output')}{more}, the same.",
            unknown=_say_gaps(cells, budget, 0),
        )
    rows = [
        {"output": each.name, **pair.row(*(side and side.describe() for side in (each.before, each.after)))}
        for each in differing
    ]
    says = enumerate_all(told)
    return Part(
        "outputs",
        Likeness.DIFFERENT,
        f"{says[:1].upper()}{says[1:]} {'differs' if len(differing) + len(files) == 1 else 'differ'}.",
        count_of(len(differing), "output") if differing else count_of(len(files), "kept file"),
        (*lay_out("Outputs", rows), *lay_out("Kept files", files)),
        tuple(_show(each) for each in _choose_read(differing)[:_MOST_EXCERPTS]),
        _say_gaps(cells, budget, len(_choose_read(differing))),
    )


def _pair_outputs(before: Cell, after: Cell) -> Iterator[_Differing]:
    ours, theirs = read_cell_outputs(before), read_cell_outputs(after)
    where = after.called if before.number == after.number else f"cell {before.number} → {after.number}"
    for name in dict.fromkeys([*theirs, *ours]):
        yield _Differing(f"{where} {name}", ours.get(name), theirs.get(name))


def read_cell_outputs(cell: Cell) -> dict[str, Output]:
    """Return what a cell showed by names, a stream put together from its pieces."""
    streams: dict[str, list[str]] = {}
    found: dict[str, Output] = {}
    for number, output in enumerate(cell.outputs, 1):
        kind = output.get("output_type")
        if kind == "stream":
            streams.setdefault(str(output.get("name")), []).append(_join(output.get("text", "")))
        elif kind == "error":
            found[f"output {number} error"] = Output("error", f"{output.get('ename')}: {output.get('evalue')}")
        data = output.get("data")
        for mime, content in sorted(data.items()) if isinstance(data, Mapping) else ():
            found[f"output {number} {mime}"] = Output(mime, _join(content))
    return {**{name: Output(name, "".join(texts)) for name, texts in streams.items()}, **found}


def _join(content: Any) -> Any:
    is_lines = isinstance(content, list) and all(isinstance(line, str) for line in content)
    return "".join(content) if is_lines else content


def _is_same(each: _Differing, budget: _Budget, own_names: Sequence[str]) -> bool:
    if each.before is None or each.after is None:
        return False
    if each.before.content == each.after.content:
        return True
    if not (each.before.is_text and each.after.is_text):
        return False
    texts = each.before.spell(), each.after.spell()
    if not budget.takes(*texts):
        return False
    one, other = (normalise(each.name, text, own_names)[0] for text in texts)
    return one == other


def _choose_read(differing: Sequence[_Differing]) -> list[_Differing]:
    return [each for each in differing if each.before and each.after and each.before.is_read and each.after.is_read]


def _show(each: _Differing) -> Excerpt:
    before, after = (side.spell() if side else "" for side in (each.before, each.after))
    start = find_first_difference(before, after)
    begins = before.rfind("\n", 0, start) + 1
    begins = begins if start - begins <= _WINDOW else start
    shown = diff_texts(each.name, before[begins : begins + _WINDOW], after[begins : begins + _WINDOW])
    longest = max(len(before), len(after)) - begins
    cut = (
        f"looked at are {_WINDOW:,} characters from where they first differ, of {longest:,}"
        if longest > _WINDOW
        else ""
    )
    return Excerpt(shown.title, shown.lines, "; ".join(filter(None, [shown.cut, cut])))


def find_first_difference(before: str, after: str) -> int:
    """Return where two texts differ first, in time that grows with that place alone."""
    least, place = min(len(before), len(after)), 0
    while place < least and before[place : place + _CHUNK] == after[place : place + _CHUNK]:
        place += _CHUNK
    ends = min(place + _CHUNK, least)
    return next((each for each in range(place, ends) if before[each] != after[each]), min(ends, least))


def _say_gaps(cells: MatchedCells, budget: _Budget, texts: int) -> tuple[str, ...]:
    alone = sum(bool(cell.outputs) for cell in (*cells.added, *cells.removed))
    return (
        *(
            [f"{count_of(alone, 'cell')} with outputs {'is' if alone == 1 else 'are'} in one notebook alone."]
            if alone
            else []
        ),
        *(
            [
                f"{count_of(budget.unread, 'text')} too long to be looked through for times and addresses that every execution has "
                f"its own of: {'it was' if budget.unread == 1 else 'they were'} held against each other as they are."
            ]
            if budget.unread
            else []
        ),
        *(
            [f"{texts - _MOST_EXCERPTS:,} texts more differ; their lines are not shown."]
            if texts > _MOST_EXCERPTS
            else []
        ),
    )


def _list_files(pair: Pair) -> Iterator[dict[str, Any]]:
    before, after = ({each.path: each for each in read_kept_files(side.run.record)} for side in pair.sides)
    for path in sorted({*before, *after}):
        one, other = before.get(path), after.get(path)
        if one is None or other is None or one.digest != other.digest:
            shown = (f"{each.bytes:,} bytes, sha256 {short(each.digest)}" if each else None for each in (one, other))
            yield {"file": path, **pair.row(*shown)}
