"""Metrics that a project registers: read without executing anything, executed from the bytes that are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.unit.policies.builders import STANDARD_POLICY
from workbench.checks import KNOWN, read_frozen_policy
from workbench.config import read_settings
from workbench.errors import NotFound, UsageError
from workbench.policies.own_metrics import ALIASES, parse_frozen
from workbench.policies.policy import parse_policy
from workbench.policies.registering import (
    find_metric_fault,
    find_metrics,
    freeze_metric,
    know_own_metrics,
    list_metrics,
    list_own_metrics,
)
from workbench.records.digest import sha256_hex
from workbench.releases.release_audit import read_policy as read_released_policy
from workbench.stats.holdout_columns import HoldoutColumns
from workbench.stats.metrics import METRICS

TABLE = '[metrics.profit]\nfunction = "own/metrics.py:profit"\ndirection = "higher"\ntasks = ["classification"]\n'
SOURCE = 'def profit(truth, score, rows):\n    """What is earned."""\n    return truth * score\n'


def project(folder: Path, source: str | None = SOURCE, table: str = TABLE) -> Path:
    (folder / "workbench.toml").write_text(table, encoding="utf-8")
    (folder / "own").mkdir(exist_ok=True)
    if source is not None:
        (folder / "own" / "metrics.py").write_text(source, encoding="utf-8")
    return folder


def ask(folder: Path) -> float | None:
    metric, truth = list_own_metrics(folder)["profit"], np.array([0.0, 1, 1, 0])
    return metric.score(truth, metric.read(truth, truth, HoldoutColumns(dict)))


def test_a_project_names_its_metrics_beside_the_built_in_ones_and_its_settings_stay_readable(tmp_path: Path) -> None:
    folder = project(tmp_path, table='home = "kept"\n' + TABLE)
    assert read_settings(folder, {}).home == "kept"
    assert list(list_metrics(folder)) == [*METRICS, "profit"]
    metric = list_own_metrics(folder)["profit"]
    assert (metric.direction, metric.tasks, metric.code) == ("higher", ("classification",), sha256_hex(SOURCE.encode()))
    assert (metric.sentence, metric.file) == ("What is earned.", "own/metrics.py")
    assert ask(folder) == 0.5
    (folder / "workbench.toml").unlink()
    (folder / "pyproject.toml").write_text(TABLE.replace("[metrics", "[tool.workbench.metrics"), encoding="utf-8")
    assert ask(folder) == 0.5


def test_nothing_is_executed_before_a_metric_is_asked(tmp_path: Path) -> None:
    folder = project(tmp_path, "open('/executed', 'x')\n" + SOURCE)
    assert [metric.name for metric in find_metrics(folder, ["profit"])] == ["profit"]
    with pytest.raises(UsageError, match=r"metrics\.py, line 1: "):
        ask(project(tmp_path, "raise OSError('executed')\n" + SOURCE))


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (None, "own/metrics.py: No such file"),
        ("def profit(truth, score rows):\n", "own/metrics.py, line 1: invalid syntax"),
        ("def income(truth, score, rows): ...\n", "has no function profit; it has income"),
        ("def profit(truth, score): ...\n", "line 1: profit takes 2, not truth, score and rows"),
        ("import numpy\n\nimport no_such_thing\n" + SOURCE, "line 3: ModuleNotFoundError"),
        ("\n1 / 0\n" + SOURCE, "line 2: ZeroDivisionError"),
        ("import tests.unit.people\n" + SOURCE, "takes .* from other files, whose changes nobody would notice"),
        (
            "from tests.unit.policies.builders import build_policy\n" + SOURCE,
            "tests.unit.policies.builders from other files",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_told_with_its_line(tmp_path: Path, source: str | None, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        ask(project(tmp_path, source))
    assert caught.value.what in ("The metric profit cannot be used.", "The metric profit is not defined on these rows.")
    assert "def profit(truth, score, rows):" in caught.value.next_step


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("metrics.profit]", "metrics.Profit]", "no name of a metric"),
        ("metrics.profit]", "metrics.roc_auc]", "there is a built-in metric of this name"),
        ("metrics.profit]", "metrics.mae]", "there is a built-in metric of this name"),
        ("own/metrics.py:profit", "../metrics.py:profit", "write a file below the project"),
        ("own/metrics.py:profit", "metrics", "write a file below the project"),
        ('"higher"', '"up"', "write higher or lower"),
        ('["classification"]', '["ranking"]', "write a list of classification"),
        ('["classification"]', "[[1]]", "write a list of classification"),
        ("direction", "richtung", "direction: is missing"),
        ("direction", "richtung", "richtung: is no key"),
        ("[metrics.profit]\n", "metrics = 3\n[x]\n", "metrics.metrics: it is no table"),
        ("[metrics.profit]\n", "[metrics]\nprofit = 3\n[x]\n", "metrics.profit: it is no table"),
    ],
)
def test_what_is_declared_wrongly_is_told_with_what_to_write(tmp_path: Path, before: str, after: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        list_metrics(project(tmp_path, table=TABLE.replace(before, after)))


def test_metrics_are_found_by_what_people_type(tmp_path: Path) -> None:
    folder = project(tmp_path)
    assert [each.name for each in find_metrics(folder, ["auc, Log-Loss", "profit,roc_auc"])] == [
        "roc_auc",
        "log_loss",
        "profit",
    ]
    assert set(ALIASES.values()) <= set(METRICS)
    with pytest.raises(NotFound, match="no metric 'proft'") as caught:
        find_metrics(folder, ["proft"], "classification")
    assert caught.value.next_step == "Did you mean profit?"
    with pytest.raises(UsageError, match="does not judge these runs"):
        find_metrics(folder, ["profit"], "regression")
    gone = tmp_path / "another"
    gone.mkdir()
    with pytest.raises(UsageError, match="No such file"):
        find_metrics(project(gone, None, TABLE.replace("own", "gone")), ["profit"])


@pytest.mark.parametrize("before", ["", 'home = "kept"\n', TABLE, f'home = "kept"\n\n{TABLE}'])
def test_what_is_advised_to_who_asks_for_a_metric_that_is_not_there_works_as_it_stands(
    tmp_path: Path, before: str
) -> None:
    folder = project(tmp_path, table=before)
    with pytest.raises(NotFound, match="no metric 'cost_eur'") as caught:
        find_metrics(folder, ["cost_eur"], "regression")
    _, signature, _, _, _, line, _ = caught.value.next_step.split("`")
    assert "put this line first in workbench.toml" in caught.value.next_step
    (folder / "metrics.py").write_text(f"{signature}\n    return 2 * abs(truth - score)\n", encoding="utf-8")
    (folder / "workbench.toml").write_text(f"{line}\n{before}", encoding="utf-8")
    (metric,) = find_metrics(folder, ["cost_eur"], "regression")
    truth = np.array([0.0, 1, 1, 0])
    assert metric.score(truth, metric.read(truth, truth + 1, HoldoutColumns(dict))) == 2.0


def test_a_policy_judges_by_a_metric_of_its_project_alone(tmp_path: Path) -> None:
    content = STANDARD_POLICY.read_bytes().replace(b"name: roc_auc, margin: 0.005", b"name: profit, margin: 0.005", 1)
    with pytest.raises(UsageError, match=r"'profit' is no metric of it\. Known are accuracy"):
        parse_policy(content, known=KNOWN)
    policy = parse_policy(content, known=know_own_metrics(KNOWN, project(tmp_path)))
    (rule,) = (each for each in policy.metrics.values() if each.name == "profit")
    assert rule.metric.direction == "higher"
    with pytest.raises(UsageError, match="There is no metric profit"):
        _ = next(each for each in parse_policy(content, known=None).metrics.values() if each.name == "profit").metric


def test_what_was_judged_by_a_metric_is_read_where_nobody_registers_it() -> None:
    content = STANDARD_POLICY.read_bytes().replace(b"name: roc_auc, margin: 0.005", b"name: profit, margin: 0.005", 1)
    for read in (read_frozen_policy, read_released_policy):
        assert "profit" in {rule.name for rule in read(content).metrics.values()}
        with pytest.raises(UsageError, match="no_such_check: is no check"):
            read(content.replace(b"  run_finished:", b"  no_such_check:", 1))


def test_a_metric_that_is_frozen_is_read_back_and_a_changed_one_is_told(tmp_path: Path) -> None:
    folder = project(tmp_path)
    frozen = freeze_metric(folder, "profit")
    assert frozen is not None
    assert parse_frozen(frozen.to_bytes()) == frozen
    assert freeze_metric(folder, "roc_auc") is None
    with pytest.raises(UsageError, match="frozen metric cannot be read"):
        parse_frozen(b"{}")
    assert find_metric_fault(None, folder) is find_metric_fault(frozen, folder) is None
    project(folder, SOURCE + "#")
    assert f"was {frozen.code[:12]} when this was nominated and is" in str(find_metric_fault(frozen, folder))
    project(folder, SOURCE, TABLE.replace("higher", "lower"))
    assert "was declared otherwise" in str(find_metric_fault(frozen, folder))
    (project(folder) / "own" / "metrics.py").unlink()
    assert "No such file or directory" in str(find_metric_fault(frozen, folder))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"higher"', '"lower"'),
        (":profit", ":loss"),
        ("tasks", 'reads = "label"\ntasks'),
        ("tasks", 'each = "query"\ntasks'),
    ],
)
def test_a_metric_that_is_declared_otherwise_is_another_though_its_file_is_the_same(
    tmp_path: Path, old: str, new: str
) -> None:
    source = SOURCE + SOURCE.replace("profit", "loss")
    first = list_own_metrics(project(tmp_path, source))["profit"]
    again = list_own_metrics(project(tmp_path, source))["profit"]
    other = list_own_metrics(project(tmp_path, source, TABLE.replace(old, new)))["profit"]
    assert first.told == again.told
    assert (first.name, first.code) == (other.name, other.code)
    assert first.told != other.told
