"""What nobody should show is found by its shape, told by its place, and never repeated; what only looks like it is let be."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.evidence.disclosure import find_personal, find_secrets
from workbench.evidence.measures import disclosures
from workbench.evidence.measures.disclosures import measure_disclosures

# Put together here, so that no scanner takes this file for a leak.
BODY = "Ab3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6"
SECRETS = {
    "AWS access key": "AKIA" + "Q7XWL2NZ5TKV3RHM",
    "GitHub token": "ghp_" + BODY,
    "GitLab token": "glpat-" + BODY[:20],
    "Google API key": "AIza" + BODY[:35],
    "JSON web token": ".".join(["eyJ" + BODY[:20], "eyJ" + BODY[2:30], BODY[:24]]),
    "OpenAI or Anthropic key": "sk-" + BODY,
    "Slack token": "xoxb-" + "1234567890-" + BODY[:12],
    "Slack webhook": "https://hooks.slack.com/services/" + "T0AB/B0CD/" + BODY[:24],
    "Stripe key": "sk_live_" + BODY[:24],
    "URL with a password": "postgresql://ada:" + "correct-horse" + "@db.internal/shop",
    "authorization header": "Authorization: Bearer " + BODY,
    "private key": "-----BEGIN " + "OPENSSH PRIVATE KEY-----",
    "value given to a secret's name": 'DB_PASSWORD = "' + "hT7xq9Lm2zWk" + '"',
}
PERSONAL = {
    "e-mail address": "jane.doe@hospital.nl",
    "IBAN": "NL91 ABNA 0417 1643 00",
    "payment card number": "4111 1111 1111 1111",
}
INNOCENT = [
    "sha256 " + "0123456789abcdef" * 4,
    "roc_auc 0.4111111111111111",
    "4111 1111 1111 1112",
    "1234567890123456",
    "NL92 ABNA 0417 1643 00",
    "ada@example.org, bob@example.com, git@github.com",
    "@pytest.mark.parametrize, x@y",
    "password = [secret]",
    "token: env:API_TOKEN",
    'secret = "secret:env:SHOP_KEY"',
    "password: ************",
    "password = correcthorse",
    "tokens: 12345678",
    "api_key=os.environ['API_KEY']",
    "https://example.org:8080/path",
    "the tokenizer = AutoTokenizer",
    "sk-learn",
    "2026-11-25 07:18:46",
]


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_found_by_its_shape(kind):
    for text in (SECRETS[kind], f"got {SECRETS[kind]}\n", json.dumps({"said": SECRETS[kind]})):
        assert kind in find_secrets(text)


@pytest.mark.parametrize("kind", PERSONAL)
def test_personal_data_is_found_by_its_shape(kind):
    assert find_personal(f"row 3: {PERSONAL[kind]}, 2 visits") == {kind: 1}


@pytest.mark.parametrize("text", INNOCENT)
def test_what_only_looks_like_it_is_let_be(text):
    assert (find_secrets(text), find_personal(text)) == ({}, {})


def test_the_authors_own_address_is_no_finding():
    assert find_personal("run by ada@lab.nl", known=["ada@lab.nl"]) == {}


@given(st.text(max_size=300))
def test_no_text_is_too_odd_to_be_searched(text):
    find_secrets(text)
    find_personal(text)


@given(st.floats(allow_nan=False) | st.integers(0, 10**12).map(float), st.binary(min_size=32, max_size=32))
def test_numbers_and_digests_are_no_findings(number, digest):
    text = f"{number!r} {digest.hex()}"
    assert (find_secrets(text), find_personal(text)) == ({}, {})


def notebook(source="x = 1", *outputs):
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": list(outputs), "execution_count": 1}
    words = {"cell_type": "markdown", "source": "# Title", "metadata": {}}
    return json.dumps({"cells": [words, cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def stream(text):
    return {"output_type": "stream", "name": "stdout", "text": text}


def find(files, known=()):
    return [asdict(each) for each in measure_disclosures(files, known=known).found]


TOKEN = SECRETS["GitHub token"]


def test_a_finding_names_the_place_and_never_the_value():
    fact = measure_disclosures({"notebook.ipynb": notebook("print(t)", stream(f"{TOKEN} and {TOKEN}"))}, known=())
    (found,) = fact.found
    assert (found.kind, found.file, found.place, found.count) == ("GitHub token", "notebook.ipynb", "cell 1 stdout", 2)
    assert TOKEN not in str(fact)


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"notebook.ipynb": notebook(f"key = '{TOKEN}'")}, "cell 1 source"),
        (
            {
                "notebook.ipynb": notebook(
                    "x", {"output_type": "error", "ename": "E", "evalue": TOKEN, "traceback": [TOKEN]}
                )
            },
            None,
        ),
        ({"parameters.json": json.dumps({"key": TOKEN}).encode()}, ""),
        ({"kernel.log": f"warning {TOKEN}".encode()}, ""),
        ({"report.html": f"<p>{TOKEN}</p>".encode()}, ""),
        ({"provenance.json": json.dumps({"machine": TOKEN}).encode()}, ""),
        ({"notes.csv": f"a,b\n1,{TOKEN}\n".encode()}, ""),
    ],
)
def test_every_text_of_a_run_is_searched(files, place):
    (found,) = find(files)
    assert found["kind"] == "GitHub token"
    assert place is None or found["place"] == place


@pytest.mark.parametrize("path", ["key.pem", ".env", "notes", "secrets.parquet", "datasets/keys.txt"])
def test_a_text_is_searched_whatever_it_is_called(path):
    (found,) = find({path: f"{TOKEN}\n".encode()})
    assert (found["kind"], found["file"]) == ("GitHub token", path)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("notes.txt", TOKEN.encode("utf-16")),
        ("wide.txt", TOKEN.encode("utf-16-le")),
        ("kept.zip", b"PK\x03\x04\xff"),
        ("figure.png", b"\xff\xfe no picture"),
        ("model/model.skops", b"\xff not the archive it is called"),
    ],
)
def test_what_cannot_be_read_is_named(path, content):
    fact = measure_disclosures({path: content, "notebook.ipynb": notebook()}, known=())
    assert (fact.files, fact.found, fact.unread) == (1, (), (path,))


def test_what_is_too_large_to_be_searched_is_named(monkeypatch):
    monkeypatch.setattr(disclosures, "_LARGEST_BYTES", 1_000)
    files = {"large.log": b"x" * 1_001, "small.log": b"x" * 1_000, "notebook.ipynb": b"{}"}
    assert measure_disclosures(files, known=()).unread == ("large.log",)
    assert measure_disclosures({}, known=(), larger=["files/large.bin"]).unread == ("files/large.bin",)


@pytest.mark.parametrize("before", ["[", "{}", '{"cells": 3}', "not JSON "])
def test_what_is_no_notebook_any_more_is_searched_like_any_text(before):
    (found,) = measure_disclosures({"notebook.ipynb": f"{before} {TOKEN}".encode()}, known=()).found
    assert (found.file, found.place) == ("notebook.ipynb", "")


def test_what_a_run_itself_keeps_in_binary_is_not_missed():
    files = {
        "predictions.parquet": b"PAR1\x15\xff",
        "model/model.skops": b"PK\x03\x04\xff",
        "model/model.onnx": b"\x08\x08\x12\xff",
        "figure.png": b"\x89PNG\r\n\x1a\n\xff",
    }
    assert measure_disclosures(files, known=()).unread == ()


def test_data_about_people_counts_where_it_is_shown_and_not_where_it_is_written():
    address = PERSONAL["e-mail address"]
    assert find({"notebook.ipynb": notebook(f"contact = '{address}'")}) == []
    assert find({"provenance.json": json.dumps({"author": address}).encode()}) == []
    assert [each["kind"] for each in find({"notebook.ipynb": notebook("x", stream(address))})] == ["e-mail address"]
    assert find({"notebook.ipynb": notebook("x", stream(address))}, known=[address]) == []


def test_pictures_and_digests_of_rows_are_not_read_as_text():
    picture = base64.b64encode(TOKEN.encode() * 9).decode()
    output = {"output_type": "display_data", "data": {"image/png": picture}, "metadata": {}}
    files = {
        "notebook.ipynb": notebook("x", output),
        "report.html": f'<img src="data:image/png;base64,{picture}">'.encode(),
        "datasets/0.json": json.dumps({"row_ids": ["jane.doe@hospital.nl"]}).encode(),
    }
    fact = measure_disclosures(files, known=())
    assert (fact.files, fact.found) == (2, ())
