"""A metric of somebody's own, executed in a confined process: the same answers, and none of our rights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.unit.stats.own_metrics import EXAMPLES, draw_columns, draw_scores
from workbench.config import find_template, read_metrics_table
from workbench.errors import UsageError
from workbench.models.confinement import Limits
from workbench.models.judging import confine_metric
from workbench.policies.own_metrics import Declared, parse_declared
from workbench.stats.holdout_columns import HoldoutColumns
from workbench.stats.own_metric import Undefined

FOLDER = find_template("metrics", "workbench.toml").parent
DECLARED = parse_declared(read_metrics_table(FOLDER), {})
SOURCE = (FOLDER / "metrics.py").read_bytes()
COLUMNS = draw_columns(200)
NAMES = ("profit_per_thousand", "recall_at_5_percent", "ndcg_per_query")


@pytest.mark.parametrize("name", NAMES)
def test_it_answers_as_it_does_here(name: str) -> None:
    truth, score, _ = draw_scores("classification", 200)
    weights = np.random.default_rng(5).multinomial(200, np.full(200, 1 / 200), size=3).astype(float)
    values = []
    for metric in (EXAMPLES[name].on(COLUMNS), confine_metric(DECLARED[name], SOURCE).on(COLUMNS)):
        judged = metric.read(truth, score, COLUMNS)
        values.append([*metric.evaluate(truth, judged, weights), metric.value(truth, judged)])
    assert values[0] == values[1]
    assert confine_metric(DECLARED[name], SOURCE).code == EXAMPLES[name].code


CODE = """
import os, socket, time
from pathlib import Path

def judge(truth, score, rows):
    if truth[0] == 1:
        Path("{0}").write_text("x")
    if truth[0] == 2:
        socket.socket()
    if truth[0] == 3:
        os._exit(7)
    if truth[0] == 4:
        time.sleep(60)
    if truth[0] == 5:
        return "text"
    if truth[0] == 6:
        return rows["amount"]
    if truth[0] == 7:
        1 / 0
    return truth
"""


def test_it_can_neither_write_nor_talk_and_however_it_ends_is_told(tmp_path: Path) -> None:
    declared = Declared("judge", "metrics.py", "judge", "higher", ("regression",))
    metric = confine_metric(declared, CODE.format(tmp_path / "written").encode(), Limits(wall_s=1))

    def unread() -> dict[str, list[str]]:
        raise UsageError("The columns are gone.", why="Somebody deleted them.")

    def ask(first: float) -> str:
        truth = np.array([first, 0.0])
        try:
            return str(metric.read(truth, truth, HoldoutColumns(unread)).tolist())
        except (Undefined, UsageError) as exc:
            return exc.in_one_line

    assert ask(8) == "[8.0, 0.0]"
    assert "metrics.py, line 7: PermissionError" in ask(1)
    assert not (tmp_path / "written").exists()
    assert "PermissionError: socket" in ask(2)
    assert "ended with 7" in ask(3)
    assert ask(9) == "[9.0, 0.0]"
    assert "ended by signal 9 (limits: 240 s of processor, 1 s an answer)" in ask(4)
    assert "returned a str" in ask(5)
    assert "The columns are gone. Somebody deleted them." in ask(6)
    assert "metrics.py, line 19: ZeroDivisionError" in ask(7)
