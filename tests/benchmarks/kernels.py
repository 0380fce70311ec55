"""Kernels of both kinds, started one after the other and kept, so that what each adds can be weighed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager

from workbench.executors.preloads import find_preloads
from workbench.executors.warm_kernels import WarmKernelManager


@contextmanager
def start_kernels(kind: str, code: str) -> Iterator[Callable[[], list[int]]]:
    """Yield what starts one more kernel, has it execute the code, and returns all processes there are for the kernels."""
    loop = asyncio.new_event_loop()
    managers: list[Any] = []

    def start_next() -> list[int]:
        managers.append(_make_manager(kind, code))
        loop.run_until_complete(_start(managers[-1], code))
        return [pid for manager in managers for pid in _processes_of(manager)]

    try:
        yield start_next
    finally:
        for manager in managers:
            loop.run_until_complete(manager.shutdown_kernel(now=True))
        loop.close()


def _make_manager(kind: str, code: str) -> AsyncKernelManager:
    if kind == "cold":
        return AsyncKernelManager(kernel_name="python3")
    source = {"cells": [{"cell_type": "code", "source": code}]}
    return WarmKernelManager(preloads=list(find_preloads(source)), standby=0)


async def _start(manager: Any, code: str) -> None:
    await manager.start_kernel(cwd=str(Path.cwd()))
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=120)
    reply = await client.execute_interactive(code, timeout=120, output_hook=lambda _: None)
    assert reply["content"]["status"] == "ok", reply["content"]
    client.stop_channels()


def _processes_of(manager: Any) -> set[int]:
    """Return the kernel and, of a warm one, the process it was forked from."""
    parent = getattr(manager.provisioner, "forked_from", None)
    return {manager.provisioner.pid, *([parent] if parent else [])}
