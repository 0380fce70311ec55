"""A known value is found however it is spelt and however it is split, and nothing else is touched."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import shlex
import textwrap
import urllib.parse
from pprint import pformat

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workbench.secrets.redaction import REDACTED, RedactingWriter, Redactor

VALUE = "pa\"ss\\w'ör d%41/+&x<y>"
PLAIN = "sk-4f9aQ7zL"
SECRETS = {
    "plain": PLAIN,
    "short": "Zq7!xK2p",
    "odd": VALUE,
    "digits": "9081726354",
    "hex": "deadbeefcafe0123456789ab",
    "base64": "c2VjcmV0IGluIGJhc2U2NA==",
    "lines": "first line of it\nsecond line of it\n",
    "json": '{"type": "account", "private_key": "qwErTy-123456"}',
    "address": "postgresql://ada:hunter2hunter2@db.example.org/main",
}


# Spellings

SPELLINGS = {
    "as it is": str,
    "JSON": json.dumps,
    "JSON in UTF-8": lambda v: json.dumps(v, ensure_ascii=False),
    "JSON with slashes": lambda v: json.dumps(v).replace("/", "\\/"),
    "JSON in JSON": lambda v: json.dumps({"a": json.dumps([v])}),
    "repr": repr,
    "repr of repr": lambda v: repr([repr(v)]),
    "bytes": lambda v: repr(v.encode()),
    "ascii": ascii,
    "HTML": html.escape,
    "HTML of JSON": lambda v: html.escape(json.dumps(v)),
    "numbered HTML": lambda v: "".join(f"&#{ord(c)};" for c in v),
    "URL": lambda v: urllib.parse.quote(v, safe=""),
    "lower URL": lambda v: re.sub("%..", lambda m: m[0].lower(), urllib.parse.quote(v, safe="")),
    "URL of URL": lambda v: urllib.parse.quote(urllib.parse.quote(v)),
    "form": lambda v: urllib.parse.urlencode({"q": v}),
    "regular expression": re.escape,
    "unicode escapes": lambda v: v.encode("unicode_escape").decode(),
    "hex": lambda v: v.encode().hex(),
    "upper hex": lambda v: v.encode().hex().upper(),
    "hex with colons": lambda v: v.encode().hex(":"),
    "upper hex with dashes": lambda v: v.encode().hex("-").upper(),
    "colours": lambda v: "\x1b[1;31m" + v[:3] + "\x1b[0m" + v[3:6] + "\x1b[K" + v[6:],
    "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "base64 behind one": lambda v: base64.b64encode(b"x" + v.encode() + b"yz").decode(),
    "base64 behind two": lambda v: base64.b64encode(b"ab" + v.encode() + b"y").decode(),
    "URL base64": lambda v: base64.urlsafe_b64encode(b"user:" + v.encode()).decode(),
    "base64 in lines": lambda v: base64.encodebytes(b"-" * 40 + v.encode() + b"-" * 40).decode(),
    "base64 of JSON": lambda v: base64.b64encode(json.dumps({"token": v}).encode()).decode(),
    "shell": shlex.quote,
}  # fmt: skip


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("value", SECRETS.values(), ids=SECRETS)
def test_a_secret_is_found_however_it_is_spelt(value, spell):
    text = f"before {spell(value)} after"
    redacted = Redactor([value]).redact_text(text)
    assert REDACTED in redacted
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")
    core = spell(value).strip("'\"")
    assert core[: len(core) // 2] not in redacted
    assert core[len(core) // 2 :] not in redacted


ESCAPES = st.sampled_from(
    [json.dumps, repr, ascii, html.escape, urllib.parse.quote, lambda v: json.dumps(v, ensure_ascii=False)]
)
# What replaces a value, with a little text around it, must not make one up.
VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=40).filter(
    lambda v: len(v.strip()) >= 8 and not any(part in v for part in ("[se", "secret", "et]"))
)


# A sign that makes an escape of the first characters takes them away, as the docstring says.
BEFORE = st.text(st.characters(exclude_characters="%&\\\x1b", exclude_categories=["Cs"]), max_size=5)


@example("\x800000000", [urllib.parse.quote], "\\", "")
@given(VALUES, st.lists(ESCAPES, max_size=2), BEFORE, st.text(max_size=5))
def test_whatever_a_secret_and_however_escaped_it_is_not_left(value, escapes, before, after):
    spelt = value
    for escape in escapes:
        spelt = escape(spelt)
    assert spelt not in Redactor([value]).redact_text(before + spelt + after)


@given(VALUES, st.binary(max_size=7), st.binary(max_size=7))
def test_wherever_in_base64_a_secret_begins_it_is_found(value, before, after):
    text = base64.b64encode(before + value.encode() + after).decode()
    redacted = Redactor([value]).redact_text(text)
    assert REDACTED in redacted
    assert text not in redacted


@given(st.text(max_size=200))
def test_a_text_without_the_secret_stays_as_it_is(text):
    assert Redactor([PLAIN]).redact_text(text) == text


@given(st.binary(max_size=200))
def test_bytes_without_the_secret_stay_as_they_are(content):
    assert Redactor([PLAIN]).redact_bytes(content) == content


def test_what_stands_around_a_secret_is_kept():
    redactor = Redactor([PLAIN])
    assert redactor.redact_text(f"a\\n%20&amp;{PLAIN}\\t&lt;b") == f"a\\n%20&amp;{REDACTED}\\t&lt;b"
    assert redactor.redact_bytes(b"\xff" + PLAIN.encode() + b"\xfe") == b"\xff" + REDACTED.encode() + b"\xfe"


def test_a_secret_wrapped_over_lines_is_found():
    long = "correct horse battery staple " * 6
    for wrapped in (textwrap.fill(long, 40), pformat({"a": long}, width=40)):
        assert "battery" not in Redactor([long]).redact_text(wrapped)


def test_what_is_nested_deeper_than_anybody_looks_is_cut_out():
    nested = "value"
    for _ in range(6):
        nested = [nested]
    assert Redactor(["other"]).redact_json(nested, depth=5) == [[[[[REDACTED]]]]]
    assert Redactor(["other"]).redact_json(nested, depth=6) == nested
    assert Redactor(["value"]).redact_json([[["value", 1]]]) == [[[REDACTED, 1]]]


def test_keys_numbers_and_nested_values_of_json_are_redacted():
    redactor = Redactor(["90817263", PLAIN])
    document = {PLAIN: [1, None, True, 90817263, {"a": f"<{PLAIN}>"}]}
    assert redactor.redact_json(document) == {REDACTED: [1, None, True, REDACTED, {"a": f"<{REDACTED}>"}]}


def test_without_values_nothing_is_changed_and_nothing_is_too_short_to_tell():
    assert not Redactor()
    assert not Redactor(["", "   ", "abc"])
    assert Redactor().redact_text(PLAIN) == PLAIN
    assert Redactor().redact_bytes(PLAIN.encode()) == PLAIN.encode()


def test_digits_across_a_table_of_numbers_are_no_secret():
    assert Redactor(["12345678"]).redact_text("1234,5678") == "1234,5678"


# Streams


class Sink(io.BytesIO):
    def close(self):
        self.kept = self.getvalue()
        super().close()


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=40),
    st.sampled_from([PLAIN, VALUE, json.dumps(VALUE)[1:-1], PLAIN * 3]),
)
def test_a_secret_is_cut_out_of_a_stream_however_it_is_split_over_writes(sizes, spelt):
    content = (f"start é {spelt} middle {spelt} end ü").encode() * 3
    sink = Sink()
    with RedactingWriter(sink, Redactor([PLAIN, VALUE])) as writer:
        position = 0
        while position < len(content):
            size = sizes[position % len(sizes)]
            writer.write(content[position : position + size])
            position += size
        writer.flush()
    assert sink.kept.decode() == content.decode().replace(spelt, REDACTED)


def test_a_stream_of_nothing_but_the_secret_does_not_grow_in_memory():
    sink = Sink()
    writer = RedactingWriter(sink, Redactor([PLAIN]))
    for _ in range(2_000):
        writer.write(PLAIN.encode())
    assert len(writer._held) < 10_000
    writer.close()
    assert PLAIN[:6].encode() not in sink.kept


def test_a_writer_without_secrets_passes_on_what_it_gets():
    sink = Sink()
    writer = RedactingWriter(sink, Redactor())
    writer.write(b"a\xff")
    assert sink.getvalue() == b"a\xff"
    writer.close()


@given(VALUES, st.lists(ESCAPES, max_size=2), BEFORE, st.integers(0, 400))
@example("00000\x1f\x1f0", [json.dumps, json.dumps], "", 22)
@example("0000000\U00010000", [json.dumps, json.dumps], "", 22)
@example("0\x1f\U0001000000000", [json.dumps], "", 20)
def test_of_a_text_that_goes_on_no_beginning_of_a_secret_is_shown(value, escapes, before, cut):
    redactor, spelt, three = Redactor([value]), value, value[:3]
    for escape in escapes:
        spelt, three = escape(spelt), escape(three)
    text = before + spelt + " and so on"
    whole, begun = redactor.redact_text(text), text[: len(before) + cut]
    shown = redactor.redact_text(begun[: redactor.find_settled(begun)])
    # What is shown stays so: nothing was shown that is cut out later but three characters, as they are spelt.
    same = next((at for at, (one, other) in enumerate(zip(shown, whole, strict=False)) if one != other), len(shown))
    assert len(shown) - same <= len(three)


def test_a_text_that_ends_like_no_secret_is_shown_to_its_end():
    redactor = Redactor(["sk-4f9aQ7zL"])
    assert redactor.find_settled("epoch 3: loss 0.25\n") == len("epoch 3: loss 0.25\n")
    assert redactor.find_settled("key sk-4") == len("key ")
    assert redactor.find_settled("key sk-4f9aQ7zL sk-4f") == len("key sk-4f9aQ7zL ")
    assert redactor.find_settled("key sk-4f9aQ7zLsk-4f") == len("key ")
    assert Redactor().find_settled("sk-4") == 4
