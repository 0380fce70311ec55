"""A page of all rows: small, what was measured and nothing else, and one script that its policy knows by its digest."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from html.parser import HTMLParser
from math import isnan
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.comparisons.builders import build_many, measure_some
from workbench.errors import UsageError
from workbench.runs.finding.outline import MISSING
from workbench.widgets.comparison_page import comparison_page
from workbench.widgets.packed_columns import pack_column
from workbench.widgets.page_files import write_page
from workbench.widgets.rows_page import Rows, rows_script
from workbench.widgets.run_pictures import RunPictures
from workbench.widgets.runs_page import runs_page

AT = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
HOSTILE = "</script><script>alert(1)</script>'\"<!--\u202eحبة\n"


class Scripts(HTMLParser):
    """Collects what a browser would take for scripts, and the policy."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.policy = ""
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given = dict(attrs)
        if tag == "script":
            self.scripts.append((given, ""))
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = str(given["content"])

    def handle_data(self, data: str) -> None:
        if self.scripts and not self.scripts[-1][1]:
            self.scripts[-1] = (self.scripts[-1][0], data)


def unpack(html: str):
    """Return what is said of the rows, each column with its values: texts or None, numbers or NaN."""
    (_, data), _ = Scripts(html).scripts
    content = zlib.decompress(base64.b64decode(data))
    (length,) = struct.unpack_from("<I", content)
    rows, place = json.loads(content[4 : 4 + length]), 4 + length
    for each in rows["columns"]:
        if "texts" in each:
            codes = map(int, each["values"].split("\n"))
            each["values"] = [None if code < 0 else each["texts"][code] for code in codes]
        elif "values" in each:
            each["values"] = [float(value or "nan") for value in each["values"].split("\n")]
        else:
            block, place = content[place : place + 6 * rows["rows"]], place + 6 * rows["rows"]
            each["values"] = [read_number(bytes(block[row :: rows["rows"]])) for row in range(rows["rows"])]
    assert place == len(content)
    return rows


def read_number(content: bytes) -> float:
    whole, power = struct.unpack("<ih", content)
    special = {32_767: float("nan"), 32_766: float("inf"), 32_765: -float("inf")}
    return special.get(power) if power in special else float(f"{whole}e{power}")


def column(rows, label):
    return next(each for each in rows["columns"] if each["label"] == label)["values"]


def build_worst(count=10_000):
    """Return measured runs with five parameters of which no two values are the same, all with as many digits as there are."""
    drawn, many = Random(3), build_many(count)
    runs = [
        replace(run, run_id=f"{drawn.getrandbits(48):012x}", value=0.5 + drawn.random() / 2, parameters=parameters)
        for run in many.runs
        if (parameters := {f"parameter_{name}": 10 ** drawn.uniform(-4, 0) for name in "abcde"})
    ]
    worst = replace(many, runs=tuple(sorted(runs, key=lambda run: -run.value)), names={})
    return measure_some(worst, [run.run_id for run in runs])


def test_ten_thousand_runs_with_interval_and_five_parameters_are_a_small_page():
    worst = build_worst()
    html = comparison_page(worst, AT)
    assert len(html.encode()) <= 600_000
    rows = unpack(html)
    assert rows["ids"] == [run.run_id for run in worst.runs]
    assert column(rows, "parameter_c") == pytest.approx([run.parameters["parameter_c"] for run in worst.runs], rel=1e-8)


def test_what_was_not_measured_has_neither_interval_nor_verdict():
    rows = unpack(comparison_page(measure_some(build_many(), ["0" * 12]), AT))
    assert column(rows, "verdict") == ["Better", *[None] * 249]
    assert column(rows, "from")[0] == 0.15
    assert all(map(isnan, column(rows, "from")[1:]))


def test_names_texts_and_whole_numbers_are_kept_as_they_are():
    seeds = [2**53 - 1, *range(29)]
    columns = [
        pack_column("seed", "seed", seeds),
        pack_column("rate", "rate", [0.1 + 0.2, float("inf"), -1e-300, 0.00123, *[MISSING] * 26]),
        pack_column("name", "name", [HOSTILE, *[MISSING] * 29]),
    ]
    rows = unpack(rows_script(Rows(columns, [], 30)).html)
    assert column(rows, "seed") == seeds
    assert column(rows, "rate")[:5] == pytest.approx(
        [0.3, float("inf"), -1e-300, 0.00123, float("nan")], rel=1e-9, nan_ok=True
    )
    assert column(rows, "rate")[3] == 0.00123
    assert column(rows, "name")[:2] == [" ".join(HOSTILE.split()), None]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_kept_to_nine_digits(value):
    html = rows_script(Rows([pack_column("x", "x", [value])], [], 1)).html
    assert column(unpack(html), "x")[0] == pytest.approx(value, rel=1e-8)


@pytest.mark.parametrize("kind", ["comparison", "runs"])
def test_no_value_becomes_a_script_and_only_ours_may_run(kind):
    hostile = build_many(60, metric=HOSTILE)
    hostile = replace(
        hostile,
        names={run.run_id: HOSTILE for run in hostile.runs},
        runs=tuple(replace(run, run_id=f"{HOSTILE}{run.run_id}") for run in hostile.runs),
    )
    columns = [pack_column(HOSTILE, HOSTILE, [HOSTILE] * 60, HOSTILE)]
    state = {
        "headline": HOSTILE,
        "place": HOSTILE,
        "legend": HOSTILE,
        "columns": columns,
        "rows": 60,
        "ids": [HOSTILE] * 60,
    }
    html = (
        comparison_page(hostile, AT)
        if kind == "comparison"
        else runs_page({**state, "is_grouped": False}, RunPictures(columns, 60, is_grouped=False), AT)
    )
    found = Scripts(html)
    (data, _), (ours, script) = found.scripts
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    assert (data, ours) == ({"type": "text/plain", "id": "wb-rows"}, {})
    assert found.policy == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert not found.tags & {"img", "iframe", "link", "base", "form"}
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|DOMParser|https?://(?!www\.w3\.org)", script
    )


def test_few_rows_need_no_script():
    assert "<script" not in comparison_page(build_many(25), AT)
    assert "script-src" not in comparison_page(build_many(25), AT)


def test_runs_that_are_one_row_say_of_how_many_it_is_the_mean():
    many = build_many(60, members={"0" * 12: ("0" * 12, "f" * 12)}, names={})
    assert column(unpack(comparison_page(many, AT)), "name") == ["newest of 2, their mean", *[None] * 59]


def test_runs_are_in_the_order_they_were_arranged_in():
    many = build_many(60)
    html = comparison_page(many, AT, runs=many.runs[:29:-1])
    assert unpack(html)["ids"] == [run.run_id for run in many.runs[:29:-1]]
    assert "These are the first 25 of 30 runs; all of them are below." in html


def test_a_page_is_written_over_a_page_and_over_nothing_else(tmp_path: Path):
    path = tmp_path / "new folder" / "page.html"
    for count in (30, 60):
        write_page(path, comparison_page(build_many(count), AT))
    assert "first 25 of 60 runs" in path.read_text(encoding="utf-8")
    other = tmp_path / "thesis.html"
    other.write_text("<!doctype html><title>Thesis</title>", encoding="utf-8")
    for taken in (other, tmp_path):
        with pytest.raises(UsageError, match="is not written"):
            write_page(taken, comparison_page(build_many(30), AT))
    assert "Thesis" in other.read_text(encoding="utf-8")
