"""Kernels as tests use them: started, asked, ended."""

from __future__ import annotations

import asyncio
import json
import textwrap
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager

from tests.conftest import own_environment
from workbench.executors.forked_kernel import RUN_ARGUMENTS
from workbench.executors.warm_kernels import WarmKernelManager
from workbench.executors.warm_parents import new_connection_file

SCIENCE = ("matplotlib.pyplot", "numpy.random", "pandas", "sklearn.ensemble")
TIMEOUT_S = 120


class CellFailed(Exception):
    """A cell raised; the message is what its kernel said."""


class Kernel:
    """A kernel that was started, and a client of it, on an event loop of their own."""

    def __init__(self, manager: AsyncKernelManager, **options: Any) -> None:
        self._runner = asyncio.Runner()
        self.manager: Any = manager
        self.outputs: list[dict[str, Any]] = []
        self.await_(manager.start_kernel(**{"env": own_environment(), **options}))
        self._connect()

    def _connect(self) -> None:
        self.client = self.manager.client()
        self.client.start_channels()
        self.await_(self.client.wait_for_ready(timeout=TIMEOUT_S))

    def await_(self, awaitable: Any) -> Any:
        async def run() -> Any:
            return await awaitable

        return self._runner.run(run())

    def run(self, code: str, *, and_when_it_prints: Any = None) -> str:
        """Execute code and return what it printed; raise what it raised."""
        self.outputs, printed = [], []

        def hear(message: dict[str, Any]) -> None:
            self.outputs.append(message["content"])
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])
                if and_when_it_prints:
                    and_when_it_prints()

        running = self.client.execute_interactive(
            textwrap.dedent(code), output_hook=hear, timeout=TIMEOUT_S, allow_stdin=False
        )
        content = self.await_(running)["content"]
        if content["status"] != "ok":
            raise CellFailed(f"{content.get('ename')}: {content.get('evalue')}")
        return "".join(printed).strip()

    def read(self, code: str) -> Any:
        """Return what an expression is in the kernel; JSON values."""
        return json.loads(self.run(f"import json; print(json.dumps({code}))"))

    @property
    def pid(self) -> int:
        return int(self.manager.provisioner.pid)

    def restart(self, *, now: bool) -> None:
        self.client.stop_channels()
        self.await_(self.manager.restart_kernel(now=now))
        self._connect()

    def close(self) -> None:
        self.client.stop_channels()
        self.await_(self.manager.shutdown_kernel(now=True))
        self._runner.close()


class Start:
    """Starts kernels that end with the test."""

    def __init__(self, ends: ExitStack, cwd: Path) -> None:
        self._ends, self._cwd = ends, cwd

    def warm(self, preloads: Sequence[str] = (), **options: Any) -> Kernel:
        kernel = self.any(WarmKernelManager(preloads=list(preloads)), extra_arguments=list(RUN_ARGUMENTS), **options)
        assert kernel.manager.is_warm
        return kernel

    def cold(self, **options: Any) -> Kernel:
        manager = AsyncKernelManager(transport="ipc", connection_file=str(new_connection_file()))
        return self.any(manager, extra_arguments=list(RUN_ARGUMENTS), **options)

    def any(self, manager: AsyncKernelManager, **options: Any) -> Kernel:
        kernel = Kernel(manager, **{"cwd": str(self._cwd), **options})
        self._ends.callback(kernel.close)
        return kernel


def parent_of(kernel: Kernel) -> int:
    return int(kernel.read("__import__('os').getppid()"))
