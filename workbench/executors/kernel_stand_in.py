"""What a module that is imported ahead sees of the kernel it will be in: that there is one, and what is true of every one."""

from __future__ import annotations

import builtins
import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any


@contextlib.contextmanager
def as_in_a_kernel() -> Iterator[Callable[[], int]]:
    """Import as a kernel does; yield what counts how often the shell was asked what only a real one can tell, or was kept.

    Modules look for their kernel in two ways, the name `get_ipython` of the built-ins and IPython's singletons, and at the streams.
    """
    from ipykernel.ipkernel import IPythonKernel
    from ipykernel.kernelapp import IPKernelApp
    from ipykernel.zmqshell import ZMQInteractiveShell

    asked: list[str] = []
    kernel = _make_stand_in(IPythonKernel, asked, {})
    shell = _make_stand_in(ZMQInteractiveShell, asked, {"kernel": kernel})
    app = _make_stand_in(IPKernelApp, asked, {})

    def count() -> int:
        return len(asked) + sum(map(sys.getrefcount, (kernel, shell, app)))

    with _instances(shell, app), _kernel_builtins(), _kernel_streams():
        yield count


def _make_stand_in(kind: Any, asked: list[str], told: Mapping[str, Any]) -> Any:
    """Return an object that is of a class and has the attributes told; who wants others is noted and gets none."""

    def answer(_: Any, name: str) -> Any:
        if name == "__class__":
            return kind
        if name not in told:
            asked.append(f"{kind.__name__}.{name}")
            raise AttributeError(name)
        return told[name]

    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__getattribute__": answer}
    return object.__new__(type(kind)(kind.__name__, (kind,), names))


@contextlib.contextmanager
def _instances(*objects: Any) -> Iterator[None]:
    """Make these the instances that the singletons of traitlets know."""
    kinds = [kind for each in objects for kind in type(each)._walk_mro()]
    try:
        for each in objects:
            for kind in type(each)._walk_mro():
                kind._instance = each
        yield
    finally:
        for kind in kinds:
            kind._instance = None


@contextlib.contextmanager
def _kernel_builtins() -> Iterator[None]:
    """Have the names that IPython puts among the built-ins."""
    from IPython.core.getipython import get_ipython
    from IPython.display import display

    names = {"get_ipython": get_ipython, "display": display, "__IPYTHON__": True}
    try:
        vars(builtins).update(names)
        yield
    finally:
        for name in names:
            vars(builtins).pop(name, None)


@contextlib.contextmanager
def _kernel_streams() -> Iterator[None]:
    """Have streams that name their encoding as a kernel's do."""
    from ipykernel.iostream import OutStream

    streams: tuple[Any, ...] = (sys.stdout, sys.stderr)
    before = [stream.encoding for stream in streams]
    try:
        for stream in streams:
            stream.reconfigure(encoding=OutStream.encoding, errors=stream.errors)
        yield
    finally:
        for stream, encoding in zip(streams, before, strict=True):
            stream.reconfigure(encoding=encoding, errors=stream.errors)
