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
_PARTS = "parts"
_NO_ESTIMATOR = "It is no file of an estimator (skops): only of that settings can be told without loading it."


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
    kept = [path for path in (*before, *after) if path.endswith((".skops", ".onnx"))]
    if kept and all(before.get(path) == after.get(path) for path in kept):
        says = "Its estimator is the same to the byte; what is kept beside it is not."
        return Part("model", Likeness.DIFFERENT, says, tables=files)
    told, tables, unknown = _tell_estimators(pair)
    return Part("model", Likeness.DIFFERENT, _say(pair, told), "", tables or files, (), (*unknown, _NOT_KEPT))


def _say(pair: Pair, told: Sequence[str]) -> str:
    if told:
        return f"It is another one: {enumerate_all(told)} {'differs' if told == ['1 setting'] else 'differ'}."
    if not all(side.settings and MODEL not in side.faults for side in pair.sides):
        return "It is another one; in what is not known."
    if pair.a.coefficients is not None and pair.b.coefficients is not None:
        return "It is another one: its settings and coefficients are the same, what else its file holds is not."
    return "It is another one: its settings are the same, what it learned is not."


def _find_gap(side: Side) -> str:
    """Say why of a side's model not all can be told; empty where it can."""
    if MODEL in side.faults:
        return side.faults[MODEL]
    return "" if side.settings else _NO_ESTIMATOR


def _tell_estimators(pair: Pair) -> tuple[list[str], tuple[DiffTable, ...], tuple[str, ...]]:
    """Return what differs of two estimators in words and as tables, and what nobody can tell."""
    is_told = bool(pair.a.settings and pair.b.settings)
    parts, settings = (_list_parts(pair), _list_settings(pair)) if is_told else ([], [])
    told = [*(["its parts"] if parts else []), *([count_of(len(settings), "setting")] if settings else [])]
    tables = lay_out("Settings", [*parts, *settings])
    gaps = tuple(f"Run {side.name}: {fault}" for side in pair.sides if (fault := _find_gap(side)))
    before, after = pair.a.coefficients, pair.b.coefficients
    if before is None or after is None:
        return told, tables, gaps
    numbers = _list_numbers(pair, before, after)
    total = sum(map(len, {**before, **after}.values()))
    if numbers:
        told.append(f"{len(numbers):,} of {count_of(total, 'coefficient')}")
    return told, (*tables, *lay_out("Coefficients, the largest change first", numbers)), gaps


def _list_settings(pair: Pair) -> list[dict[str, Any]]:
    """Return the settings that differ of parts that both models have; of a last part that took another's place those of both."""
    before, after = pair.a.settings, pair.b.settings
    ours, theirs = (_list_kinds(settings) for settings in (before, after))
    shared = {*ours} & {*theirs}
    names = [name for name in dict.fromkeys([*before, *after]) if _name_kind(name) in shared]
    pairs = [(name, before.get(name), after.get(name)) for name in names]
    if ours and theirs and not {ours[-1], theirs[-1]} & shared:
        then, now = (_take_kind(settings, kinds[-1]) for settings, kinds in ((before, ours), (after, theirs)))
        pairs += [(f"{name} of the last part", then[name], now[name]) for name in then if name in now]
    return [{"setting": name, **pair.row(one, other)} for name, one, other in pairs if one != other]


def _list_parts(pair: Pair) -> list[dict[str, Any]]:
    kinds = [_list_kinds(side.settings) for side in pair.sides]
    return [{"setting": _PARTS, **pair.row(*map(", ".join, kinds))}] if kinds[0] != kinds[1] else []


def _list_kinds(settings: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(map(_name_kind, settings)))


def _name_kind(setting: str) -> str:
    return setting.partition(".")[0].partition(" ")[0]


def _take_kind(settings: Mapping[str, str], kind: str) -> dict[str, str]:
    """Return the settings of the first part of a class."""
    return {name.partition(".")[2]: value for name, value in settings.items() if name.partition(".")[0] == kind}


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
