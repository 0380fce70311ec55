"""Model folders that somebody made to run code or to reach outside of whoever opens them, and that do no harm.

Each carries the canary: a file that is made, or a port that is called, where anything of it is executed. Nothing here hangs,
crashes or fills a memory: what is too large, too deep or takes too long is refused by limits in their own tests, set low there.
"""

from __future__ import annotations

import builtins
import gzip
import io
import json
import os
import pickle
import socket
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.soak.hostile_onnx import ONNX_MODELS
from tests.soak.hostile_skops import SKOPS_MODELS, Canary, base_model, pack_skops, zip_members

Write = Callable[[Path, Canary], None]
SECRET = b"what lies outside is nobody's business\n"


@dataclass(frozen=True)
class Hostile:
    """One hostile model folder: `write` gets a folder that holds a sound model, and spoils it."""

    name: str
    write: Write


class _Calls:
    """Calls a function when it is unpickled."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.function, self.arguments


def pickles(canary: Canary) -> bytes:
    """Return a pickle that runs a program, executes Python and calls a port."""
    calls = [_Calls(os.system, canary.shell), _Calls(builtins.exec, canary.python), _Calls(os.putenv, *canary.variable)]
    return pickle.dumps(calls, protocol=4)


def _put(**files: Callable[[Canary], bytes]) -> Write:
    """Write files; `__` in a name is a dot."""

    def write(folder: Path, canary: Canary) -> None:
        for name, content in files.items():
            (folder / name.replace("__", ".")).write_bytes(content(canary))

    return write


def _joblib(canary: Canary, compress: int = 0) -> bytes:
    import joblib

    packed = io.BytesIO()
    joblib.dump(_Calls(os.system, canary.shell), packed, compress=compress)
    return packed.getvalue()


def _cloudpickle(canary: Canary) -> bytes:
    import cloudpickle

    namespace: dict[str, Any] = {}
    exec(f"class Model:\n    def __setstate__(self, state):\n        {canary.python}\n", namespace)
    model = namespace["Model"]()
    model.state = 1
    return bytes(cloudpickle.dumps(model))


def _torch_like(canary: Canary) -> bytes:
    return zip_members({"archive/data.pkl": pickles(canary), "archive/version": b"3\n"})


def _pickle_in_a_comment(canary: Canary) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("data.pkl", pickles(canary))
        archive.comment = pickles(canary)
    return packed.getvalue()


def _object_array(canary: Canary) -> bytes:
    packed = io.BytesIO()
    np.save(packed, np.array([_Calls(os.system, canary.shell)], dtype=object), allow_pickle=True)
    return packed.getvalue()


def _tar(_: Canary) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.skops"))
    return packed.getvalue()


def _member(name: str, *, mode: int = 0o644, content: bytes = b"x", flags: int = 0) -> Callable[[Canary], bytes]:
    """Return a sound model's archive with one member more; `{canary}` in a name is the canary's path."""

    def pack(canary: Canary) -> bytes:
        packed = io.BytesIO(base_model())
        with zipfile.ZipFile(packed, "a") as archive:
            info = zipfile.ZipInfo(name.format(canary=canary.path, up="../" * 20))
            info.create_system, info.external_attr, info.flag_bits = 3, mode << 16, flags
            archive.writestr(info, content or str(canary.path).encode())
        return packed.getvalue()

    return pack


def _two_schemas(_: Canary) -> bytes:
    """Return a sound model's archive that holds its schema twice."""
    import warnings

    packed = io.BytesIO(base_model())
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("schema.json", archive.read("schema.json"))
    return packed.getvalue()


# What MLflow and package installers would read


def _mlflow(flavour: str) -> Write:
    def write(folder: Path, canary: Canary) -> None:
        (folder / "code").mkdir()
        (folder / "code" / "canary_model.py").write_text(
            f"{canary.python}\ndef _load_pyfunc(path):\n    {canary.python}\n", encoding="utf-8"
        )
        (folder / "MLmodel").write_text(flavour, encoding="utf-8")
        (folder / "model.pkl").write_bytes(pickles(canary))

    return write


_LOADER_MODULE = (
    "flavors:\n  python_function:\n    code: code\n    loader_module: canary_model\n    python_version: 3.11.7\n"
)
_TRUSTED_LIST = """flavors:
  python_function:
    loader_module: mlflow.sklearn
    model_path: model.pkl
    predict_fn: predict
  sklearn:
    pickled_model: model.pkl
    serialization_format: pickle
    skops_trusted_types: [zipfile.ZipFile]
    code: code
"""


