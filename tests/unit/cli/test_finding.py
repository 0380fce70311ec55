"""How runs are found again, as text: names, links, what was deleted, drafts; nothing wider than the terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tests.unit.cli.printing import _eighty_columns, build_run, printed, widths  # noqa: F401
from workbench.cli import links
from workbench.cli.annotations import print_annotated, print_removal
from workbench.cli.drafts import describe_draft, print_drafts
from workbench.cli.records import print_run, print_runs
from workbench.runs.finding.annotations import Annotations
from workbench.runs.finding.drafting import Draft
from workbench.runs.finding.removal import Removal

SAID = Annotations("first [red]try", "a note\nof two lines", {"team": "blue", "quick": ""}, "grace@example.org", None)
LONG = Annotations("n" * 100, "x" * 5_000, {f"key-{n}": "v" * 100 for n in range(9)}, "grace@example.org", None)


def test_names_and_tags_stand_in_the_table_where_a_run_has_one(capsys):
    plain = printed(capsys, print_runs, [build_run(0), build_run(1)])
    assert "name" not in plain
    said = [build_run(n, annotations=each, parameters={}) for n, each in enumerate((SAID, Annotations(), LONG))]
    table = printed(capsys, print_runs, said)
    assert all(text in table for text in ("name", "first", "[red]try", "tags", "quick,", "team=blue"))
    assert max(widths(table)) <= 80


def test_parameters_that_differ_are_read_before_tags_and_what_has_no_room_is_named(capsys):
    tagged = Annotations("grid-1", None, {"team": "blue", "quick": "", "another": "one of them"})
    sets = [{"family": each, "strength": 0.1} for each in ("logistic_regression", "random_forest")]
    runs = [build_run(n, annotations=tagged, parameters=each) for n, each in enumerate(sets)]
    table = printed(capsys, print_runs, runs)
    assert all(text in table for text in ("grid-1", "logistic_regression", "random_forest"))
    assert "No room here for tags" in table
    assert max(widths(table.partition("\n")[2])) <= 80


def test_where_nothing_makes_room_the_parameters_are_left_out_whole(capsys):
    runs = [
        build_run(
            n,
            notebook=f"notebooks/of a rather long name {n}.ipynb",
            annotations=Annotations("of the night " * 3, archived="2026-11-20T09:00:00+00:00"),
            parameters={"family": "forest" * n, "depth": n},
        )
        for n in (1, 2)
    ]
    table = printed(capsys, print_runs, runs)
    assert "others" not in table
    assert "the parameters; `workbench show RUN` and --json have them" in " ".join(table.split())
    assert max(widths(table.partition("\n")[2])) <= 80


def test_what_is_said_of_a_run_is_shown_whole_with_who_said_it(capsys):
    page = printed(capsys, print_run, build_run(annotations=SAID), "runs/by-id/x")
    assert all(
        text in page for text in ("first [red]try", "a note of two lines", "quick, team=blue", "grace@example.org")
    )
    long = printed(capsys, print_run, build_run(annotations=LONG), "runs/by-id/x")
    assert max(widths(long)) <= 80
    assert "".join(long.split()).count("x" * 60) > 50


def test_what_is_archived_is_marked(capsys):
    run = build_run(annotations=Annotations(archived="2026-11-20T09:00:00+00:00"))
    assert "finished, archived" in printed(capsys, print_runs, [run])


def test_what_was_said_is_repeated(capsys):
    runs = [build_run(0, annotations=SAID), build_run(1)]
    told = printed(capsys, print_annotated, runs).splitlines()
    assert told[0] == (f"Run {runs[0].id}: name 'first [red]try'; note 'a note\\nof two lines'; tags quick, team=blue.")
    assert told[1] == f"Run {runs[1].id}: nothing is said of it."


@pytest.mark.parametrize(
    ("runs", "looks", "is_done", "said"),
    [
        (1, 0, True, "is deleted with 1.5 MB of files, here and in MLflow."),
        (2, 1, False, "would be deleted with 1.5 MB of files, here and in MLflow.\n1 of them had seen a holdout"),
        (9, 9, True, "9 runs are deleted with 1.5 MB of files, here and in MLflow.\n9 of them had seen"),
    ],
)
def test_what_goes_and_what_stays_is_said(capsys, runs, looks, is_done, said):
    every = tuple(build_run(number) for number in range(runs))
    removal = Removal(every, 1_500_000, tuple(run.id for run in every[:looks]), 2_000)
    print_removal(removal, is_done=is_done)
    assert said in capsys.readouterr().out


def test_a_deleted_draft_is_called_one(capsys):
    print_removal(Removal((), 1_500_000, ("aaaaaaaa",), 2_000, ("aaaaaaaa",)), is_done=True)
    assert capsys.readouterr().out.startswith("Draft aaaaaaaa is deleted with 1.5 MB of files.\nIt had seen a holdout")


def test_drafts_are_a_table_of_their_own(capsys):
    metrics = {"loss": 0.3, "roc_auc": 0.71, "accuracy": 0.9}
    draft = Draft("cdc038aa", "notebooks/10_train_breast_cancer.ipynb", "2026-11-20T09:00:00+00:00",
                  "2026-11-20T09:00:00+00:00", metrics, ({"digest": "ef" * 32, "rows": 1_430},))  # fmt: skip
    page = printed(capsys, print_drafts, [draft, Draft("aaaaaaaa", "", draft.created, draft.changed)], ["roc_auc"])
    assert all(
        text in page for text in ("2 drafts", "roc_auc 0.71", "1 more", "1,430 rows", "unknown", "never promotable")
    )
    assert max(widths(page)) <= 80
    assert printed(capsys, print_drafts, [], []) == "No drafts of notebooks run by hand.\n"
    assert describe_draft(draft)["state"] == "DRAFT"


# Links


@pytest.fixture
def report(tmp_path, monkeypatch):
    folder = tmp_path / "a [b]" / "0123456789ab"
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("<p>", encoding="utf-8")
    monkeypatch.setattr(links._LEADING, "folder", folder.parent)
    for name in ("JUPYTER_SERVER_URL", "JUPYTER_SERVER_ROOT"):
        monkeypatch.delenv(name, raising=False)
    return folder / "report.html"


def show(markup: str, *, is_terminal: bool = True) -> str:
    text = io.StringIO()
    Console(file=text, force_terminal=is_terminal, color_system="standard" if is_terminal else None).print(markup)
    return text.getvalue()


def test_a_run_that_has_a_report_leads_to_it_on_a_terminal_that_knows_links(report, monkeypatch):
    monkeypatch.setenv("FORCE_HYPERLINK", "1")
    shown = show(links.mark_run("0123456789ab"))
    assert "\x1b]8;" in shown
    assert "a%20%5Bb%5D/0123456789ab/report.html" in shown
    assert show(links.mark_run("0123456789ab"), is_terminal=False) == "0123456789ab\n"
    assert links.mark_run("ffffffffffff") == "ffffffffffff"
    monkeypatch.setenv("FORCE_HYPERLINK", "0")
    assert links.mark_run("0123456789ab") == "0123456789ab"


@pytest.mark.parametrize(
    ("environment", "can"),
    [
        ({}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "linux"}, False),
        ({"TERM": "xterm-256color", "VTE_VERSION": "6003"}, True),
        ({"TERM": "xterm-256color", "VTE_VERSION": "4003"}, False),
        ({"TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"TERM": "foot-direct"}, True),
        ({"TERM": "xterm-kitty"}, True),
        ({"WT_SESSION": "x"}, True),
        ({"JUPYTER_SERVER_URL": "http://localhost:8888/"}, True),
        ({"TERM": "xterm-kitty", "FORCE_HYPERLINK": "0"}, False),
    ],
)
def test_only_terminals_that_are_known_to_show_links_get_them(environment, can):
    assert links.can_link(environment) is can


def test_in_a_terminal_of_jupyterlab_a_link_is_one_that_its_browser_opens(report):
    inside = {"JUPYTER_SERVER_URL": "http://localhost:8888/", "JUPYTER_SERVER_ROOT": str(report.parents[2])}
    assert links.find_address(report, inside) == "http://localhost:8888/files/a%20%5Bb%5D/0123456789ab/report.html"
    assert links.find_address(report, {}).startswith("file://")
