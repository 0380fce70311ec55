"""How papermill talks to one of our kernels: warm or cold, watched while its cells run, asked at the end whether it is done."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.utils import run_sync
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat.v4 import new_output
from papermill.clientwrap import PapermillNotebookClient

from workbench.executors.jobs import Job
from workbench.executors.kernel_processes import find_descendants
from workbench.executors.kernel_start import find_later_path, spell_timing, spell_watch
from workbench.executors.kernel_witness import END
from workbench.executors.papermill_execution import PapermillExecution
from workbench.executors.warm_kernels import WarmKernelManager, find_preloads
from workbench.notebooks.notebook import number_cells

_OWN_PYTHONS = frozenset({"python", "python3", sys.executable})
# What the kernel may still have to say after its last cell is waited for this long; a loaded machine is not a failure.
_LAST_OUTPUT_TIMEOUT_S = 60
_END_TIMEOUT_S = 5
# By no name the notebook may have taken; rendering a real traceback would take longer than a short notebook does.
_CONFIRM = (
    f"__import__('sys').audit({END!r}); "
    "__import__('pathlib').Path({mark!r}).write_text({nonce!r}); "
    "raise __import__('builtins').type('Confirmed', (__import__('builtins').RuntimeError,), "
    "{{'_render_traceback_': lambda *_: []}})({nonce!r})"
)
# Appending copies what is there: in pieces of this many characters, a long stream costs what it is long.
_LONGEST_STREAM = 65_536


def make_manager(job: Job, kernel_name: str, connection_file: Path) -> AsyncKernelManager:
    """Return a manager of a kernel that is not started yet: of a warm one unless the job or its notebook wants another."""
    is_plain = _is_own_python(kernel_name) and find_later_path(job.environment, job.roots) is None
    if job.cold or not is_plain:
        return AsyncKernelManager(kernel_name=kernel_name, transport="ipc", connection_file=str(connection_file))
    return WarmKernelManager(preloads=list(find_preloads(job.source)), kept_min=job.kept_min)


def _is_own_python(kernel_name: str) -> bool:
    """True for the kernel of this very Python, which alone can be forked from a process of it."""
    spec = KernelSpecManager().get_kernel_spec(kernel_name)
    return spec.argv[:3] in ([python, "-m", "ipykernel_launcher"] for python in _OWN_PYTHONS) and not spec.env


class KernelClient(PapermillNotebookClient):
    """A papermill client of one execution: counts cells, weighs what arrives, and asks the live kernel for a completion mark."""

    def __init__(self, nb_man: Any, *, execution: PapermillExecution, **options: Any) -> None:
        # What a kernel does after its last cell is nobody's result: it is killed, not asked to go.
        super().__init__(
            nb_man,
            timeout=None,
            iopub_timeout=_LAST_OUTPUT_TIMEOUT_S,
            shell_timeout_interval=1,
            shutdown_kernel="immediate",
            **options,
        )
        self.owns_km = True
        self._execution = execution

    async def async_start_new_kernel_client(self) -> Any:
        """Connect to the kernel; ready as soon as it answers on both channels."""
        self.kc = self.km.client()
        self.kc.start_channels()
        try:
            await self._wait_until_heard()
        except Exception:
            await self._async_cleanup_kernel()
            raise
        self.kc.allow_stdin = False
        return self.kc

    start_new_kernel_client = run_sync(async_start_new_kernel_client)

    async def _async_cleanup_kernel(self) -> None:
        """End the kernel and free what it had; told that it is gone, the manager need not look every tenth of a second."""
        with suppress(RuntimeError):  # it may never have been started
            if await self.km.is_alive():
                await self.km.provisioner.kill()
                with suppress(TimeoutError):  # it was killed; who is to say so is busy
                    await asyncio.wait_for(self.km.provisioner.wait(), _END_TIMEOUT_S)
        await super()._async_cleanup_kernel()

    _cleanup_kernel = run_sync(_async_cleanup_kernel)

    async def _wait_until_heard(self) -> None:
        """Ask until the kernel's own status arrives too: what it prints before we are subscribed would be lost."""
        deadline = time.monotonic() + self.startup_timeout
        asked: set[str] = set()
        replied = heard = False
        pause_s = 0.01
        while not (replied and heard):
            if time.monotonic() > deadline:
                raise DeadKernelError(f"The kernel did not answer within {self.startup_timeout} s.")
            if not await self.km.is_alive():
                raise DeadKernelError("The kernel died before it answered.")
            asked.add(self.kc.kernel_info())
            pause_s = min(2 * pause_s, 1.0)
            replied = await _hears(self.kc.get_shell_msg, asked, pause_s) or replied
            heard = await _hears(self.kc.get_iopub_msg, asked, pause_s) or heard

    def papermill_execute_cells(self) -> None:
        """Execute the cells under the limits of the job, then ask for the completion mark."""
        execution, job, pid = self._execution, self._execution.job, self.km.provisioner.pid
        execution.kernel = "warm" if getattr(self.km, "is_warm", False) else "cold"
        execution.note_kernel(pid)
        try:
            with execution.watch.over(
                pid, job.mark, job.folder, job.limits, also=[execution.scratch], own_bytes=lambda: execution.live.bytes
            ) as execution.watched:
                session, deserialize = self.kc.session, self.kc.session.deserialize
                if job.journal:
                    self._ask(spell_watch(job))
                if job.times_imports:
                    self._ask(spell_timing(execution.imports_file))
                session.deserialize = execution.watched.weigh(deserialize)
                super().papermill_execute_cells()
                session.deserialize = deserialize  # what we ask from here on is not the notebook's
                if not self.nb.metadata.papermill.get("exception"):
                    self._confirm_completion()
        finally:
            # Only now: without the kernel nobody knows any more whose children they were.
            execution.descendants |= find_descendants(pid)
            execution.note_kernel(None)

    def execute_cell(self, cell: Any, cell_index: int, *arguments: Any, **options: Any) -> Any:
        """Execute one cell under its own limit; an error that it kept from being shown is written into it."""
        number = self._numbers[cell_index]
        self._execution.note_cell(number, self._numbers[-1])
        try:
            with self._execution.limit_cell(number):
                return super().execute_cell(cell, cell_index, *arguments, **options)
        except CellExecutionError as exc:
            if not any(output.output_type == "error" for output in cell.outputs):
                cell.outputs.append(new_output("error", ename=exc.ename, evalue=exc.evalue, traceback=[]))
            raise

    @cached_property
    def _numbers(self) -> list[int]:
        """The number of each cell as its author counts; that of the one before for text and injected parameters."""
        return number_cells({"cells": self.nb.cells})

    def process_message(self, *arguments: Any) -> Any:
        """Take one message of the kernel about a cell; who looks on is to see what it changed."""
        try:
            return super().process_message(*arguments)
        finally:
            self._execution.live.note()

    def output(self, outs: list[Any], msg: Any, display_id: str, cell_index: int) -> Any:
        """Take one output; a stream that goes on is written on, so that ten thousand small prints are a few outputs."""
        is_taken = self.clear_before_next_output or self.output_hook_stack[msg["parent_header"].get("msg_id")]
        if is_taken or not outs or not _goes_on(outs[-1], msg):
            return super().output(outs, msg, display_id, cell_index)
        outs[-1].text += msg["content"]["text"]
        return outs[-1]

    async def _check_raise_for_error(self, cell: Any, cell_index: int, exec_reply: Any) -> None:
        """Raise for a cell that failed, or asked its kernel to go: what comes after it would be up to chance."""
        payload = (exec_reply or {}).get("content", {}).get("payload") or ()
        if any(part.get("source") == "ask_exit" and not part.get("keepkernel") for part in payload):
            raise CellExecutionError("", "SystemExit", "The cell asked its kernel to exit.")
        await super()._check_raise_for_error(cell, cell_index, exec_reply)

    def _confirm_completion(self) -> None:
        """Have the kernel write the mark and fail: one that hides errors confirms nothing."""
        mark, nonce = str(self._execution.completion), self._execution.nonce
        code = _CONFIRM.format(mark=mark, nonce=nonce)
        content = self._ask(code)
        self._execution.confirmed = (content.get("status"), content.get("evalue")) == ("error", nonce)

    def _ask(self, code: str, **options: Any) -> dict[str, Any]:
        reply = self.wait_for_reply(self.kc.execute(code, silent=True, store_history=False, **options))
        return dict((reply or {}).get("content", {}))


def _goes_on(last: Any, msg: Any) -> bool:
    """True for a message that writes on the stream which the last output is."""
    if msg["msg_type"] != "stream" or last.output_type != "stream":
        return False
    return last.name == msg["content"]["name"] and len(last.text) < _LONGEST_STREAM


async def _hears(receive: Any, asked: set[str], timeout_s: float) -> bool:
    with suppress(Empty, asyncio.TimeoutError):
        while True:
            message = await receive(timeout=timeout_s)
            if message["parent_header"].get("msg_id") in asked:
                return True
    return False
