"""Outputs: what the cells showed that is not the same, by digest, with a short excerpt of texts; nothing is decoded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from workbench.comparisons.difference.cell_pairs import Cell, MatchedCells, list_cells, match_cells
from workbench.comparisons.difference.line_diff import diff_texts, find_first_difference
from workbench.comparisons.difference.pair import Pair
from workbench.comparisons.difference.part import Excerpt, Likeness, Part, count_of, enumerate_all, lay_out
from workbench.notebooks.normalisation import PAGES, normalise
from workbench.records.digest import sha256_hex, short
from workbench.runs.folder import NOTEBOOK
from workbench.runs.kept_files import read_kept_files

_READ = ("stdout", "stderr", "error", "text/plain", "text/markdown", "text/latex")
# Longer texts are held against each other as they are; of all together so much is looked through for times and addresses.
LONGEST_NORMALISED, _MOST_NORMALISED = 100_000, 1_000_000
_MOST_EXCERPTS, _WINDOW, _MOST_LINES = 20, 4_000, 60


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

    @cached_property
    def spelled(self) -> str:
        """It as one text."""
        return self.content if isinstance(self.content, str) else _encode(self.content)

    def describe(self) -> str:
        """Return its size, and the digest by which it is told apart where nobody would read it."""
        text = self.spelled
        size = f"{len(text):,} characters" if self.is_text else f"{3 * len(text) // 4:,} bytes"
        return size if self.is_read else f"{size}, sha256 {short(sha256_hex(text.encode(errors='replace')))}"


def _encode(content: Any) -> str:
    text = msgspec.json.encode(content, order="sorted").decode()
    return json.dumps(content, sort_keys=True) if "null" in text else text  # it may have been NaN


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
    for number, output in enumerate(filter(_is_output, cell.outputs), 1):
        kind = output.get("output_type")
        if kind == "stream":
            streams.setdefault(str(output.get("name")), []).append(str(_join(output.get("text", ""))))
        elif kind == "error":
            found[f"output {number} error"] = Output("error", f"{output.get('ename')}: {output.get('evalue')}")
        data = output.get("data")
        for mime, content in sorted(data.items()) if isinstance(data, Mapping) else ():
            found[f"output {number} {mime}"] = Output(mime, _join(content))
    return {**{name: Output(name, "".join(texts)) for name, texts in streams.items()}, **found}


def _is_output(found: Any) -> bool:
    # Of a run that did not finish the notebook is read as it lies there.
    return isinstance(found, Mapping)


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
    texts = each.before.spelled, each.after.spelled
    if not budget.takes(*texts):
        return False
    one, other = (normalise(each.name, text, own_names)[0] for text in texts)
    return one == other


def _choose_read(differing: Sequence[_Differing]) -> list[_Differing]:
    return [each for each in differing if each.before and each.after and each.before.is_read and each.after.is_read]


def _show(each: _Differing) -> Excerpt:
    before, after = (side.spelled if side else "" for side in (each.before, each.after))
    start = find_first_difference(before, after)
    begins = _find_line(before, start)
    longest = max(len(before), len(after)) - begins
    shown = diff_texts(each.name, before[begins : begins + _WINDOW], after[begins : begins + _WINDOW], _MOST_LINES)
    if longest <= _WINDOW:
        return shown
    cut = f"looked at are {_WINDOW:,} characters from where they first differ, of {longest:,}"
    return Excerpt(shown.title, _drop_end(shown.lines), "; ".join(filter(None, [shown.cut, cut])))


def _find_line(text: str, place: int) -> int:
    """Return where the line two before a place begins; the place itself where lines are long."""
    begins = place
    for _ in range(3):
        begins = text.rfind("\n", max(place - _WINDOW // 2, 0), begins)
        if begins < 0:
            return 0 if place <= _WINDOW // 2 else place
    return begins + 1


def _drop_end(lines: Sequence[str]) -> tuple[str, ...]:
    """Return an excerpt without what only differs because both texts were cut: what comes after the last line in common."""
    common = [place for place, line in enumerate(lines) if line.startswith(" ")]
    marked = [place for place, line in enumerate(lines) if line.startswith(("+", "-"))]
    is_end = bool(common) and bool(marked) and marked[0] < common[-1]
    return tuple(lines[: common[-1] + 1] if is_end else lines)


def _say_gaps(cells: MatchedCells, budget: _Budget, texts: int) -> tuple[str, ...]:
    alone = sum(bool(cell.outputs) for cell in (*cells.added, *cells.removed))
    return tuple(filter(None, (_say_alone(alone), _say_unread(budget.unread), _say_unshown(texts - _MOST_EXCERPTS))))


def _say_alone(cells: int) -> str:
    return (
        f"{count_of(cells, 'cell')} with outputs {'is' if cells == 1 else 'are'} in one notebook alone."
        if cells
        else ""
    )


def _say_unread(texts: int) -> str:
    if not texts:
        return ""
    is_are, was_were = ("is", "was") if texts == 1 else ("are", "were")
    return (
        f"{count_of(texts, 'text')} {is_are} too long to be looked through for times and addresses that every execution has its "
        f"own of, and {was_were} held against each other as written."
    )


def _say_unshown(texts: int) -> str:
    return f"{texts:,} texts more differ; their lines are not shown." if texts > 0 else ""


def _list_files(pair: Pair) -> Iterator[dict[str, Any]]:
    before, after = ({each.path: each for each in read_kept_files(side.run.record)} for side in pair.sides)
    for path in sorted({*before, *after}):
        one, other = before.get(path), after.get(path)
        if one is None or other is None or one.digest != other.digest:
            shown = (f"{each.bytes:,} bytes, sha256 {short(each.digest)}" if each else None for each in (one, other))
            yield {"file": path, **pair.row(*shown)}
