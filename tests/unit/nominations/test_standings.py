"""What a run is besides is read from its record and the ledger, once for all runs."""

from __future__ import annotations

from tests.unit.nominations.test_obstacles import build_run, without
from workbench.ledger.ledger import Entry, Event, seal_entry
from workbench.nominations.standings import list_standings


def build_ledger(*events: tuple[Event, str, dict]) -> list[Entry]:
    entries: list[Entry] = []
    for event, subject, body in events:
        before = entries[-1] if entries else None
        entries.append(
            seal_entry(before, time="2026-11-30T09:00:00+00:00", event=event, actor="ada", subject=subject, body=body)
        )
    return entries


def nominated(version: int, run: str) -> tuple[Event, str, dict]:
    return Event.NOMINATED, f"wine/{version}", {"run": run, "endpoint": "wine"}


def promoted(version: int) -> tuple[Event, str, dict]:
    return Event.PROMOTED, f"wine/{version}", {"endpoint": "wine", "version": version}


def test_nominees_what_was_replaced_and_the_champion_are_told_apart():
    runs = [build_run(each * 12) for each in "abcd"]
    made = [nominated(number, runs[number - 1].id) for number in (1, 2, 3)]
    ledger = build_ledger(*made, promoted(1), promoted(2), nominated(4, runs[1].id))
    assert list_standings(runs, ledger) == {
        "a" * 12: ("wine/1 replaced",),
        "b" * 12: ("wine/2 champion", "wine/4 nominee"),
        "c" * 12: ("wine/3 nominee",),
    }


def test_replays_and_runs_without_a_model_are_marked_and_an_ordinary_run_is_not():
    replay = build_run("e" * 12)
    object.__setattr__(replay, "provenance", {"replay_of": "a" * 12})
    refused = build_run("d" * 12, files=without("model"), refused={"what": "", "why": [], "next_step": ""})
    runs = [replay, build_run("c" * 12, files=without("model")), refused, build_run("b" * 12)]
    found = {"e" * 12: ("replay of aaaaaa",), "c" * 12: ("no model",), "d" * 12: ("no model",)}
    assert list_standings(runs, []) == found
