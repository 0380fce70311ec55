import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.models.model_files import find_formats, find_refused_files

GOOD = {"model.skops": b"PK\x03\x04rest", "model.onnx": b"\x08\x09\x12", "contract.json": b'{"a":1}'}


def test_the_three_formats_are_allowed():
    assert find_refused_files(GOOD) == ()
    assert find_formats(GOOD) == ("json", "onnx", "skops")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.pkl", pickle.dumps(1)),
        ("model.joblib", pickle.dumps(1)),
        ("model.skops", pickle.dumps(1)),
        ("model.onnx", pickle.dumps(1)),
        ("model.json", pickle.dumps(1)),
        ("contract.json", b'{"a":NaN}'),
        ("contract.json", b'{"a":1,"a":2}'),
        ("contract.json", b"["),
        ("MLmodel", b"loader_module: evil"),
        ("MLmodel.yaml", b"loader_module: evil"),
        ("code/evil.py", b"import os"),
        ("requirements.txt", b"--index-url evil"),
        ("model.SKOPS", b"PK\x03\x04rest"),
        ("sub/model.skops", b"PK\x03\x04rest"),
        (".skops/x", b"PK\x03\x04rest"),
        ("model.skops", b""),
        ("model.onnx", b""),
    ],
)
def test_anything_else_is_refused_by_name(name, content):
    refused = find_refused_files({**GOOD, name: content})
    assert [reason.split(":")[0] for reason in refused] == [name]


_names = st.sampled_from([*GOOD, ".skops", "a.pkl.onnx", "model.pkl"]) | st.text(max_size=12)
_contents = st.sampled_from([*GOOD.values(), b"PK\x03\x04", b"\x08", b"[]"]) | st.binary(max_size=12)
_files = st.sampled_from([*GOOD.items(), ("sub/model.skops", GOOD["model.skops"])]) | st.tuples(_names, _contents)


@given(st.lists(_files, max_size=4).map(dict))
def test_only_what_looks_like_an_allowed_file_stays(files):
    refused = {reason.rsplit(": ", 1)[0] for reason in find_refused_files(files)}
    for name in set(files) - refused:
        assert name.endswith((".skops", ".onnx", ".json"))
        assert "/" not in name
        if name.endswith(".json"):
            json.loads(files[name])
        else:
            assert files[name].startswith(b"PK\x03\x04" if name.endswith(".skops") else b"\x08")
