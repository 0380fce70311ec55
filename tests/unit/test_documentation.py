"""What the READMEs say is what the code has: every table, every command, every link."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import workbench
from tests.e2e.transcript import TRANSCRIPT, cut_excerpt, find_differences, read_excerpt
from tests.unit.policies.builders import STRICT_POLICY, read_policy
from workbench.checks import CHECKS
from workbench.cli.chapters import CHAPTERS, list_chapters, read_chapter
from workbench.cli.main import COMMANDS
from workbench.comparisons.difference.run_difference import PARTS
from workbench.comparisons.verdict import Verdict
from workbench.config import Settings
from workbench.evidence.measuring import MEASURES
from workbench.executors import EXECUTORS
from workbench.ledger.events import EVENTS
from workbench.models.servable_models import list_servable
from workbench.notebooks.normalisation import NORMALISATIONS, OWN_NAMES
from workbench.notifying.notifiers import NOTIFIERS
from workbench.policies.own_metrics import ALIASES
from workbench.readiness.kinds import KINDS
from workbench.runs.finding.outline import FIELDS
from workbench.runs.run import RunState
from workbench.secrets.sources import _SOURCES
from workbench.signing.namespaces import OBJECTION_NAMESPACE, signing_namespace, waiver_namespace
from workbench.stats.metrics import METRICS
from workbench.stats.task import TASKS
from workbench.sweeps.search import SEARCHES

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "workbench"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "runs" / "README.md"]
PAGES += [PACKAGE / name / "README.md" for name in CHAPTERS]


def cells_of(chapter: str, header: str) -> list[list[str]]:
    """The rows of the table with this first column in a chapter's README."""
    table = read_chapter(chapter).split(f"| {header} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in row[1:-1].split(" |")] for row in table]


def names_of(chapter: str, header: str) -> list[str]:
    """The first column of such a table, without backticks."""
    return [row[0].strip("`") for row in cells_of(chapter, header)]


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_bytes()) <= 8_000


def test_every_chapter_is_told_in_the_order_of_the_story():
    layers = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0][
        "layers"
    ]
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    in_order = [name for layer in reversed(layers) for name in reversed(layer.split(" | ")) if name in folders]
    assert list(CHAPTERS) == in_order
    assert {*CHAPTERS} == folders
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert re.sub(r"\s+", "", "  >  ".join(layers)) in re.sub(r"\s+", "", contributing)


def test_every_chapter_says_what_it_is_and_how_to_add_to_it():
    assert [name for name in CHAPTERS if not read_chapter(name).startswith(f"# {name}\n\n")] == []
    assert [name for name in CHAPTERS if "\n**To add" not in read_chapter(name)] == []
    assert [name for name, purpose in list_chapters() if not purpose.endswith(".") or len(purpose) > 160] == []


def test_every_link_leads_somewhere():
    links = [(page, link) for page in PAGES for link in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8"))]
    assert [(str(page), link) for page, link in links if not (page.parent / link).exists()] == []
    assert len(links) > 20


def test_the_readme_shows_what_the_transcript_of_the_demo_has():
    transcript = TRANSCRIPT.read_text(encoding="utf-8")
    assert read_excerpt() == cut_excerpt(transcript)
    assert 20 <= read_excerpt().count("\n") <= 40
    assert find_differences(transcript, transcript) == []
    assert find_differences(transcript, re.sub(r"\b(\d+) s ago", r"\1 min ago", transcript)) == []
    assert find_differences(transcript, transcript.replace("Refused", "Allowed", 1)) != []
    assert find_differences(transcript, transcript.replace("0.8547", "0.7547", 1)) != []


def test_every_fact_that_conditions_ask_for_is_a_row_with_its_kind():
    rows = {name.strip("`"): (kind, says) for name, kind, says in cells_of("runs", "fact")}
    assert rows == {name: (fact.kind, fact.says) for name, fact in FIELDS.items()}


def test_every_command_is_a_row_and_no_page_names_another():
    assert sorted(names_of("cli", "command")) == sorted(f"workbench {name}" for name in COMMANDS)
    named = {name for page in PAGES for name in re.findall(r"`workbench ([a-z]+)", page.read_text("utf-8"))}
    assert named - set(COMMANDS) == set()


def test_every_setting_is_a_row():
    assert names_of("workflow", "setting") == [field.name for field in fields(Settings) if field.name != "project"]


def test_no_variable_is_read_that_is_neither_a_setting_nor_told():
    words = {
        word for path in PACKAGE.rglob("*.py") for word in re.findall(r"\bWORKBENCH_[A-Z_]+\b", path.read_text("utf-8"))
    }
    settings = {f"WORKBENCH_{field.name.upper()}" for field in fields(Settings)}
    inner = {"WORKBENCH_SPOOL"}  # what the workbench says to its own kernels
    told = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert {word for word in words - settings - inner if word not in told} == set()


def test_every_task_is_a_row_with_its_metrics_and_a_line_of_every_policy():
    rows = {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[3])) for row in cells_of("stats", "task")}
    assert rows == {task: {name for name, metric in METRICS.items() if task in metric.tasks} for task in TASKS}
    for path in STRICT_POLICY.parent.glob("*.yaml"):
        assert set(read_policy(path.read_bytes()).metrics) >= set(TASKS)


