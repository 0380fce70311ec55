"""Redaction: known secret values are found in text however they are spelt, and cut out of it.

A value is found as it is; escaped for JSON, Python, HTML, URLs or a shell, several times and mixed; as base64 (wherever in the
encoded text it begins) and as hex (joined, or by `:` or `-`); with colour codes, line breaks, blanks or quotes inside it; and split
over neighbouring texts. It is not found encrypted, hashed, compressed, encoded twice or otherwise (base32, octal), in capitals
that are not its own, in the pixels of a picture, reversed, one character at a time among others, or escaped behind a sign that
makes another escape of its first characters.
"""

from __future__ import annotations

import base64
import html
import json
import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

from workbench.secrets.references import SHORTEST_SECRET, find_parts

REDACTED = "[secret]"
Span = tuple[int, int]

_MOST_ROUNDS = 4
_DEEPEST = 100  # levels of nested JSON; more than that is no output that anybody looks at
_SHORTEST_ENCODED = 8
# An escape takes up to six characters for one.
_WIDEST_ESCAPE = 6
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_")

_ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|(?:%[0-9A-Fa-f]{2}|[\udc80-\udcff])+"  # and bytes of a character of which others were undone before
    r"|&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,15});"
    r"|(?:\\u[0-9A-Fa-f]{4})+"
    r"|\\U[0-9A-Fa-f]{8}"
    r"|\\x[0-9A-Fa-f]{2}"
    r"|\\[^\w]|\\[nrtbfv_]"
)
# What may become an escape with what follows.
_HALF_ESCAPE = re.compile(
    r"(?:(?:\\+u[dD][89abAB][0-9A-Fa-f]{2})?\\+[uUx]?[0-9A-Fa-f]{0,7}"
    r"|(?:%[C-Fc-f][0-9A-Fa-f](?:%[89ABab][0-9A-Fa-f]){0,2})?(?:%[0-9A-Fa-f]?)?"
    r"|&#?\w{0,15}|\x1b\[?[0-?]*[ -/]*)\Z"
)
_SHORTEST_BEGUN = 3
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v"}
# What wraps, quotes or joins the pieces of one text.
_BETWEEN = re.compile(r"[\s'\"`,\\\x00]+")


def _mean(escape: str) -> str:
    """Return what an escape stands for; itself when it stands for nothing."""
    kind = escape[0]
    if kind == "\x1b":
        return ""
    if kind == "%" or "\udc80" <= kind <= "\udcff":
        content = escape.encode(errors="surrogateescape")
        undone = re.sub(b"%(..)", lambda found: bytes.fromhex(found[1].decode()), content)
        return undone.decode(errors="surrogateescape")
    return html.unescape(escape) if kind == "&" else _mean_backslash(escape)


def _mean_backslash(escape: str) -> str:
    match escape[1]:
        case "u":
            return bytes.fromhex(escape.replace("\\u", "")).decode("utf-16-be", errors="surrogatepass")
        case "U" | "x":
            code = int(escape[2:], 16)
            return chr(code) if code <= sys.maxunicode else escape
    return _CONTROLS.get(escape[1], escape[1])


@dataclass(frozen=True)
class _Piece:
    """A stretch of a text that reads as something else: where it was, and where that is now."""

    was: Span
    now: Span


@dataclass(frozen=True)
class _View:
    """A text as it reads once its escapes are undone, and the way back to the text it came from."""

    text: str
    pieces: Sequence[_Piece]

    @classmethod
    def read(cls, text: str, pattern: re.Pattern[str], mean: Callable[[str], str]) -> _View:
        """Replace what matches by what it means, and keep where it was."""
        pieces, shift = [], 0

        def replace(found: re.Match[str]) -> str:
            nonlocal shift
            said = mean(found[0])
            start = found.start() + shift
            pieces.append(_Piece(found.span(), (start, start + len(said))))
            shift += len(said) - len(found[0])
            return said

        return cls(pattern.sub(replace, text), pieces)

    def locate(self, span: Span) -> Span:
        """Return where a span of this text was."""
        return self._locate(span[0])[0], self._locate(span[1] - 1)[1]

    def _locate(self, position: int) -> Span:
        index = bisect_right(self.pieces, position, key=lambda piece: piece.now[0]) - 1
        if index < 0:
            return position, position + 1
        piece = self.pieces[index]
        if position < piece.now[1]:
            return piece.was
        start = piece.was[1] + position - piece.now[1]
        return start, start + 1


def _undo_escapes(text: str) -> _View | None:
    """Return how a text reads with its escapes undone once; None when it has none."""
    if not any(mark in text for mark in "\\%&\x1b"):
        return None
    view = _View.read(text, _ESCAPE, _mean)
    return view if view.text != text else None


def _read_through(text: str) -> str:
    for _ in range(_MOST_ROUNDS):
        view = _undo_escapes(text)
        if view is None:
            break
        text = view.text
    return text


# What is looked for


