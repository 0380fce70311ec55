"""Warm kernels: forked from a process that has imported what a notebook needs, so that they start in milliseconds.

A `jupyter_client` provisioner, used by papermill, nbclient and JupyterLab unchanged. Where a kernel cannot be forked as an
ordinary one would behave, an ordinary one is started.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, STDOUT
from typing import Any

from jupyter_client.connect import port_names
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Int, List, Unicode, default

from workbench.executors.forked_kernel import RUN_ARGUMENTS
from workbench.executors.kept_parents import KERNEL_PARENT, ask_keeper, find_kept_min, is_kept_here
from workbench.executors.preloads import LOGGING_PRELOADS, find_preloads
from workbench.executors.warm_parents import (
    KernelSource,
    ParentGone,
    WarmKernel,
    WarmUnavailable,
    find_parent,
    new_connection_file,
)

__all__ = ["KERNEL_NAME", "WarmKernelManager", "WarmProvisioner", "find_preloads"]

KERNEL_NAME = "workbench-warm"
DEFAULT_PRELOADS = ("workbench", *LOGGING_PRELOADS["log_model"])
_LAUNCH = [sys.executable, "-m", "ipykernel_launcher", "-f"]
_POLL_S = 0.001
_TRIES = 3
_UNDERSTOOD = {"env", "cwd", "stdout", "stderr", "kernel_id", "extra_arguments"}


class WarmProvisioner(LocalProvisioner):
    """Launches a kernel by forking it; `preloads` are the modules to import ahead, read from the notebook when empty."""

    preloads = List(Unicode(), help="Modules to import ahead.").tag(config=True)

    kept_min = Int(
        help="For how many minutes what kernels are forked from is kept after them; 0: as long as this process."
    ).tag(config=True)
    forked_from: int | None = None

    @default("kept_min")
    def _default_kept_min(self) -> int:
        return self.parent.kept_min if isinstance(self.parent, WarmKernelManager) else find_kept_min(os.environ)

    @property
    def is_warm(self) -> bool:
        """True while the kernel in use was forked."""
        return isinstance(self.process, WarmKernel)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork a kernel for this command, or start an ordinary one; return its connection."""
        kernel = await self._fork_kernel(cmd, kwargs)
        if kernel is None:
            return await super().launch_kernel(cmd, **kwargs)
        self.process, self.pid, self.pgid = kernel, kernel.pid, kernel.pid
        self.cwd = kwargs.get("cwd") or Path.cwd()
        return self.connection_info

    async def wait(self) -> int | None:
        """Return how the kernel ended, at once when it has."""
        while await self.poll() is None:
            await asyncio.sleep(_POLL_S)
        return await super().wait()

    async def _fork_kernel(self, cmd: Sequence[str], options: Mapping[str, Any]) -> WarmKernel | None:
        environment, outputs = _kernel_environment(options), _find_outputs(options)
        if not _can_be_forked(cmd, options, environment) or outputs is None:
            return None
        # A kernel that is started and waiting has a connection already; whoever was promised another gets another.
        adopts = isinstance(self.parent, WarmKernelManager) and self.parent.adopts_connection(cmd)
        cwd = Path(options.get("cwd") or ".").absolute()
        for _ in range(_TRIES):
            try:
                parent = self._find_parent(environment)
                arguments = None if adopts else cmd[3:]
                standby = self.parent.standby if isinstance(self.parent, WarmKernelManager) else 0
                kernel = parent.ask(environment, cwd, outputs, arguments=arguments, standby=standby)
                await kernel.wait_started()
                self.forked_from = parent.pid
                parent.release()
            except ParentGone as exc:
                self.log.info("%s", exc)
                await asyncio.to_thread(parent.close)  # it answers no more, and may not have ended yet
            except WarmUnavailable as exc:
                self.log.info("%s", exc)
                parent.release()
                return None
            else:
                if adopts:
                    self._adopt_connection(kernel.connection_file)
                return kernel
        return None

    def _find_parent(self, environment: Mapping[str, str]) -> KernelSource:
        modules = self._find_preloads(environment)
        if self.kept_min and is_kept_here():
            with suppress(OSError):
                request = {"do": "find", "program": KERNEL_PARENT, "modules": list(modules)}
                answer, requests = ask_keeper(request, environment, kept_min=self.kept_min)
                if requests:
                    return KernelSource(requests, answer["pid"])
        return find_parent(modules, environment)

    def _find_preloads(self, environment: Mapping[str, str]) -> tuple[str, ...]:
        if self.preloads:
            return tuple(self.preloads)
        if isinstance(self.parent, WarmKernelManager):
            return tuple(self.parent.preloads)
        return _read_preloads(Path(environment.get("JPY_SESSION_NAME", ""))) or DEFAULT_PRELOADS

    def _adopt_connection(self, file: str) -> None:
        """Make the manager's connection the one the kernel has."""
        manager: Any = self.parent
        manager.cleanup_connection_file()
        manager.connection_file = file
        for name in port_names:
            setattr(manager, name, 0)
        manager.load_connection_file()
        manager._connection_file_written = True  # it is this manager's to remove
        self.connection_info = manager.get_connection_info()