def _text(name: str, text: str) -> Write:
    return lambda folder, canary: (
        (folder / name).write_text(text.format(canary=canary.path, port=canary.port), "utf-8") and None
    )  # type: ignore[func-returns-value]


# The contract


def _contract(change: Callable[[dict[str, Any]], Any]) -> Write:
    def write(folder: Path, canary: Canary) -> None:
        path = folder / "contract.json"
        changed = change(json.loads(path.read_bytes()))
        path.write_bytes(changed if isinstance(changed, bytes) else json.dumps(changed).encode())

    return write


def _canonical(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _with_name(name: str) -> Callable[[dict[str, Any]], bytes]:
    def change(document: dict[str, Any]) -> bytes:
        return _canonical({**document, "columns": [{**document["columns"][0], "name": name}, *document["columns"][1:]]})

    return change


CONTRACTS: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "twice_a_key": lambda document: json.dumps(document).encode()[:-1] + b',"format":1}',
    "not_a_number": lambda document: {**document, "format": float("nan")},
    "endless": lambda document: json.dumps(document).replace('"format": 1', '"format": 1e999').encode(),
    "half_a_character": lambda document: json.dumps({**document, "positive_class": "\ud800"}).encode(),
    "other_encoding": lambda document: json.dumps(document).encode("utf-16"),
    "other_members": lambda document: {**document, "__class__": "os.system", "columns": {"name": "x"}},
    "other_format": lambda document: {**document, "format": True, "columns": [["x", "number"]]},
    "name_is_an_object": lambda document: {**document, "columns": [{"name": {"a": 1}, "type": ["number"]}]},
    "hostile_name": _with_name("__import__('os').system('true')\x00\x1b]0;x\x07\n"),
}


# Models of trusted types only, whose settings do the harm


def _text_model(said: Callable[[Canary], str], **settings: Any) -> Write:
    """Write a model of words that was changed after it was fitted, and rows that each say a text."""

    def write(folder: Path, canary: Canary) -> None:
        import pandas as pd
        import skops.io
        from sklearn.compose import ColumnTransformer
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        from tests.unit.models.builders import build_contract

        words = pd.DataFrame({"text": ["alpha beta", "gamma delta"] * 10})
        model = make_pipeline(ColumnTransformer([("words", CountVectorizer(), "text")]), LogisticRegression())
        model.fit(words, [0, 1] * 10)
        model[0].named_transformers_["words"].set_params(**settings)
        (folder / "model.skops").write_bytes(skops.io.dumps(model))
        (folder / "contract.json").write_bytes(build_contract([("text", "O", False)], "classification").to_bytes())
        pd.DataFrame({"text": [said(canary)] * 3}).to_parquet(folder.parent / "features.parquet")
        pd.DataFrame({"score": [0.5] * 3}).to_parquet(folder.parent / "scores.parquet")

    return write


MODELS: Mapping[str, Write] = {
    "reads_what_a_row_names": _text_model(lambda canary: str(_outside(canary)), input="filename"),
}


# What is no plain file


def _replaced(make: Callable[[Path, Canary], object], name: str = "model.skops") -> Write:
    def write(folder: Path, canary: Canary) -> None:
        (folder / name).unlink(missing_ok=True)
        make(folder / name, canary)

    return write


def _outside(canary: Canary) -> Path:
    path = canary.path.with_name("outside")
    path.write_bytes(SECRET)
    return path


def _socket(path: Path, _: Canary) -> None:
    # A socket's address is short: it is bound from within its folder.
    back = os.open(".", os.O_RDONLY)
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(path.name)
    os.fchdir(back)
    os.close(back)


def _device(path: Path, _: Canary) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))  # /dev/null: there is nothing in it
    except PermissionError:
        path.symlink_to(os.devnull)


def _itself_a_link(folder: Path, canary: Canary) -> None:
    elsewhere = canary.path.with_name("elsewhere")
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)


def _odd_name(name: bytes) -> Write:
    return lambda folder, canary: Path(os.fsdecode(bytes(folder) + b"/" + name)).write_bytes(pickles(canary)) and None  # type: ignore[func-returns-value]