def test_every_short_name_of_a_metric_is_in_the_table():
    told = {typed: name for typing, name in cells_of("policies", "typed") for typed in re.findall(r"`(\w+)`", typing)}
    assert told == {typed: f"`{name}`" for typed, name in ALIASES.items()}


def test_what_can_be_served_is_the_table_by_family():
    families = [
        [each.family, ", ".join(each.compiled), ", ".join(each.uncompiled), each.checked] for each in list_servable()
    ]
    assert cells_of("models", "family") == families


def test_every_table_has_the_members_the_code_has():
    told = {
        "statistical methods": {*names_of("stats", "method")}
        | {"holdout_columns", "interval", "metrics", "task", "units"},
        "sources": names_of("secrets", "source"),
        "notifiers": names_of("notifying", "notifier"),
        "executors": names_of("executors", "executor"),
        "policies": names_of("policies", "policy"),
        "events": dict(cells_of("ledger", "event")),
        "states": names_of("runs", "state"),
        "calls": sorted(names_of("runs", "call")),
        "searches": names_of("sweeps", "search"),
        "hindrances": {name: effect for name, effect, _ in cells_of("readiness", "kind")},
        "verdicts": names_of("comparisons", "verdict"),
        "parts of a difference": names_of("comparisons", "part"),
        "facts": names_of("evidence", "fact"),
        "checks": names_of("reviews", "check"),
        "namespaces": names_of("signing", "namespace"),
        "normalised": names_of("replays", "in outputs"),
        "limits": {name.partition(" ")[0] for name in names_of("executors", "option")},
    }
    limits = {option for parameter in COMMANDS["run"].params for option in parameter.opts}
    assert told == {
        "statistical methods": {path.stem for path in (PACKAGE / "stats").glob("[!_]*.py")},
        "sources": list(_SOURCES),
        "notifiers": list(NOTIFIERS),
        "executors": sorted(EXECUTORS, reverse=True),
        "policies": sorted(path.stem for path in STRICT_POLICY.parent.glob("*.yaml")),
        "events": {f"`{event}`": kind.signed or "" for event, kind in EVENTS.items()},
        "states": list(RunState),
        "calls": [f"wb.{name}" for name in workbench.__all__ if name.startswith("log_")],
        "searches": list(SEARCHES),
        "hindrances": {f"`{name}`": kind.effect for name, kind in KINDS.items()},
        "verdicts": [verdict.lower() for verdict in Verdict],
        "parts of a difference": list(PARTS),
        "facts": list(MEASURES),
        "checks": list(CHECKS),
        "normalised": [OWN_NAMES, *dict.fromkeys(each.name for each in NORMALISATIONS)],
        "namespaces": [signing_namespace("ROLE"), waiver_namespace("ROLE"), OBJECTION_NAMESPACE],
        "limits": told["limits"] & limits,
    }
    assert len(told["limits"]) == 8