class WarmKernelManager(AsyncKernelManager):
    """A manager of one warm kernel that needs no installed kernelspec; its connection is over IPC and the kernel's own.

    `preloads` are the modules to import ahead (`find_preloads`), `standby` how many kernels to keep started and waiting, `kept_min`
    for how many minutes what they are forked from is kept after them.
    """

    preloads = List(Unicode())
    standby = Int(2)
    kept_min = Int(0)

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"transport": "ipc", "connection_file": str(new_connection_file()), **options})
        self.provisioner = WarmProvisioner(parent=self, kernel_spec=self.kernel_spec)
        self._is_fresh = True

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernelspec of an ordinary kernel of this Python."""
        return KernelSpec(
            argv=[*_LAUNCH, "{connection_file}"], display_name="Python 3 (warm)", language="python",
            metadata={"debugger": True},
        )  # fmt: skip

    @property
    def is_warm(self) -> bool:
        """True once the kernel was forked, false when an ordinary one had to be started."""
        return isinstance(self.provisioner, WarmProvisioner) and self.provisioner.is_warm

    def adopts_connection(self, cmd: Sequence[str]) -> bool:
        """True when the kernel may choose its connection: the first time, and started as those of runs are."""
        is_plain = tuple(cmd[len(_LAUNCH) + 1 :]) == RUN_ARGUMENTS
        adopts = self._is_fresh and self.transport == "ipc" and is_plain and self.curve_publickey is None
        self._is_fresh = False
        return adopts


def _can_be_forked(cmd: Sequence[str], options: Mapping[str, Any], environment: Mapping[str, str]) -> bool:
    """True when a fork can be what the command would start."""
    folders = environment.get("PYTHONPATH", "").split(os.pathsep) if environment.get("PYTHONPATH") else []
    return (
        sys.platform == "linux"
        and list(cmd[: len(_LAUNCH)]) == _LAUNCH
        and set(options) <= _UNDERSTOOD
        and all(Path(folder).is_absolute() for folder in folders)
    )


def _kernel_environment(options: Mapping[str, Any]) -> dict[str, str]:
    given = options.get("env")
    return {**(os.environ if given is None else given), "JPY_PARENT_PID": str(os.getpid())}


def _find_outputs(options: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """Return where the kernel's own output goes (None: nowhere); None when only its starter can arrange that."""
    out = _find_output(options.get("stdout"), 1)
    error = out if options.get("stderr") == STDOUT else _find_output(options.get("stderr"), 2)
    return None if out < DEVNULL or error < DEVNULL else (out, error)


def _find_output(given: Any, number: int) -> int:
    if given is None:
        return number
    return given if isinstance(given, int) else int(given.fileno())


def _read_preloads(notebook: Path) -> tuple[str, ...]:
    """Return what a notebook that is opened by hand imports; nothing when it cannot be read."""
    try:
        return find_preloads(json.loads(notebook.read_bytes()))
    except (OSError, ValueError, AttributeError, TypeError):
        return ()