FILES: Mapping[str, Write] = {
    "pickle_as_skops": _put(model__skops=pickles),
    "pickle_as_contract": _put(contract__json=pickles),
    "pickle_beside": _put(model__pkl=pickles),
    "pickle_without_a_suffix": _put(model=pickles),
    "pickle_as_onnx": _put(model__onnx=pickles),
    "dill": _put(model__dill=lambda canary: pickle.dumps(_Calls(builtins.eval, f"exec({canary.python!r})"))),
    "joblib_beside": _put(model__joblib=_joblib),
    "joblib_as_skops": _put(model__skops=partial(_joblib, compress=3)),
    "cloudpickle_beside": _put(python_model__pkl=_cloudpickle),
    "cloudpickle_as_skops": _put(model__skops=_cloudpickle),
    "gzip_of_a_pickle": _put(model__skops=lambda canary: gzip.compress(pickles(canary))),
    "zlib_of_a_pickle": _put(model__skops=lambda canary: zlib.compress(pickles(canary))),
    "zip_of_a_pickle": _put(model__skops=_torch_like),
    "pickle_in_a_comment": _put(model__skops=_pickle_in_a_comment),
    "pickle_as_schema": _put(model__skops=lambda canary: zip_members({"schema.json": pickles(canary)})),
    "object_array_beside": _put(weights__npy=_object_array),
    "member_leads_up": _put(model__skops=_member("{up}{canary}")),
    "member_is_absolute": _put(model__skops=_member("{canary}")),
    "member_is_a_link": _put(model__skops=_member("link.npy", mode=stat.S_IFLNK | 0o777, content=b"")),
    "member_has_a_line": _put(model__skops=_member("1\n.npy")),
    "member_is_encrypted": _put(model__skops=_member("secret.npy", flags=1)),
    "two_schemas": _put(model__skops=_two_schemas),
    "tar_beside": _put(model__tar=_tar),
    "tar_as_skops": _put(model__skops=_tar),
    "mlmodel_with_a_loader": _mlflow(_LOADER_MODULE),
    "mlmodel_with_a_trusted_list": _mlflow(_TRUSTED_LIST),
    "requirements_with_an_index": _text(
        "requirements.txt", "--index-url http://127.0.0.1:{port}/\n--trusted-host 127.0.0.1\ncanary-model\n"
    ),
    "conda": _text("conda.yaml", "channels: ['http://127.0.0.1:{port}/']\ndependencies: [pip: ['canary-model']]\n"),
    "startup_hook": _text("sitecustomize.py", "open({canary!r}, 'w').close()\n"),
    "path_hook": _text("model.pth", "import pathlib; pathlib.Path({canary!r}).touch()\n"),
    "pipe": _replaced(lambda path, _: os.mkfifo(path)),
    "pipe_as_contract": _replaced(lambda path, _: os.mkfifo(path), "contract.json"),
    "device": _replaced(_device),
    "socket": _replaced(_socket),
    "linked_file": _replaced(lambda path, canary: path.symlink_to(_outside(canary))),
    "linked_device": _replaced(lambda path, _: path.symlink_to(os.devnull)),
    "linked_to_itself": _replaced(lambda path, _: path.symlink_to(path.name)),
    "hard_link": _replaced(lambda path, canary: path.hardlink_to(_outside(canary))),
    "folder_as_a_file": _replaced(lambda path, _: (path / "inner").mkdir(parents=True)),
    "no_contract": lambda folder, _: (folder / "contract.json").unlink(),
    "no_model": lambda folder, _: (folder / "model.skops").unlink(),
    "linked_folder": lambda folder, canary: (folder / "more").symlink_to(canary.path.parent),
    "itself_a_link": _itself_a_link,
    "empty_folder": lambda folder, _: (folder / "empty").mkdir(),
    "dot_file": _put(__hidden=pickles),
    "name_with_a_line": _odd_name(b"model\n.skops"),
    "name_no_text": _odd_name(b"\xff\xfe.skops"),
    "name_that_ends_a_line": _odd_name(b"\x1b]0;x\x07.json"),
}  # fmt: skip


@cache
def corpus() -> tuple[Hostile, ...]:
    """Return every hostile folder, in an order that mixes the kinds."""
    return tuple(sorted(_all(), key=lambda hostile: zlib.crc32(hostile.name.encode())))


def _all() -> Iterator[Hostile]:
    yield from (Hostile(name, write) for name, write in (FILES | MODELS).items())
    yield from (Hostile(f"contract_{name}", _contract(change)) for name, change in CONTRACTS.items())
    for name, members in SKOPS_MODELS.items():
        yield Hostile(f"skops_{name}", _put(model__skops=_packed(members)))
    for name, make in ONNX_MODELS.items():
        yield Hostile(f"onnx_{name}", _put(model__onnx=make))
        yield Hostile(f"onnx_{name}_as_skops", _put(model__skops=make))


def _packed(members: Callable[[Canary], Mapping[str, bytes]]) -> Callable[[Canary], bytes]:
    return lambda canary: pack_skops(members(canary))
