"""How far a batch of runs is can be read on any terminal and in any log, and nothing that was logged can do anything to it."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from tests.e2e.transcript import _PROGRESS
from workbench.cli import progress as telling
from workbench.runs.batch import CurrentCell, Progress

HOSTILE = "[red]\x1b[2J\r\nwide 広い[/]"


def at(
    ended: int = 0, *, total: int = 20, failed: int = 0, running: int = 0, cells: int | None = None, **more
) -> Progress:
    """Progress of runs of ten cells each."""
    done = 10 * ended if cells is None else cells
    return Progress(total, ended - failed, failed, running, done, 10 * total, **more)


def pace_of(*noted: tuple[float, Progress]) -> telling._Pace:
    pace = telling._Pace(0.0)
    for when_s, progress in noted:
        pace.note(progress, when_s)
    return pace


def facts_of(*noted: tuple[float, Progress], now_s: float, width: int = 80) -> str:
    return telling._facts(pace_of(*noted), now_s, width)


def drawn(title: str, pace: telling._Pace, width: int) -> list[str]:
    console = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None, legacy_windows=False)
    console.print(telling._bar(title, pace, 10.0, width))
    return re.sub(r"\x1b\[[0-9;?]*[a-z]", "", console.file.getvalue()).splitlines()


# In a log


def test_a_line_is_told_for_every_run_that_ended_and_then_how_fast_it_was(capsys):
    with telling.show_progress("train") as update:
        for progress in (at(total=3, running=1, cells=1), at(1, total=3), at(1, total=3, cells=12)):
            update(progress)
        update(at(3, total=3, failed=1, best=("roc_auc", 0.99123)))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[:2] == ["train: 1 of 3 ended", "train: 3 of 3 ended, 1 failed, best roc_auc 0.9912"]
    assert re.fullmatch(r"train: 3 runs in \d+:\d\d, [\d.e+-]+ s a run", err.splitlines()[2])


def test_a_log_of_very_many_runs_stays_short_and_tells_the_last(capsys):
    with telling.show_progress("train") as update:
        for ended in range(1001):
            update(at(ended, total=1000))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 101
    assert lines[-2] == "train: 1000 of 1000 ended"


def quiet_lines(capsys, *noted: tuple[float, Progress]) -> list[str]:
    """What a log says of progress that is noted at these times."""
    pace = telling._Pace(0.0)
    with telling._show_lines("train", pace, Console()) as show:
        for when_s, progress in noted:
            show(pace.note(progress, when_s))
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if not _PROGRESS.fullmatch(line)] == []
    return lines


def test_a_log_that_was_quiet_for_long_says_where_a_run_is(capsys):
    noted = [(s, at(total=1, running=1, cells=2, current=CurrentCell("a", 3, 9, s - 1))) for s in (2, 9, 10, 19, 20)]
    assert quiet_lines(capsys, *noted) == [
        "train: 0 of 1 ended, cell 3 of 9, 9 s",
        "train: 0 of 1 ended, cell 3 of 9, 19 s",
    ]


def test_a_log_that_was_quiet_for_long_says_how_many_run(capsys):
    current = CurrentCell("a", 3, 9, 5)
    noted = (
        (1, at(1, running=2)),
        (5, at(1, running=2, cells=12, current=current)),
        (11, at(1, running=2, current=current)),
    )
    assert quiet_lines(capsys, *noted) == ["train: 1 of 20 ended", "train: 1 of 20 ended, 2 running"]


def test_a_log_of_a_long_run_stays_short(capsys):
    day = [(s, at(total=1, running=1, current=CurrentCell("a", 3, 9, s))) for s in range(86_400)]
    assert len(quiet_lines(capsys, *day)) < 30


def test_nothing_is_said_about_the_pace_of_one_run_or_of_none(capsys):
    with telling.show_progress("train") as update:
        update(at(total=1, running=1))
        update(at(1, total=1))
    with telling.show_progress("train"):
        pass
    assert capsys.readouterr().err == "train: 1 of 1 ended\n"


def test_the_pace_is_told_of_a_batch_that_was_stopped_too(capsys):
    with pytest.raises(KeyboardInterrupt), telling.show_progress("train") as update:
        update(at(0))
        update(at(1))
        raise KeyboardInterrupt
    assert "train: 1 run in " in capsys.readouterr().err


def test_no_logged_name_reaches_a_log_as_a_command(capsys):
    with telling.show_progress(HOSTILE) as update:
        update(at(0))
        update(at(1, best=(HOSTILE, 0.5)))
    err = capsys.readouterr().err
    assert "[red] [2J  wide 広い[/]: 1 of 20 ended, best [red] [2J  wide 広い[/] 0.5" in err
    assert all(character.isprintable() or character == "\n" for character in err)


# What is said


def test_before_the_first_progress_a_batch_is_starting():
    assert facts_of(now_s=3.4) == "starting · 0:03"


def test_everything_is_said_where_there_is_room():
    noted = (0.0, at(0)), (12.0, at(8, failed=1, running=2, cells=100, best=("roc_auc", 0.99123)))
    assert facts_of(*noted, now_s=12.0) == "7 of 20 finished · 2 running · 1 failed · best roc_auc 0.9912 · 0:12 left"


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (62, "7 of 20 finished · 1 failed · best roc_auc 0.9912 · 0:12 left"),
        (50, "7 of 20 finished · 1 failed · best roc_auc 0.9912"),
        (30, "7 of 20 finished · 1 failed"),
        (10, "7 of 20 finished · 1 failed"),
    ],
)
def test_the_least_important_goes_first_where_there_is_not(width, line):
    noted = (0.0, at(0)), (12.0, at(8, failed=1, running=2, cells=100, best=("roc_auc", 0.99123)))
    assert facts_of(*noted, now_s=12.0, width=width) == line


def test_the_time_left_runs_down_between_two_runs():
    noted = (0.0, at(0)), (10.0, at(10))
    assert [facts_of(*noted, now_s=now).split(" · ")[-1] for now in (10.0, 16.0, 19.5, 60.0)] == [
        "0:10 left", "0:04 left", "nearly done", "nearly done",
    ]  # fmt: skip


def test_before_a_run_ended_the_time_so_far_is_told():
    assert facts_of((0.0, at(0)), (5.0, at(0, running=2, cells=7)), now_s=65.0) == "0 of 20 finished · 2 running · 1:05"


def test_what_was_done_before_does_not_make_the_rest_look_fast():
    noted = (0.0, at(10, running=1)), (10.0, at(11, running=1))
    assert facts_of(*noted, now_s=10.0).endswith("1:30 left")


def test_of_a_single_run_the_cell_that_runs_is_told_and_since_when():
    current = CurrentCell("3f9a1c27d05b", 4, 9, for_s=5)
    assert facts_of((10.0, at(total=1, running=1, cells=3, current=current)), now_s=12.0) == "cell 4 of 9, 7 s · 0:12"


def test_before_the_first_cell_of_a_single_run_and_after_its_last_it_is_not_said_to_be_at_one():
    assert facts_of((0.0, at(total=1, running=1, cells=0)), now_s=12.0) == "0 of 9 cells done · 0:12"
    kept = "9 of 9 cells done, keeping the results · 0:12"
    assert facts_of((0.0, at(total=1, cells=9)), now_s=12.0) == kept
    assert facts_of((0.0, at(1, total=1)), now_s=12.0) == "9 of 9 cells done · 0:12"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (754, "12:34"), (3600, "1:00:00"), (86_399, "23:59:59")]
)
def test_a_duration_reads_like_a_clock(seconds, text):
    assert telling._clock(seconds) == text


# What is drawn


def test_the_bar_and_the_facts_take_two_lines():
    bar, facts = drawn("train", pace_of((0.0, at(0)), (10.0, at(10))), 60)
    assert re.fullmatch(r"train ━+╸? *╺?━* +50 %", bar)
    assert len(bar) == 60
    assert facts == "10 of 20 finished · 0:10 left"


@given(
    st.text(max_size=40) | st.just(HOSTILE),
    st.integers(1, 200),
    st.integers(0, 10_000),
    st.integers(1, 10_000),
    st.tuples(st.text(max_size=40), st.floats(allow_nan=False)) | st.none(),
)
def test_no_line_is_wider_than_the_terminal(title, width, ended, more, best):
    noted = at(total=ended + more), at(ended, total=ended + more, failed=ended // 2, running=2, best=best)
    lines = drawn(title, pace_of((0.0, noted[0]), (9.0, noted[1])), width)
    assert len(lines) == 2
    assert max(map(cell_len, lines)) <= width
    assert all(line.isprintable() for line in lines)


def test_the_live_view_is_gone_at_the_end():
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80, legacy_windows=False)
    pace = pace_of((0.0, at(0)))
    with telling._show_bar("train", pace, console) as show:
        show(pace.note(at(20), 5.0))
    assert "20 of 20 finished" in screen.getvalue()
    assert screen.getvalue().endswith("\x1b[?25h\r\x1b[1A\x1b[2K\x1b[1A\x1b[2K")
