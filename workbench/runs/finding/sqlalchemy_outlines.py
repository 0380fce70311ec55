"""Outlines out of the store: of thousands of runs only what a condition asks for is read, and long records stay where they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from workbench.runs.finding.outline import Outline
from workbench.runs.finding.sqlalchemy_annotations import SAID, build_annotations
from workbench.runs.sqlalchemy_tables import ANNOTATIONS, ATTEMPTS, RUNS

# In the order of an outline's own.
_COLUMNS = (
    *(RUNS.c.id, ATTEMPTS.c.state, RUNS.c.created, RUNS.c.notebook, RUNS.c.author, RUNS.c.sweep),
    *(ATTEMPTS.c.started, ATTEMPTS.c.ended, ATTEMPTS.c.number, ATTEMPTS.c.error, RUNS.c.parameters),
)
# Behind them what lies within a JSON text, and is read where it is asked for.
_PARTS = {
    **dict.fromkeys(("metrics", "datasets"), ATTEMPTS.c.record),
    "replay_of": RUNS.c.provenance,
    "pairing": ATTEMPTS.c.record,
}
_PLACES = {"pairing": "scores.pairing"}
_WIDTH = len(_COLUMNS) + len(_PARTS)


def join_latest() -> Any:
    """Return runs joined with their latest attempt and what is said of them."""
    latest = (
        sa.select(ATTEMPTS.c.run_id, sa.func.max(ATTEMPTS.c.number).label("number"))
        .group_by(ATTEMPTS.c.run_id)
        .subquery()
    )
    joined = RUNS.join(latest, latest.c.run_id == RUNS.c.id).join(
        ATTEMPTS, sa.and_(ATTEMPTS.c.run_id == latest.c.run_id, ATTEMPTS.c.number == latest.c.number)
    )
    return joined.outerjoin(ANNOTATIONS, ANNOTATIONS.c.run_id == RUNS.c.id)


def select_outlines(joined: Any, parts: Collection[str], *, is_sqlite: bool) -> Any:
    """Return the query for what `build_outlines` needs, of runs joined with an attempt and their annotations."""
    within = [_select_part(key, column, is_sqlite=is_sqlite and key in parts) for key, column in _PARTS.items()]
    whole = [
        _select_whole(column, is_sqlite=is_sqlite) if {key for key in parts if _PARTS[key] is column} else sa.null()
        for column in dict.fromkeys(_PARTS.values())
    ]
    lease = [ATTEMPTS.c[name] for name in ("owner", "lease_until", "lease_until_monotonic")]
    texts = [column.label(name) for column, name in zip(whole, ("record", "provenance"), strict=True)]
    return sa.select(*_COLUMNS, *within, *texts, *lease, *SAID).select_from(joined)


def _select_part(key: str, column: Any, *, is_sqlite: bool) -> Any:
    """Return a part of a JSON text as SQLite reads it, which knows no NaN: such a text is none to it."""
    part = sa.case((sa.func.json_valid(column) == 1, sa.func.json_extract(column, f"$.{_PLACES.get(key, key)}")))
    return (part if is_sqlite else sa.null()).label(key)


def _select_whole(column: Any, *, is_sqlite: bool) -> Any:
    """Return a text whole where its parts must be read here."""
    return sa.case((sa.func.json_valid(column) == 0, column)) if is_sqlite else column


def build_outlines(rows: Iterable[Any], find_loss: Callable[[Any], str | None]) -> list[Outline]:
    """Return rows as outlines; `find_loss` says why nobody runs an attempt any more, None where somebody does or it has ended."""
    return [_build(row, find_loss(row)) for row in rows]


def _build(row: Any, loss: str | None) -> Outline:
    """Return a row as an outline; it is read by place, for by name it takes as long as all else together."""
    record, provenance = row[_WIDTH : _WIDTH + 2]
    outline = Outline(*row[:_WIDTH])
    outline.state = "lost" if loss else outline.state.lower()
    if loss:
        outline.error = loss
    if record is not None or provenance is not None:
        _read_here(outline, json.loads(record or "{}"), json.loads(provenance or "{}"))
    outline.annotations = build_annotations(row[-len(SAID) :])
    return outline


def _read_here(outline: Outline, record: Mapping[str, Any], provenance: Mapping[str, Any]) -> None:
    for name in record.keys() & {"metrics", "datasets"}:
        setattr(outline, name, json.dumps(record[name]))
    outline.pairing = (record.get("scores") or {}).get("pairing", outline.pairing)
    outline.replay_of = provenance.get("replay_of", outline.replay_of)
