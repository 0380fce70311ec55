"""People are told in every way that is set up, by real programs and over a real socket; a way that fails costs nothing else."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from email import message_from_string
from pathlib import Path

import pytest

from tests.contract.stores import build_run
from tests.unit.notifying.mail_server import mail_server
from workbench.config import Settings
from workbench.notifying.notice import Notice, Ways
from workbench.notifying.notifiers import command
from workbench.notifying.notifying import notify
from workbench.runs.run import RunState
from workbench.runs.telling import describe_end, tell_end

NOTICE = Notice("Run 3f9a of train: finished", "--help $(touch owned)\nroc_auc 0.9", {"runs": [{"state": "FINISHED"}]})
PASSWORD = "mail-pass-4711"


@pytest.fixture(autouse=True)
def no_desktop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def write_program(folder: Path, name: str, code: int = 0) -> Path:
    """A program that keeps its arguments, one a line, and its standard input."""
    path = folder / name
    path.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {name}.arguments\ncat > {name}.input\necho it is closed\nexit {code}\n'
    )
    path.chmod(0o755)
    return path


def test_a_command_gets_title_and_text_as_arguments_and_the_notice_as_json(tmp_path: Path) -> None:
    write_program(tmp_path, "tell")
    assert notify(NOTICE, Ways(tmp_path, command="./tell '{title}!' {text}")) == []
    assert (tmp_path / "tell.arguments").read_text().splitlines() == [f"{NOTICE.title}!", *NOTICE.text.splitlines()]
    assert json.loads((tmp_path / "tell.input").read_text()) == NOTICE.record
    assert not (tmp_path / "owned").exists()


def test_a_command_that_fails_is_missing_hangs_or_is_none_is_said_with_its_answer(tmp_path: Path, monkeypatch) -> None:
    write_program(tmp_path, "tell", code=3)
    assert notify(NOTICE, Ways(tmp_path, command="./tell")) == [
        "Nobody was told by command: ./tell ended with 3. it is closed"
    ]
    assert "could not be started" in notify(NOTICE, Ways(tmp_path, command="./gone"))[0]
    assert "is no command" in notify(NOTICE, Ways(tmp_path, command="tell 'half"))[0]
    monkeypatch.setattr(command, "_TIMEOUT_S", 0.1)
    assert "did not end within 0.1 s" in notify(NOTICE, Ways(tmp_path, command="sh -c 'sleep 5 & sleep 5'"))[0]


def test_the_desktop_shows_title_and_text_and_reads_neither_as_an_option(tmp_path: Path, monkeypatch) -> None:
    write_program(tmp_path, "notify-send")
    assert notify(NOTICE, Ways(tmp_path)) != []  # there is no desktop to show it on
    monkeypatch.setenv("DISPLAY", ":0")
    assert notify(NOTICE, Ways(tmp_path)) == []
    shown = (tmp_path / "notify-send.arguments").read_text().splitlines()
    assert shown == ["--app-name=Workbench", "--", NOTICE.title, *NOTICE.text.splitlines()]


def test_a_mail_is_sent_to_everybody_with_a_login(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SMTP_WORD", PASSWORD)
    with mail_server() as server:
        ways = Ways(tmp_path, mail_to="ada@example.org, boris@example.org", mail_host=server.host, mail_user="ada")
        assert notify(NOTICE, replace(ways, mail_password="env:SMTP_WORD", mail_from="runs@example.org")) == []
    assert server.logins == [f"\0ada\0{PASSWORD}"]
    message = message_from_string(server.messages[0])
    assert (message["From"], message["To"], message["Subject"]) == ("runs@example.org", ways.mail_to, NOTICE.title)
    assert message.get_payload().split() == NOTICE.text.split()


def test_a_mail_that_is_not_taken_is_said_and_the_other_ways_are_gone(tmp_path: Path, monkeypatch) -> None:
    write_program(tmp_path, "tell")
    with mail_server(refuses="RCPT") as server:
        ways = Ways(
            tmp_path, command="./tell", mail_to="ada@example.org", mail_from="a@example.org", mail_host=server.host
        )
        said = notify(NOTICE, ways)
        assert len(said) == 1
        assert "did not take it" in said[0]
        assert "no such person" in said[0]
        assert (tmp_path / "tell.input").exists()
        assert (
            "There is no secret at env:NONE"
            in notify(NOTICE, replace(ways, mail_user="a", mail_password="env:NONE"))[0]
        )
    assert "Connection refused" in notify(NOTICE, ways)[0]


def test_a_password_is_not_sent_in_the_clear_to_another_machine(tmp_path: Path, monkeypatch) -> None:
    from workbench.notifying.notifiers import mail

    monkeypatch.setenv("SMTP_WORD", PASSWORD)
    monkeypatch.setattr(mail, "_is_here", lambda host: False)
    with mail_server() as server:
        ways = Ways(
            tmp_path, mail_to="ada@example.org", mail_from="a@example.org", mail_host=server.host, mail_user="ada"
        )
        said = notify(NOTICE, replace(ways, mail_password="env:SMTP_WORD"))
    assert "offers no encryption" in said[0]
    assert (server.logins, server.messages) == ([], [])


def test_where_no_way_is_set_up_that_is_said(tmp_path: Path) -> None:
    assert notify(NOTICE, Ways(tmp_path))[0].startswith("Nobody was told: no way is set up.")


def test_of_one_run_its_state_and_metrics_are_told_of_many_how_many_ended_how(tmp_path: Path) -> None:
    done = build_run(state=RunState.FINISHED, record={"metrics": {"auc": 0.91234}})
    failed = build_run(state=RunState.FAILED, error="Cell 2 raised ValueError: no", notebook="a\x1b.ipynb")
    one = describe_end(Settings(tmp_path), [done], took_s=61.4)
    assert (one.title, one.text.splitlines()[0]) == (
        f"Run {done.id} of {done.notebook}: finished",
        f"{done.id} finished: auc 0.9123",
    )
    assert (one.record["runs"][0]["metrics"], one.record["took_s"]) == ({"auc": 0.91234}, 61.4)
    many = describe_end(Settings(tmp_path), [failed, done, done], took_s=5)
    assert many.title == "3 runs of a .ipynb: 1 failed, 2 finished"
    assert "Cell 2 raised ValueError: no" in many.text
    json.dumps(many.record)


def test_what_did_not_work_is_a_warning_and_nothing_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        tell_end(Settings(tmp_path, notify="./gone"), [build_run(state=RunState.FINISHED)], took_s=1)
    assert "Nobody was told by command" in caplog.text
