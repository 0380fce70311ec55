"""A file is read in one way or refused with its line, and what the refusal says to write is read."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.policies.builders import STANDARD_POLICY
from workbench.config import find_bentofile
from workbench.errors import UsageError
from workbench.records import yaml_documents
from workbench.records.yaml_documents import read_yaml


def refusal(content):
    with pytest.raises(UsageError) as caught:
        read_yaml(content.encode() if isinstance(content, str) else content)
    return caught.value.reasons


# By what stands there: what may have been meant.
UNCLEAR = {
    "010": {8, 10},
    "08": {8},
    "1:00:00": {3600},
    "190:20:30.15": {685230.15},
    "1_000": {1000},
    "0b11": {3},
    "0o17": {15},
    "-0x1F": {-31},
    "+.5": {0.5},
    "1e5": {1e5},
    "1e-9": {1e-9},
    "1.5e3": {1500.0},
    "1e400": set(),
    "yes": {True},
    "No": {False},
    "on": {True},
    "OFF": {False},
    "y": {True},
    "2026-01-02": set(),
    "2026-13-45": set(),
    "2026-01-02T10:00:00Z": set(),
    ".inf": set(),
    "-.INF": set(),
    ".nan": set(),
    "1.0e+400": set(),
    "9" * 4301: set(),
    "=": set(),
    "<<": set(),
}


@pytest.mark.parametrize("text", UNCLEAR, ids=lambda text: text[:20])
def test_a_value_that_two_readers_read_differently_is_refused_and_the_advice_is_read_as_it_says(text):
    (said,) = refusal(f"first: 1\nlimit: {text}\n")
    assert said.startswith(f"Line 2: {text[:60]} is ")
    *values, quoted = said.rpartition("Write ")[2].removesuffix(" for the text.").split(" or ")
    assert {read_yaml(f"limit: {value}".encode()).value["limit"] for value in values} == UNCLEAR[text]
    assert read_yaml(f"limit: {quoted}".encode()).value == {"limit": text[:60]}


@pytest.mark.parametrize("key", ["010", "yes", "2026-01-02", "<<"])
def test_a_key_is_held_to_the_same(key):
    (said,) = refusal(f"{key}: 1")
    assert said.startswith(f"Line 1: {key} is ")


PLAIN = {
    "": None, "~": None, "null": None, "true": True, "FALSE": False, "0": 0, "-7": -7, "+7": 7, "0x1F": 31, "1.50": 1.5,
    "010.5": 10.5, "5.": 5.0, ".5": 0.5, "1.0e-9": 1e-9, "2.5E+3": 2500.0, "a text": "a text", "1.2.3": "1.2.3", "'010'": "010",
    '"yes"': "yes", "Yes, it is": "Yes, it is", "[1, b]": [1, "b"], "{3: a}": {3: "a"},
}  # fmt: skip


@pytest.mark.parametrize("text", PLAIN)
def test_a_value_that_all_read_alike_is_read(text):
    (value,) = read_yaml(f"limit: {text}".encode()).value.values()
    assert (type(value), value) == (type(PLAIN[text]), PLAIN[text])


NO_YAML = {
    "Line 1: it is not YAML: while parsing a flow sequence, expected ',' or ']', but got": "a: [1",
    "Line 3: it is not YAML: found a duplicate key 'a'": "a: 1\nb: 1\na: 2\n",
    "Line 1: it is not YAML: found a duplicate key '3'": "{3: 1, '3': 2}",
    "Line 1: it is not YAML: found a duplicate key '31'": "{31: 1, 0x1F: 2}",
    "Line 1: it is not YAML: found an alias or its anchor; write the value where it holds": "a: &x 1",
    "Line 2: it is not YAML: found an alias or its anchor": "a: 1\nb: *x",
    "Line 1: it is not YAML: found the tag tag:yaml.org,2002:int; leave it out": 'a: !!int "3"',
    "Line 1: it is not YAML: found the tag !; leave it out": "a: ! 3",
    "Line 2: it is not YAML: found the tag !mine": "a:\n  !mine {}",
    "Line 1: it is not YAML: it is nested deeper than 20 levels": "[" * 21,
    "Line 1: it is not YAML: it is no UTF-8": b"a: \xff\xfe\x00\xd8",
    "Line 2: a key is neither text nor a whole number. Write it in quotes.": "a: 1\n? [x]\n: 1\n",
    "Line 1: a key is neither text": "true: 1",
    "Line 2: it is not YAML: expected a single document": "--- a\n--- b\n",
    "Line 2: it is not YAML: it holds '\\u200b', which a reader does not see": "a: 1\nb: \u200b",
    "Line 2: it spells '\\u202e', which a reader does not see": 'a: 1\nb: "x \\u202e y"',
    "Line 1: it spells '\\ud83d', which a reader does not see": 'a: "\\ud83d"',
    "Line 1: it spells '\\x1b', which a reader does not see": '"\\e[8m": 1',
}  # fmt: skip


@pytest.mark.parametrize("reason", NO_YAML)
def test_what_is_no_plain_yaml_is_refused_with_its_line(reason):
    (said,) = refusal(NO_YAML[reason])
    assert said.startswith(reason)


def test_every_line_is_told_at_once():
    assert [said.partition(":")[0] for said in refusal("a: 010\nb: 1\nc: [1_0, {d: yes}]\n")] == [
        "Line 1",
        "Line 3",
        "Line 3",
    ]


def test_a_file_that_is_too_large_is_told_so_and_not_parsed(monkeypatch):
    monkeypatch.setattr(yaml_documents, "LARGEST_BYTES", 1_000)
    monkeypatch.setattr(yaml_documents, "_Composer", None)
    assert refusal(b"#" * 1_001) == ("The file: it has 1,001 bytes; at most 1,000 are read.",)


def test_twenty_levels_are_read():
    assert read_yaml(b"[" * 20 + b"]" * 20).value


def test_what_is_shipped_is_read_as_everybody_reads_it():
    shipped = [*STANDARD_POLICY.parents[1].rglob("*.yaml"), find_bentofile()]
    assert len(shipped) >= 5
    for path in shipped:
        assert read_yaml(path.read_bytes()).value == yaml.safe_load(path.read_bytes())


@given(st.from_regex(re.compile(r"[-+.:_0-9a-fxoEeyYnN]{1,8}"), fullmatch=True))
def test_what_is_read_is_what_another_reader_reads(text):
    content = f"limit: {text}".encode()
    try:
        value = read_yaml(content).value
    except UsageError as refused:
        assert refused.reasons
    else:
        assert repr(value) == repr(yaml.safe_load(content))
