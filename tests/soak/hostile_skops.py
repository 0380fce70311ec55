"""skops files whose schema names what must never be imported, called or followed."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
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


def _in_a_pipeline(step: Node) -> Node:
    """Return a pipeline in a pipeline in a union that holds the step."""
    inner = step
    for kind in ("sklearn.pipeline.Pipeline", "sklearn.pipeline.FeatureUnion", "sklearn.pipeline.Pipeline"):
        attribute = "transformer_list" if kind.endswith("Union") else "steps"
        inner = estimator(
            kind, **{attribute: sequence(sequence(plain("a"), inner, kind="tuple")), "memory": plain(None)}
        )
    return inner


def _partial(canary: Canary) -> Node:
    content = {
        "func": named("os.system"),
        "args": sequence(plain(canary.shell), kind="tuple"),
        "kwds": mapping(),
        "namespace": mapping(),
    }
    return node("PartialNode", "functools.partial", content=content)


def _method(canary: Canary) -> Node:
    parts = sequence(plain(str(canary.path)), kind="tuple")
    path = node("ConstructorFromReduceNode", "pathlib.PosixPath", content=parts)
    return node("MethodNode", "builtins.method", content={"func": "touch", "obj": path})


def _reduce(kind: str, canary: Canary, loader: str) -> Node:
    arguments = sequence(plain(canary.shell), kind="tuple")
    return node(loader, kind, content=mapping(), __reduce__={"args": arguments})


def _function(kind: str, **parts: Any) -> Node:
    module, _, name = kind.rpartition(".")
    return node("FunctionNode", kind, content={"module_path": module, "function": name}, **parts)


def _object_array(canary: Canary) -> dict[str, bytes]:
    class Calls:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (canary.shell,)

    packed = io.BytesIO()
    np.save(packed, np.array([Calls()], dtype=object), allow_pickle=True)
    return schema(node("NdArrayNode", "numpy.ndarray", type="numpy", file="1.npy"), **{"1__npy": packed.getvalue()})


def _sparse_objects(canary: Canary) -> dict[str, bytes]:
    members = {name: _object_array(canary)["1.npy"] for name in ("data.npy", "format.npy", "indices.npy", "shape.npy")}
    matrix = node("SparseMatrixNode", "scipy.sparse._csr.csr_matrix", type="scipy", file="1.npz")
    return schema(matrix, **{"1__npz": zip_members(members)})


def _huge_shape(_: Canary, shape: str = "(1099511627776, 1024)") -> dict[str, bytes]:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    return schema(node("NdArrayNode", "numpy.ndarray", type="numpy", file="1.npy"), **{"1__npy": content})


def _huge_header(_: Canary) -> dict[str, bytes]:
    header = b"(" * 60_000
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    return schema(node("NdArrayNode", "numpy.ndarray", type="numpy", file="1.npy"), **{"1__npy": content})


def _cycle(_: Canary) -> Node:
    inner = {**sequence(), "__id__": 7}
    return {**sequence(sequence(inner)), "__id__": 7}


def _cycle_by_cache(_: Canary) -> Node:
    return {**sequence(node("CachedNode", "builtins.list", __id__=7)), "__id__": 7}


def _deep(levels: int) -> Callable[[Canary], dict[str, bytes]]:
    start = '{"__class__":"list","__module__":"builtins","__loader__":"ListNode","content":['

    def make(_: Canary) -> dict[str, bytes]:
        end = '],"protocol":2,"_skops_version":"0.16.0"}'
        return {"schema.json": (start * levels + end * levels).encode()}

    return make


def _doubling(_: Canary) -> Node:
    """Return lists of twice the same list, 60 deep: 2^60 items for whoever follows each."""
    inner: Node = {**sequence(plain("x")), "__id__": 1}
    for number in range(2, 62):
        again = {
            "__class__": "list",
            "__module__": "builtins",
            "__loader__": "ListNode",
            "content": [],
            "__id__": number - 1,
        }
        inner = {**sequence(inner, again), "__id__": number}
    return inner


def _random_generator(name: str, protocol: int) -> Callable[[Canary], dict[str, bytes]]:
    def make(_: Canary) -> dict[str, bytes]:
        state = {"bit_generator": plain(name), "state": plain({})} if protocol else {"bit_generator": name, "state": {}}
        content = {
            "bit_generator": mapping(**state) if protocol else state,
            "seed_seq": mapping(entropy=plain(1)) if protocol else {"entropy": 1},
        }
        return schema(node("RandomGeneratorNode", "numpy.random._generator.Generator", content=content), protocol)

    return make


def _of(make: Callable[[Canary], Node], protocol: Any = 2) -> Callable[[Canary], dict[str, bytes]]:
    return lambda canary: schema(make(canary), protocol)


SKOPS_MODELS: Mapping[str, Callable[[Canary], Mapping[str, bytes]]] = {
    "a_function_of_os": _of(lambda canary: _reduce("os.system", canary, "ObjectNode")),
    "system_by_reduce": _of(lambda canary: _reduce("posix.system", canary, "LossNode")),
    "a_tree_that_is_a_program": _of(lambda canary: _reduce("os.system", canary, "TreeNode")),
    "constructor": _of(
        lambda canary: node(
            "ConstructorFromReduceNode", "os.system", content=sequence(plain(canary.shell), kind="tuple")
        )
    ),
    "eval": _of(lambda _: _function("builtins.eval")),
    "eval_of_protocol_0": _of(lambda _: _function("builtins.eval"), protocol=0),
    "exec_as_a_scipy_function": _of(
        lambda _: {**_function("builtins.exec"), "__module__": "scipy.special._ufuncs", "__class__": "expit"}
    ),
    "type_of_a_browser": _of(lambda _: named("antigravity.webbrowser")),
    "type_that_greets": _of(lambda _: named("this.s")),
    "own_module": _of(lambda _: estimator("canary_model.Model", x=plain(1))),
    "partial": _of(_partial),
    "method": _of(_method),
    "methodcaller": _of(
        lambda canary: node("OperatorFuncNode", "operator.methodcaller", attrs=sequence(plain("touch"), kind="tuple"))
    ),
    "operator_of_os": _of(
        lambda canary: node("OperatorFuncNode", "os.system", attrs=sequence(plain(canary.shell), kind="tuple"))
    ),
    "defaultdict": _of(
        lambda _: node(
            "DefaultDictNode",
            "collections.defaultdict",
            content={"main": mapping(), "default_factory": named("os.getcwd")},
        )
    ),
    "function_transformer": _of(
        lambda _: estimator(
            "sklearn.preprocessing._function_transformer.FunctionTransformer", func=_function("os.system")
        )
    ),
    "partial_in_a_pipeline": _of(
        lambda canary: _in_a_pipeline(
            estimator("sklearn.preprocessing._function_transformer.FunctionTransformer", func=_partial(canary))
        )
    ),
    "reviewed_function_called": _of(
        lambda _: node(
            "LossNode", "sklearn.utils.validation.check_array", content=mapping(), __reduce__={"args": sequence()}
        )
    ),
    "reviewed_class_as_a_function": _of(
        lambda _: estimator(
            "sklearn.preprocessing._function_transformer.FunctionTransformer",
            func=node("FunctionNode", "sklearn.model_selection._search.GridSearchCV"),
        )
    ),
    "method_in_a_pipeline": _of(lambda canary: _in_a_pipeline(_method(canary))),
    "keys_that_are_types": _of(lambda _: {**mapping(a=plain(1)), "key_types": sequence(named("os.system"))}),
    "array_of_another_type": lambda canary: {
        **_huge_shape(canary, "(1,)"),
        **schema(node("NdArrayNode", "os.system", type="numpy", file="1.npy")),
    },
    "random_state_elsewhere": _of(lambda _: node("RandomStateNode", "os.getcwd", content=mapping())),
    "generator_named_seed": _random_generator("seed", 2),
    "generator_of_protocol_1": _random_generator("seed", 1),
    "generator_of_protocol_0": _random_generator("seed", 0),
    "json_of_another_type": _of(lambda _: {**plain("x"), "__module__": "os", "__class__": "system"}),
    "unknown_loader": _of(lambda _: node("EvalNode", "builtins.eval", content="1")),
    "protocol_no_number": _of(lambda _: plain(1), protocol=True),
    "protocol_unknown": _of(lambda _: plain(1), protocol=10**6),
    "no_mapping": lambda _: {"schema.json": b"[1]"},
    "object_array": _object_array,
    "sparse_objects": _sparse_objects,
    "huge_shape": _huge_shape,
    "negative_shape": partial(_huge_shape, shape="(-1,)"),
    "huge_header": _huge_header,
    "missing_member": _of(lambda _: node("NdArrayNode", "numpy.ndarray", type="numpy", file="../../../etc/hostname")),
    "cycle": _of(_cycle),
    "cycle_by_cache": _of(_cycle_by_cache),
    "doubling": _of(_doubling),
    "deep_200": _deep(200),
    "deep_100000": _deep(100_000),
    "no_estimator": _of(lambda _: plain("I am a text")),
}
