"""What changed since the version that is served, as the review shows it."""

from __future__ import annotations

from typing import Any

from workbench.evidence.evidence import Evidence
from workbench.records.digest import short
from workbench.reviews.changes import Changed, ChangedData, Changes, CodeDiff
from workbench.runs.tables import DatasetFact
from workbench.words.numbers import (
    MISSING,
    choose_decimals,
    format_number,
    format_signed,
    format_value,
    sentence_case,
    words,
)

# A diff up to this long is read in passing; a longer one is folded.
LINES_SHOWN = 40
_MARKS = {"+": ("+", "added"), "-": ("\N{MINUS SIGN}", "removed"), " ": (" ", "same")}


def changes_state(changes: Changes | None, evidence: Evidence) -> dict[str, Any]:
    """Return the section on what changed; a first version says that it is one."""
    if changes is None:
        endpoint = evidence.identity.endpoint
        text = f"No other version was served at {endpoint} before, so there is none to hold this one against: all of it is new."
        return {"title": "What changed", "text": text, "columns": [], "rows": [], "code": None}
    return {
        "title": f"What changed since version {changes.version}",
        "text": _summarise(changes),
        "columns": ["What", f"Version {changes.version}", f"Version {evidence.identity.version}"],
        "rows": _rows(changes),
        "code": _code(changes.code),
    }


def _summarise(changes: Changes) -> str:
    code, data, parameters = changes.code, len(changes.datasets), len(changes.parameters)
    parts = [
        f"{parameters} {'parameter' if parameters == 1 else 'parameters'}" if parameters else "",
        f"{data} {'table' if data == 1 else 'tables'} of data" if data else "",
        *(f"the {fact.name}" if fact.name != "served as" else "the served format" for fact in changes.facts),
        f"{code.added + code.removed:,} lines of code" if code.hunks else "",
    ]
    changed = [part for part in parts if part]
    if changed:
        return sentence_case(f"{_enumerate(changed)} changed.")
    unknown = " (the code cannot be compared)" if code.fault else ""
    return f"No parameter, no table of data and no line of code changed{unknown}."


def _enumerate(parts: list[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]


def _rows(changes: Changes) -> list[dict[str, str]]:
    return [
        *_score(changes),
        *(_parameter(item) for item in changes.parameters),
        *(_dataset(item) for item in changes.datasets),
        *(_row(sentence_case(item.name), item.before or MISSING, item.after or MISSING) for item in changes.facts),
    ]


def _row(name: str, before: str, after: str) -> dict[str, str]:
    return {"name": name, "before": before, "after": after}


def _score(changes: Changes) -> list[dict[str, str]]:
    before, after = changes.score_before, changes.score_after
    if changes.metric is None or after is None:
        return []
    decimals = choose_decimals([before, after])
    value = format_number(after, decimals)
    if before is None:
        return [_row(changes.metric, "another metric, or none", value)]
    difference = f" ({format_signed(after - before, decimals)})" if after != before else " (the same)"
    return [_row(changes.metric, format_number(before, decimals), value + difference)]


def _parameter(item: Changed) -> dict[str, str]:
    before, after = (_value(value) for value in (item.before, item.after))
    if before == after:
        before, after = (
            f"{text} ({type(value).__name__})" for text, value in ((before, item.before), (after, item.after))
        )
    return _row(f"Parameter {format_value(item.name, longest=64)}", before, after)


def _value(value: Any) -> str:
    return "not there" if value is None else format_value(value, longest=120)


def _dataset(item: ChangedData) -> dict[str, str]:
    return _row(f"{sentence_case(words(item.role))} data", _table(item.before), _table(item.after))


def _table(fact: DatasetFact | None) -> str:
    if fact is None:
        return "not there"
    return f"{fact.name}, {fact.rows:,} rows, {fact.columns:,} columns, sha256 {short(fact.digest)}"


def _code(code: CodeDiff) -> dict[str, Any]:
    same = code.fault or "The code of the notebook is the same."
    return code_state(code, "Code of the notebook", same, unit="Cell", whole="compare the notebooks themselves")


def code_state(code: CodeDiff, name: str, same: str, *, unit: str, whole: str) -> dict[str, Any]:
    """Return a diff as it is shown: its summary, or that it is the `same`, and its hunks, each headed by the unit it begins in."""
    shown = sum(len(hunk.lines) for hunk in code.hunks)
    if code.fault or not code.hunks:
        return {
            "summary": same,
            "hunks": [],
            "open": False,
            "more": "",
        }
    more = f"{code.left_out:,} lines more are not shown; {whole}." if code.left_out else ""
    return {
        "summary": f"{name}: {count_lines(code.added)} added, {count_lines(code.removed)} removed",
        "hunks": [
            {"title": f"{unit} {hunk.cell}", "lines": [line_state(line.mark, line.text) for line in hunk.lines]}
            for hunk in code.hunks
        ],
        "open": shown <= LINES_SHOWN,
        "more": more,
    }


def count_lines(lines: int) -> str:
    """Return a number of lines in words."""
    return f"{lines:,} {'line' if lines == 1 else 'lines'}"


def line_state(mark: str, text: str) -> dict[str, str]:
    """Return a line of a diff as it is marked."""
    shown, kind = _MARKS[mark]
    return {"mark": shown, "kind": kind, "text": text}
