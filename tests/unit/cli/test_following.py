"""What is followed reads like what a notebook prints, on a terminal and in a log, and can do nothing to either."""

from __future__ import annotations

from workbench.cli.following import Transcript
from workbench.runs.seen import Kind, Seen


def told(capsys, *seen: Seen) -> str:
    transcript = Transcript()
    for each in seen:
        transcript.tell([each])
    transcript.close()
    return capsys.readouterr().out


def test_a_line_that_goes_on_is_gone_on_with_and_everything_else_begins_a_new_one(capsys):
    seen = (Seen(Kind.STDOUT, "epoch 1"), Seen(Kind.STDOUT, " done\nepoch 2"), Seen(Kind.METRIC, "loss 0.5"))
    assert told(capsys, *seen) == "epoch 1 done\nepoch 2\nmetric loss 0.5\n"


def test_what_prints_to_the_other_stream_begins_a_new_line(capsys):
    assert told(capsys, Seen(Kind.STDOUT, "a"), Seen(Kind.STDERR, "b"), Seen(Kind.STDERR, "c\n")) == "a\nbc\n"


def test_a_bar_that_writes_over_itself_is_a_line_each_time(capsys):
    assert told(capsys, Seen(Kind.STDERR, "\r10 %\r20 %"), Seen(Kind.STDERR, "\r30 %")) == "20 %\n30 %\n"


def test_nothing_a_notebook_shows_reaches_a_terminal_as_a_command(capsys):
    assert told(capsys, Seen(Kind.STDOUT, "\x1b[2J[red]\x07\n")) == " [2J[red] \n"