def _spell(value: str) -> Iterator[str]:
    """Yield the spellings of a value that are not merely escaped, of one that itself looks escaped as it reads then."""
    for text in {value, _read_through(value)}:
        yield from (text, text.strip())
        yield text.replace(" ", "+")  # a form's way to escape a blank
        yield text.replace("\n", "\r\n")
        yield text.encode(errors="replace").decode("latin-1")  # how bytes are shown


def _encode(value: str) -> Iterator[str]:
    """Yield base64 and hex of a value, as it is and as JSON has it."""
    for text in {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}:
        content = text.encode(errors="replace")
        joined = [content.hex(), content.hex(":"), content.hex("-")]
        yield from (*joined, *map(str.upper, joined))
        for shift in range(3):
            yield from _encode_base64(content, shift)


def _encode_base64(content: bytes, shift: int) -> Iterator[str]:
    """Yield the characters that depend on the value alone when it begins `shift` bytes behind a group of three."""
    first, last = -(-shift * 8 // 6), (shift + len(content)) * 8 // 6
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(bytes(shift) + content).decode()[first:last]


class Redactor:
    """Cuts known values out of text, bytes and JSON; one without values changes nothing and is false."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self.values = tuple(sorted({value for value in values if len(value.strip()) >= SHORTEST_SECRET}))
        parts = frozenset[str]().union(*map(find_parts, self.values))
        whole = {spelling for value in (*self.values, *parts) for spelling in _spell(value)}
        encoded = {text for value in self.values for text in _encode(value) if len(text) >= _SHORTEST_ENCODED}
        squeezed = {_BETWEEN.sub("", text) for text in {*whole, *encoded}}
        self._plain = _longest_first(whole)
        self._encoded = _longest_first(encoded - whole)
        self._squeezed = _longest_first({text for text in squeezed if len(text) >= _shortest_squeezed(text)})
        self._wide = [
            v.encode(code, "replace") for v in self.values for code in ("utf-16-le", "utf-16-be", "utf-32-le")
        ]
        longest = max((len(text.encode(errors="replace")) for text in {*whole, *encoded}), default=0)
        self.reach = longest * _WIDEST_ESCAPE

    def __bool__(self) -> bool:
        return bool(self.values)

    def __repr__(self) -> str:
        return f"Redactor({len(self.values)} values)"

    def redact_text(self, text: str) -> str:
        """Return a text without the values."""
        return self.redact_parts([text])[0] if self.values else text

    def redact_parts(self, parts: Sequence[str]) -> list[str]:
        """Return texts that are read one after the other without the values, those split over them included."""
        spans = self.find_spans("".join(parts)) if self.values else []
        return _cut(parts, spans) if spans else list(parts)

    def redact_bytes(self, content: bytes) -> bytes:
        """Return UTF-8 text (whatever else stands in it is kept) without the values."""
        if not self.values:
            return content
        text = content.decode(errors="surrogateescape")
        spans = self.find_spans(text)
        return _cut([text], spans)[0].encode(errors="surrogateescape") if spans else content

    def redact_json(self, document: Any, depth: int = _DEEPEST) -> Any:
        """Return a JSON value without the values, in keys and numbers too; what is nested deeper than `depth` is cut out."""
        match document:
            case str():
                return self.redact_text(document)
            case dict() | list() | tuple() if not depth:
                return REDACTED
            case dict():
                return {self.redact_text(str(key)): self.redact_json(item, depth - 1) for key, item in document.items()}
            case list() | tuple():
                return [self.redact_json(item, depth - 1) for item in document]
            case int() | float() if not isinstance(document, bool) and self.finds(str(document)):
                return REDACTED
        return document

    def finds(self, content: str | bytes) -> bool:
        """True when a text, or bytes of whatever kind, hold a value."""
        if not self.values:
            return False
        if isinstance(content, str):
            return bool(self.find_spans(content))
        text = content.decode(errors="surrogateescape")
        return any(wide in content for wide in self._wide) or bool(self.find_spans(text))

    def find_spans(self, text: str) -> list[Span]:
        """Return where the values stand in a text: (start, end) without overlap, in order."""
        spans: list[Span] = []
        views: list[_View] = []
        current = text
        for _ in range(_MOST_ROUNDS):
            spans += [_locate(span, views) for span in self._search(current)]
            view = _undo_escapes(current)
            if view is None:
                break
            views.append(view)
            current = view.text
        spans += [_locate(span, views) for span in self._search_squeezed(current)]
        return _merge(spans)

    def find_settled(self, text: str) -> int:
        """Return up to where a text that goes on may be shown: what stands behind that can be the beginning of a value."""
        begun = self._find_begun(text) if self.values else len(text)
        spans = _merge([*self.find_spans(text), (begun, len(text))]) if begun < len(text) else []
        return spans[-1][0] if spans else len(text)

    def _find_begun(self, text: str) -> int:
        """Return where the earliest beginning of a value stands with which a text ends, else the end of the text."""
        before = max(len(text) - self.reach, 0)
        return min((before + at for at in self._list_begun(text[before:], [])), default=len(text))

    def _list_begun(self, text: str, views: list[_View]) -> Iterator[int]:
        """Yield where beginnings of values stand with which a text ends, or its half escape begins, however escaped or wrapped."""
        for current in {text, _HALF_ESCAPE.sub("", text)}:
            squeezed = _View.read(current, _BETWEEN, lambda _: "")
            for at in self._begin(current, self._plain, self._encoded):
                yield _locate((at, at + 1), views)[0]
            for at in self._begin(squeezed.text, self._squeezed):
                yield _locate((at, at + 1), [*views, squeezed])[0]
            view = _undo_escapes(current) if len(views) < _MOST_ROUNDS else None
            if view is not None:
                yield from self._list_begun(view.text, [*views, view])

    @staticmethod
    def _begin(text: str, *needles: Sequence[str]) -> Iterator[int]:
        """Yield where a text begins to be one of the needles, and ends before it is."""
        for needle in chain(*needles):
            sizes = range(min(len(needle) - 1, len(text)), _SHORTEST_BEGUN - 1, -1)
            if size := next((size for size in sizes if text.endswith(needle[:size])), 0):
                yield len(text) - size

    def _search(self, text: str) -> Iterator[Span]:
        for needle in self._plain:
            yield from _find_all(needle, text)
        for needle in self._encoded:
            yield from (_widen(span, text) for span in _find_all(needle, text))

    def _search_squeezed(self, text: str) -> Iterator[Span]:
        squeezed = _BETWEEN.sub("", text)
        found = [span for needle in self._squeezed for span in _find_all(needle, squeezed)]
        if found:
            view = _View.read(text, _BETWEEN, lambda _: "")
            yield from map(view.locate, found)


def _shortest_squeezed(text: str) -> int:
    """In a table of numbers, digits across its commas make up any short number somewhere."""
    return 2 * _SHORTEST_ENCODED if text.isdigit() else _SHORTEST_ENCODED


def _longest_first(texts: Iterable[str]) -> list[str]:
    return sorted({text for text in texts if len(text) >= SHORTEST_SECRET}, key=lambda text: (-len(text), text))


def _find_all(needle: str, text: str) -> Iterator[Span]:
    start = text.find(needle)
    while start >= 0:
        yield start, start + len(needle)
        start = text.find(needle, start + 1)


def _widen(span: Span, text: str) -> Span:
    """Take in the encoded characters at either end in which the first and last bytes of the value share a place."""
    start, end = span
    while start > max(span[0] - 3, 0) and text[start - 1] in _ALPHABET:
        start -= 1
    while end < min(span[1] + 3, len(text)) and text[end] in _ALPHABET:
        end += 1
    return start, end


def _locate(span: Span, views: Sequence[_View]) -> Span:
    for view in reversed(views):
        span = view.locate(span)
    return span


def _merge(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _cut(parts: Sequence[str], spans: Sequence[Span]) -> list[str]:
    """Cut spans of the joined texts out of each: the first it touches shows that something stood there."""
    kept, offset = [], 0
    for part in parts:
        shown, position = [], 0
        for start, end in spans:
            first, last = max(start - offset, 0), min(end - offset, len(part))
            if first < last:
                shown += [part[position:first], REDACTED if start >= offset else ""]
                position = last
        kept.append("".join([*shown, part[position:]]))
        offset += len(part)
    return kept


class _BinaryFile(Protocol):
    def write(self, content: bytes, /) -> object: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...


class RedactingWriter:
    """A binary file that never gets a value, however it is split over writes; it holds back the end until it is closed."""

    def __init__(self, file: _BinaryFile, redactor: Redactor) -> None:
        self._file, self._redactor, self._held = file, redactor, b""

    def write(self, content: bytes) -> int:
        """Take bytes, and write those that can no longer be the beginning of a value."""
        self._held += content
        safe = len(self._held) - max(self._redactor.reach - 1, 0)
        # Looking at every few bytes anew would take time that grows with the square of what is written.
        if safe >= max(self._redactor.reach, 1):
            self._write_until(safe)
        return len(content)

    def _write_until(self, safe: int) -> None:
        text = self._held.decode(errors="surrogateescape")
        safe = len(self._held[:safe].decode(errors="surrogateescape"))
        spans = self._redactor.find_spans(text)
        # A value that is known to stand there goes as a whole: with the next bytes, or now when nothing stands before it.
        safe = next((start or end for start, end in spans if start < safe < end), safe)
        shown = _cut([text[:safe]], [span for span in spans if span[1] <= safe])[0]
        self._file.write(shown.encode(errors="surrogateescape"))
        self._held = text[safe:].encode(errors="surrogateescape")

    def flush(self) -> None:
        """Pass on what was written so far; what is held back stays held back."""
        self._file.flush()

    def close(self) -> None:
        """Write the rest and close the file."""
        self._file.write(self._redactor.redact_bytes(self._held))
        self._held = b""
        self._file.close()

    def __enter__(self) -> RedactingWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
