"""skops files of what nobody trusts, in the words skops itself writes: whoever asks skops first is told so.

What our own reader refuses besides, it refuses in its own tests; here is nothing that a stock loader takes for harmless.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

Node = dict[str, Any]
VARIABLE = "WORKBENCH_CANARY"


@dataclass(frozen=True)
class Canary:
    """What an executed payload leaves behind: a file, a call to a port of this machine, a variable."""

    path: Path
    port: int

    @property
    def shell(self) -> str:
        return f"touch {self.path}"

    @property
    def python(self) -> str:
        call = f"__import__('socket').create_connection(('127.0.0.1', {self.port}), 1).close()"
        return f"__import__('pathlib').Path({str(self.path)!r}).touch(); {call}"

    @property
    def variable(self) -> tuple[str, str]:
        return VARIABLE, "1"


@cache
def base_model() -> bytes:
    """Return the bytes of a sound model."""
    import skops.io

    from tests.integration.release_builder import train_model

    return bytes(skops.io.dumps(train_model().model))


def zip_members(members: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def pack_skops(members: Mapping[str, bytes]) -> bytes:
    return zip_members(members, zipfile.ZIP_DEFLATED)


# Nodes, as skops spells them


def node(loader: str, kind: str, **parts: Any) -> Node:
    module, _, name = kind.rpartition(".")
    return {"__class__": name, "__module__": module, "__loader__": loader, **parts}


def plain(value: Any) -> Node:
    return node("JsonNode", "builtins.str", content=json.dumps(value), is_json=True)


def sequence(*items: Node, kind: str = "list") -> Node:
    return node(
        {"list": "ListNode", "tuple": "TupleNode", "set": "SetNode"}[kind], f"builtins.{kind}", content=list(items)
    )


def mapping(**items: Node) -> Node:
    keys = sequence(*(node("TypeNode", "builtins.str") for _ in items))
    return node("DictNode", "builtins.dict", content=items, key_types=keys)


def estimator(kind: str, **attributes: Node) -> Node:
    return node("ObjectNode", kind, content=mapping(**attributes))


def named(kind: str) -> Node:
    """Return a type or function by its name."""
    return node("TypeNode", kind)


def schema(root: Node, protocol: Any = 2, **members: bytes) -> dict[str, bytes]:
    document = {**root, "protocol": protocol, "_skops_version": "0.16.0"}
    return {
        "schema.json": json.dumps(document).encode(),
        **{name.replace("__", "."): each for name, each in members.items()},
    }


def _dumped(make: Callable[[], Any]) -> Callable[[Canary], Mapping[str, bytes]]:
    """Return what skops itself writes of an object."""

    def members(_: Canary) -> Mapping[str, bytes]:
        import skops.io

        with zipfile.ZipFile(io.BytesIO(skops.io.dumps(make()))) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    return members


def _with(function: Any) -> Any:
    from sklearn.preprocessing import FunctionTransformer

    return FunctionTransformer(function)


def _in_a_pipeline() -> Any:
    from functools import partial

    from sklearn.pipeline import FeatureUnion, make_pipeline

    return make_pipeline(FeatureUnion([("a", make_pipeline(_with(partial(os.path.join, "a"))))]))


def _program(canary: Canary) -> Node:
    arguments = sequence(plain(canary.shell), kind="tuple")
    return node("ObjectNode", "os.system", content=mapping(), __reduce__={"args": arguments})


def _object_array(canary: Canary) -> dict[str, bytes]:
    class Calls:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (canary.shell,)

    packed = io.BytesIO()
    np.save(packed, np.array([Calls()], dtype=object), allow_pickle=True)
    return schema(node("NdArrayNode", "numpy.ndarray", type="numpy", file="1.npy"), **{"1__npy": packed.getvalue()})


def _of(make: Callable[[Canary], Node], protocol: Any = 2) -> Callable[[Canary], dict[str, bytes]]:
    return lambda canary: schema(make(canary), protocol)


SKOPS_MODELS: Mapping[str, Callable[[Canary], Mapping[str, bytes]]] = {
    "a_program": _of(_program),
    "own_module": _of(lambda _: estimator("canary_model.Model", x=plain(1))),
    "a_function_of_os": _dumped(lambda: _with(os.path.join)),
    "a_type_of_another_package": _dumped(lambda: [zipfile.ZipFile]),
    "partial_in_a_pipeline": _dumped(_in_a_pipeline),
    "unknown_loader": _of(lambda _: node("NoNodeOfTheirs", "builtins.str", content="1")),
    "protocol_no_number": _of(lambda _: named("canary_model.Model"), protocol="two"),
    "no_mapping": lambda _: {"schema.json": b"[1]"},
    "object_array": _object_array,
    "missing_member": _of(lambda _: node("NdArrayNode", "numpy.ndarray", type="numpy", file="2.npy")),
}
