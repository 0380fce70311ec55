"""Exports of ledgers, whole and mutated in every way that somebody may try; each mutation says whether it is still an export."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from workbench.ledger.ledger import Checkpoint, Entry, Event, head_of, seal_entry
from workbench.ledger.ledger_export import write_export


@dataclass(frozen=True)
class Mutation:
    """An export that was tampered with, the checkpoint it is held against, and whether it must be refused."""

    how: str
    content: bytes
    checkpoint: Checkpoint | None
    is_refused: bool


def build_chain(count: int, *, salt: str = "", bodies: Callable[[int], dict[str, Any]] | None = None) -> list[Entry]:
    entries: list[Entry] = []
    events = [event for event in Event if event not in (Event.APPROVED, Event.UNREADABLE)]
    for number in range(count):
        body = bodies(number) if bodies else {"number": number, "score": number / 7, "größe": "☃", "salt": salt}
        entries.append(
            seal_entry(
                entries[-1] if entries else None,
                time=f"2026-11-20T09:12:{number % 60:02}+00:00",
                event=events[number % len(events)],
                actor="ada@example.org",
                subject=f"shop/{number}",
                body={**body, "big": 2**70 + number, "nested": [{"a": None, "b": True}]},
            )
        )
    return entries


def seal_text(text: bytes) -> bytes:
    """Return the line of a text, with the digest that fits it: what somebody can do who knows how lines are made."""
    return b'{"digest":"%s","entry":%s}\n' % (hashlib.sha256(text).hexdigest().encode(), text)


def text_of(line: bytes) -> bytes:
    return line[len(b'{"digest":"",') + 64 + len(b'"entry":') : -2]


def reseal(lines: list[bytes], at: int, change: Callable[[dict[str, Any]], object]) -> list[bytes]:
    """Change an entry and seal it and all after it anew, as whoever owns the whole ledger can."""
    done, previous = lines[:at], None
    for number, line in enumerate(lines[at:], at):
        fields = json.loads(text_of(line))
        if number == at:
            change(fields)
        if previous:
            fields["previous"] = previous
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        done.append(seal_text(text))
        previous = hashlib.sha256(text).hexdigest()
    return done


def build_mutations(count: int, seed: int) -> Iterator[Mutation]:
    """Yield at least `count` mutations, every kind in turn."""
    draw = random.Random(seed)
    made = 0
    while made < count:
        entries = build_chain(draw.randrange(3, 9), salt=str(draw.random()))
        for mutation in _mutations_of(entries, draw):
            made += 1
            yield mutation


def _mutations_of(entries: list[Entry], draw: random.Random) -> Iterator[Mutation]:
    whole = write_export(entries)
    lines = whole.splitlines(keepends=True)
    head = head_of(entries)
    at, last = draw.randrange(len(lines) - 1), len(lines) - 1
    other = write_export(build_chain(len(lines), salt="other")).splitlines(keepends=True)
    line, text = lines[at], text_of(lines[at])

    def put(new: bytes) -> bytes:
        return b"".join([*lines[:at], new, *lines[at + 1 :]])

    def swap(before: bytes, after: bytes) -> bytes:
        assert before in text
        return put(seal_text(text.replace(before, after, 1)))

    yield Mutation("nothing", whole, head, False)
    yield Mutation("nothing, an earlier checkpoint", whole, head_of(entries[:at]), False)
    yield Mutation("a part, no checkpoint", b"".join(lines[: at + 1]), None, False)
    yield Mutation("truncated, a checkpoint", b"".join(lines[: at + 1]), head, True)
    yield Mutation("nothing left, a checkpoint", b"", head, True)
    yield Mutation("nothing left", b"", None, False)
    yield Mutation(
        "cut inside of a line", whole[: draw.randrange(len(whole) - len(lines[last]) + 1, len(whole))], None, True
    )
    yield Mutation("dropped", b"".join(lines[:at] + lines[at + 1 :]), None, True)
    yield Mutation("repeated", put(line + line), None, True)
    yield Mutation("reordered", b"".join([*lines[:at], lines[last], *lines[at + 1 : last], lines[at]]), None, True)
    yield Mutation("spliced", b"".join(lines[: at + 1] + other[at + 1 :]), None, True)
    yield Mutation("another ledger, a checkpoint", b"".join(other), head, True)
    yield Mutation("another ledger", b"".join(other), None, False)
    place = draw.randrange(len(line) - 1)
    changed = bytes([line[place] ^ (1 << draw.randrange(8))])
    yield Mutation("a changed bit", put(line[:place] + changed + line[place + 1 :]), None, True)
    yield Mutation("a byte more", put(line[:place] + b" " + line[place:]), None, True)
    yield Mutation("an empty line", put(line + b"\n"), None, True)
    yield Mutation("a carriage return", put(line[:-1] + b"\r\n"), None, True)
    yield Mutation("a byte order mark", b"\xef\xbb\xbf" + whole, None, True)
    yield Mutation("UTF-16", whole.decode().encode("utf-16"), None, True)
    yield Mutation(
        "a digest in capitals", put(line[:76].replace(line[11:75], line[11:75].upper()) + line[76:]), None, True
    )
    yield Mutation("no digest", put(line[:11] + line[75:]), None, True)
    yield Mutation("a field beside", put(line[:-2] + b',"more":1}\n'), None, True)
    yield Mutation("a list", put(b"[" + line[:-1] + b"]\n"), None, True)
    # From here on each digest fits its text, whatever the text is.
    yield Mutation("a key twice", swap(b'"big":', b'"big":1,"big":'), None, True)
    yield Mutation("a field twice", swap(b'"actor":', b'"actor":"eve","actor":'), None, True)
    for name in (b"NaN", b"Infinity", b"-Infinity", b"1e400"):
        yield Mutation(f"{name.decode()} in it", swap(b'"a":null', b'"a":' + name), None, True)
    for name in (b"1.0", b"1e0", b"-0", b"01", b"9" * 5000, b"+1", b"1.", b"true"):
        yield Mutation(f"sequence {name[:9].decode()}", put(seal_text(_renumber(text, name))), None, True)
    yield Mutation("a space more", swap(b'"big":', b'"big": '), None, True)
    yield Mutation("an escape", swap("☃".encode(), b"\\u2603"), None, True)
    yield Mutation("half a character", swap("☃".encode(), b"\\ud800"), None, True)
    yield Mutation("no UTF-8", swap("☃".encode(), b"\xff"), None, True)
    yield Mutation("a raw line end", swap("☃".encode(), b"\t"), None, True)
    yield Mutation("another previous", put(seal_text(_replace(text, "previous", "1" * 64))), None, True)
    yield Mutation("no text as previous", put(seal_text(_replace(text, "previous", 1))), None, True)
    yield Mutation("an unknown event", b"".join(reseal(lines, at, lambda e: e.update(event="bogus"))), None, True)
    yield Mutation(
        "an unreadable event", b"".join(reseal(lines, at, lambda e: e.update(event="unreadable"))), None, True
    )
    yield Mutation("an event that is a list", b"".join(reseal(lines, at, lambda e: e.update(event=["x"]))), None, True)
    yield Mutation("a body that is a list", b"".join(reseal(lines, at, lambda e: e.update(body=[]))), None, True)
    yield Mutation("an actor that is a number", b"".join(reseal(lines, at, lambda e: e.update(actor=1))), None, True)
    yield Mutation("a field more", b"".join(reseal(lines, at, lambda e: e.update(more=1))), None, True)
    yield Mutation("a field less", b"".join(reseal(lines, at, lambda e: e.pop("time"))), None, True)
    yield Mutation("another sequence", b"".join(reseal(lines, at, lambda e: e.update(sequence=at + 2))), None, True)
    yield Mutation("a huge sequence", b"".join(reseal(lines, at, lambda e: e.update(sequence=2**80))), None, True)
    for how, time, is_refused in (
        ("dated back", "2026-11-19T09:12:00+00:00", True),
        ("dated back in another zone", "2026-11-20T23:12:00+14:30", True),
        ("dated back by seconds", "2026-11-20T09:11:59+00:00", False),
        ("a time without a zone", "2026-11-20T09:12:09", True),
        ("a time that is none", "noon", True),
        ("a time before time", "0001-01-01T00:00:00+14:00", True),
    ):
        last_entry = b"".join(reseal(lines, last, lambda e, time=time: e.update(time=time)))
        yield Mutation(how, last_entry, None, is_refused)
    ahead = b"".join(reseal(lines, at, lambda e: e.update(time="2999-01-01T00:00:00+00:00")))
    yield Mutation("one far ahead, and what came after it", ahead, None, True)
    # What only a checkpoint reveals: everything after the change is sealed anew.
    rewritten = b"".join(reseal(lines, at, lambda e: e.update(actor="eve@example.org")))
    yield Mutation("a suffix sealed anew", rewritten, None, False)
    yield Mutation("a suffix sealed anew, a checkpoint", rewritten, head, True)
    yield Mutation("a suffix sealed anew, a checkpoint of before", rewritten, head_of(entries[:at]), False)
    yield Mutation("a suffix sealed anew, a checkpoint within", rewritten, head_of(entries[: at + 1]), True)
    grown = b"".join(reseal(lines, at, lambda e: e["body"].update(number=2**70)))
    yield Mutation("a big number sealed anew", grown, None, False)


def _renumber(text: bytes, number: bytes) -> bytes:
    sequence = json.loads(text)["sequence"]
    return text.replace(b'"sequence":%d' % sequence, b'"sequence":' + number)


def _replace(text: bytes, name: str, value: object) -> bytes:
    fields = {**json.loads(text), name: value}
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
