"""Model: whether it is the same, and which of its coefficients are not; nothing of it is ever loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.comparisons.difference.pair import Pair, Side
from workbench.comparisons.difference.part import DiffTable, Likeness, Part, count_of, enumerate_all, lay_out
from workbench.records.digest import short
from workbench.runs.folder import MODEL

_NOT_KEPT = (
    "Importances are computed when a run is nominated, and kept with its evidence: `workbench review` shows them."
)
_NO_NUMBERS = "It has no coefficients that can be read without loading it: it is no linear model, or too large."


def compare_models(pair: Pair) -> Part:
    """Compare the files of the models by digest, the settings of their parts, and of linear ones the coefficients."""
    before, after = (_list_files(side) for side in pair.sides)
    if not before or not after:
        return _say_missing(pair, before, after)
    if before == after:
        return Part("model", Likeness.SAME, f"The model ({count_of(len(after), 'file')}), the same to the byte.")
    rows = [
        {"file": path, **pair.row(_short(before.get(path)), _short(after.get(path)))}
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    ]
    files = lay_out("Files of the model", rows)
    if not any(str(row["file"]).endswith(".skops") for row in rows):
        says = "Its estimator is the same to the byte; what is kept beside it is not."
        return Part("model", Likeness.DIFFERENT, says, tables=files)
    told, tables, unknown = _tell_estimators(pair)
    if not told:
        says = "It is another one; in what is not known."
        return Part("model", Likeness.DIFFERENT, says, tables=files, unknown=unknown)
    verb = "differs" if told == ["1 setting"] else "differ"
    return Part(
        "model", Likeness.DIFFERENT, f"It is another one: {enumerate_all(told)} {verb}.", "", tables, (), unknown
    )


def _tell_estimators(pair: Pair) -> tuple[list[str], tuple[DiffTable, ...], tuple[str, ...]]:
    """Return what differs of two estimators in words and as tables, and what nobody can tell."""
    settings = _list_settings(pair)
    told, tables = ([count_of(len(settings), "setting")] if settings else []), lay_out("Settings", settings)
    if pair.a.coefficients is None or pair.b.coefficients is None:
        lacking = [side for side in pair.sides if side.coefficients is None]
        gaps = (f"Run {side.name}: {side.faults.get(MODEL, _NO_NUMBERS)}" for side in lacking)
        return told, tables, (*gaps, _NOT_KEPT)
    numbers = _list_numbers(pair, pair.a.coefficients, pair.b.coefficients)
    total = sum(map(len, {**pair.a.coefficients, **pair.b.coefficients}.values()))
    told.append(f"{len(numbers):,} of {count_of(total, 'coefficient')}")
    return told, (*tables, *lay_out("Coefficients, the largest change first", numbers)), (_NOT_KEPT,)


def _list_settings(pair: Pair) -> list[dict[str, Any]]:
    """Return the settings that differ of parts that both models have, after the parts themselves where these differ."""
    before, after = pair.a.settings, pair.b.settings
    kinds = [
        list(dict.fromkeys(name.partition(".")[0].partition(" ")[0] for name in settings))
        for settings in (before, after)
    ]
    shared = {*kinds[0]} & {*kinds[1]}
    parts = (
        [{"setting": "parts", **pair.row(*(", ".join(each) or None for each in kinds))}] if kinds[0] != kinds[1] else []
    )
    names = [name for name in dict.fromkeys([*before, *after]) if name.partition(".")[0].partition(" ")[0] in shared]
    differing = [name for name in names if before.get(name) != after.get(name)]
    return [*parts, *({"setting": name, **pair.row(before.get(name), after.get(name))} for name in differing)]


def _say_missing(pair: Pair, before: Mapping[str, str], after: Mapping[str, str]) -> Part:
    if not before and not after and all(side.run.is_finished for side in pair.sides):
        return Part("model", Likeness.SAME, "Neither run logged a model.")
    lacking = [side for side, files in zip(pair.sides, (before, after), strict=True) if not files]
    unknown = tuple(f"Run {side.name}: {_explain(side)}" for side in lacking)
    is_known = all(side.run.is_finished for side in lacking)
    who = enumerate_all([side.name for side in lacking])
    says = f"Run {who} logged no model." if is_known else "It is not known of both."
    return Part("model", Likeness.DIFFERENT if is_known else Likeness.UNKNOWN, says, unknown=unknown)


def _explain(side: Side) -> str:
    if refused := side.run.record.get("refused"):
        return f"its model was refused. {' '.join(map(str, (refused.get('what', ''), *refused.get('why', ()))))}"
    return "none was logged." if side.run.is_finished else "it did not finish, and seals no model."


def _list_files(side: Side) -> dict[str, str]:
    recorded: Mapping[str, str] = side.run.record.get("files", {})
    return {path.removeprefix(f"{MODEL}/"): digest for path, digest in recorded.items() if path.startswith(f"{MODEL}/")}


def _short(digest: str | None) -> str | None:
    return f"sha256 {short(digest)}" if digest else None


def _list_numbers(
    pair: Pair, before: Mapping[str, Sequence[float]], after: Mapping[str, Sequence[float]]
) -> list[dict[str, Any]]:
    """Return the numbers that differ; one that a model does not have is none."""
    rows = []
    for name in dict.fromkeys([*after, *before]):
        ours, theirs = before.get(name, ()), after.get(name, ())
        for place in range(max(len(ours), len(theirs))):
            one, other = (values[place] if place < len(values) else None for values in (ours, theirs))
            if one != other:
                gap = abs(other - one) if one is not None and other is not None else abs(one or other or 0.0)
                called = name if max(len(ours), len(theirs)) == 1 else f"{name} [{place + 1}]"
                difference = other - one if one is not None and other is not None else None
                rows.append((gap, {"coefficient": called, **pair.row(one, other), "B \N{MINUS SIGN} A": difference}))
    return [row for _, row in sorted(rows, key=lambda each: -each[0])]
