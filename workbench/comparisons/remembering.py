"""Remembering: what was computed of predictions, by their digests: scorecards, and intervals of one against another."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from workbench.models.scorecard import Scorecard, parse_scorecard
from workbench.records.digest import canonical_json, sha256_hex
from workbench.stats.interval import Interval

# What was computed in another way is nothing.
_METHOD = 2
_TABLE = "CREATE TABLE IF NOT EXISTS results (kind TEXT, asked TEXT, said TEXT NOT NULL, PRIMARY KEY (kind, asked))"
_FIND = "SELECT asked, said FROM results WHERE kind = ? AND asked IN (SELECT value FROM json_each(?))"
_KEEP = "INSERT OR REPLACE INTO results VALUES (?, ?, ?)"
_PATIENCE_S = 2.0


class KeptResults:
    """A file beside the project's runs; one that cannot be read or written costs time and nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find_scorecards(self, predictions: Iterable[str]) -> dict[str, Scorecard]:
        """Return the scorecards that are kept, by the digests of the predictions."""
        parsed = {key: parse_scorecard(said) for key, said in self._find("scorecard", predictions).items()}
        return {key: card for key, card in parsed.items() if card is not None}

    def keep_scorecards(self, cards: Mapping[str, Scorecard]) -> None:
        """Keep scorecards by the digests of their predictions."""
        self._keep("scorecard", {key: canonical_json(card.to_json()).decode() for key, card in cards.items()})

    def find_intervals(self, asked: Iterable[str]) -> dict[str, Interval | None]:
        """Return what is kept of what is asked (see `spell_asked`); None says that the rows carry no interval."""
        found = {key: said for key, said in self._find("interval", asked).items() if _is_interval(said)}
        return {key: None if said is None else Interval(*said) for key, said in found.items()}

    def keep_intervals(self, intervals: Mapping[str, Interval | None]) -> None:
        """Keep intervals by what was asked."""
        said = {key: None if each is None else list(vars(each).values()) for key, each in intervals.items()}
        self._keep("interval", {key: json.dumps(value) for key, value in said.items()})

    def find_same(self, pairs: Iterable[str]) -> dict[str, bool]:
        """Return of pairs of holdouts, by their digests, whether their rows were found to be the same."""
        return {key: said for key, said in self._find("same rows", pairs).items() if isinstance(said, bool)}

    def keep_same(self, same: Mapping[str, bool]) -> None:
        """Keep which pairs of holdouts are the same."""
        self._keep("same rows", {key: json.dumps(value) for key, value in same.items()})

    def find_values(self, asked: Iterable[str]) -> dict[str, float]:
        """Return the values that are kept of a metric of somebody's own."""
        return {key: said for key, said in self._find("value", asked).items() if isinstance(said, float)}

    def keep_values(self, values: Mapping[str, float]) -> None:
        """Keep values by what was asked."""
        self._keep("value", {key: json.dumps(value) for key, value in values.items()})

    def _find(self, kind: str, asked: Iterable[str]) -> dict[str, Any]:
        wanted = json.dumps([*asked])

        def find(connection: sqlite3.Connection) -> dict[str, Any]:
            return {key: json.loads(text) for key, text in connection.execute(_FIND, (kind, wanted))}

        return (self._ask(find) if self._path.exists() else None) or {}

    def _keep(self, kind: str, said: Mapping[str, str]) -> None:
        if said:
            rows = [(kind, key, text) for key, text in said.items()]
            self._ask(lambda connection: connection.executemany(_KEEP, rows))

    def _ask(self, act: Callable[[sqlite3.Connection], Any]) -> Any:
        """Do something with the file; None where that cannot be, and a file that is no database goes."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=_PATIENCE_S)) as connection, connection:
                connection.execute(_TABLE)
                return act(connection)
        except sqlite3.OperationalError:
            return None
        except (sqlite3.DatabaseError, OSError, ValueError):
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            return None


def _is_interval(said: object) -> bool:
    return said is None or (isinstance(said, list) and len(said) == 4 and all(map(_is_number, said)))


def _is_number(said: object) -> bool:
    return isinstance(said, int | float) and math.isfinite(said)


def spell_asked(predictions: str, reference: str, metric: Sequence[str | None], level: float, units: str = "") -> str:
    """Return what is kept under: the digests of both predictions, what tells the metric, each bound's level, units, the method."""
    drawn = [units] if units else []
    return sha256_hex(canonical_json([_METHOD, predictions, reference, list(metric), level, *drawn]))
