"""One synthetic table of customers with every type of column an endpoint takes, and what may be learnt from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

NOTES = ("delayed", "refund", "broken", "brilliant", "slow", "quick", "furious", "glad", "bill", "courier", "thanks")
CITIES = ("Kraków", "Łódź", "Gdańsk", "Zürich", "東京", "San José")
GRADES = ("small", "medium", "large")

PLAIN = ("balance", "ratio", "tenure", "orders")
LARGE = (*PLAIN, "account", "since")
GAPS = ("age", "income", *PLAIN)
TEXTS = ("plan", "city", "device")
GAP_TEXTS = ("plan", "district", "channel")
FLAGS = ("business", "letters")
MIXED = (*GAPS, *TEXTS, *FLAGS)
SMALL = ("stock", "level", "visits", "token", "wide", "narrow")
NULLABLE = ("points", "rate", "agrees")
KINDS = ("town", "grade")
AS_TEXT = ("hash",)  # whole numbers beyond what JSON readers hold, sent as text


@cache
def make_customers(rows: int, seed: int) -> pd.DataFrame:
    """Return a table that is drawn anew for each seed; no caller may change it."""
    draw = np.random.default_rng(seed)
    table = pd.DataFrame({**_draw_numbers(draw, rows), **_draw_texts(draw, rows)})
    for name, share in {"age": 0.08, "income": 0.12, "district": 0.1}.items():
        table[name] = table[name].where(draw.random(rows) > share)
    table["channel"] = table["channel"].astype(object).where(draw.random(rows) > 0.15, None)
    table["device"] = table["device"].astype(object)
    for name, kind in {"points": "Int64", "rate": "Float64", "agrees": "boolean"}.items():
        table[name] = table[name].astype(kind).mask(draw.random(rows) < 0.1)
    table["town"] = pd.Categorical(table["city"], CITIES)
    table["grade"] = pd.Categorical(table["grade"], GRADES, ordered=True)
    table["zone_kind"] = pd.Categorical(table["zone"])
    # A draw of its own: the other columns are the same with and without it.
    hashes = np.random.default_rng(seed + 1).integers(2**61, 2**63 + 2**62, rows, dtype="uint64")
    return table.assign(**_learn(draw, table), hash=hashes)


def _draw_numbers(draw: np.random.Generator, rows: int) -> dict[str, Any]:
    return {
        "age": draw.normal(45, 15, rows).clip(18, 99).round(1),
        "income": np.exp(draw.normal(10.4, 0.7, rows)).round(2),
        "balance": np.where(draw.random(rows) < 0.1, 0.0, draw.normal(250, 800, rows).round(2)),
        "ratio": draw.random(rows),
        "tenure": draw.integers(0, 150, rows),
        "orders": draw.poisson(4, rows),
        "account": 2**24 + draw.permutation(rows) * 5 + draw.integers(0, 5, rows),
        "since": draw.integers(1_500_000_000, 1_760_000_000, rows),
        "stock": draw.integers(-100, 100, rows).astype("int8"),
        "level": draw.integers(-30_000, 30_000, rows).astype("int16"),
        "visits": draw.integers(0, 250, rows).astype("uint8"),
        "token": draw.integers(0, 2**52, rows).astype("uint64"),
        "wide": draw.integers(-(2**31), 2**31 - 1, rows).astype("int32"),
        "narrow": draw.normal(0, 3, rows).astype("float32"),
        "points": draw.integers(0, 40, rows),
        "rate": draw.random(rows).round(3),
        "agrees": draw.random(rows) < 0.5,
        "zone": 40_000 + draw.integers(0, 6, rows),
        "business": draw.random(rows) < 0.35,
        "letters": draw.random(rows) < 0.55,
    }


def _draw_texts(draw: np.random.Generator, rows: int) -> dict[str, Any]:
    return {
        "plan": draw.choice(["free", "plus", "pro", "équipe"], rows, p=[0.48, 0.3, 0.2, 0.02]),
        "city": draw.choice(CITIES, rows),
        "device": draw.choice(["phone", "tablet", "desk"], rows),
        "district": draw.choice(["north", "south", "île"], rows),
        "channel": draw.choice(["shop", "web", "post"], rows),
        "grade": draw.choice(GRADES, rows),
        "note": [" ".join(draw.choice(NOTES, draw.integers(2, 8))) for _ in range(rows)],
    }


def _learn(draw: np.random.Generator, table: pd.DataFrame) -> dict[str, Any]:
    signal = (
        0.03 * (45 - table["age"].fillna(45))
        + 0.5 * (np.log(table["income"].fillna(33_000)) - 10.4)
        - 0.0008 * table["balance"]
        + np.sin(7 * table["ratio"])
        - 0.01 * (table["tenure"] - 75)
        + 0.2 * (table["orders"] - 4)
        + 0.7 * (table["account"] // 101 % 2 - 0.5)
        + 0.5 * (table["since"] > 1_630_000_000)
        + 0.6 * (table["plan"] == "pro")
        - 0.5 * (table["city"] == "Łódź")
        - 0.4 * table["business"]
        + 0.01 * table["stock"]
        + 0.1 * table["narrow"]
        + 0.9 * table["note"].str.contains("furious")
    ).to_numpy(dtype=float)
    rows = len(table)
    return {
        "leaves": (draw.random(rows) < 1 / (1 + np.exp(-signal))).astype(int),
        "answer": np.where(draw.random(rows) < 1 / (1 + np.exp(-signal)), "yes", "no"),
        "segment": np.select([signal > 1.2, signal > 0], ["gold", "silver"], "bronze"),
        "stars": np.digitize(signal, [-1, 0.3, 1.5]),
        "spend": np.exp(3 + 0.4 * signal + draw.normal(0, 0.3, rows)).round(2),
        "tickets": draw.poisson(np.exp(0.3 + 0.3 * signal.clip(-4, 4))),
        "concentration": 4e-6 * np.exp(0.5 * signal),
    }


def spell_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a frame as a caller would send it: through JSON, missing values as null."""
    columns: Mapping[str, Sequence[Any]] = {
        name: [str(v) if name in AS_TEXT else _spell(v) for v in frame[name].tolist()] for name in frame.columns
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _spell(value: Any) -> Any:
    return None if pd.isna(value) else json.loads(json.dumps(value))
